"""A policy over vectors: A independent normal distributions (docs/math.md, Eqs. 44-49).

The means μ are the linear outputs of the network; log σ (A,) are parameters of their own, the same in every state
(Schulman et al. 2015, as most implementations have it). Actions are unbounded; the environment clips them.

    log π(a) = Σ_i ( -½ z_i² - log σ_i - ½ log 2π ),   z_i = (a_i - μ_i) / σ_i,        H = Σ_i ( log σ_i + ½ log 2πe )
"""

import math
from typing import NamedTuple

from tinymeta.base.jit import jit
from tinymeta.base.normal import normal_quantile

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


class Gaussian(NamedTuple):
    """A policy over vectors of A numbers."""

    num_actions: int


@jit
def log_density(mean, log_std, action, n):
    """log π of row n's action, Eq. 45. mean (N, A + 1), of which the last column is the value's; action (N, A)."""
    total = mean.dtype.type(0)
    half = mean.dtype.type(0.5)
    constant = mean.dtype.type(HALF_LOG_2PI)
    for i in range(log_std.shape[0]):
        z = (action[n, i] - mean[n, i]) * math.exp(-log_std[i])
        total -= half * z * z + log_std[i] + constant
    return total


@jit
def gaussian_entropy(log_std):
    """H of every state's policy, Eq. 46."""
    total = log_std.dtype.type(0)
    for i in range(log_std.shape[0]):
        total += log_std[i] + log_std.dtype.type(HALF_LOG_2PI + 0.5)
    return total


@jit
def gaussian_backward(heads, log_std, action, weight, target, vf_coef, ent_coef, steps, dheads, dlog_std):
    """The mirror of both, Eqs. 47-49: overwrites dheads (N, A + 1), adds to dlog_std (A,).

    The loss is the mean over the steps of -weight·log π + c_v (G - V)² - c_e H.
    """
    A = log_std.shape[0]
    number = heads.dtype.type
    scale = number(1.0 / steps)
    one = number(1)
    twice_vf_coef = number(2.0 * vf_coef)
    for n in range(steps):
        for i in range(A):
            inverse = math.exp(-log_std[i])
            z = (action[n, i] - heads[n, i]) * inverse
            dheads[n, i] = -scale * weight[n] * z * inverse
            dlog_std[i] -= scale * weight[n] * (z * z - one)
        dheads[n, A] = scale * twice_vf_coef * (heads[n, A] - target[n])
    for i in range(A):
        dlog_std[i] -= number(ent_coef)


@jit
def sample_vector(heads, log_std, action, n, uniforms, column, greedy):
    """Overwrites row n of action (N, A): a draw by the numbers uniforms[column:column + A], or the mean."""
    for i in range(log_std.shape[0]):
        noise = 0.0 if greedy else normal_quantile(uniforms[column + i])
        action[n, i] = heads[n, i] + math.exp(log_std[i]) * noise
