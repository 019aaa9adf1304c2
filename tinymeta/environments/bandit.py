"""Dependent two-armed bandits: the arms pay 1 with probability (p, 1 - p), and p is what the trial hides.

One pull is an episode; a trial is `pulls` episodes. The observation carries nothing (O = 1): all an agent sees is the
reward, as in Alver & Precup 2021, §4 (1), after Wang et al. 2016. A pull moves from the start to the outcome state
"lost" or "won", both terminal, so that the reward is evidence (paper, Eq. 1).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError, integer, real, shown
from tinymeta.environments.table import TaskSet

START, LOST, WON = 0, 1, 2  # states
UNIFORM_PULLS_LIMIT = 2000  # beyond, building takes minutes
VALUES_LIMIT = 100_000


def bernoulli_arms(win: np.ndarray, lose: np.ndarray, pulls: int, prior: np.ndarray | None, name: str) -> TaskSet:
    """The TaskSet of one-pull episodes whose task m pays 1 on arm a with probability win[m, a].

    Parameters
    ----------
    win, lose : arrays of shape (M, A)
        The probabilities of winning and of losing; given separately, so that 0.9 and 1 - 0.1 can be one number.
    pulls : int
    prior : array of shape (M,), optional
    """
    M, A = win.shape
    transition = np.zeros((M, 3, A, 3))
    transition[:, START, :, WON] = win
    transition[:, START, :, LOST] = lose
    transition[:, LOST, :, LOST] = transition[:, WON, :, WON] = 1
    reward = np.zeros((M, 3, A, 3))
    reward[:, START, :, WON] = 1
    return TaskSet(
        transition,
        reward,
        observation=np.ones((M, 3, 1)),
        initial=np.tile([1.0, 0, 0], (M, 1)),
        terminal=np.tile([False, True, True], (M, 1)),
        prior=prior,
        episodes=pulls,
        name=name,
    )


def bandit(p: Sequence[float] | float | str = (0, 1), pulls: int = 10) -> TaskSet:
    """Two arms that pay 1 with probability (p, 1 - p).

    Parameters
    ----------
    p : sequence of floats in [0, 1], or "uniform"
        The equally likely values of p; (0, 1) is the paper's bandit. "uniform" is p ~ U[0, 1], represented by
        pulls // 2 + 1 Gauss-Legendre nodes on each half of the interval. What a trial can earn is a polynomial in p of
        degree at most `pulls` on each half (the better arm changes at 1/2), so expectations over the prior are exact.
    pulls : int
        Episodes per trial.
    """
    pulls = integer("pulls", pulls, low=1, high=10_000)
    prior = None
    if isinstance(p, str):
        if p != "uniform":
            raise InputError(f"p = {shown(p)}, expected probabilities such as 0.1,0.9 or the word uniform")
        integer("pulls, with p uniform,", pulls, high=UNIFORM_PULLS_LIMIT)
        nodes, weights = np.polynomial.legendre.leggauss(pulls // 2 + 1)
        lower = (nodes + 1) / 4
        first = np.concatenate([lower, 1 - lower[::-1]])
        second = first[::-1]  # the nodes are symmetric about 1/2, so 1 - p is itself a node
        prior = np.tile(weights / weights.sum() / 2, 2)
    else:
        values: Any = p if isinstance(p, (list, tuple, np.ndarray)) else [p]
        integer("the number of values of p", len(values), 1, VALUES_LIMIT)
        first = np.array([real(f"p[{i}]", value, 0, 1) for i, value in enumerate(values)])
        second = np.round(1 - first, 15)  # 1 - 0.9 is 0.1 here, not 0.09999999999999998
    return bernoulli_arms(np.stack([first, second], 1), np.stack([second, first], 1), pulls, prior, "bandit")
