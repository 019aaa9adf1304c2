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
    """c[start:stop] += a[start:stop] @ b, with a (N, K), b (K, J), c (N, J): two rows by six terms a pass, or one by four."""
    K, J = b.shape
    n = start
    while n + 2 <= stop:
        k = 0
        while k + 6 <= K:
            p0, p1, p2, p3, p4, p5 = a[n, k], a[n, k + 1], a[n, k + 2], a[n, k + 3], a[n, k + 4], a[n, k + 5]
            q0, q1, q2, q3, q4, q5 = (
                a[n + 1, k],
                a[n + 1, k + 1],
                a[n + 1, k + 2],
                a[n + 1, k + 3],
                a[n + 1, k + 4],
                a[n + 1, k + 5],
            )
            for j in range(J):
                b0, b1, b2, b3, b4, b5 = b[k, j], b[k + 1, j], b[k + 2, j], b[k + 3, j], b[k + 4, j], b[k + 5, j]
                c[n, j] += p0 * b0 + p1 * b1 + p2 * b2 + p3 * b3 + p4 * b4 + p5 * b5
                c[n + 1, j] += q0 * b0 + q1 * b1 + q2 * b2 + q3 * b3 + q4 * b4 + q5 * b5
            k += 6
        while k < K:
            p0, q0 = a[n, k], a[n + 1, k]
            for j in range(J):
                c[n, j] += p0 * b[k, j]
                c[n + 1, j] += q0 * b[k, j]
            k += 1
        n += 2
    if n < stop:
        k = 0
        while k + 4 <= K:
            p0, p1, p2, p3 = a[n, k], a[n, k + 1], a[n, k + 2], a[n, k + 3]
            for j in range(J):
                c[n, j] += p0 * b[k, j] + p1 * b[k + 1, j] + p2 * b[k + 2, j] + p3 * b[k + 3, j]
            k += 4
        while k < K:
            p0 = a[n, k]
            for j in range(J):
                c[n, j] += p0 * b[k, j]
            k += 1


@jit
def add_product_transposed(a, b, c, start, stop):
    """c[start:stop] += a[start:stop] @ b.T, with a (N, J), b (K, J), c (N, K): two rows by four sums a pass, or one by six."""
    K, J = b.shape
    zero = a.dtype.type(0)
    n = start
    while n + 2 <= stop:
        k = 0
        while k + 4 <= K:
            p0 = p1 = p2 = p3 = q0 = q1 = q2 = q3 = zero
            for j in range(J):
                u, v = a[n, j], a[n + 1, j]
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
            c[n + 1, k] += q0
            c[n + 1, k + 1] += q1
            c[n + 1, k + 2] += q2
            c[n + 1, k + 3] += q3
            k += 4
        while k < K:
            p0 = q0 = zero
            for j in range(J):
                p0 += a[n, j] * b[k, j]
                q0 += a[n + 1, j] * b[k, j]
            c[n, k] += p0
            c[n + 1, k] += q0
            k += 1
        n += 2
    if n < stop:
        k = 0
        while k + 6 <= K:
            p0 = p1 = p2 = p3 = p4 = p5 = zero
            for j in range(J):
                u = a[n, j]
                p0 += u * b[k, j]
                p1 += u * b[k + 1, j]
                p2 += u * b[k + 2, j]
                p3 += u * b[k + 3, j]
                p4 += u * b[k + 4, j]
                p5 += u * b[k + 5, j]
            c[n, k] += p0
            c[n, k + 1] += p1
            c[n, k + 2] += p2
            c[n, k + 3] += p3
            c[n, k + 4] += p4
            c[n, k + 5] += p5
            k += 6
        while k < K:
            p0 = zero
            for j in range(J):
                p0 += a[n, j] * b[k, j]
            c[n, k] += p0
            k += 1


@jit
def add_outer(a, b, c, start, stop):
    """c += a[start:stop].T @ b[start:stop], with a (N, K), b (N, J), c (K, J): six rows a pass."""
    K, J = c.shape
    n = start
    while n + 6 <= stop:
        for k in range(K):
            a0, a1, a2, a3, a4, a5 = a[n, k], a[n + 1, k], a[n + 2, k], a[n + 3, k], a[n + 4, k], a[n + 5, k]
            for j in range(J):
                c[k, j] += (
                    a0 * b[n, j] + a1 * b[n + 1, j] + a2 * b[n + 2, j] + a3 * b[n + 3, j] + a4 * b[n + 4, j] + a5 * b[n + 5, j]
                )
        n += 6
    while n < stop:
        for k in range(K):
            a0 = a[n, k]
            for j in range(J):
                c[k, j] += a0 * b[n, j]
        n += 1
