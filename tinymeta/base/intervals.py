"""The little statistics that claims and figures need: means over seeds, their intervals, equivalence tests.

The unit is the run: n seeds give n independent numbers x_i, whatever each was averaged from. Their mean has the
interval x̄ ± t · s / √n with Student's t of n - 1 degrees of freedom (`estimate`). Two agents are compared by
`difference`, Welch's test, which does not take their variances for equal (Welch 1947); that they are *the same*
within a margin is shown where the 90 % interval of the difference lies inside the margin (two one-sided tests,
Schuirmann 1987).
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tinymeta.base.errors import InputError

NORMAL_95 = 1.96  # half a 95 % interval of a normal variable, in standard errors


class Estimate(NamedTuple):
    """A mean over n independent runs with its confidence interval (low and high are the mean itself where n = 1)."""

    mean: float
    low: float
    high: float
    n: int


Sample = Sequence[float] | np.ndarray


@functools.lru_cache(maxsize=256)
def t_quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t, by bisection on the integral of its density over a finite angle (t = √ν tan θ).

    Parameters
    ----------
    probability : float in [0.5, 1)
    freedom : float
        Degrees of freedom ν; Welch's test has fractional ones.

    Examples
    --------
    >>> round(t_quantile(0.975, 19), 4)
    2.093
    """
    if not 0.5 <= probability < 1:
        raise InputError(f"probability = {probability}, expected at least 0.5 and below 1")
    node, weight = np.polynomial.legendre.leggauss(200)

    def below(t: float) -> float:
        # ∫ density = C ∫ cos(θ)^(ν-1) dθ from 0 to arctan(t/√ν), after the substitution.
        limit = math.atan(t / math.sqrt(freedom))
        angle = limit * (node + 1) / 2
        constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
        return 0.5 + constant * limit / 2 * float(weight @ np.cos(angle) ** (freedom - 1))

    low = 0.0
    high = 1.0
    while below(high) < probability:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if below(middle) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _sample(values: Sample) -> np.ndarray:
    values = np.asarray(values, float)
    if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all():
        raise InputError(f"a sample of shape {values.shape}, expected at least one value, all of them finite")
    return values


def estimate(values: Sample, confidence: float = 0.95) -> Estimate:
    """`Estimate` of the mean of independent values, shape (n,), n ≥ 1.

    Examples
    --------
    >>> estimate([9.0, 9.5, 10.0]).mean
    9.5
    """
    sample = _sample(values)
    mean = float(sample.mean())
    n = len(sample)
    if n == 1:
        return Estimate(mean, mean, mean, 1)
    half = t_quantile((1 + confidence) / 2, n - 1) * float(sample.std(ddof=1)) / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half, n)


def difference(a: Sample, b: Sample, confidence: float = 0.90) -> Estimate:
    """`Estimate` of mean(a) - mean(b) of two independent samples; n is the smaller sample's.

    With confidence 0.90 the interval lies inside ±margin just when two one-sided tests at 5 % both reject.

    References
    ----------
    Welch (1947), Biometrika 34; Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics 15.
    """
    first = _sample(a)
    second = _sample(b)
    mean = float(first.mean() - second.mean())
    n = min(len(first), len(second))
    if n == 1:
        return Estimate(mean, mean, mean, 1)
    var_a = first.var(ddof=1) / len(first)
    var_b = second.var(ddof=1) / len(second)
    if var_a + var_b == 0:
        return Estimate(mean, mean, mean, n)
    freedom = (var_a + var_b) ** 2 / (var_a**2 / (len(first) - 1) + var_b**2 / (len(second) - 1))
    half = t_quantile((1 + confidence) / 2, freedom) * math.sqrt(var_a + var_b)
    return Estimate(mean, mean - half, mean + half, n)


def ratio(logarithms: Sample, confidence: float = 0.95) -> Estimate:
    """`Estimate` of a ratio from its logarithm in n independent pairs: `estimate`, raised to a power of e.

    The mean is the geometric one.

    Examples
    --------
    >>> round(ratio([math.log(2), math.log(8)]).mean, 6)
    4.0
    """
    logarithm = estimate(logarithms, confidence)
    with np.errstate(over="ignore"):  # an end beyond what a float holds is infinite
        mean, low, high = np.exp(logarithm[:3]).tolist()
    return Estimate(mean, low, high, logarithm.n)


def share(count: int, n: int, confidence: float = 0.95) -> Estimate:
    """`Estimate` of a probability from `count` of n independent runs, with the exact interval of Clopper & Pearson.

    Its ends are the probabilities under which as many or more, and as few or fewer, are just (1 - confidence) / 2
    likely; found by bisection.

    References
    ----------
    Clopper & Pearson (1934), Biometrika 26.

    Examples
    --------
    >>> [round(value, 4) for value in share(4, 20)[:3]]
    [0.2, 0.0573, 0.4366]
    """
    if not 0 <= count <= n or n == 0:
        raise InputError(f"{count} of {n} runs, expected at least one run and no more than there are")
    tail = (1 - confidence) / 2

    def at_most(limit: int, p: float) -> float:
        return math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(limit + 1))

    def crossing(limit: int, level: float) -> float:  # at_most falls from 1 to 0 as p grows
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if at_most(limit, middle) > level else (low, middle)
        return (low + high) / 2

    low = crossing(count - 1, 1 - tail) if count > 0 else 0.0
    high = crossing(count, tail) if count < n else 1.0
    return Estimate(count / n, low, high, n)


def interval(values: Sample) -> str:
    """Mean ± half the 95 % interval over independent runs, as text."""
    e = estimate(values)
    return f"{e.mean:.3f} ± {(e.high - e.low) / 2:.3f}"
