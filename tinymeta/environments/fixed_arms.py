"""Bandits whose arms are fixed: one instance, or a few among which each trial draws (Conti's 1×10Brf and 5×10Brf).

Unlike the other bandits' an episode is `pulls` pulls, as in Conti's study: an agent without memory between episodes can
still learn within one.
"""

from collections.abc import Sequence

import numpy as np

from tinymeta.base.errors import InputError, integer, real
from tinymeta.environments.table import TaskSet

LOST, WON = 0, 1


def fixed_arms(
    p: Sequence[float] | None = None,
    instances: int = 1,
    arms: int = 10,
    seed: int = 0,
    pulls: int = 100,
    episodes: int = 1,
) -> TaskSet:
    """Bernoulli arms whose probabilities are given, or drawn once from U[0, 1] by `seed`.

    Parameters
    ----------
    p : sequence of float, optional
        Of the arms of one instance, or of all instances one after the other.
    instances : int
        Tasks; all equally likely.
    arms : int
        Left out of account where p is given: then it is len(p) / instances.
    seed : int
        Of the probabilities.
    pulls : int
        Steps of an episode.
    episodes : int
        Per trial.

    Examples
    --------
    >>> fixed_arms(p=(0.2, 0.7), pulls=5)
    TaskSet('bandit-fixed': 1 tasks, 2 states, 2 actions, 1 observations, 1 episodes per trial, at most 5 steps)
    """
    chances = _chances(p, integer("instances", instances, 1, 1000), arms, seed)
    M, A = chances.shape
    transition = np.empty((M, 2, A, 2))
    transition[..., WON] = chances[:, None]
    transition[..., LOST] = 1 - chances[:, None]
    reward = np.zeros((M, 2, A, 2))
    reward[..., WON] = 1
    initial = np.zeros((M, 2))
    initial[:, LOST] = 1
    return TaskSet(
        transition,
        reward,
        np.ones((M, 2, 1)),
        initial,
        np.zeros((M, 2), bool),
        episodes=integer("episodes", episodes, 1, 10_000),
        episode_length=integer("pulls", pulls, 1, 10_000),
        name="bandit-fixed",
    )


def _chances(p: Sequence[float] | None, M: int, arms: int, seed: int) -> np.ndarray:
    """Each instance's probabilities, array (M, A)."""
    if p is None:
        A = integer("arms", arms, 1, 1000)
        return np.random.default_rng(integer("seed", seed, 0)).random((M, A))
    listed = [real("p", chance, 0, 1) for chance in (p if isinstance(p, (tuple, list, np.ndarray)) else [p])]
    if not listed or len(listed) % M:
        raise InputError(f"p holds {len(listed)} numbers, expected as many for each of {M} instances")
    return np.array(listed).reshape(M, -1)
