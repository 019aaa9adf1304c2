"""Tiger (Kaelbling, Littman & Cassandra 1998, §5.1): one task whose *state* is hidden, behind noisy observations.

A tiger is behind one of two doors. Listening costs 1 and gives the right side with probability `accuracy`; opening the
tiger's door costs 100, the other one pays 10, and then the tiger is placed anew at random. Silence is what is heard at
the beginning and after a door was opened.
"""

import numpy as np

from tinymeta.base.errors import integer, real
from tinymeta.environments.table import TaskSet

LISTEN, OPEN_LEFT, OPEN_RIGHT = 0, 1, 2

SILENCE = 2  # observations 0 and 1 are the sides


def tiger(accuracy: float = 0.85, horizon: int = 20) -> TaskSet:
    """One task, two states (the tiger's side), one episode of `horizon` steps.

    Parameters
    ----------
    accuracy : float in [0, 1]
        Probability that listening gives the right side.
    horizon : int
        Steps. As it grows the optimum at γ = 0.95 tends to 19.371368.
    """
    accuracy = real("accuracy", accuracy, 0, 1)
    horizon = integer("horizon", horizon, 1, 100_000)
    stay = np.eye(2)
    anew = np.full((2, 2), 0.5)
    transition = np.stack([stay, anew, anew], axis=1)  # (S, A, S)
    reward = np.empty((2, 3, 2))
    reward[:, LISTEN] = -1
    reward[:, OPEN_LEFT] = np.array([-100, 10])[:, None]
    reward[:, OPEN_RIGHT] = np.array([10, -100])[:, None]
    wrong = round(1 - accuracy, 15)
    silence = np.tile([0.0, 0, 1], (2, 1))
    observation = np.stack([np.array([[accuracy, wrong, 0], [wrong, accuracy, 0]]), silence, silence])  # (A, S, O)
    return TaskSet(
        transition[None],
        reward[None],
        observation[None],
        initial=np.full((1, 2), 0.5),
        terminal=np.zeros((1, 2), bool),
        initial_observation=silence[None],
        episode_length=horizon,
        name="tiger",
    )
