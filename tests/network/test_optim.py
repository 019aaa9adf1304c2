"""Oracle tests of clipping and the optimisers (docs/math.md, Eqs. 33-38), and their notice of what is not finite."""

import numpy as np
import pytest

from tinymeta.network.optim import adam, clip_factor, global_norm, rmsprop


def test_equations_33_and_34():
    assert global_norm(np.array([3.0, 4.0])) == 5
    assert clip_factor(5.0, 1.0) == 0.2
    assert clip_factor(0.5, 1.0) == 1


def test_equations_35_and_36():
    """Adam's Algorithm 1 (Kingma & Ba 2015), written out in NumPy, over ten steps."""
    rng = np.random.default_rng(0)
    theta = rng.normal(size=50)
    expected = theta.copy()
    m, v = np.zeros(50), np.zeros(50)
    first, second = np.zeros(50), np.zeros(50)
    for step, g in enumerate(rng.normal(size=(10, 50)), 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        expected -= 0.01 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        adam(theta, 2 * g, 0.5, first, second, 0.01, step)
    np.testing.assert_allclose(theta, expected, rtol=1e-12)


def test_equations_37_and_38():
    """RMSProp in PyTorch's form, written out in NumPy, over ten steps."""
    rng = np.random.default_rng(0)
    theta = rng.normal(size=50)
    expected = theta.copy()
    square, second = np.zeros(50), np.zeros(50)
    for g in rng.normal(size=(10, 50)):
        square = 0.99 * square + 0.01 * g * g
        expected -= 0.01 * g / (np.sqrt(square) + 1e-8)
        rmsprop(theta, 2 * g, 0.5, second, 0.01)
    np.testing.assert_allclose(theta, expected, rtol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_finiteness_is_noticed_under_fast_math(bad, dtype):
    """By the norm, if the gradient is not finite; by the optimiser's own pass, if a parameter is not."""
    gradient = np.ones(1000, dtype)
    moments = np.zeros((2, 1000), dtype)
    assert np.isfinite(global_norm(gradient))
    assert adam(np.ones(1000, dtype), gradient, 1.0, *moments, 1e-3, 1)
    assert rmsprop(np.ones(1000, dtype), gradient, 1.0, moments[1], 1e-3)
    theta = np.ones(1000, dtype)
    theta[617] = bad
    assert not adam(theta, gradient, 1.0, *moments, 1e-3, 1)
    assert not rmsprop(theta, gradient, 1.0, moments[1], 1e-3)
    gradient[617] = bad
    assert not np.isfinite(global_norm(gradient))
