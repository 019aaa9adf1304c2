"""Means over runs and their intervals: the table of Student's t, and textbook formulas (oracle)."""

import numpy as np
import pytest

from tinymeta.base.errors import InputError
from tinymeta.base.intervals import difference, estimate, interval, t_quantile


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
