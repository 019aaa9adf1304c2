"""Oracle tests of the arithmetic: products against NumPy in float64, the fast tanh against libm over all of float32."""

import numpy as np
import pytest
from numba.core.errors import TypingError

from tinymeta.base.jit import jit
from tinymeta.network.activations import tanh
from tinymeta.network.products import add_outer, add_product, add_product_transposed, zeros


@jit
def tanh_of(x, y):
    for i in range(x.shape[0]):
        y[i] = tanh(x[i])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("N", "K", "J"), [(1, 1, 1), (3, 5, 7), (4, 6, 16), (9, 13, 33), (17, 48, 192), (70, 12, 48)])
def test_products_agree_with_numpy(N, K, J, dtype):
    rng = np.random.default_rng(N)
    a, b, wide = (rng.normal(size=shape).astype(dtype) for shape in ((N + 2, K), (K, J), (N + 2, J)))
    start, stop = 1, N + 1
    inside = slice(start, stop)
    eps = 4 * np.finfo(dtype).eps * max(K, J, N)
    for kernel, left, right, shape, product in (
        (add_product, a, b, (N + 2, J), a[inside].astype(float) @ b),
        (add_product_transposed, wide, b, (N + 2, K), wide[inside].astype(float) @ b.T),
    ):
        c = rng.normal(size=shape).astype(dtype)
        expected = c.astype(float)
        expected[inside] += product
        kernel(left, right, c, start, stop)
        np.testing.assert_allclose(c, expected, rtol=eps, atol=eps * 4)
    c = rng.normal(size=(K, J)).astype(dtype)
    expected = c + a[inside].astype(float).T @ wide[inside]
    add_outer(a, wide, c, start, stop)
    np.testing.assert_allclose(c, expected, rtol=eps, atol=eps * 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_has_the_same_bits_whatever_is_computed_with_it(dtype):
    rng = np.random.default_rng(0)
    K, J = 21, 4 * 21
    a, b, wide = (rng.normal(size=shape).astype(dtype) for shape in ((7, K), (K, J), (7, J)))
    for kernel, left, width in ((add_product, a, J), (add_product_transposed, wide, K)):
        together, alone = np.zeros((7, width), dtype), np.zeros((7, width), dtype)
        kernel(left, b, together, 0, 7)
        for n in range(7):
            kernel(left, b, alone, n, n + 1)
        np.testing.assert_array_equal(together, alone)


def test_tiles_refuse_what_they_cannot_read():
    a = np.zeros((2, 3), np.float32)
    for other in (np.zeros((3, 4)), np.zeros((4, 3), np.float32).T):
        with pytest.raises(TypingError, match="contiguous arrays of one float dtype"):
            add_product(a, other, np.zeros((2, 4), np.float32), 0, 2)


def test_zeros_begin_at_a_cache_line():
    for shape in (1, (3, 5), (7,), (2, 192)):
        array = zeros(shape, np.float32)
        assert array.ctypes.data % 64 == 0
        assert array.shape == np.zeros(shape).shape
        assert not array.any()


def test_fast_tanh_over_the_float32_range():
    """Every 97th float32 bit pattern, infinities and NaN included: relative error at most 4e-7, odd, never beyond 1."""
    x = np.arange(0, 2**32, 97, dtype=np.uint64).astype(np.uint32).view(np.float32)
    x = np.concatenate([x, np.float32([np.inf, -np.inf, np.nan, 0, 8.9, 9, 1e-45])])
    y = np.empty_like(x)
    tanh_of(x, y)
    assert (np.isnan(y) == np.isnan(x)).all()
    x, y = x[~np.isnan(x)], y[~np.isnan(y)]
    exact = np.tanh(x.astype(np.float64))
    tiny = np.finfo(np.float32).smallest_subnormal
    assert (np.abs(y - exact) <= 4e-7 * np.abs(exact) + tiny).all()
    assert (np.abs(y) <= 1).all()
    mirrored = np.empty_like(y)
    tanh_of(-x, mirrored)
    assert (mirrored == -y).all()


def test_tanh_in_float64_is_libm():
    x = np.linspace(-20, 20, 1001)
    y = np.empty_like(x)
    tanh_of(x, y)
    np.testing.assert_allclose(y, np.tanh(x), rtol=4e-16)
