"""One gradient of the loss: the network on recorded rows, returns and advantages, backpropagation through time."""

from tinymeta.base.dispatch import by_class
from tinymeta.base.jit import jit
from tinymeta.learning.networks import Direct
from tinymeta.learning.policies import distribution, head_gradients, terms
from tinymeta.learning.rows import STEPS, TIMES, USED
from tinymeta.network.flat import split
from tinymeta.network.heads import outputs_backward, outputs_forward
from tinymeta.network.losses import lambda_returns, standardise
from tinymeta.network.lstm import input_forward, input_gradients, lstm_backward, lstm_forward
from tinymeta.network.products import add_outer


@jit
def apply_network(rows, layout, parameters, act, start, stop):
    """The network on rows start…stop of one time, whose predecessors are rows.before. Overwrites those rows of act.

    parameters are the views that `split` gives: made once, for this runs at every step.
    """
    network_forward(layout.network, rows, layout, parameters, act, start, stop)
    distribution(layout.head, act, start, stop)


@by_class(Direct)
def network_forward(network, rows, layout, parameters, act, start, stop):
    """From the input of rows start…stop to logits and value."""
    weight_x, weight_h, bias, head_weight, head_bias, _ = parameters
    input_forward(
        rows.columns, rows.prev_reward, rows.numbers, layout.reward_column, weight_x, bias, start, stop, act.gates
    )
    lstm_forward(
        rows.reset, rows.before, weight_h, start, stop, act.h_prev, act.c_prev, act.gates, act.c, act.tanh_c, act.h
    )
    outputs_forward(act.h, head_weight, head_bias, 0, start, stop, act.heads)


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
    A = act.heads.shape[1] - 1
    steps = rows.size[STEPS]
    lambda_returns(
        rows.reward, act.heads[:, A], rows.trial, rows.after, steps, rows.size[USED], loss.gamma, loss.gae_lambda,
        act.next_value, act.next_target, act.target,
    )  # fmt: skip
    for n in range(steps):
        act.advantage[n] = act.target[n] - act.heads[n, A]
    if loss.normalize_advantage:
        standardise(act.advantage, steps)


@jit
def loss_terms(rows, layout, theta, act):
    """(policy, value, entropy) of recorded rows, see `tinymeta.network.losses.a2c_loss`."""
    return terms(layout.head, rows, act, split(theta, layout)[5])


@jit
def backward(rows, layout, vf_coef, ent_coef, theta, act, dtheta):
    """dL/dtheta by backpropagation through time, from the activations that `forward` or a rollout left. Overwrites
    dtheta. The coefficients are plain numbers since ent_coef may be another one at every update.
    """
    backward_weighted(rows, layout, act.advantage, vf_coef, ent_coef, theta, act, dtheta)


@jit
def backward_weighted(rows, layout, weight, vf_coef, ent_coef, theta, act, dtheta):
    """`backward` of the loss whose slope in each step's log π is -weight[n] over the number of steps."""
    parameters = split(theta, layout)
    dtheta[:] = 0
    dparameters = split(dtheta, layout)
    head_gradients(layout.head, rows, act, weight, vf_coef, ent_coef, parameters[5], dparameters[5])
    network_backward(layout.network, rows, layout, parameters, act, dparameters)


@by_class(Direct)
def network_backward(network, rows, layout, parameters, act, dparameters):
    """From dheads to the gradients of all parameters, which it adds to."""
    _, weight_h, _, head_weight, _, _ = parameters
    dweight_x, dweight_h, dbias, dhead_weight, dhead_bias, _ = dparameters
    steps = rows.size[STEPS]
    outputs_backward(act.dheads, 0, act.h, head_weight, steps, act.dh, dhead_weight, dhead_bias)
    through_time(rows, weight_h, act, steps)
    add_outer(act.h_prev, act.dgates, dweight_h, 0, steps)
    input_gradients(
        rows.columns, rows.prev_reward, rows.numbers, layout.reward_column, act.dgates, steps, dweight_x, dbias
    )


@jit
def through_time(rows, weight_h, body, steps):
    """Backpropagation through time of one LSTM, from body.dh of the heads to body.dgates, Eqs. 7-14."""
    dc = body.dc
    for n in range(steps):
        for k in range(dc.shape[1]):
            dc[n, k] = 0  # nothing reaches a cell but through its own h and the row after it
    for t in range(rows.size[TIMES] - 1, -1, -1):
        lstm_backward(
            rows.reset, rows.before, weight_h, body.gates, body.c_prev, body.tanh_c, rows.begin[t], rows.begin[t + 1],
            body.dh, body.dc, body.dgates, body.dh_prev,
        )  # fmt: skip
