"""One LSTM cell, forward and backward through time, with resets inside the sequence (docs/math.md, Eqs. 1-17).

    a = x W_x + h' W_h + bias        (h', c') = (0, 0) where the state is reset, else the step before's (h, c)
    i, f, o = σ(a_i), σ(a_f), σ(a_o)      g = tanh(a_g)
    c = f ∘ c' + i ∘ g                    h = o ∘ tanh(c)

Rows. A batch of B trials that end at different times is stored without gaps: `begin[t]:begin[t + 1]` are the rows of the
trials that are still running at time t, and `before[n]` is the row of the same trial one step earlier. A finished trial
has no row, hence no cost.

Inputs. x is a few one-hots and one number, the previous reward. Its product with W_x is a sum of rows of W_x: those in
`columns[n]` (-1: none) plus prev_reward[n] times row `reward_column`.

The gate axis is contiguous and ordered i, f, g, o; weights are (D + H, 4H), the transpose of PyTorch's.
"""

from typing import NamedTuple

import numpy as np

from tinymeta._jit import jit
from tinymeta.primitives import add_outer, add_product, add_product_transposed, tanh


class Rows(NamedTuple):
    """What entered the network and what came of it: one row a step, N rows, B trials, at most T times."""

    size: np.ndarray  # (3,) int64: times used, steps taken, rows used
    begin: np.ndarray  # (T + 2,) int64; rows from `steps taken` on belong to no step, their values bootstrap cut trials
    before: np.ndarray  # (N,) int64, row of the same trial one step earlier, -1 at its first
    reset: np.ndarray  # (N,) bool, the state is zeroed before this step
    columns: np.ndarray  # (N, 3) int64, columns of observation, previous action, task identity; -1 where absent
    prev_reward: np.ndarray  # (N,) the reward that enters
    trial: np.ndarray  # (N,) int64, 0…B-1
    episode: np.ndarray  # (N,) int64, 0…K-1
    action: np.ndarray  # (N,) int64
    reward: np.ndarray  # (N,) the reward that follows
    observation: np.ndarray  # (N,) int64, whether it enters or not
    place: np.ndarray  # (N,) int64, the environment's state in which the action was taken
    task: np.ndarray  # (B,) int64
    state: np.ndarray  # (B,) int64, the environment's state, at the end: where the trial stopped
    elapsed: np.ndarray  # (B,) int64, steps since the episode began
    ended: np.ndarray  # (B,) bool, the trial reached its end (False: a step limit cut it)


class Activations(NamedTuple):
    """What the forward pass keeps for the backward pass, and where the latter writes; one row per step."""

    h_prev: np.ndarray  # (N, H)
    c_prev: np.ndarray  # (N, H)
    gates: np.ndarray  # (N, 4H), activated, order i, f, g, o
    c: np.ndarray  # (N, H)
    tanh_c: np.ndarray  # (N, H)
    h: np.ndarray  # (N, H)
    heads: np.ndarray  # (N, A + 1), logits and value
    probabilities: np.ndarray  # (N, A), π
    log_probabilities: np.ndarray  # (N, A), log π
    target: np.ndarray  # (N,) return G that the value is fitted to
    advantage: np.ndarray  # (N,) Â
    dheads: np.ndarray  # (N, A + 1)
    dgates: np.ndarray  # (N, 4H), with respect to the pre-activations
    dh: np.ndarray  # (N, H)
    dc: np.ndarray  # (N, H)
    dh_prev: np.ndarray  # (N, H)
    next_value: np.ndarray  # (B,)
    next_target: np.ndarray  # (B,)


@jit
def split_gates(row):
    """The gates i, f, g, o of one row (4H,). The views begin at 0: an index such as n, 2H + k might be negative for all that the
    compiler knows, and its loop would not vectorise."""
    H = row.shape[0] // 4
    return row[:H], row[H : 2 * H], row[2 * H : 3 * H], row[3 * H :]


@jit
def lstm_forward(rows, reward_column, weight_x, weight_h, bias, act, start, stop):
    """The cell on rows start…stop of one time, Eqs. 1-6. Overwrites those rows of h_prev, c_prev, gates, c, tanh_c, h.

    weight_x (D, 4H), weight_h (H, 4H), bias (4H,).
    """
    H = weight_h.shape[0]
    gates, c, tanh_c, h = act.gates, act.c, act.tanh_c, act.h
    h_prev, c_prev = act.h_prev, act.c_prev
    zero, half = bias.dtype.type(0), bias.dtype.type(0.5)
    carried = False
    for n in range(start, stop):
        prev_reward = rows.prev_reward[n]
        for j in range(4 * H):
            gates[n, j] = bias[j] + prev_reward * weight_x[reward_column, j]
        for i in range(3):
            column = rows.columns[n, i]
            if column >= 0:
                for j in range(4 * H):
                    gates[n, j] += weight_x[column, j]
        if rows.reset[n]:
            for k in range(H):
                h_prev[n, k] = zero
                c_prev[n, k] = zero
        else:
            carried = True
            before = rows.before[n]
            for k in range(H):
                h_prev[n, k] = h[before, k]
                c_prev[n, k] = c[before, k]
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
def lstm_backward(rows, weight_h, act, start, stop):
    """The mirror of `lstm_forward`, Eqs. 7-14: needs dh complete for these rows and dc from the time after.

    Overwrites rows start…stop of dgates and dh_prev and turns their dc into the gradient with respect to c_prev; adds to
    dh and dc of the rows one step earlier, unless the state was reset.
    """
    H = weight_h.shape[0]
    gates, c_prev, tanh_c = act.gates, act.c_prev, act.tanh_c
    dgates, dh, dc, dh_prev = act.dgates, act.dh, act.dc, act.dh_prev
    zero, one = gates.dtype.type(0), gates.dtype.type(1)
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
        carried = carried or not rows.reset[n]
    if carried:
        add_product_transposed(dgates, weight_h, dh_prev, start, stop)
    for n in range(start, stop):
        if not rows.reset[n]:
            before = rows.before[n]
            for k in range(H):
                dh[before, k] += dh_prev[n, k]
                dc[before, k] += dc[n, k]


@jit
def lstm_parameter_gradients(rows, reward_column, act, stop, dweight_x, dweight_h, dbias):
    """Adds the gradients of weights and bias over all rows before `stop`, Eqs. 15-17."""
    J = dbias.shape[0]
    dgates = act.dgates
    add_outer(act.h_prev, dgates, dweight_h, 0, stop)
    for n in range(stop):
        prev_reward = rows.prev_reward[n]
        for j in range(J):
            dbias[j] += dgates[n, j]
            dweight_x[reward_column, j] += prev_reward * dgates[n, j]
        for i in range(3):
            column = rows.columns[n, i]
            if column >= 0:
                for j in range(J):
                    dweight_x[column, j] += dgates[n, j]
