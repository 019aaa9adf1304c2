"""TODO network.activations."""

import math
from fractions import Fraction

import numpy as np
from numba import types
from numba.extending import overload

from tinymeta.base.jit import FASTMATH


def _lambert(levels):
    """Coefficients of N and D, lowest power of x² first, with tanh x ≈ x·N(x²)/D(x²): the fraction cut after `levels`.
    """
    above, below = [Fraction(2 * levels - 1)], [Fraction(1)]
    for level in range(levels - 1, 0, -1):
        grown = [(2 * level - 1) * c for c in above] + [Fraction(0)] * (len(below) + 1 - len(above))
        for power, c in enumerate(below, start=1):
            grown[power] += c
        above, below = grown, above
    return [float(c / above[0]) for c in below], [float(c / above[0]) for c in above]


N0, N1, N2, N3, N4, N5, N6 = (np.float32(c) for c in _lambert(13)[0])

D0, D1, D2, D3, D4, D5, D6 = (np.float32(c) for c in _lambert(13)[1])

SATURATION = np.float32(8.9)  # tanh rounds to 1 in float32 from 9.01 on; the fraction is above 1 - 6e-8 here

ONE = np.float32(1)


def tanh(x):
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
