"""An activation that vectorises: tanh as a ratio of polynomials in float32, libm's in float64.

libm's tanh is a scalar call that stops a loop from vectorising. In float32 we use Lambert's continued fraction (1768),

    tanh x = x / (1 + x² / (3 + x² / (5 + …))),

cut after 13 levels, which makes it a ratio of two polynomials of degree 6 in x²; its error stays under 5e-8 up to
|x| = 8.9, where tanh is 1 in float32. In float64, where gradients are checked, libm's tanh is kept.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from tinymeta.base.jit import FASTMATH


def lambert_coefficients(levels: int) -> tuple[list[float], list[float]]:
    """Coefficients of N and D, lowest power of x² first: tanh x ≈ x·N(x²)/D(x²), the fraction cut after `levels`."""
    above = [Fraction(2 * levels - 1)]
    below = [Fraction(1)]
    for level in range(levels - 1, 0, -1):
        grown = [(2 * level - 1) * c for c in above] + [Fraction(0)] * (len(below) + 1 - len(above))
        for power, c in enumerate(below, start=1):
            grown[power] += c
        below = above
        above = grown
    return [float(c / above[0]) for c in below], [float(c / above[0]) for c in above]


NUMERATOR, DENOMINATOR = lambert_coefficients(13)
N0, N1, N2, N3, N4, N5, N6 = (np.float32(c) for c in NUMERATOR)
D0, D1, D2, D3, D4, D5, D6 = (np.float32(c) for c in DENOMINATOR)
SATURATION = np.float32(8.9)  # tanh rounds to 1 in float32 from 9.01 on; the fraction is above 1 - 6e-8 here
ONE = np.float32(1)


def tanh(x: Any) -> Any:
    """tanh, vectorisable in float32 (error below 4e-7 relative), libm's in float64."""
    return np.tanh(x)


@overload(tanh, jit_options={"fastmath": FASTMATH, "error_model": "numpy"})
def _tanh_for_type(x):
    if x is not types.float32:
        return lambda x: math.tanh(x)

    def lambert_tanh(x):
        x = SATURATION if x > SATURATION else (-SATURATION if x < -SATURATION else x)  # a NaN passes both comparisons
        y = x * x
        above = N0 + y * (N1 + y * (N2 + y * (N3 + y * (N4 + y * (N5 + y * N6)))))
        below = D0 + y * (D1 + y * (D2 + y * (D3 + y * (D4 + y * (D5 + y * D6)))))
        z = x * above / below
        return ONE if z > ONE else (-ONE if z < -ONE else z)

    return lambert_tanh
