"""One LSTM cell, forward and backward through time, with resets inside the sequence (docs/math.md, Eqs. 1-17).

    a = x W_x + h' W_h + bias        (h', c') = (0, 0) where the state is reset, else the step before's (h, c)
    i, f, o = σ(a_i), σ(a_f), σ(a_o)      g = tanh(a_g)
    c = f ∘ c' + i ∘ g                    h = o ∘ tanh(c)

Rows. A batch of trials that end at different times is stored without gaps: one row a step, the rows of one time next to
each other, and `before[n]` the row of the same trial one step earlier. A finished trial has no row, hence no cost.

Inputs. x is a few one-hots and one number, the previous reward. Its product with W_x is a sum of rows of W_x: those in
`columns[n]` (-1: none) plus prev_reward[n] times row `reward_column`.

The gate axis is contiguous and ordered i, f, g, o; weights are (D + H, 4H), the transpose of PyTorch's.
"""

from typing import Any

from tinymeta.base.jit import jit
from tinymeta.network.activations import tanh
from tinymeta.network.products import add_outer, add_product, add_product_transposed


@jit
def split_gates(row: Any) -> Any:
    """The gates i, f, g, o of one row (4H,).

    The views begin at 0: an index such as n, 2H + k might be negative for all that the compiler knows, and its loop
    would not vectorise.
    """
    H = row.shape[0] // 4
    return row[:H], row[H : 2 * H], row[2 * H : 3 * H], row[3 * H :]


@jit
def lstm_forward(columns, prev_reward, reset, before, reward_column, weight_x, weight_h, bias, start, stop,
                 h_prev, c_prev, gates, c, tanh_c, h):  # fmt: skip
    """The cell on rows start…stop of one time, Eqs. 1-6. Overwrites those rows of the last six arrays.

    columns (N, 3), prev_reward, reset, before (N,); weight_x (D, 4H), weight_h (H, 4H), bias (4H,); gates (N, 4H),
    activated; h_prev, c_prev, c, tanh_c, h (N, H).
    """
    H = weight_h.shape[0]
    zero = bias.dtype.type(0)
    half = bias.dtype.type(0.5)
    carried = False
    for n in range(start, stop):
        reward = prev_reward[n]
        for j in range(4 * H):
            gates[n, j] = bias[j] + reward * weight_x[reward_column, j]
        for i in range(3):
            column = columns[n, i]
            if column >= 0:
                for j in range(4 * H):
                    gates[n, j] += weight_x[column, j]
        if reset[n]:
            for k in range(H):
                h_prev[n, k] = zero
                c_prev[n, k] = zero
        else:
            carried = True
            m = before[n]
            for k in range(H):
                h_prev[n, k] = h[m, k]
                c_prev[n, k] = c[m, k]
    if carried:
        add_product(h_prev, weight_h, gates, start, stop)
    for n in range(start, stop):
        i, f, g, o = split_gates(gates[n])
        c_n, tanh_c_n, h_n = c[n], tanh_c[n], h[n]
        for k in range(H):
            i[k] = half + half * tanh(half * i[k])  # σ(a) = ½ + ½ tanh(a/2)
        for k in range(H):
            f[k] = half + half * tanh(half * f[k])
        for k in range(H):
            g[k] = tanh(g[k])
        for k in range(H):
            o[k] = half + half * tanh(half * o[k])
        for k in range(H):
            c_n[k] = f[k] * c_prev[n, k] + i[k] * g[k]
        for k in range(H):
            tanh_c_n[k] = tanh(c_n[k])
            h_n[k] = o[k] * tanh_c_n[k]


@jit
def lstm_backward(reset, before, weight_h, gates, c_prev, tanh_c, start, stop, dh, dc, dgates, dh_prev):
    """The mirror of `lstm_forward`, Eqs. 7-14: needs dh complete for these rows and dc from the time after.

    Overwrites rows start…stop of dgates and dh_prev and turns their dc into the gradient with respect to c_prev; adds
    to dh and dc of the rows one step earlier, unless the state was reset. Shapes as there; dgates (N, 4H) is with
    respect to the pre-activations.
    """
    H = weight_h.shape[0]
    zero = gates.dtype.type(0)
    one = gates.dtype.type(1)
    carried = False
    for n in range(start, stop):
        i, f, g, o = split_gates(gates[n])
        di, df, dg, do = split_gates(dgates[n])
        dh_n, dc_n, c_prev_n, tanh_c_n = dh[n], dc[n], c_prev[n], tanh_c[n]
        for k in range(H):
            dc_n[k] += dh_n[k] * o[k] * (one - tanh_c_n[k] * tanh_c_n[k])
            do[k] = dh_n[k] * tanh_c_n[k] * o[k] * (one - o[k])
        for k in range(H):
            di[k] = dc_n[k] * g[k] * i[k] * (one - i[k])
            dg[k] = dc_n[k] * i[k] * (one - g[k] * g[k])
        for k in range(H):
            df[k] = dc_n[k] * c_prev_n[k] * f[k] * (one - f[k])
            dc_n[k] *= f[k]  # from here on: with respect to c_prev
        for k in range(H):
            dh_prev[n, k] = zero
        carried = carried or not reset[n]
    if carried:
        add_product_transposed(dgates, weight_h, dh_prev, start, stop)
    for n in range(start, stop):
        if not reset[n]:
            m = before[n]
            for k in range(H):
                dh[m, k] += dh_prev[n, k]
                dc[m, k] += dc[n, k]


@jit
def lstm_parameter_gradients(columns, prev_reward, reward_column, h_prev, dgates, steps, dweight_x, dweight_h, dbias):
    """Adds the gradients of weights and bias over the first `steps` rows to the last three arrays, Eqs. 15-17."""
    J = dbias.shape[0]
    add_outer(h_prev, dgates, dweight_h, 0, steps)
    for n in range(steps):
        reward = prev_reward[n]
        for j in range(J):
            dbias[j] += dgates[n, j]
            dweight_x[reward_column, j] += reward * dgates[n, j]
        for i in range(3):
            column = columns[n, i]
            if column >= 0:
                for j in range(J):
                    dweight_x[column, j] += dgates[n, j]
