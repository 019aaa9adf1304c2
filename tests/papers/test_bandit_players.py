"""Bandit players against closed forms and the exact optimum (oracle), and what they refuse (contract)."""

import math

import numpy as np
import pytest

from tinymeta.optimum.counting import count_based_values
from tinymeta.papers.bandit_players import PLAYERS, beta_quantile, play_bernoulli


def test_beta_quantile():
    """Oracle: Beta(1, 1) is uniform, Beta(n, 1) has quantile u^(1/n), and the median of Beta(2, 2) is a half."""
    assert beta_quantile(0.3, 1, 1) == pytest.approx(0.3, abs=1e-8)
    assert beta_quantile(0.3, 5, 1) == pytest.approx(0.3 ** (1 / 5), abs=1e-8)
    assert beta_quantile(0.5, 2, 2) == pytest.approx(0.5, abs=1e-8)


def test_players_and_the_optimum():
    """Oracle: on 2000 bandits with uniform priors Gittins is best, and none earns more than the Bayes optimum."""
    win = np.random.default_rng(0).random((2000, 2))
    earned = {player: 50 * win.max(1) - play_bernoulli(player, win, 50)[:, -1] for player in PLAYERS}
    best = count_based_values(2, 50)["bayes_optimal"][0]
    centred = 50 * (win.max(1) - 2 / 3)  # E max = 2/3: takes out the chance of the bandits drawn
    for player, reward in earned.items():
        control = reward - centred
        assert control.mean() <= best + 4 * control.std() / math.sqrt(2000), player
    assert earned["gittins"].mean() > earned["thompson"].mean() > earned["ucb1"].mean()


def test_ucb1_by_hand():
    """Oracle: after both arms were tried once the bonus is equal, so it goes on with the one that won (p = 0 and 1)."""
    regret = play_bernoulli("ucb1", [[0.0, 1.0], [1.0, 0.0]], 4)
    np.testing.assert_array_equal(regret, [[1, 1, 1, 1], [0, 1, 1, 1]])


def test_players_refuse_wrong_bandits():
    """Contract: one line that names what came and what was expected."""
    with pytest.raises(ValueError, match=r"win has shape \(2,\), expected probabilities of shape \(bandits, arms\)"):
        play_bernoulli("ucb1", [0.5, 0.5], 3)
    with pytest.raises(ValueError, match="expected probabilities"):
        play_bernoulli("ucb1", [[0.5, 1.5]], 3)
    with pytest.raises(ValueError, match="win is not an array of numbers"):
        play_bernoulli("ucb1", [["a", "b"]], 3)
    with pytest.raises(ValueError, match="unknown player 'ucb', expected one of ucb1"):
        play_bernoulli("ucb", [[0.5, 0.5]], 3)
