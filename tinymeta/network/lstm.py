"""One LSTM cell, forward and backward through time, with resets inside the sequence (docs/math.md, Eqs. 1-17).

    a = x W_x + h' W_h + bias        (h', c') = (0, 0) where the state is reset, else the step before's (h, c)
    i, f, o = σ(a_i), σ(a_f), σ(a_o)      g = tanh(a_g)
    c = f ∘ c' + i ∘ g                    h = o ∘ tanh(c)

Rows. A batch of trials that end at different times is stored without gaps: one row a step, the rows of one time next to
each other, and `before[n]` the row of the same trial one step earlier. A finished trial has no row, hence no cost.

Inputs. x is a few one-hots, one number, the previous reward, and behind them F numbers more, of an observation that is
a vector; F = 0 in tables. Its product with W_x is a sum of rows of W_x: those in `columns[n]` (-1: none),
prev_reward[n] times row `reward_column`, and numbers[n] times the last F rows.

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
def input_forward(columns, prev_reward, numbers, reward_column, weight_x, bias, start, stop, gates):
    """The input's part of Eq. 1, bias + x W_x, on rows start…stop. Overwrites those rows of gates (N, J).

    columns (N, 3), prev_reward (N,), numbers (N, F); weight_x (D, J), bias (J,).
    """
    D, J = weight_x.shape
    F = numbers.shape[1]
    for n in range(start, stop):
        reward = prev_reward[n]
        for j in range(J):
            gates[n, j] = bias[j] + reward * weight_x[reward_column, j]
        for i in range(3):
            column = columns[n, i]
            if column >= 0:
                for j in range(J):
                    gates[n, j] += weight_x[column, j]
    if F > 0:
        add_product(numbers, weight_x[D - F :], gates, start, stop)


@jit
def input_gradients(columns, prev_reward, numbers, reward_column, dgates, steps, dweight_x, dbias):
    """The mirror of `input_forward`: adds its parameters' gradients over the first `steps` rows, Eqs. 15 and 17."""
    D, J = dweight_x.shape
    F = numbers.shape[1]
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
    if F > 0:
        add_outer(numbers, dgates, dweight_x[D - F :], 0, steps)


@jit
def lstm_forward(reset, before, weight_h, start, stop, h_prev, c_prev, gates, c, tanh_c, h):
    """The cell on rows start…stop of one time, Eqs. 1-6, whose gates hold the input's part. Overwrites those rows of
    the last six arrays.

    reset, before (N,); weight_h (H, 4H); gates (N, 4H), activated; h_prev, c_prev, c, tanh_c, h (N, H).
    """
    H = weight_h.shape[0]
    zero = weight_h.dtype.type(0)
    half = weight_h.dtype.type(0.5)
    carried = False
    for n in range(start, stop):
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
