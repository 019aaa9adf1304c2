"""Oracle: every equation of docs/math.md on arrays small enough for paper, each test under its equations' numbers.

The kernels run as Python (`.py_func`, and the kernels they call compiled), on plain arrays that are written out here.
"""

import numpy as np
import pytest

from tinymeta.learning.rows import ENDED, GOES_ON
from tinymeta.network.heads import outputs_backward, outputs_forward, sample_action, softmax
from tinymeta.network.losses import a2c_loss, a2c_loss_backward, lambda_returns
from tinymeta.network.lstm import input_forward, input_gradients, lstm_backward, lstm_forward
from tinymeta.network.products import add_outer

D, F, H = 4, 1, 2
REWARD = 2  # the column of the previous reward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


@pytest.fixture
def cell():
    """Two trials at two times: rows 0, 1 begin, row 2 follows row 0 and row 3 follows row 1 after a reset."""
    rng = np.random.default_rng(0)
    names = ("h_prev", "c_prev", "c", "tanh_c", "h", "dh", "dc", "dh_prev")
    arrays = {name: np.zeros((4, H)) for name in names} | {name: np.zeros((4, 4 * H)) for name in ("gates", "dgates")}
    weights = {
        "weight_x": rng.normal(size=(D, 4 * H)),
        "weight_h": rng.normal(size=(H, 4 * H)),
        "bias": rng.normal(size=4 * H),
    }
    recorded = {
        "columns": np.array([[0, -1, -1], [1, -1, -1], [-1, 1, -1], [0, 1, -1]]),
        "prev_reward": np.array([0.0, 0.0, 2.0, -1.0]),
        "numbers": np.array([[0.5], [-2.0], [0.25], [3.0]]),
        "reset": np.array([True, True, False, True]),
        "before": np.array([-1, -1, 0, 1]),
    }
    return arrays, weights, recorded


def play(cell):
    a, w, r = cell
    for start, stop in ((0, 2), (2, 4)):
        input_forward(r["columns"], r["prev_reward"], r["numbers"], REWARD, w["weight_x"], w["bias"], start, stop,
                      a["gates"])  # fmt: skip
        lstm_forward(r["reset"], r["before"], w["weight_h"], start, stop, a["h_prev"], a["c_prev"], a["gates"], a["c"],
                     a["tanh_c"], a["h"])  # fmt: skip


def inputs(recorded):
    """x (4, D), which the kernels never store."""
    x = np.zeros((4, D))
    x[:, D - F :] = recorded["numbers"]
    x[:, REWARD] = recorded["prev_reward"]
    for n, columns in enumerate(recorded["columns"]):
        x[n, columns[columns >= 0]] += 1
    return x


def test_equations_1_to_6(cell):
    """The cell forward: inputs as look-ups, the reset, the gates, the new state."""
    a, w, r = cell
    play(cell)
    h = c = None
    for n, x in enumerate(inputs(r)):
        carried = not r["reset"][n]
        h_prev = a["h"][r["before"][n]] if carried else np.zeros(H)
        c_prev = a["c"][r["before"][n]] if carried else np.zeros(H)
        i, f, g, o = np.split(w["bias"] + x @ w["weight_x"] + h_prev @ w["weight_h"], 4)
        c = sigmoid(f) * c_prev + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(a["c"][n], c, rtol=1e-14)
        np.testing.assert_allclose(a["h"][n], h, rtol=1e-14)
        np.testing.assert_allclose(
            a["gates"][n], np.concatenate([sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)]), rtol=1e-14
        )


def test_equations_7_to_14(cell):
    """The cell backward: what reaches the gates, and what flows to the row before unless the state was reset."""
    a, w, r = cell
    play(cell)
    rng = np.random.default_rng(1)
    a["dh"][:] = rng.normal(size=(4, H))
    dh = a["dh"].copy()
    dc = np.zeros((4, H))
    for start, stop in ((2, 4), (0, 2)):
        lstm_backward(r["reset"], r["before"], w["weight_h"], a["gates"], a["c_prev"], a["tanh_c"], start, stop,
                      a["dh"], a["dc"], a["dgates"], a["dh_prev"])  # fmt: skip
    for n in (2, 3, 0, 1):
        i, f, g, o = np.split(a["gates"][n], 4)
        tanh_c = np.tanh(a["c"][n])
        dc_n = dc[n] + dh[n] * o * (1 - tanh_c**2)  # Eq. 7
        expected = np.concatenate([
            dc_n * g * i * (1 - i),
            dc_n * a["c_prev"][n] * f * (1 - f),
            dc_n * i * (1 - g * g),
            dh[n] * tanh_c * o * (1 - o),
        ])  # fmt: skip
        np.testing.assert_allclose(a["dgates"][n], expected, rtol=1e-13)  # Eqs. 8-11
        np.testing.assert_allclose(a["dc"][n], dc_n * f, rtol=1e-13)  # Eq. 12
        if not r["reset"][n]:  # Eqs. 13 and 14
            dh[r["before"][n]] += expected @ w["weight_h"].T
            dc[r["before"][n]] += dc_n * f
    np.testing.assert_allclose(a["dh"], dh, rtol=1e-13)


def test_equations_15_to_17(cell):
    """The parameters' gradients are sums over the steps; they are added to what is there."""
    a, _, r = cell
    play(cell)
    a["dgates"][:] = np.random.default_rng(2).normal(size=(4, 4 * H))
    steps = 3
    dweight_x, dweight_h, dbias = np.ones((D, 4 * H)), np.ones((H, 4 * H)), np.ones(4 * H)
    add_outer(a["h_prev"], a["dgates"], dweight_h, 0, steps)
    input_gradients(r["columns"], r["prev_reward"], r["numbers"], REWARD, a["dgates"], steps, dweight_x, dbias)
    dgates = a["dgates"][:steps]
    np.testing.assert_allclose(dweight_h, 1 + a["h_prev"][:steps].T @ dgates, rtol=1e-13)
    np.testing.assert_allclose(dweight_x, 1 + inputs(r)[:steps].T @ dgates, rtol=1e-13)
    np.testing.assert_allclose(dbias, 1 + dgates.sum(axis=0), rtol=1e-13)


def heads_of(h, weight, bias):
    A = len(bias) - 1
    heads, p, log_p = np.zeros((len(h), A + 1)), np.zeros((len(h), A)), np.zeros((len(h), A))
    outputs_forward(h, weight[:A], bias[:A], 0, 0, len(h), heads)
    outputs_forward(h, weight[A:], bias[A:], A, 0, len(h), heads)  # as where the value has a body of its own
    softmax(heads, 0, len(h), p, log_p)
    return heads, p, log_p


def test_equations_18_to_20():
    """Logits and value as one product, the softmax, its logarithm; nothing overflows, and 0·log 0 is 0."""
    h = np.array([[1.0, 2.0], [-1.0, 0.5]])
    weight = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]])
    bias = np.array([0.5, -0.5, 1.0])
    heads, p, log_p = heads_of(h, weight, bias)
    np.testing.assert_array_equal(heads, [[1.5, 1.5, 9.0], [-0.5, 0.0, 0.5]])
    np.testing.assert_allclose(p, [[0.5, 0.5], [1 / (1 + np.exp(0.5)), 1 / (1 + np.exp(-0.5))]], rtol=1e-15)
    np.testing.assert_allclose(log_p, np.log(p), rtol=1e-14)
    _, p, log_p = heads_of(h, 1e3 * weight, bias)
    assert np.isfinite(log_p).all()
    assert (p * log_p == 0).all()  # both policies are certain


def on(rows):
    """`after` where every return runs on to the trial's next row."""
    return np.full(rows, GOES_ON)


def test_equation_21_on_paper():
    """γ = ½, λ = ½, V = 4, 2 and rewards 1, 3: G₁ = 3; G₀ = 1 + ½ (½·2 + ½·3) = 2.25."""
    target, *scratch = np.zeros(2), np.zeros(1), np.zeros(1)
    lambda_returns(
        np.array([1.0, 3.0]), np.array([4.0, 2.0]), np.array([0, 0]), on(2), 2, 2, 0.5, 0.5, *scratch, target
    )
    np.testing.assert_array_equal(target, [2.25, 3.0])


def test_equation_21_at_a_cut():
    """The same trial, cut: the next input's value 8 bootstraps. G₁ = 3 + ½·8 = 7; G₀ = 1 + ½ (½·2 + ½·7) = 3.25."""
    target, *scratch = np.zeros(3), np.zeros(1), np.zeros(1)
    value = np.array([4.0, 2.0, 8.0])
    lambda_returns(np.array([1.0, 3.0, 99.0]), value, np.array([0, 0, 0]), on(3), 2, 3, 0.5, 0.5, *scratch, target)
    np.testing.assert_array_equal(target[:2], [3.25, 7.0])


def test_equation_21_keeps_trials_apart():
    """Rows 0, 1 begin trials 0 and 1, row 2 goes on with trial 1: Monte Carlo at γ = ½ gives 1, 2 + ½·4 and 4."""
    target, *scratch = np.zeros(3), np.zeros(2), np.zeros(2)
    reward, trial = np.array([1.0, 2.0, 4.0]), np.array([0, 1, 1])
    lambda_returns(reward, np.array([5.0, 6.0, 7.0]), trial, on(3), 3, 3, 0.5, 1.0, *scratch, target)
    np.testing.assert_array_equal(target, [1.0, 4.0, 4.0])


@pytest.mark.parametrize("gae_lambda", [0.0, 0.5, 1.0])
def test_equation_22(gae_lambda):
    """G is the weighted mean of all k-step returns, and G - V the discounted sum of the temporal differences δ."""
    gamma, T = 0.5, 3
    reward, value = np.array([1.0, -2.0, 3.0]), np.array([0.5, 4.0, -1.0, 2.0])  # cut: the last value bootstraps
    target, *scratch = np.zeros(T + 1), np.zeros(1), np.zeros(1)
    trial = np.zeros(T + 1, int)
    lambda_returns(np.append(reward, 0), value, trial, on(T + 1), T, T + 1, gamma, gae_lambda, *scratch, target)
    delta = reward + gamma * value[1:] - value[:-1]
    for t in range(T):
        k_step = [
            sum(gamma**i * reward[t + i] for i in range(k)) + gamma**k * value[t + k] for k in range(1, T - t + 1)
        ]
        weights = [(1 - gae_lambda) * gae_lambda ** (k - 1) for k in range(1, T - t)] + [gae_lambda ** (T - t - 1)]
        assert target[t] == pytest.approx(np.dot(weights, k_step))
        advantage = sum((gamma * gae_lambda) ** i * delta[t + i] for i in range(T - t))
        assert target[t] - value[t] == pytest.approx(advantage)


def test_equation_21_by_episode():
    """γ = λ = ½; three episodes of one trial in rows 0-1, 2 and 3: the first is truncated, row 5 (V = 8) is what it
    would have seen next; the second ended; the third is cut, and row 4 (V = 2) would have followed.

    G₁ = 3 + ½·8 = 7 and G₀ = 1 + ½ (½·2 + ½·7) = 3.25; G₂ = 5, whatever follows; G₃ = 6 + ½·2 = 7.
    """
    target, *scratch = np.zeros(6), np.zeros(1), np.zeros(1)
    after = np.array([GOES_ON, 5, ENDED, GOES_ON, GOES_ON, GOES_ON])
    reward = np.array([1.0, 3.0, 5.0, 6.0, 99.0, 99.0])
    value = np.array([4.0, 2.0, 50.0, 60.0, 2.0, 8.0])
    lambda_returns(reward, value, np.zeros(6, int), after, 4, 5, 0.5, 0.5, *scratch, target)
    np.testing.assert_array_equal(target[:4], [3.25, 7.0, 5.0, 7.0])


LOSS = {
    "value": np.array([1.0, -1.0]),
    "action": np.array([0, 2]),
    "advantage": np.array([2.0, -3.0]),
    "target": np.array([3.0, 1.0]),
}


def policies():
    p = np.array([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]])
    return p, np.log(p)


def test_equations_23_to_26():
    """The three means over two steps."""
    p, log_p = policies()
    policy_loss, value_loss, entropy = a2c_loss(p, log_p, **LOSS, steps=2)
    assert policy_loss == pytest.approx(-(2 * np.log(0.5) - 3 * np.log(0.75)) / 2, rel=1e-14)
    assert value_loss == (4 + 4) / 2
    assert entropy == pytest.approx(-(p * log_p).sum() / 2, rel=1e-14)


def test_equations_27_to_29():
    """dL/dz_j = Â (p_j - [j = α]) / N + c_e p_j (log p_j + H) / N, and dL/dV = 2 c_v (V - G) / N."""
    p, log_p = policies()
    dheads = np.zeros((2, 4))
    a2c_loss_backward(p, log_p, **LOSS, vf_coef=0.5, ent_coef=0.1, steps=2, dheads=dheads)
    taken = np.eye(3)[LOSS["action"]]
    entropy = -(p * log_p).sum(axis=1, keepdims=True)
    logits = LOSS["advantage"][:, None] * (p - taken) / 2 + 0.1 * p * (log_p + entropy) / 2
    np.testing.assert_allclose(dheads[:, :3], logits, rtol=1e-13)
    np.testing.assert_allclose(dheads[:, 3], 2 * 0.5 * (LOSS["value"] - LOSS["target"]) / 2, rtol=1e-15)
    np.testing.assert_allclose(dheads[:, :3].sum(axis=1), 0, atol=1e-15)  # a shift of all logits changes nothing


def test_equations_30_to_32():
    """Backward through the heads: dh is overwritten, the parameters' gradients are added to."""
    h = np.array([[1.0, 2.0], [-1.0, 0.5]])
    weight = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]])
    dheads = np.array([[1.0, -1.0, 2.0], [0.0, 1.0, 1.0]])
    dh, dweight, dbias = np.full((2, 2), 9.0), np.ones((3, 2)), np.ones(3)
    outputs_backward(dheads, 0, h, weight, 2, dh, dweight, dbias)
    np.testing.assert_array_equal(dh, dheads @ weight)
    np.testing.assert_array_equal(dweight, 1 + dheads.T @ h)
    np.testing.assert_array_equal(dbias, 1 + dheads.sum(axis=0))


@pytest.mark.parametrize(("uniform", "action"), [(0.0, 1), (0.24, 1), (0.25, 2), (0.999999, 2)])
def test_actions_follow_their_probabilities(uniform, action):
    """An action of probability 0 is never taken, and no uniform number is left without an action."""
    assert sample_action(np.array([[0.0, 0.25, 0.75, 0.0]]), 0, uniform, False) == action


def test_greedy_takes_the_first_most_probable_action():
    assert sample_action(np.array([[0.2, 0.4, 0.4]]), 0, 0.99, True) == 1
