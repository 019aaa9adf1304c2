"""The Gittins index of a Bernoulli arm (Gittins 1979).

For an arm with posterior Beta(α, β) at discount γ it is the sure payment per pull λ at which one is indifferent
between pulling on and retiring; pulling the arm with the highest index is optimal among independent arms. With V the
value of the better of both,

    V(α, β) = max( λ / (1 - γ),  p (1 + γ V(α + 1, β)) + (1 - p) γ V(α, β + 1) ),      p = α / (α + β),

the index is the smallest λ at which V is the first term. Far enough ahead, where γⁿ has made the rest negligible, the
arm is taken for known: V = max(λ, p) / (1 - γ).
"""

import math

import numpy as np

from tinymeta.base.errors import InputError, integer, real
from tinymeta.base.jit import jit, jit_allocating

NEGLIGIBLE_DISCOUNT = 1e-9  # of the value, which is at most 1 / (1 - γ)
HORIZON_LIMIT = 5000  # pulls to look ahead
PRECISION = 1e-8  # of a single index, where bisection stops


def gittins(alpha: float, beta: float, gamma: float) -> float:
    """Gittins index of a Bernoulli arm with posterior Beta(alpha, beta), to 1e-6.

    Parameters
    ----------
    alpha, beta : float > 0
    gamma : float in [0, 1)
        At most 0.994: the number of pulls to look ahead grows like 1 / (1 - gamma).

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(gittins(1, 1, 0.9), 4)  # the literature's table
    0.7029
    """
    alpha = real("alpha", alpha, above=0)
    beta = real("beta", beta, above=0)
    gamma = real("gamma", gamma, 0, 1)
    ahead = _look_ahead(gamma)
    values = np.empty(ahead + 1)
    low = alpha / (alpha + beta)
    high = 1.0
    while high - low > PRECISION:
        middle = (low + high) / 2
        if _pulling_pays(alpha, beta, gamma, middle, ahead, values):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def gittins_table(pulls: int, gamma: float, resolution: float = 1e-3) -> np.ndarray:
    """Indices of all Beta(1 + wins, 1 + losses) with wins + losses < pulls, to `resolution`.

    Returns
    -------
    array of shape (pulls, pulls) by wins and losses, 0 where these are too many
    """
    pulls = integer("pulls", pulls, 1, HORIZON_LIMIT)
    gamma = real("gamma", gamma, 0, 1)
    resolution = real("resolution", resolution, low=1e-6, high=0.1)
    table = np.zeros((pulls, pulls))
    _fill_table(pulls, gamma, resolution, pulls + _look_ahead(gamma), table)
    return table


def _look_ahead(gamma: float) -> int:
    """Pulls n after which γⁿ / (1 - γ) is negligible."""
    if gamma == 0:
        return 1
    ahead = math.ceil(math.log(NEGLIGIBLE_DISCOUNT * (1 - gamma)) / math.log(gamma)) if gamma < 1 else HORIZON_LIMIT + 1
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


@jit_allocating
def _fill_table(pulls, gamma, resolution, ahead, table):
    """One backward induction per payment: where pulling still pays, the index is at least that. Overwrites table."""
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
