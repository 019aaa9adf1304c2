"""TODO optimum.counting."""

import numpy as np

from tinymeta.base.errors import InputError, integer, real
from tinymeta.base.jit import jit, jit_allocating

STATE_LIMIT = 50_000_000  # count vectors of the last step


def count_based_values(arms, pulls, gamma=1.0):
    """(undiscounted reward, discounted value) per trial of the Bayes-optimal and of the informed policy, exact.

    Returns
    -------
    dict with "bayes_optimal" and "informed", each (reward, value). The informed optimum is E max p = arms / (arms + 1) a pull.

    Raises
    ------
    ValueError
        If the last step has more than `STATE_LIMIT` count vectors.
    """
    arms, pulls, gamma = integer("arms", arms, 1, 10), integer("pulls", pulls, 1, 10_000), real("gamma", gamma, 0, 1)
    size = 2 * arms
    choose = np.zeros((pulls + size, size + 1), np.int64)  # choose[n, k], for ranking count vectors
    choose[:, 0] = 1
    for n in range(1, pulls + size):
        choose[n, 1:] = np.minimum(choose[n - 1, 1:] + choose[n - 1, :-1], 2**61)
    states = int(choose[pulls - 1 + size - 1, size - 1])
    if states > STATE_LIMIT:
        raise InputError(
            f"arms = {arms} with pulls = {pulls} has {states} count vectors in its last step, expected at most {STATE_LIMIT}"
        )
    value, reward = np.zeros(1), np.zeros(1)
    _plan_counts(pulls, size, gamma, choose, value, reward)
    best = arms / (arms + 1)
    return {
        "bayes_optimal": (float(reward[0]), float(value[0])),
        "informed": (best * pulls, best * sum(gamma**t for t in range(pulls))),
    }


@jit
def _rank(counts, total, choose):
    """Place of a count vector among all of the same length and sum, in lexicographic order of its partial sums."""
    rank, size = 0, counts.shape[0]
    left = total
    for i in range(size - 1):
        # Vectors whose i-th entry is smaller: sum over v < counts[i] of the ways to share out what then is left.
        parts = size - 1 - i
        rank += choose[left + parts, parts] - choose[left - counts[i] + parts, parts]
        left -= counts[i]
    return rank


@jit_allocating
def _plan_counts(pulls, size, gamma, choose, value, reward):
    """Backward induction over (wins, losses) of every arm; overwrites value (1,) and reward (1,) with the root's."""
    counts = np.empty(size, np.int64)
    next_value, next_reward = np.zeros(choose[pulls + size - 1, size - 1]), np.zeros(choose[pulls + size - 1, size - 1])
    for t in range(pulls - 1, -1, -1):
        n = choose[t + size - 1, size - 1]
        this_value, this_reward = np.empty(n), np.empty(n)
        counts[:] = 0
        counts[size - 1] = t
        for state in range(n):
            best = -1.0
            earned = 0.0
            for arm in range(0, size, 2):
                p = (counts[arm] + 1) / (counts[arm] + counts[arm + 1] + 2)  # Laplace's rule
                counts[arm] += 1
                won = _rank(counts, t + 1, choose)
                counts[arm] -= 1
                counts[arm + 1] += 1
                lost = _rank(counts, t + 1, choose)
                counts[arm + 1] -= 1
                q = p * (1 + gamma * next_value[won]) + (1 - p) * gamma * next_value[lost]
                if q > best:
                    best = q
                    earned = p * (1 + next_reward[won]) + (1 - p) * next_reward[lost]
            this_value[state], this_reward[state] = best, earned
            _advance(counts)
        next_value, next_reward = this_value, this_reward
    value[0], reward[0] = next_value[0], next_reward[0]


@jit
def _advance(counts):
    """The next count vector of the same sum in the order of `_rank`."""
    i = counts.shape[0] - 1
    while i > 0 and counts[i] == 0:
        i -= 1
    if i > 0:
        rest = counts[i] - 1
        counts[i] = 0
        counts[i - 1] += 1
        counts[-1] = rest
