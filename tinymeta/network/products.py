"""The three blocked matrix products under every layer.

Each walks `tiles` over its matrices, largest first, and *accumulates* (`+=`). A row of a product has the same bits
whichever rows are computed with it.
"""

from typing import Any

import numpy as np

from tinymeta.base.jit import jit, jit_called
from tinymeta.network.tiles import (
    dot_1_half,
    dot_1_whole,
    dot_2_half,
    dot_single,
    lanes,
    sum_1x1,
    sum_1x4,
    sum_2x1,
    sum_2x4,
    sum_narrow,
)

CACHE_LINE = 64  # bytes
OUTER_ROWS = 32  # rows per pass of an outer product: as many as stay in the innermost cache beside the sums


@jit_called
def add_strided(a, a_first, a_row, a_term, rows, b, b_first, c, c_first, terms, backwards):
    """c[r] += Σ_t a[r, t] · b[t] for `rows` rows of c (…, J), with b (…, J), tile by tile.

    The walk of the next two products. `_first` is where a matrix begins in its array, a_row and a_term are the strides
    of a, all in elements; terms >= 1.
    """
    J = b.shape[1]
    V = lanes(b)
    blocks = J // (4 * V)
    for i in range(blocks):
        j = 4 * V * (blocks - 1 - i if backwards else i)
        r = 0
        while r + 2 <= rows:
            sum_2x4(a, a_first + r * a_row, a_row, a_term, b, b_first + j, J, c, c_first + r * J + j, J, terms)
            r += 2
        if r < rows:
            sum_1x4(a, a_first + r * a_row, a_row, a_term, b, b_first + j, J, c, c_first + r * J + j, J, terms)
    for j in range(4 * V * blocks, J // V * V, V):
        r = 0
        while r + 2 <= rows:
            sum_2x1(a, a_first + r * a_row, a_row, a_term, b, b_first + j, J, c, c_first + r * J + j, J, terms)
            r += 2
        if r < rows:
            sum_1x1(a, a_first + r * a_row, a_row, a_term, b, b_first + j, J, c, c_first + r * J + j, J, terms)
    for j in range(J // V * V, J):
        for r in range(rows):
            sum_narrow(a, a_first + r * a_row, a_row, a_term, b, b_first + j, J, c, c_first + r * J + j, J, terms)


@jit
def add_product(a, b, c, start, stop):
    """c[start:stop] += a[start:stop] @ b, with a (N, K), b (K, J), c (N, J)."""
    K, J = b.shape
    add_strided(a, start * K, K, 1, stop - start, b, 0, c, start * J, K, start % 2 == 1)


@jit
def add_outer(a, b, c, start, stop):
    """c += a[start:stop].T @ b[start:stop], with a (N, K), b (N, J), c (K, J)."""
    K, J = c.shape
    for n in range(start, stop, OUTER_ROWS):
        add_strided(a, n * K, 1, K, K, b, n * J, c, 0, min(OUTER_ROWS, stop - n), False)


@jit_called
def add_product_transposed(a, b, c, start, stop):
    """c[start:stop] += a[start:stop] @ b.T, with a (N, J), b (K, J), c (N, K)."""
    K, J = b.shape
    V = lanes(b)
    whole = J // V * V  # what vectors cover of J; the rest follows in the last loop
    if whole > 0 and stop == start + 1:
        blocks = K // V
        for i in range(blocks):
            k = V * (blocks - 1 - i if start % 2 == 1 else i)
            dot_1_whole(a, start * J, J, b, k * J, J, c, start * K + k, K, whole)
        for k in range(blocks * V, K):
            dot_single(a, start * J, J, b, k * J, J, c, start * K + k, K, whole)
    elif whole > 0:
        half = V // 2
        for k in range(0, K - half + 1, half):
            n = start
            while n + 2 <= stop:
                dot_2_half(a, n * J, J, b, k * J, J, c, n * K + k, K, whole)
                n += 2
            if n < stop:
                dot_1_half(a, n * J, J, b, k * J, J, c, n * K + k, K, whole)
        for n in range(start, stop):
            for k in range(K // half * half, K):
                dot_single(a, n * J, J, b, k * J, J, c, n * K + k, K, whole)
    if whole < J:
        for n in range(start, stop):
            for k in range(K):
                for j in range(whole, J):
                    c[n, k] += a[n, j] * b[k, j]


def zeros(shape: int | tuple[int, ...], dtype: Any) -> np.ndarray:
    """Like numpy.zeros, from a multiple of 64 bytes on: a vector that straddles two cache lines costs two loads."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + CACHE_LINE, np.uint8)
    first = -raw.ctypes.data % CACHE_LINE
    return raw[first : first + size].view(dtype).reshape(shape)
