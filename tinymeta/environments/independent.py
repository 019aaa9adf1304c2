"""Bernoulli arms with independent uniform priors (Duan et al. 2016, §3.1).

As a task set, each arm's p ~ U[0, 1] is represented by Gauss-Legendre nodes, and the tasks are their product: exact
for every expectation of a trial, because wins of an arm enter as a polynomial of degree at most `pulls`. Enumerating
beliefs over that product is hopeless for long trials, but wins and losses per arm are a sufficient statistic;
`tinymeta.optimum.counting` plans over them. Where the product is too large for a table, a world takes its place.
"""

import itertools
import math

import numpy as np

from tinymeta.base.errors import integer
from tinymeta.environments.bandit import bernoulli_arms
from tinymeta.environments.many_arms import many_arms
from tinymeta.environments.table import TaskSet
from tinymeta.environments.world import World

TASK_LIMIT = 20_000  # of the product grid; with more tasks there is no table


def independent(arms: int = 2, pulls: int = 10) -> TaskSet | World:
    """`arms` Bernoulli arms, p of each independent and uniform on [0, 1]; an episode is one pull.

    Parameters
    ----------
    arms : int
    pulls : int
        Episodes per trial.
    """
    arms = integer("arms", arms, 1, 1000)
    pulls = integer("pulls", pulls, 1, 10_000)
    n = nodes_per_arm(pulls)
    if arms * math.log(n) > math.log(TASK_LIMIT):
        return many_arms(arms, pulls)
    win, lose, prior = arm_nodes(pulls)
    product = np.array(list(itertools.product(range(n), repeat=arms)))  # (M, arms)
    tasks = bernoulli_arms(win[product], lose[product], pulls, prior[product].prod(axis=1), "bandit-independent")
    tasks.independent_arms = arms, pulls
    return tasks


def nodes_per_arm(pulls: int) -> int:
    """How many Gauss-Legendre nodes are exact for polynomials of degree `pulls`."""
    return pulls // 2 + 1


def arm_nodes(pulls: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(p, 1 - p, prior) of one arm's nodes, p ascending, each of shape (`nodes_per_arm`,)."""
    nodes, weights = np.polynomial.legendre.leggauss(nodes_per_arm(pulls))
    lose = (nodes[::-1] + 1) / 2  # the nodes are symmetric about 1/2
    return (nodes + 1) / 2, lose, weights / weights.sum()
