"""The little statistics that claims and figures need: means over seeds with Student's intervals, and equivalence tests."""

import functools
import math
from typing import NamedTuple

import numpy as np

from tinymeta.base.errors import InputError


class Estimate(NamedTuple):
    """A mean over n independent runs with its confidence interval (low and high are the mean itself where n = 1)."""

    mean: float
    low: float
    high: float
    n: int


@functools.lru_cache(maxsize=256)
def t_quantile(probability, freedom):
    """Quantile of Student's t, by bisection on the integral of its density over a finite angle (t = √ν tan θ)."""
    if not 0.5 <= probability < 1:
        raise InputError(f"probability = {probability}, expected at least 0.5 and below 1")
    theta, weight = np.polynomial.legendre.leggauss(200)

    def below(t):
        # ∫ density = C ∫ cos(θ)^(ν-1) dθ from 0 to arctan(t/√ν), after the substitution.
        limit = math.atan(t / math.sqrt(freedom))
        angle = limit * (theta + 1) / 2
        constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
        return 0.5 + constant * limit / 2 * float(weight @ np.cos(angle) ** (freedom - 1))

    low, high = 0.0, 1.0
    while below(high) < probability:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < probability else (low, middle)
    return (low + high) / 2


def _sample(values):
    values = np.asarray(values, float)
    if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all():
        raise InputError(f"a sample of shape {values.shape}, expected at least one value, all of them finite")
    return values


def estimate(values, confidence=0.95):
    """`Estimate` of the mean of independent values, shape (n,)."""
    values = _sample(values)
    mean, n = float(values.mean()), len(values)
    if n == 1:
        return Estimate(mean, mean, mean, 1)
    half = t_quantile((1 + confidence) / 2, n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half, n)


def difference(a, b, confidence=0.90):
    """`Estimate` of mean(a) - mean(b) of two independent samples, by Welch's test; n is the smaller sample's.

    With confidence 0.90 the interval lies inside ±margin just when two one-sided tests at 5 % both reject (Schuirmann 1987).
    """
    a, b = _sample(a), _sample(b)
    mean, n = float(a.mean() - b.mean()), min(len(a), len(b))
    if n == 1:
        return Estimate(mean, mean, mean, 1)
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if va + vb == 0:
        return Estimate(mean, mean, mean, n)
    freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))  # Welch 1947
    half = t_quantile((1 + confidence) / 2, freedom) * math.sqrt(va + vb)
    return Estimate(mean, mean - half, mean + half, n)


def interval(values):
    """Mean ± half the 95 % interval over independent runs, as text."""
    e = estimate(values)
    return f"{e.mean:.3f} ± {(e.high - e.low) / 2:.3f}"
