"""A two-armed bandit whose better arm changes within the trial, after Behrens et al. 2007 and Wang et al. 2016, §3.1.5.

One arm pays 1 with probability `win`, the other with 1 - win. After every pull the two change places with a probability
that is the same throughout a trial: its *volatility*, which the trial hides, as well as which arm is the better one
now. Where little changes, many pulls count; where much does, the last ones. Either arm tells as much as the other, so
pulling the arm that is more probably the better one is the Bayes-optimal policy.
"""

from collections.abc import Sequence

import numpy as np

from tinymeta.base.errors import InputError, integer, real, shown
from tinymeta.environments.table import TaskSet

LOST, WON = 0, 1  # the last pull; a state is 2·(better arm) + last pull
ARMS = 2


def volatile(volatility: Sequence[float] | float = (0.01, 0.2), win: float = 0.8, pulls: int = 100) -> TaskSet:
    """One task for each volatility; a trial is one episode of `pulls` pulls.

    Parameters
    ----------
    volatility : sequence of floats in [0, 1], or one
        Probability that the arms change places after a pull.
    win : float in [0, 1]
        Of the better arm; the other one's is 1 - win.
    pulls : int

    Raises
    ------
    InputError
        For a value outside these bounds.
    """
    values = list(volatility) if isinstance(volatility, (list, tuple, np.ndarray)) else [volatility]
    if not 1 <= len(values) <= 1000:
        raise InputError(f"volatility = {shown(volatility)}, expected between 1 and 1000 values")
    changes = [real(f"volatility[{i}]", value, 0, 1) for i, value in enumerate(values)]
    win = real("win", win, 0, 1)
    M = len(changes)
    transition = np.empty((M, 2 * ARMS, ARMS, 2 * ARMS))
    for m, change in enumerate(changes):
        for better in range(ARMS):
            for arm in range(ARMS):
                wins = win if arm == better else 1 - win
                outcome = np.array([1 - wins, wins])  # LOST, WON
                moved = np.array([change, change])
                moved[better] = 1 - change
                transition[m, 2 * better : 2 * better + 2, arm] = np.outer(moved, outcome).ravel()
    reward = np.zeros(transition.shape)
    reward[..., WON::2] = 1
    initial = np.zeros((M, 2 * ARMS))
    initial[:, LOST::2] = 1 / ARMS
    return TaskSet(
        transition,
        reward,
        np.ones((M, 2 * ARMS, 1)),
        initial,
        np.zeros((M, 2 * ARMS), bool),
        episode_length=integer("pulls", pulls, 1, 10_000),
        name="bandit-volatile",
    )
