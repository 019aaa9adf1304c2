"""Normal numbers from uniform ones: Python's own inverse (oracle), the ends (property)."""

from statistics import NormalDist

import numpy as np
import pytest

from tinymeta.base.normal import normal_quantile


def test_quantiles_are_those_of_python():
    """Acklam's error is relative: 1.2e-9 of the number; the tails are met from both sides."""
    tails = 10.0 ** -np.arange(2, 15)
    u = np.concatenate([np.linspace(0.001, 0.999, 999), tails, 1 - tails, [0.02425, 0.97575]])
    exact = np.array([NormalDist().inv_cdf(p) for p in u])
    np.testing.assert_allclose([normal_quantile(p) for p in u], exact, rtol=1.3e-9, atol=1e-10)
    assert np.abs([normal_quantile(p) for p in u] - exact).max() <= 1e-8


def test_no_uniform_number_gives_an_infinite_one():
    """0 is a uniform number, 1 is none; the largest below 1 comes from `random()`."""
    assert normal_quantile(0.0) == pytest.approx(-normal_quantile(1.0 - 2.0**-53), rel=0.02)
    assert -9 < normal_quantile(0.0) < -8
    assert normal_quantile(0.5) == 0


def test_moments():
    numbers = [normal_quantile(u) for u in np.random.default_rng(0).random(20_000)]
    assert abs(np.mean(numbers)) < 4 / np.sqrt(20_000)
    assert abs(np.var(numbers) - 1) < 4 * np.sqrt(2 / 20_000)
