"""One gradient of the loss: the network on recorded rows, returns and advantages, backpropagation through time."""

from tinymeta.base.jit import jit
from tinymeta.learning.rows import STEPS, TIMES, USED
from tinymeta.network.flat import split
from tinymeta.network.heads import heads_backward, heads_forward
from tinymeta.network.losses import a2c_loss, a2c_loss_backward, lambda_returns
from tinymeta.network.lstm import lstm_backward, lstm_forward, lstm_parameter_gradients


@jit
def apply_network(rows, layout, parameters, act, start, stop):
    """The network on rows start…stop of one time, whose predecessors are rows.before. Overwrites those rows of act.

    parameters are the views that `split` gives: made once, for this runs at every step.
    """
    weight_x, weight_h, bias, head_weight, head_bias = parameters
    lstm_forward(
        rows.columns, rows.prev_reward, rows.reset, rows.before, layout.reward_column, weight_x, weight_h, bias,
        start, stop, act.h_prev, act.c_prev, act.gates, act.c, act.tanh_c, act.h,
    )  # fmt: skip
    heads_forward(act.h, head_weight, head_bias, start, stop, act.heads, act.probabilities, act.log_probabilities)


@jit
def step_network(rows, layout, theta, act, start, stop):
    """`apply_network` with flat parameters (P,), for callers outside of kernels."""
    apply_network(rows, layout, split(theta, layout), act, start, stop)


@jit
def forward(rows, layout, theta, act):
    """The network on recorded rows, time by time, cut trials' last inputs included."""
    parameters = split(theta, layout)
    for t in range(rows.size[TIMES] + 1):
        apply_network(rows, layout, parameters, act, rows.begin[t], rows.begin[t + 1])


@jit
def advantages(rows, loss, act):
    """Targets G and advantages Â of all steps from the values in act, Eqs. 21-22. Overwrites target and advantage."""
    A = act.probabilities.shape[1]
    steps = rows.size[STEPS]
    lambda_returns(
        rows.reward, act.heads[:, A], rows.trial, steps, rows.size[USED], loss.gamma, loss.gae_lambda,
        act.next_value, act.next_target, act.target,
    )  # fmt: skip
    for n in range(steps):
        act.advantage[n] = act.target[n] - act.heads[n, A]


@jit
def loss_terms(rows, act):
    """(policy, value, entropy) of recorded rows, see `a2c_loss`."""
    A = act.probabilities.shape[1]
    return a2c_loss(
        act.probabilities,
        act.log_probabilities,
        act.heads[:, A],
        rows.action,
        act.advantage,
        act.target,
        rows.size[STEPS],
    )


@jit
def backward(rows, layout, vf_coef, ent_coef, theta, act, dtheta):
    """dL/dtheta by backpropagation through time, from the activations that `forward` or a rollout left. Overwrites
    dtheta. The coefficients are plain numbers since ent_coef may be another one at every update.
    """
    _, weight_h, _, head_weight, _ = split(theta, layout)
    dtheta[:] = 0
    dweight_x, dweight_h, dbias, dhead_weight, dhead_bias = split(dtheta, layout)
    steps = rows.size[STEPS]
    A = act.probabilities.shape[1]
    a2c_loss_backward(
        act.probabilities, act.log_probabilities, act.heads[:, A], rows.action, act.advantage, act.target,
        vf_coef, ent_coef, steps, act.dheads,
    )  # fmt: skip
    heads_backward(act.dheads, act.h, head_weight, steps, act.dh, dhead_weight, dhead_bias)
    dc = act.dc
    for n in range(steps):
        for k in range(dc.shape[1]):
            dc[n, k] = 0  # nothing reaches a cell but through its own h and the row after it
    for t in range(rows.size[TIMES] - 1, -1, -1):
        lstm_backward(
            rows.reset, rows.before, weight_h, act.gates, act.c_prev, act.tanh_c, rows.begin[t], rows.begin[t + 1],
            act.dh, act.dc, act.dgates, act.dh_prev,
        )  # fmt: skip
    lstm_parameter_gradients(
        rows.columns, rows.prev_reward, layout.reward_column, act.h_prev, act.dgates, steps, dweight_x, dweight_h, dbias
    )
