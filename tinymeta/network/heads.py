"""Two linear heads on the LSTM's output: a categorical policy and a value (docs/math.md, Eqs. 18-20 and 30-32).

Policy π = softmax(W_π h + b_π) and value V = W_v h + b_v are computed as one product, the value as the last of its A +
1 outputs. Sampling takes a uniform number from outside.
"""

import math
from typing import NamedTuple

from tinymeta.base.jit import jit


class Categorical(NamedTuple):
    """A policy over A actions by name."""

    num_actions: int


@jit
def outputs_forward(h, weight, bias, first, start, stop, heads):
    """J linear outputs of rows start…stop, Eq. 18. Overwrites their columns first…first + J of heads (N, A + 1).

    h (N, H), weight (J, H), bias (J,).
    """
    outputs, H = weight.shape
    zero = bias.dtype.type(0)
    for n in range(start, stop):
        for j in range(outputs):
            total = zero
            for k in range(H):
                total += weight[j, k] * h[n, k]
            heads[n, first + j] = bias[j] + total


@jit
def softmax(heads, start, stop, probabilities, log_probabilities):
    """π and log π of rows start…stop, Eqs. 19-20. Overwrites those rows of the last two arrays, both (N, A).

    heads (N, A + 1) begins with the logits.
    """
    A = probabilities.shape[1]
    for n in range(start, stop):
        top = heads[n, 0]
        for a in range(1, A):
            top = max(top, heads[n, a])
        total = heads.dtype.type(0)
        for a in range(A):
            probabilities[n, a] = math.exp(heads[n, a] - top)
            total += probabilities[n, a]
        log_total = math.log(total)
        for a in range(A):
            probabilities[n, a] /= total
            log_probabilities[n, a] = heads[n, a] - top - log_total


@jit
def outputs_backward(dheads, first, h, weight, steps, dh, dweight, dbias):
    """The mirror of `outputs_forward` given dheads (N, A + 1), Eqs. 30-32, on the first `steps` rows.

    Overwrites dh (N, H); adds to dweight (J, H) and dbias (J,).
    """
    outputs, H = weight.shape
    zero = weight.dtype.type(0)
    for n in range(steps):
        for k in range(H):
            dh[n, k] = zero
        for j in range(outputs):
            dhead = dheads[n, first + j]
            dbias[j] += dhead
            for k in range(H):
                dh[n, k] += dhead * weight[j, k]
            for k in range(H):
                dweight[j, k] += dhead * h[n, k]


@jit
def sample_action(probabilities, n, uniform, greedy):
    """An action from row n of π (N, A), or the first most probable one."""
    A = probabilities.shape[1]
    if greedy:
        best = 0
        for a in range(1, A):
            if probabilities[n, a] > probabilities[n, best]:
                best = a
        return best
    total = 0.0
    for a in range(A):
        total += probabilities[n, a]
    threshold = uniform * total
    cumulative = 0.0
    action = 0
    for a in range(A):
        if probabilities[n, a] > 0 and cumulative <= threshold:
            action = a
        cumulative += probabilities[n, a]
    return action
