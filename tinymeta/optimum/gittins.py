"""Players of Bernoulli bandits with independent arms, for regret curves: UCB1, Thompson sampling and the Gittins index.

The Gittins index of an arm with posterior Beta(α, β) at discount γ is the sure payment per pull at which one is indifferent between
pulling on and retiring (Gittins 1979). With V the value of the better of both,

    V(α, β) = max( λ / (1 - γ),  p (1 + γ V(α + 1, β)) + (1 - p) γ V(α, β + 1) ),      p = α / (α + β),

the index is the smallest λ at which V is the first term. Far enough ahead, where γⁿ has made the rest negligible, the arm is
taken for known: V = max(λ, p) / (1 - γ).
"""

import math

import numpy as np

from tinymeta.base.errors import InputError, integer, real
from tinymeta.base.jit import jit, jit_allocating

NEGLIGIBLE, HORIZON_LIMIT = 1e-9, 5000


def gittins(alpha, beta, gamma):
    """Gittins index of a Bernoulli arm with posterior Beta(alpha, beta), to 1e-6.

    Parameters
    ----------
    alpha, beta : float > 0
    gamma : float in [0, 1)
        At most 0.994: the number of pulls to look ahead grows like 1 / (1 - gamma).
    """
    alpha, beta, gamma = real("alpha", alpha, above=0), real("beta", beta, above=0), real("gamma", gamma, 0, 1)
    ahead = _look_ahead(gamma)
    low, high = alpha / (alpha + beta), 1.0
    values = np.empty(ahead + 1)
    while high - low > 1e-8:
        middle = (low + high) / 2
        if _pulling_pays(alpha, beta, gamma, middle, ahead, values):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _look_ahead(gamma):
    """Pulls n after which γⁿ / (1 - γ) is negligible."""
    if gamma == 0:
        return 1
    ahead = math.ceil(math.log(NEGLIGIBLE * (1 - gamma)) / math.log(gamma)) if gamma < 1 else HORIZON_LIMIT + 1
    if ahead > HORIZON_LIMIT:
        raise InputError(
            f"gamma = {gamma:g}, expected at most 0.994: the index would look more than {HORIZON_LIMIT} pulls ahead"
        )
    return ahead


@jit
def _pulling_pays(alpha, beta, gamma, payment, ahead, values):
    """True if pulling once more is worth more than retiring at `payment` a pull. Overwrites values (ahead + 1,)."""
    retire = payment / (1 - gamma)
    for wins in range(ahead + 1):
        p = (alpha + wins) / (alpha + beta + ahead)
        values[wins] = max(retire, p / (1 - gamma))
    for n in range(ahead - 1, 0, -1):
        for wins in range(n + 1):
            p = (alpha + wins) / (alpha + beta + n)
            values[wins] = max(retire, p * (1 + gamma * values[wins + 1]) + (1 - p) * gamma * values[wins])
    p = alpha / (alpha + beta)
    return p * (1 + gamma * values[1]) + (1 - p) * gamma * values[0] > retire


def gittins_table(pulls, gamma, resolution=1e-3):
    """Indices of all Beta(1 + wins, 1 + losses) with wins + losses < pulls, to `resolution`; array (pulls, pulls) by wins, losses."""
    pulls, gamma = integer("pulls", pulls, 1, HORIZON_LIMIT), real("gamma", gamma, 0, 1)
    resolution = real("resolution", resolution, low=1e-6, high=0.1)
    table = np.zeros((pulls, pulls))
    _fill_table(pulls, gamma, resolution, pulls + _look_ahead(gamma), table)
    return table


@jit_allocating
def _fill_table(pulls, gamma, resolution, ahead, table):
    """One backward induction per payment: where pulling still pays, the index is at least that payment."""
    values = np.empty(ahead + 1)
    for step in range(1, int(1 / resolution)):
        payment = step * resolution
        retire = payment / (1 - gamma)
        for wins in range(ahead + 1):
            values[wins] = max(retire, (1 + wins) / (2 + ahead) / (1 - gamma))
        for n in range(ahead - 1, -1, -1):
            for wins in range(n + 1):
                p = (1 + wins) / (2 + n)
                pull = p * (1 + gamma * values[wins + 1]) + (1 - p) * gamma * values[wins]
                if n < pulls and pull > retire:
                    table[wins, n - wins] = payment
                values[wins] = max(retire, pull)
