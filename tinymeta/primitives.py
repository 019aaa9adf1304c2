"""The arithmetic under every layer: an activation that vectorises and the three blocked matrix products.

libm's tanh is a scalar call that stops a loop from vectorising. In float32 we use Lambert's continued fraction (1768),

    tanh x = x / (1 + x² / (3 + x² / (5 + …))),

cut after 13 levels, which makes it a ratio of two polynomials of degree 6 in x²; its error stays under 5e-8 up to |x| = 8.9,
where tanh is 1 in float32. In float64, where gradients are checked, libm's tanh is kept.

The products walk the contiguous axis in the innermost loop and carry several rows and several terms of the sum through
each pass, so that one loaded weight serves many multiplications. All of them *accumulate* (`+=`).
"""

import math
from fractions import Fraction

import numpy as np
from numba import types
from numba.extending import overload

from tinymeta._jit import FASTMATH, jit


def _lambert(levels):
    """Coefficients of N and D, lowest power of x² first, with tanh x ≈ x·N(x²)/D(x²): the fraction cut after `levels`."""
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


@jit
def add_product(a, b, c, start, stop):
    """c[start:stop] += a[start:stop] @ b, with a (N, K), b (K, J), c (N, J)."""
    K, J = b.shape
    n = start
    while n + 4 <= stop:
        k = 0
        while k + 6 <= K:
            for j in range(J):
                b0, b1, b2, b3, b4, b5 = b[k, j], b[k + 1, j], b[k + 2, j], b[k + 3, j], b[k + 4, j], b[k + 5, j]
                c[n, j] += (
                    a[n, k] * b0 + a[n, k + 1] * b1 + a[n, k + 2] * b2 + a[n, k + 3] * b3 + a[n, k + 4] * b4 + a[n, k + 5] * b5
                )
                c[n + 1, j] += (
                    a[n + 1, k] * b0
                    + a[n + 1, k + 1] * b1
                    + a[n + 1, k + 2] * b2
                    + a[n + 1, k + 3] * b3
                    + a[n + 1, k + 4] * b4
                    + a[n + 1, k + 5] * b5
                )
                c[n + 2, j] += (
                    a[n + 2, k] * b0
                    + a[n + 2, k + 1] * b1
                    + a[n + 2, k + 2] * b2
                    + a[n + 2, k + 3] * b3
                    + a[n + 2, k + 4] * b4
                    + a[n + 2, k + 5] * b5
                )
                c[n + 3, j] += (
                    a[n + 3, k] * b0
                    + a[n + 3, k + 1] * b1
                    + a[n + 3, k + 2] * b2
                    + a[n + 3, k + 3] * b3
                    + a[n + 3, k + 4] * b4
                    + a[n + 3, k + 5] * b5
                )
            k += 6
        while k < K:
            for j in range(J):
                b0 = b[k, j]
                c[n, j] += a[n, k] * b0
                c[n + 1, j] += a[n + 1, k] * b0
                c[n + 2, j] += a[n + 2, k] * b0
                c[n + 3, j] += a[n + 3, k] * b0
            k += 1
        n += 4
    while n < stop:
        k = 0
        while k + 8 <= K:
            for j in range(J):
                c[n, j] += (
                    a[n, k] * b[k, j]
                    + a[n, k + 1] * b[k + 1, j]
                    + a[n, k + 2] * b[k + 2, j]
                    + a[n, k + 3] * b[k + 3, j]
                    + a[n, k + 4] * b[k + 4, j]
                    + a[n, k + 5] * b[k + 5, j]
                    + a[n, k + 6] * b[k + 6, j]
                    + a[n, k + 7] * b[k + 7, j]
                )
            k += 8
        while k < K:
            for j in range(J):
                c[n, j] += a[n, k] * b[k, j]
            k += 1
        n += 1


@jit
def add_product_transposed(a, b, c, start, stop):
    """c[start:stop] += a[start:stop] @ b.T, with a (N, J), b (K, J), c (N, K)."""
    K, J = b.shape
    zero = a.dtype.type(0)
    n = start
    while n < stop:
        pair = n + 1 < stop
        m = n + 1 if pair else n  # an odd last row is computed twice and stored once
        k = 0
        while k + 4 <= K:
            p0 = p1 = p2 = p3 = q0 = q1 = q2 = q3 = zero
            for j in range(J):
                u, v = a[n, j], a[m, j]
                p0 += u * b[k, j]
                p1 += u * b[k + 1, j]
                p2 += u * b[k + 2, j]
                p3 += u * b[k + 3, j]
                q0 += v * b[k, j]
                q1 += v * b[k + 1, j]
                q2 += v * b[k + 2, j]
                q3 += v * b[k + 3, j]
            c[n, k] += p0
            c[n, k + 1] += p1
            c[n, k + 2] += p2
            c[n, k + 3] += p3
            if pair:
                c[m, k] += q0
                c[m, k + 1] += q1
                c[m, k + 2] += q2
                c[m, k + 3] += q3
            k += 4
        while k < K:
            p0 = q0 = zero
            for j in range(J):
                p0 += a[n, j] * b[k, j]
                q0 += a[m, j] * b[k, j]
            c[n, k] += p0
            if pair:
                c[m, k] += q0
            k += 1
        n += 2


@jit
def add_outer(a, b, c, start, stop):
    """c += a[start:stop].T @ b[start:stop], with a (N, K), b (N, J), c (K, J)."""
    K, J = c.shape
    n = start
    while n + 6 <= stop:
        k = 0
        while k + 4 <= K:
            for j in range(J):
                b0, b1, b2, b3, b4, b5 = b[n, j], b[n + 1, j], b[n + 2, j], b[n + 3, j], b[n + 4, j], b[n + 5, j]
                c[k, j] += (
                    a[n, k] * b0 + a[n + 1, k] * b1 + a[n + 2, k] * b2 + a[n + 3, k] * b3 + a[n + 4, k] * b4 + a[n + 5, k] * b5
                )
                c[k + 1, j] += (
                    a[n, k + 1] * b0
                    + a[n + 1, k + 1] * b1
                    + a[n + 2, k + 1] * b2
                    + a[n + 3, k + 1] * b3
                    + a[n + 4, k + 1] * b4
                    + a[n + 5, k + 1] * b5
                )
                c[k + 2, j] += (
                    a[n, k + 2] * b0
                    + a[n + 1, k + 2] * b1
                    + a[n + 2, k + 2] * b2
                    + a[n + 3, k + 2] * b3
                    + a[n + 4, k + 2] * b4
                    + a[n + 5, k + 2] * b5
                )
                c[k + 3, j] += (
                    a[n, k + 3] * b0
                    + a[n + 1, k + 3] * b1
                    + a[n + 2, k + 3] * b2
                    + a[n + 3, k + 3] * b3
                    + a[n + 4, k + 3] * b4
                    + a[n + 5, k + 3] * b5
                )
            k += 4
        while k < K:
            for j in range(J):
                c[k, j] += (
                    a[n, k] * b[n, j]
                    + a[n + 1, k] * b[n + 1, j]
                    + a[n + 2, k] * b[n + 2, j]
                    + a[n + 3, k] * b[n + 3, j]
                    + a[n + 4, k] * b[n + 4, j]
                    + a[n + 5, k] * b[n + 5, j]
                )
            k += 1
        n += 6
    while n < stop:
        for k in range(K):
            for j in range(J):
                c[k, j] += a[n, k] * b[n, j]
        n += 1
