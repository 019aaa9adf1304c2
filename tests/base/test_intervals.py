"""Means over runs and their intervals: the table of Student's t, and textbook formulas (oracle)."""

import math

import numpy as np
import pytest

from tinymeta.base.errors import InputError
from tinymeta.base.intervals import difference, estimate, interval, share, t_quantile


@pytest.mark.parametrize(("freedom", "value"), [(1, 12.7062), (2, 4.3027), (19, 2.0930), (1000, 1.9623)])
def test_student_quantiles_from_the_table(freedom, value):
    """0.975 quantiles as in any table of Student's t (Fisher & Yates 1938)."""
    assert t_quantile(0.975, freedom) == pytest.approx(value, abs=5e-5)


def test_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = [abs(e.mean) <= e.high - e.mean for e in (estimate(rng.normal(size=6)) for _ in range(1000))]
    assert abs(np.mean(hits) - 0.95) < 0.025


def test_equivalence_is_the_two_one_sided_tests():
    """The 90 % Welch interval by hand, for equal sizes and variances: difference ± t(0.95, 2n - 2)·s·√(2/n)."""
    a, b = np.array([1.0, 2, 3, 4]), np.array([1.5, 2.5, 3.5, 4.5])
    value = difference(a, b)
    half = t_quantile(0.95, 6) * a.std(ddof=1) * np.sqrt(2 / 4)
    assert (value.mean, value.low, value.high) == pytest.approx((-0.5, -0.5 - half, -0.5 + half))


def test_one_run_has_no_interval():
    assert estimate([3.0]) == (3, 3, 3, 1)
    assert difference([3.0], [1.0, 2.0])[:3] == (1.5, 1.5, 1.5)
    assert difference([3.0, 3.0], [1.0, 1.0])[:3] == (2, 2, 2)


def test_intervals_as_text():
    assert interval([1.0, 2.0, 3.0]) == f"2.000 ± {t_quantile(0.975, 2) / np.sqrt(3):.3f}"


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [[1.0]], [np.inf]])
def test_no_sample_is_refused(values):
    with pytest.raises(InputError, match="expected at least one value, all of them finite"):
        estimate(values)


def test_the_interval_of_a_share_is_exact():
    """Clopper & Pearson: with no event in n the upper end is 1 - (α/2)^(1/n); it covers whatever is true."""
    none = share(0, 20)
    assert (none.mean, none.low, none.n) == (0, 0, 20)
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 20), rel=1e-9)
    assert share(20, 20).low == pytest.approx(0.025 ** (1 / 20), rel=1e-9)
    for p in (0.01, 0.1, 0.37, 0.9):
        chances = [math.comb(12, k) * p**k * (1 - p) ** (12 - k) for k in range(13)]
        ends = [share(k, 12) for k in range(13)]
        covered = sum(chance for chance, end in zip(chances, ends, strict=True) if end.low <= p <= end.high)
        assert covered >= 0.95


@pytest.mark.parametrize(("count", "n"), [(-1, 3), (4, 3), (0, 0)])
def test_shares_of_nothing_are_refused(count, n):
    with pytest.raises(ValueError, match=f"{count} of {n} runs, expected at least one run"):
        share(count, n)
