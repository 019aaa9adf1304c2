"""Gradient clipping by global norm, Adam and RMSProp, each one pass over a flat parameter vector.

Eqs. 33-38 of docs/math.md. All arithmetic is in the parameters' dtype.
"""

import math

from tinymeta.base.jit import jit

OPTIMIZERS = ("adam", "rmsprop")

# PyTorch's defaults.
BETA1 = 0.9
BETA2 = 0.999
ALPHA = 0.99
EPSILON = 1e-8


@jit
def global_norm(gradient):
    """‖gradient‖₂ as a float64, Eq. 33; NaN or inf if any entry is, or if the float32 sum of squares overflows."""
    total = gradient.dtype.type(0)
    for p in range(gradient.shape[0]):
        total += gradient[p] * gradient[p]
    return math.sqrt(total)


@jit
def clip_factor(norm, max_grad_norm):
    """The factor that shrinks a gradient of this norm to `max_grad_norm`, Eq. 34; 1 if it is already short enough."""
    return max_grad_norm / norm if norm > max_grad_norm else 1.0


@jit
def adam(theta, gradient, factor, first, second, learning_rate, step):
    """Kingma & Ba 2015, Algorithm 1 (Eqs. 35-36), on factor·gradient; `step` counts from 1.

    Updates theta, first and second. Returns whether every parameter is finite, found in the same pass: memory is what
    this loop waits for.
    """
    number = theta.dtype.type
    beta1 = number(BETA1)
    beta2 = number(BETA2)
    rest1 = number(1.0 - BETA1)
    rest2 = number(1.0 - BETA2)
    epsilon = number(EPSILON)
    factor = number(factor)
    rate = number(learning_rate / (1.0 - BETA1**step))
    root = number(1.0 / math.sqrt(1.0 - BETA2**step))
    bad = 0
    for p in range(theta.shape[0]):
        g = factor * gradient[p]
        first[p] = beta1 * first[p] + rest1 * g
        second[p] = beta2 * second[p] + rest2 * g * g
        theta[p] -= rate * first[p] / (root * math.sqrt(second[p]) + epsilon)
        bad += 0 if abs(theta[p]) < math.inf else 1  # NaN fails the comparison, too
    return bad == 0


@jit
def rmsprop(theta, gradient, factor, second, learning_rate):
    """Tieleman & Hinton 2012 in PyTorch's form (Eqs. 37-38), on factor·gradient. Updates theta and second.

    Returns like `adam`.
    """
    number = theta.dtype.type
    alpha = number(ALPHA)
    rest = number(1.0 - ALPHA)
    epsilon = number(EPSILON)
    factor = number(factor)
    rate = number(learning_rate)
    bad = 0
    for p in range(theta.shape[0]):
        g = factor * gradient[p]
        second[p] = alpha * second[p] + rest * g * g
        theta[p] -= rate * g / (math.sqrt(second[p]) + epsilon)
        bad += 0 if abs(theta[p]) < math.inf else 1
    return bad == 0
