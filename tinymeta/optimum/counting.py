"""The optimum of independent Bernoulli arms, and the worth of Thompson sampling, over counts instead of beliefs.

With a uniform prior on each arm's p, the wins w and losses l of every arm are a sufficient statistic, and arm i wins
next with probability (w_i + 1) / (w_i + l_i + 2), Laplace's rule. Backward induction over all count vectors
(w_1, l_1, …, w_k, l_k) with a sum of t, for t from the last pull to the first, gives the Bayes optimum of trials whose
beliefs nobody could enumerate. The vectors of one sum are visited in lexicographic order, and their values are stored
in it; the rank of a vector is a sum of binomial coefficients (Knuth, TAOCP 4A, §7.2.1.3).
"""

import math

import numpy as np

from tinymeta.base.errors import InputError, integer, real
from tinymeta.base.jit import jit, jit_allocating
from tinymeta.environments.independent import arm_nodes

STATE_LIMIT = 50_000_000  # count vectors of the last step


def count_based_values(arms: int, pulls: int, gamma: float = 1.0) -> dict[str, tuple[float, float]]:
    """(undiscounted reward, discounted value) per trial of the Bayes-optimal and of the informed policy, exact.

    Parameters
    ----------
    arms, pulls : int
    gamma : float in [0, 1]
        Discount; the policies are optimal for the discounted value.

    Returns
    -------
    dict with "bayes_optimal" and "informed", each (reward, value)
        The informed optimum is E max p = arms / (arms + 1) a pull.

    Raises
    ------
    ValueError
        If the last step has more than `STATE_LIMIT` count vectors.

    Examples
    --------
    >>> reward, value = count_based_values(arms=2, pulls=2)["bayes_optimal"]
    >>> round(12 * reward, 9)  # 13/12
    13.0
    """
    arms = integer("arms", arms, 1, 10)
    pulls = integer("pulls", pulls, 1, 10_000)
    gamma = real("gamma", gamma, 0, 1)
    size = 2 * arms
    choose = _binomials(pulls + size, size)
    states = last_counts(arms, pulls)
    if states > STATE_LIMIT:
        raise InputError(
            f"arms = {arms} with pulls = {pulls} has {states} count vectors in its last step, "
            f"expected at most {STATE_LIMIT}"
        )
    value = np.zeros(1)
    reward = np.zeros(1)
    _plan_counts(pulls, size, gamma, choose, value, reward)
    best = arms / (arms + 1)
    return {
        "bayes_optimal": (float(reward[0]), float(value[0])),
        "informed": (best * pulls, best * sum(gamma**t for t in range(pulls))),
    }


def last_counts(arms: int, pulls: int) -> int:
    """How many count vectors there are before the last pull."""
    return math.comb(pulls + 2 * arms - 2, 2 * arms - 1)


def two_armed_thompson(pulls: int, gamma: float = 1.0) -> tuple[float, float]:
    """(undiscounted reward, discounted value) per trial of the Thompson agent on two independent arms, exact.

    Arm 0 is pulled with the probability that its p, drawn from its posterior over the task set's nodes, is no less
    than arm 1's. A state is (pulls k of arm 0, wins of arm 0, wins of arm 1) at time t; those of one k are a block.

    Parameters
    ----------
    pulls : int
    gamma : float in [0, 1]
        Discount.

    Examples
    --------
    >>> two_armed_thompson(pulls=1)[0]
    0.5
    """
    pulls = integer("pulls", pulls, 1, 1000)
    discount = np.array([1.0, real("gamma", gamma, 0, 1)])
    p, lose, prior = arm_nodes(pulls)
    posterior = []  # of each number of pulls k: (k + 1, nodes), by wins
    for k in range(pulls):
        wins = np.arange(k + 1)[:, None]
        likelihood = prior * p**wins * lose ** (k - wins)
        posterior.append(likelihood / likelihood.sum(axis=1, keepdims=True))
    at_most = [weights.cumsum(axis=1) for weights in posterior]
    worth = [np.zeros((k + 1, pulls - k + 1, 2)) for k in range(pulls + 1)]  # reward and value from here on
    for t in range(pulls - 1, -1, -1):
        before = []
        for k in range(t + 1):
            share = (posterior[k] @ at_most[t - k].T)[:, :, None]  # of arm 0
            p0 = _laplace(k)[:, None, None]
            p1 = _laplace(t - k)[:, None]
            first = p0 + discount * (p0 * worth[k + 1][1:] + (1 - p0) * worth[k + 1][:-1])
            second = p1 + discount * (p1 * worth[k][:, 1:] + (1 - p1) * worth[k][:, :-1])
            before.append(share * first + (1 - share) * second)
        worth = before
    reward, value = worth[0][0, 0].tolist()
    return reward, value


def _laplace(pulls: int) -> np.ndarray:
    """P(the next pull wins) by wins 0…pulls, array (pulls + 1,)."""
    return (np.arange(pulls + 1) + 1) / (pulls + 2)


def _binomials(rows: int, columns: int) -> np.ndarray:
    """choose[n, k] for n < rows, k <= columns, at most near 2^62."""
    choose = np.zeros((rows, columns + 1), np.int64)
    choose[:, 0] = 1
    for n in range(1, rows):
        choose[n, 1:] = np.minimum(choose[n - 1, 1:] + choose[n - 1, :-1], 2**61)
    return choose


@jit_allocating
def _plan_counts(pulls, size, gamma, choose, value, reward):
    """Backward induction over count vectors of length `size`; overwrites value (1,) and reward (1,) with the root's.

    Of actions with equal values the first is taken.
    """
    counts = np.empty(size, np.int64)
    next_value = np.zeros(choose[pulls + size - 1, size - 1])
    next_reward = np.zeros(choose[pulls + size - 1, size - 1])
    for t in range(pulls - 1, -1, -1):
        n = choose[t + size - 1, size - 1]
        this_value = np.empty(n)
        this_reward = np.empty(n)
        counts[:] = 0
        counts[size - 1] = t
        for state in range(n):
            best = -1.0
            earned = 0.0
            for arm in range(0, size, 2):
                p = (counts[arm] + 1) / (counts[arm] + counts[arm + 1] + 2)
                won = _rank_after(counts, arm, t + 1, choose)
                lost = _rank_after(counts, arm + 1, t + 1, choose)
                q = p * (1 + gamma * next_value[won]) + (1 - p) * gamma * next_value[lost]
                if q > best:
                    best = q
                    earned = p * (1 + next_reward[won]) + (1 - p) * next_reward[lost]
            this_value[state] = best
            this_reward[state] = earned
            _advance(counts)
        next_value = this_value
        next_reward = this_reward
    value[0] = next_value[0]
    reward[0] = next_reward[0]


@jit
def _rank_after(counts, i, total, choose):
    """The rank of `counts` with one more at i, among all vectors of their length with sum `total`."""
    counts[i] += 1
    rank = _rank(counts, total, choose)
    counts[i] -= 1
    return rank


@jit
def _rank(counts, total, choose):
    """The number of vectors of the same length and sum that come before `counts` in lexicographic order."""
    size = counts.shape[0]
    rank = 0
    left = total
    for i in range(size - 1):
        # Vectors whose i-th entry is smaller: sum over v < counts[i] of the ways to share out what then is left.
        parts = size - 1 - i
        rank += choose[left + parts, parts] - choose[left - counts[i] + parts, parts]
        left -= counts[i]
    return rank


@jit
def _advance(counts):
    """Overwrite counts with the next vector of the same sum in the order of `_rank`; the last one stays."""
    i = counts.shape[0] - 1
    while i > 0 and counts[i] == 0:
        i -= 1
    if i > 0:
        rest = counts[i] - 1
        counts[i] = 0
        counts[i - 1] += 1
        counts[-1] = rest
