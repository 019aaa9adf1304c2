"""Two linear heads on the LSTM and the advantage actor-critic loss (docs/math.md, Eqs. 18-32).

Policy π = softmax(W_π h + b_π) and value V = W_v h + b_v are computed as one product, the value as the last row of
`head_weight` (A + 1, H). Returns run over the whole trial; they do not restart at an episode's end. With λ = 1 they are the
Monte-Carlo returns G_t = r_t + γ G_{t+1}; in general the λ-returns

    G_t = r_t + γ ((1 - λ) V_{t+1} + λ G_{t+1}),        Â_t = G_t - V_t,

so that Â is GAE(γ, λ) (Schulman et al. 2016, Eq. 16). Behind a trial's end V and G are 0. Where a step limit cut the trial both
are V of the input that would have come next: a time limit is not a terminal state. The loss, averaged over the steps taken, is

    L = mean[ -log π(a) Â  +  c_v (G - V)²  -  c_e H(π) ]    with Â and G held constant.
"""

import math
from typing import NamedTuple

from tinymeta._jit import jit
from tinymeta.lstm import lstm_backward, lstm_forward, lstm_parameter_gradients


class Loss(NamedTuple):
    """The coefficients of the loss, in the order of Table 1 where it names them."""

    gamma: float  # discount, over the whole trial
    gae_lambda: float
    vf_coef: float
    ent_coef: float


@jit
def split(theta, layout):
    """Views into a flat parameter vector: weight_x (D, 4H), weight_h (H, 4H), bias (4H,), head_weight (A+1, H), head_bias (A+1,)."""
    D, H, outputs = layout.input_size, layout.hidden_size, layout.num_actions + 1
    a = D * 4 * H
    b = a + H * 4 * H
    c = b + 4 * H
    d = c + outputs * H
    return (theta[:a].reshape((D, 4 * H)), theta[a:b].reshape((H, 4 * H)), theta[b:c],
            theta[c:d].reshape((outputs, H)), theta[d:d + outputs])  # fmt: skip


@jit
def heads_forward(head_weight, head_bias, act, start, stop):
    """Logits, value, π and log π of rows start…stop, Eqs. 18-20. Overwrites heads, probabilities, log_probabilities there."""
    outputs, H = head_weight.shape
    A = outputs - 1
    heads, probabilities, log_probabilities, h = act.heads, act.probabilities, act.log_probabilities, act.h
    zero = head_bias.dtype.type(0)
    for n in range(start, stop):
        for j in range(outputs):
            total = zero
            for k in range(H):
                total += head_weight[j, k] * h[n, k]
            heads[n, j] = head_bias[j] + total
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
def heads_backward(head_weight, act, steps, dhead_weight, dhead_bias):
    """The mirror of `heads_forward` given dheads, Eqs. 30-32. Overwrites dh, zeroes dc, adds to the two gradients."""
    outputs, H = head_weight.shape
    dheads, dh, dc, h = act.dheads, act.dh, act.dc, act.h
    zero = head_weight.dtype.type(0)
    for n in range(steps):
        for k in range(H):
            dh[n, k] = zero
            dc[n, k] = zero
        for j in range(outputs):
            dhead = dheads[n, j]
            dhead_bias[j] += dhead
            for k in range(H):
                dh[n, k] += dhead * head_weight[j, k]
            for k in range(H):
                dhead_weight[j, k] += dhead * h[n, k]


@jit
def returns(rows, loss, act):
    """λ-returns of all steps, Eqs. 21-22. Overwrites act.target (and the scratch next_value, next_target)."""
    A = act.probabilities.shape[1]
    steps, used = rows.size[1], rows.size[2]
    heads, target, next_value, next_target = act.heads, act.target, act.next_value, act.next_target
    number = target.dtype.type
    gamma, gae_lambda = number(loss.gamma), number(loss.gae_lambda)
    for b in range(rows.task.shape[0]):
        next_value[b] = 0
        next_target[b] = 0
    for n in range(steps, used):  # trials that a step limit cut
        next_value[rows.trial[n]] = heads[n, A]
        next_target[rows.trial[n]] = heads[n, A]
    for n in range(steps - 1, -1, -1):
        b = rows.trial[n]
        target[n] = rows.reward[n] + gamma * (next_value[b] + gae_lambda * (next_target[b] - next_value[b]))
        next_value[b] = heads[n, A]
        next_target[b] = target[n]


@jit
def loss_forward(rows, act):
    """The three terms of the loss before their coefficients, Eqs. 23-26: (policy, value, entropy), means over the steps.

    Reads Â from act.advantage and G from act.target, which stay what they are: they are constants of the loss.
    """
    A = act.probabilities.shape[1]
    steps = rows.size[1]
    policy = value = entropy = 0.0
    for n in range(steps):
        error = act.target[n] - act.heads[n, A]
        policy -= act.log_probabilities[n, rows.action[n]] * act.advantage[n]
        value += error * error
        for a in range(A):
            entropy -= act.probabilities[n, a] * act.log_probabilities[n, a]
    return policy / steps, value / steps, entropy / steps


@jit
def loss_backward(rows, loss, act):
    """The mirror of `loss_forward`, Eqs. 27-29: overwrites act.dheads with dL/dlogits and dL/dV."""
    A = act.probabilities.shape[1]
    steps = rows.size[1]
    number = act.target.dtype.type
    scale, ent_coef = number(1.0 / steps), number(loss.ent_coef)
    twice_vf_coef = number(2.0 * loss.vf_coef)
    probabilities, log_probabilities, dheads = act.probabilities, act.log_probabilities, act.dheads
    for n in range(steps):
        advantage = act.advantage[n]
        entropy = number(0)
        for a in range(A):
            entropy -= probabilities[n, a] * log_probabilities[n, a]
        for a in range(A):
            bonus = ent_coef * (log_probabilities[n, a] + entropy)
            dheads[n, a] = scale * probabilities[n, a] * (advantage + bonus)
        dheads[n, rows.action[n]] -= scale * advantage
        dheads[n, A] = scale * twice_vf_coef * (act.heads[n, A] - act.target[n])


@jit
def forward(rows, layout, theta, act):
    """The network on recorded rows, time by time, cut trials' last inputs included."""
    weight_x, weight_h, bias, head_weight, head_bias = split(theta, layout)
    for t in range(rows.size[0] + 1):
        start, stop = rows.begin[t], rows.begin[t + 1]
        lstm_forward(rows, layout.reward_column, weight_x, weight_h, bias, act, start, stop)
        heads_forward(head_weight, head_bias, act, start, stop)


@jit
def advantages(rows, loss, act):
    """Targets G and advantages Â of all steps from the values now in act, Eqs. 21-22. Overwrites target and advantage."""
    A = act.probabilities.shape[1]
    returns(rows, loss, act)
    for n in range(rows.size[1]):
        act.advantage[n] = act.target[n] - act.heads[n, A]


@jit
def backward(rows, layout, loss, theta, act, dtheta):
    """dL/dtheta by backpropagation through time, from the activations that `forward` or a rollout left. Overwrites dtheta."""
    _, weight_h, _, head_weight, _ = split(theta, layout)
    dtheta[:] = 0
    dweight_x, dweight_h, dbias, dhead_weight, dhead_bias = split(dtheta, layout)
    times, steps = rows.size[0], rows.size[1]
    loss_backward(rows, loss, act)
    heads_backward(head_weight, act, steps, dhead_weight, dhead_bias)
    for t in range(times - 1, -1, -1):
        lstm_backward(rows, weight_h, act, rows.begin[t], rows.begin[t + 1])
    lstm_parameter_gradients(rows, layout.reward_column, act, steps, dweight_x, dweight_h, dbias)
