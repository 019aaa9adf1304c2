"""Players of Bernoulli bandits with independent arms, for regret curves: UCB1, Thompson sampling and the Gittins index.

The Gittins index of an arm with posterior Beta(α, β) at discount γ is the sure payment per pull at which one is indifferent between
pulling on and retiring (Gittins 1979). With V the value of the better of both,

    V(α, β) = max( λ / (1 - γ),  p (1 + γ V(α + 1, β)) + (1 - p) γ V(α, β + 1) ),      p = α / (α + β),

the index is the smallest λ at which V is the first term. Far enough ahead, where γⁿ has made the rest negligible, the arm is
taken for known: V = max(λ, p) / (1 - γ).
"""

import math

import numpy as np

from tinymeta import luck
from tinymeta._jit import jit, jit_allocating
from tinymeta.errors import InputError, choice, integer, real

PLAYERS = ("ucb1", "thompson", "gittins")
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
        raise InputError(f"gamma = {gamma:g}, expected at most 0.994: the index would look more than {HORIZON_LIMIT} pulls ahead")
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


def play_bernoulli(player, win, pulls, seed=0, gamma=0.99):
    """Cumulative regret of a player on N bandits.

    Parameters
    ----------
    player : str
        One of `PLAYERS`.
    win : array of shape (N, A)
        Each bandit's win probabilities.
    pulls : int
    seed : int
    gamma : float
        Discount of the Gittins player's indices.

    Returns
    -------
    array of shape (N, pulls): sum so far of max(win) minus the win probability of the arm pulled, in expected wins.
    """
    choice("player", player, PLAYERS)
    pulls, seed = integer("pulls", pulls, 1, HORIZON_LIMIT), integer("seed", seed, 0, 2**63 - 1)
    try:
        win = np.ascontiguousarray(win, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"win is not an array of numbers: {error}") from None
    if win.ndim != 2 or win.size == 0 or not ((win >= 0) & (win <= 1)).all():
        raise InputError(f"win has shape {win.shape}, expected probabilities of shape (bandits, arms)")
    N, A = win.shape
    table = gittins_table(pulls, gamma) if player == "gittins" else np.zeros((0, 0))
    regret = np.empty((N, pulls))
    for n in range(N):
        uniforms = luck.uniforms(seed, luck.PLAYING, n, 1, pulls * (A + 1))[0].reshape(pulls, A + 1)
        _play(PLAYERS.index(player), win[n], uniforms, table, regret[n])
    return regret


@jit_allocating
def _play(player, win, uniforms, table, regret):
    A = win.shape[0]
    wins, losses, total = np.zeros(A, np.int64), np.zeros(A, np.int64), 0.0
    for t in range(uniforms.shape[0]):
        best, chosen = -1.0, 0
        for a in range(A):
            n = wins[a] + losses[a]
            if player == 0:
                score = wins[a] / n + math.sqrt(2 * math.log(t) / n) if n > 0 else np.inf  # Auer et al. 2002
            elif player == 1:
                score = beta_quantile(uniforms[t, a], wins[a] + 1, losses[a] + 1)
            else:
                score = table[wins[a], losses[a]]
            if score > best:
                best, chosen = score, a
        if uniforms[t, A] < win[chosen]:
            wins[chosen] += 1
        else:
            losses[chosen] += 1
        total += win.max() - win[chosen]
        regret[t] = total


@jit
def beta_quantile(uniform, alpha, beta):
    """The quantile of Beta(alpha, beta) for whole alpha, beta, by bisection: P(X ≤ x) = P(Binomial(α + β - 1, x) ≥ α)."""
    low, high, n = 0.0, 1.0, alpha + beta - 1
    for _ in range(30):
        x = (low + high) / 2
        log_term = alpha * math.log(x) + (n - alpha) * math.log(1 - x)
        log_term += math.lgamma(n + 1.0) - math.lgamma(alpha + 1.0) - math.lgamma(n - alpha + 1.0)
        # Where the first term underflows x is far from α/n, and the tail is 1 above it and 0 below.
        term, tail = math.exp(log_term), 1.0 if log_term < -700 and x * n > alpha else 0.0
        for k in range(alpha, n + 1):
            tail += term
            term *= (n - k) / (k + 1.0) * x / (1 - x)
        if tail < uniform:
            low = x
        else:
            high = x
    return (low + high) / 2
