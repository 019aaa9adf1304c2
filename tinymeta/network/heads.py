"""Two linear heads on the LSTM's output: a categorical policy and a value (docs/math.md, Eqs. 18-20 and 30-32).

Policy π = softmax(W_π h + b_π) and value V = W_v h + b_v are computed as one product, the value as the last of its A +
1 outputs. Sampling takes a uniform number from outside.
"""

import math

from tinymeta.base.jit import jit


@jit
def heads_forward(h, weight, bias, start, stop, heads, probabilities, log_probabilities):
    """Logits, value, π and log π of rows start…stop, Eqs. 18-20. Overwrites those rows of the last three arrays.

    h (N, H), weight (A + 1, H), bias (A + 1,); heads (N, A + 1), probabilities and log_probabilities (N, A).
    """
    outputs, H = weight.shape
    A = outputs - 1
    zero = bias.dtype.type(0)
    for n in range(start, stop):
        for j in range(outputs):
            total = zero
            for k in range(H):
                total += weight[j, k] * h[n, k]
            heads[n, j] = bias[j] + total
        top = heads[n, 0]
        for a in range(1, A):
            top = max(top, heads[n, a])
        total = zero
        for a in range(A):
            probabilities[n, a] = math.exp(heads[n, a] - top)
            total += probabilities[n, a]
        log_total = math.log(total)
        for a in range(A):
            probabilities[n, a] /= total
            log_probabilities[n, a] = heads[n, a] - top - log_total


@jit
def heads_backward(dheads, h, weight, steps, dh, dweight, dbias):
    """The mirror of `heads_forward` given dheads (N, A + 1), Eqs. 30-32, on the first `steps` rows.

    Overwrites dh (N, H); adds to dweight (A + 1, H) and dbias (A + 1,).
    """
    outputs, H = weight.shape
    zero = weight.dtype.type(0)
    for n in range(steps):
        for k in range(H):
            dh[n, k] = zero
        for j in range(outputs):
            dhead = dheads[n, j]
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
