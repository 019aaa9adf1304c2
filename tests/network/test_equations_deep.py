"""Oracle: equations 39 to 50 of docs/math.md on arrays small enough for paper, each test under their numbers."""

import math

import numpy as np
import pytest

from tinymeta.network.dense import affine_backward, affine_forward, tanh_backward, tanh_forward
from tinymeta.network.gaussian import gaussian_backward, gaussian_entropy, log_density, sample_vector
from tinymeta.network.losses import standardise

X = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [9.0, 9.0, 9.0]])  # the last row belongs to no step
WEIGHT = np.array([[0.5, -1.0], [0.25, 0.0], [2.0, 1.0]])
BIAS = np.array([0.1, -0.2])


def test_equation_39():
    """Rows outside of start…stop are left alone."""
    a = np.full((3, 2), 7.0)
    affine_forward(X, WEIGHT, BIAS, 0, 2, a)
    np.testing.assert_allclose(a[:2], [[1.1, -0.7], [-1.025, -1.45]], rtol=1e-14)
    np.testing.assert_array_equal(a[2], 7)
    before = a.copy()
    tanh_forward(a, 0, 2)
    np.testing.assert_allclose(a[:2], np.tanh(before[:2]), rtol=1e-15)
    np.testing.assert_array_equal(a[2], 7)


def test_equation_40():
    y = np.array([[0.5, -0.6], [0.0, 0.9]])
    dy = np.array([[2.0, 1.0], [3.0, -1.0]])
    tanh_backward(y, 2, dy)
    np.testing.assert_allclose(dy, [[1.5, 0.64], [3.0, -0.19]], rtol=1e-14)


def test_equations_41_to_43():
    """dx is overwritten, the parameters' gradients are added to; the row that is no step counts nowhere."""
    da = np.array([[1.0, 2.0], [-1.0, 0.5], [100.0, 100.0]])
    dx, dweight, dbias = np.full((3, 3), 5.0), np.ones((3, 2)), np.ones(2)
    affine_backward(X, WEIGHT, da, 2, dx, dweight, dbias)
    np.testing.assert_allclose(dx[:2], da[:2] @ WEIGHT.T, rtol=1e-14)
    np.testing.assert_allclose(dweight, 1 + X[:2].T @ da[:2], rtol=1e-14)
    np.testing.assert_allclose(dbias, [1.0, 3.5], rtol=1e-14)


MEAN = np.array([[1.0, -1.0, 4.0], [0.0, 2.0, -3.0]])  # and the value
LOG_STD = np.log([2.0, 0.5])
ACTION = np.array([[2.0, -1.25], [-4.0, 2.5]])  # z = 0.5, -0.5 and -2, 1


def test_equation_44():
    """By the numbers from a column on; the greedy action is the mean, whatever the numbers are."""
    action = np.zeros((2, 2))
    uniforms = np.array([0.9, 0.5, 0.8413447460685429])  # of which the last two are used: quantiles 0 and 1
    sample_vector(MEAN, LOG_STD, action, 1, uniforms, 1, False)
    np.testing.assert_allclose(action, [[0, 0], [0.0, 2.5]], atol=1e-8)
    sample_vector(MEAN, LOG_STD, action, 0, uniforms, 1, True)
    np.testing.assert_array_equal(action[0], [1, -1])


def test_equations_45_and_46():
    """σ = 2, ½: their logarithms add up to 0."""
    for n, squares in enumerate((0.5, 5.0)):
        assert log_density(MEAN, LOG_STD, ACTION, n) == pytest.approx(-squares / 2 - math.log(2 * math.pi), rel=1e-14)
    assert gaussian_entropy(LOG_STD) == pytest.approx(math.log(2 * math.pi * math.e), rel=1e-14)
    assert gaussian_entropy(LOG_STD - 5) == pytest.approx(math.log(2 * math.pi * math.e) - 10, rel=1e-14)


def test_equations_47_to_49():
    """dheads is overwritten, dlog_std added to."""
    weight, target = np.array([3.0, -1.0]), np.array([1.0, 1.0])
    dheads, dlog_std = np.full((2, 3), 9.0), np.ones(2)
    gaussian_backward(MEAN, LOG_STD, ACTION, weight, target, 0.25, 0.1, 2, dheads, dlog_std)
    means = [[-1.5 * 0.5 / 2, -1.5 * -0.5 / 0.5], [0.5 * -2 / 2, 0.5 * 1 / 0.5]]  # -w z / (N σ)
    np.testing.assert_allclose(dheads[:, :2], means, rtol=1e-14)
    np.testing.assert_allclose(dheads[:, 2], [0.25 * 3, 0.25 * -4], rtol=1e-14)  # 2 c_v (V - G) / N
    expected = [1 - 1.5 * (0.25 - 1) + 0.5 * (4 - 1) - 0.1, 1 - 1.5 * (0.25 - 1) + 0.5 * (1 - 1) - 0.1]
    np.testing.assert_allclose(dlog_std, expected, rtol=1e-14)


def test_equation_50():
    """Mean 2 and deviation 1 become 0 and 1; rows that are no steps are left alone; equal advantages become 0."""
    advantage = np.array([1.0, 3.0, 1.0, 3.0, 77.0])
    standardise(advantage, 4)
    np.testing.assert_allclose(advantage, [-1, 1, -1, 1, 77], rtol=1e-7)
    equal = np.full(3, 0.5)
    standardise(equal, 3)
    np.testing.assert_array_equal(equal, 0)
