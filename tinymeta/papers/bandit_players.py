"""TODO papers.bandit_players."""

import math

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError, choice, integer
from tinymeta.base.jit import jit, jit_allocating
from tinymeta.optimum.gittins import HORIZON_LIMIT, gittins_table

PLAYERS = ("ucb1", "thompson", "gittins")


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
        uniforms = randomness.uniforms(seed, randomness.PLAYING, n, 1, pulls * (A + 1))[0].reshape(pulls, A + 1)
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
