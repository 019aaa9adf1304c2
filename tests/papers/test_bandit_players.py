"""Bandit players against closed forms and the exact optimum (oracle), and what they refuse (contract)."""

import math

import numpy as np
import pytest

from tinymeta.optimum.counting import count_based_values
from tinymeta.papers.bandit_players import PLAYERS, beta_quantile, play_bernoulli


def test_beta_quantile():
    """Beta(1, 1) is uniform, Beta(n, 1) has quantile u^(1/n), and the median of Beta(2, 2) is a half."""
    assert beta_quantile(0.3, 1, 1) == pytest.approx(0.3, abs=1e-8)
    assert beta_quantile(0.3, 5, 1) == pytest.approx(0.3 ** (1 / 5), abs=1e-8)
    assert beta_quantile(0.5, 2, 2) == pytest.approx(0.5, abs=1e-8)


def test_players_and_the_optimum():
    """On 2000 two-armed bandits with uniform priors the Gittins player is best, and none earns more than the Bayes optimum."""
    win = np.random.default_rng(0).random((2000, 2))
    earned = {p: (win.max(1)[:, None] * np.arange(1, 51) - play_bernoulli(p, win, 50))[:, -1] for p in PLAYERS}
    best = count_based_values(2, 50)["bayes_optimal"][0]
    centred = 50 * (win.max(1) - 2 / 3)  # E max = 2/3: takes out the luck of the bandits drawn
    for player, reward in earned.items():
        control = reward - centred
        assert control.mean() <= best + 4 * control.std() / math.sqrt(2000), player
    assert earned["gittins"].mean() > earned["thompson"].mean() > earned["ucb1"].mean()
