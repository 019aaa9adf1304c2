"""A deeper network: dense tanh layers before the LSTM, a network of its own for the value, or both.

Each body is a stack of dense layers and an LSTM. With one body both heads read its state; with two the first one is
the policy's and the second one the value's. The parameters behind the heads are, in this order, a Gaussian policy's
log σ, the first body's dense layers, then the second body's dense layers and LSTM.
"""

from tinymeta.base.jit import jit
from tinymeta.learning.networks import Deep
from tinymeta.learning.rows import STEPS
from tinymeta.learning.update import network_backward, network_forward, through_time
from tinymeta.network.dense import affine_backward, affine_forward, tanh_backward, tanh_forward
from tinymeta.network.heads import outputs_backward, outputs_forward
from tinymeta.network.lstm import input_forward, input_gradients, lstm_forward
from tinymeta.network.products import add_outer


@jit
def encode(widths, rows, layout, rest, at, body, start, stop):
    """The dense layers, whose parameters begin at rest[at], on rows start…stop. Overwrites those rows of body.layers.

    Returns where the parameters end.
    """
    N = body.h.shape[0]
    inputs = layout.input_size
    used = 0
    for layer in range(widths.shape[0]):
        E = widths[layer]
        weight = rest[at : at + inputs * E].reshape((inputs, E))
        bias = rest[at + inputs * E : at + inputs * E + E]
        y = body.layers[used : used + N * E].reshape((N, E))
        if layer == 0:
            input_forward(
                rows.columns, rows.prev_reward, rows.numbers, layout.reward_column, weight, bias, start, stop, y
            )
        else:
            x = body.layers[used - N * inputs : used].reshape((N, inputs))
            affine_forward(x, weight, bias, start, stop, y)
        tanh_forward(y, start, stop)
        at += inputs * E + E
        used += N * E
        inputs = E
    return at


@jit
def encode_backward(widths, rows, layout, rest, drest, at, body, steps):
    """The mirror of `encode`, whose parameters end at rest[at]; body.dlayers of the last layer is complete."""
    N = body.h.shape[0]
    used = body.layers.shape[0]
    for layer in range(widths.shape[0] - 1, -1, -1):
        E = widths[layer]
        inputs = widths[layer - 1] if layer > 0 else layout.input_size
        at -= inputs * E + E
        used -= N * E
        weight = rest[at : at + inputs * E].reshape((inputs, E))
        dweight = drest[at : at + inputs * E].reshape((inputs, E))
        dbias = drest[at + inputs * E : at + inputs * E + E]
        y = body.layers[used : used + N * E].reshape((N, E))
        dy = body.dlayers[used : used + N * E].reshape((N, E))
        tanh_backward(y, steps, dy)
        if layer == 0:
            input_gradients(
                rows.columns, rows.prev_reward, rows.numbers, layout.reward_column, dy, steps, dweight, dbias
            )
        else:
            x = body.layers[used - N * inputs : used].reshape((N, inputs))
            dx = body.dlayers[used - N * inputs : used].reshape((N, inputs))
            affine_backward(x, weight, dy, steps, dx, dweight, dbias)


@jit
def lstm_views(rest, at, layout):
    """weight_x (I, 4H), weight_h (H, 4H), bias (4H,) that begin at rest[at]."""
    H = layout.hidden_size
    a = at + layout.lstm_inputs * 4 * H
    b = a + H * 4 * H
    return rest[at:a].reshape((layout.lstm_inputs, 4 * H)), rest[a:b].reshape((H, 4 * H)), rest[b : b + 4 * H]


@network_forward.of(Deep)
def deep_forward(network, rows, layout, parameters, act, start, stop):
    """Each body and the heads that read it, Eqs. 1-6, 18 and 39."""
    weight_x, weight_h, bias, head_weight, head_bias, rest = parameters
    L = network.widths.shape[0]
    bodies = len(act.bodies)
    at = network.first
    for k in range(bodies):
        body = act.bodies[k]
        at = encode(network.widths, rows, layout, rest, at, body, start, stop)
        if k == 1:
            weight_x, weight_h, bias = lstm_views(rest, at, layout)
        if L > 0:
            E = network.widths[L - 1]
            N = body.h.shape[0]
            y = body.layers[body.layers.shape[0] - N * E :].reshape((N, E))
            affine_forward(y, weight_x, bias, start, stop, body.gates)
        else:
            input_forward(
                rows.columns, rows.prev_reward, rows.numbers, layout.reward_column, weight_x, bias, start, stop,
                body.gates,
            )  # fmt: skip
        lstm_forward(
            rows.reset, rows.before, weight_h, start, stop, body.h_prev, body.c_prev, body.gates, body.c, body.tanh_c,
            body.h,
        )  # fmt: skip
        first = 0 if k == 0 else layout.num_actions
        last = layout.num_actions + (1 if k == bodies - 1 else 0)
        outputs_forward(body.h, head_weight[first:last], head_bias[first:last], first, start, stop, act.heads)


@network_backward.of(Deep)
def deep_backward(network, rows, layout, parameters, act, dparameters):
    """The mirror of `deep_forward`, Eqs. 7-17, 30-32 and 40-43."""
    weight_x, weight_h, _, head_weight, _, rest = parameters
    dweight_x, dweight_h, dbias, dhead_weight, dhead_bias, drest = dparameters
    steps = rows.size[STEPS]
    L = network.widths.shape[0]
    bodies = len(act.bodies)
    at = network.first
    for k in range(bodies):
        body = act.bodies[k]
        at += network.dense_size
        if k == 1:
            weight_x, weight_h, _ = lstm_views(rest, at, layout)
            dweight_x, dweight_h, dbias = lstm_views(drest, at, layout)
        first = 0 if k == 0 else layout.num_actions
        last = layout.num_actions + (1 if k == bodies - 1 else 0)
        outputs_backward(
            act.dheads, first, body.h, head_weight[first:last], steps, body.dh, dhead_weight[first:last],
            dhead_bias[first:last],
        )  # fmt: skip
        through_time(rows, weight_h, body, steps)
        if layout.recurrent:
            add_outer(body.h_prev, body.dgates, dweight_h, 0, steps)
        if L > 0:
            E = network.widths[L - 1]
            N = body.h.shape[0]
            size = body.layers.shape[0]
            y = body.layers[size - N * E :].reshape((N, E))
            dy = body.dlayers[size - N * E :].reshape((N, E))
            affine_backward(y, weight_x, body.dgates, steps, dy, dweight_x, dbias)
            encode_backward(network.widths, rows, layout, rest, drest, at, body, steps)
        else:
            input_gradients(
                rows.columns, rows.prev_reward, rows.numbers, layout.reward_column, body.dgates, steps, dweight_x, dbias
            )
