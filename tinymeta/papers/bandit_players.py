"""Players of Bernoulli bandits with independent arms, for regret curves.

A player sees which arms won how often and chooses the arm with the highest score:

ucb1        mean + √(2 ln t / n) for an arm pulled n times in t pulls; each arm once at first (Auer et al. 2002)
thompson    a draw from the arm's posterior Beta(1 + wins, 1 + losses) (Thompson 1933)
gittins     the arm's Gittins index under that posterior (Gittins 1979), see `tinymeta.optimum.gittins`

Of equal scores the first arm is taken.
"""

import math

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError, choice, integer
from tinymeta.base.jit import jit, jit_allocating
from tinymeta.optimum.gittins import HORIZON_LIMIT, gittins_table

PLAYERS = ("ucb1", "thompson", "gittins")
UCB1, THOMPSON, GITTINS = range(len(PLAYERS))


def play_bernoulli(player: str, win: np.ndarray, pulls: int, seed: int = 0, gamma: float = 0.99) -> np.ndarray:
    """Cumulative regret of a player on N bandits.

    Parameters
    ----------
    player : str
        One of `PLAYERS`.
    win : array of shape (N, A)
        Each bandit's win probabilities.
    pulls : int
    seed : int
        Bandit i's random numbers depend on (seed, i) alone, so players meet the same wins.
    gamma : float
        Discount of the Gittins player's indices.

    Returns
    -------
    array of shape (N, pulls)
        Sum so far of max(win) minus the win probability of the arm pulled, in expected wins.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> play_bernoulli("ucb1", [[0.0, 1.0]], pulls=3).tolist()  # tries both arms once
    [[1.0, 1.0, 1.0]]
    """
    number = PLAYERS.index(choice("player", player, PLAYERS))
    pulls = integer("pulls", pulls, 1, HORIZON_LIMIT)
    seed = integer("seed", seed, 0, 2**63 - 1)
    win = _probabilities(win)
    N, A = win.shape
    table = gittins_table(pulls, gamma) if number == GITTINS else np.zeros((0, 0))
    regret = np.empty((N, pulls))
    for n in range(N):
        uniforms = randomness.uniforms(seed, randomness.PLAYING, n, 1, pulls * (A + 1))[0].reshape(pulls, A + 1)
        _play(number, win[n], uniforms, table, regret[n])
    return regret


def _probabilities(win: np.ndarray) -> np.ndarray:
    """`win` as a float64 array (N, A), checked."""
    try:
        win = np.ascontiguousarray(win, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"win is not an array of numbers: {error}") from None
    if win.ndim != 2 or win.size == 0 or not ((win >= 0) & (win <= 1)).all():
        raise InputError(f"win has shape {win.shape}, expected probabilities of shape (bandits, arms)")
    return win


@jit_allocating
def _play(player, win, uniforms, table, regret):
    """One bandit. Reads win (A,), uniforms (pulls, A + 1) and the Gittins table; overwrites regret (pulls,)."""
    A = win.shape[0]
    wins = np.zeros(A, np.int64)
    losses = np.zeros(A, np.int64)
    total = 0.0
    for t in range(uniforms.shape[0]):
        best = -1.0
        chosen = 0
        for a in range(A):
            score = _score(player, wins[a], losses[a], t, uniforms[t, a], table)
            if score > best:
                best = score
                chosen = a
        if uniforms[t, A] < win[chosen]:
            wins[chosen] += 1
        else:
            losses[chosen] += 1
        total += win.max() - win[chosen]
        regret[t] = total


@jit
def _score(player, wins, losses, t, uniform, table):
    """What a player thinks of an arm after t pulls in all."""
    n = wins + losses
    if player == UCB1:
        return wins / n + math.sqrt(2 * math.log(t) / n) if n > 0 else np.inf
    if player == THOMPSON:
        return beta_quantile(uniform, wins + 1, losses + 1)
    return table[wins, losses]


@jit
def beta_quantile(uniform, alpha, beta):
    """The quantile of Beta(alpha, beta) for whole alpha, beta, by bisection.

    P(X <= x) = P(Binomial(α + β - 1, x) >= α), the relation between a Beta's and a binomial's tail.
    """
    low = 0.0
    high = 1.0
    n = alpha + beta - 1
    for _ in range(30):
        x = (low + high) / 2
        log_term = alpha * math.log(x) + (n - alpha) * math.log(1 - x)
        log_term += math.lgamma(n + 1.0) - math.lgamma(alpha + 1.0) - math.lgamma(n - alpha + 1.0)
        term = math.exp(log_term)
        # Where the first term underflows x is far from α/n, and the tail is 1 above it and 0 below.
        tail = 1.0 if log_term < -700 and x * n > alpha else 0.0
        for k in range(alpha, n + 1):
            tail += term
            term *= (n - k) / (k + 1.0) * x / (1 - x)
        if tail < uniform:
            low = x
        else:
            high = x
    return (low + high) / 2
