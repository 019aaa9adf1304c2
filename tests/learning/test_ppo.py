"""PPO: its first gradient is A2C's, an update is what it says on paper (oracle), every row is used once (property)."""

import numpy as np
import pytest
from own_worlds import reach
from plain import UNTOUCHED, plain_batch, ppo_of
from support import noisy_taskset, small

from tinymeta.learning.gradient_check import Network
from tinymeta.learning.ppo import clipped_terms
from tinymeta.learning.rows import STEPS, TIMES
from tinymeta.network.flat import split
from tinymeta.network.losses import Loss
from tinymeta.network.optim import adam, clip_factor, global_norm

A2C = Loss(0.9, 0.8, 0.5, 0.1)
KINDS = {
    "table": (noisy_taskset, "rl2", Network()),
    "cartpole": (lambda: small("cartpole"), "rl2", Network((4,), False)),
    "without memory": (lambda: small("cartpole"), "plain", Network((4,), True)),
    "reach": (reach, "rl2", Network((5,), True)),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
RATES = np.array([0.05, 0.02])
MAX_NORM = 0.5


def played(kind, trials=5):
    build, agent, network = KINDS[kind]
    return plain_batch(build(), agent, network, A2C, trials=trials)


def learned(batch, loss, theta, shuffling):
    """(status, gradient of the last step, statistics) of one update of theta."""
    gradient, first, second = (np.zeros_like(theta) for _ in range(3))
    statistics = np.zeros(8)
    UNTOUCHED.forward(batch.rows, batch.layout, theta, batch.act)
    status = UNTOUCHED.learn(
        loss, batch.rows, batch.layout, MAX_NORM, True, theta, first, second, gradient, RATES, 0, shuffling, batch.act,
        statistics,
    )  # fmt: skip
    return status, gradient, statistics


@every_kind
def test_the_first_gradient_is_that_of_a2c(kind):
    """One epoch, one minibatch: every ratio is 1, so nothing is clipped and the slope of ρÂ is Â."""
    batch = played(kind)
    one, other = batch.theta.copy(), batch.theta.copy()
    status, expected, terms = learned(batch, A2C, one, np.empty(0))
    assert status == 0
    ppo = ppo_of(A2C, batch.layout, batch.rows, 5)
    status, gradient, ppo_terms = learned(batch, ppo, other, np.random.default_rng(0).random(5))
    assert status == 0
    np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(other, one, rtol=1e-9)
    np.testing.assert_allclose(ppo_terms[4:6], terms[4:6], rtol=1e-11)  # value loss and entropy
    advantage = batch.act.advantage[: batch.rows.size[STEPS]]
    assert ppo_terms[3] == pytest.approx(-advantage.mean(), rel=1e-11)


def only(batch, trials):
    """The rows of some trials, taken one by one: a batch of their own, in the order of `trials`."""
    rows, act = batch.rows, batch.act
    steps = rows.size[STEPS]
    chosen = []
    begin = [0]
    for t in range(rows.size[TIMES]):
        chosen += [n for n in range(rows.begin[t], rows.begin[t + 1]) if rows.trial[n] in trials]
        begin.append(len(chosen))
    place = {n: m for m, n in enumerate(chosen)}
    assert max(chosen) < steps
    part = rows._replace(
        **{name: getattr(rows, name)[chosen] for name in
           ("after", "reset", "columns", "prev_reward", "numbers", "trial", "action", "vector", "reward")},
        before=np.array([place.get(n, -1) for n in rows.before[chosen]]),
        begin=np.array([*begin, begin[-1]]),
        size=np.array([len(begin) - 1, len(chosen), len(chosen), 0]),
    )  # fmt: skip
    arrays = {name: getattr(act, name).copy() for name in act._fields if name != "bodies"}
    arrays |= {name: getattr(act, name)[chosen] for name in ("target", "advantage")}
    return part, act._replace(**arrays), chosen


@every_kind
def test_an_update_is_gradient_steps_on_minibatches(kind):
    """Two epochs of two minibatches, each taken out, run forward and differentiated on its own, and Adam on each."""
    batch = played(kind)
    rows, layout = batch.rows, batch.layout
    loss = ppo_of(A2C, layout, rows, 5, minibatches=2, n_epochs=2, clip_range=0.01)
    shuffling = np.random.default_rng(3).random(10)
    theta = batch.theta.copy()
    status, last, _ = learned(batch, loss, theta, shuffling)
    assert status == 0
    UNTOUCHED.forward(rows, layout, batch.theta, batch.act)
    old = np.zeros(len(rows.before))
    UNTOUCHED.log_likelihood(layout.head, rows, batch.act, split.py_func(batch.theta, layout)[5], old)
    mine = batch.theta.copy()
    first, second, gradient = (np.zeros_like(mine) for _ in range(3))
    number = 0
    clipped = 0
    for epoch in range(2):
        order = np.zeros(5, np.int64)
        UNTOUCHED.shuffle(order, shuffling[5 * epoch :])
        for trials in (order[:2], order[2:]):
            part, act, chosen = only(batch, trials)
            now, weight = np.zeros(len(chosen)), np.zeros(len(chosen))
            UNTOUCHED.forward(part, layout, mine, act)
            UNTOUCHED.log_likelihood(layout.head, part, act, split.py_func(mine, layout)[5], now)
            ratio = np.exp(now - old[chosen])
            held = np.where(act.advantage > 0, ratio > 1.01, ratio < 0.99)
            weight[:] = np.where(held, 0, ratio * act.advantage)
            clipped += held.sum()
            UNTOUCHED.backward_weighted(part, layout, weight, A2C.vf_coef, RATES[1], mine, act, gradient)
            number += 1
            factor = clip_factor(global_norm(gradient), MAX_NORM)
            adam(mine, gradient, factor, first, second, RATES[0], number)
    assert clipped > 0
    np.testing.assert_allclose(last, gradient, rtol=1e-7, atol=1e-11)
    np.testing.assert_allclose(theta, mine, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("minibatches", [1, 2, 5])
@every_kind
def test_every_row_is_used_once_an_epoch(kind, minibatches):
    batch = played(kind)
    rows = batch.rows
    loss = ppo_of(A2C, batch.layout, rows, 5, minibatches=minibatches)
    UNTOUCHED.shuffle(loss.order, np.random.default_rng(0).random(5))
    met = []
    for m in range(minibatches):
        first, last = m * 5 // minibatches, (m + 1) * 5 // minibatches
        UNTOUCHED.take_trials(rows, batch.act, loss, first, last, batch.layout.recurrent)
        taken = loss.rows.size[STEPS]
        met += sorted(zip(loss.act.target[:taken], loss.act.advantage[:taken], strict=True))
        for n in range(taken):
            before = loss.rows.before[n]
            assert before < n
            assert before < 0 or loss.rows.trial[before] == loss.rows.trial[n]
        assert loss.rows.begin[loss.rows.size[TIMES]] == taken
    steps = rows.size[STEPS]
    assert sorted(met) == sorted(zip(batch.act.target[:steps], batch.act.advantage[:steps], strict=True))


def test_shuffles_are_permutations_and_all_equally_likely():
    """Fisher & Yates: each of the 6 orders of three trials, 4 standard errors."""
    rng = np.random.default_rng(0)
    counts = {}
    order = np.zeros(3, np.int64)
    for _ in range(6000):
        UNTOUCHED.shuffle(order, rng.random(3))
        counts[tuple(order)] = counts.get(tuple(order), 0) + 1
    assert len(counts) == 6
    assert (np.abs(np.array(list(counts.values())) - 1000) < 4 * np.sqrt(6000 * 5 / 36)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_clips_nothing(dtype):
    """Compiled: no ratio is outside of 1 ± ε, so every step has its slope. (With one of the two products rounded to
    float32 and the other one not, half of them were taken for clipped.)
    """
    rng = np.random.default_rng(0)
    likelihood, advantage = rng.uniform(-0.1, 0.1, 1000).astype(dtype), rng.normal(size=1000).astype(dtype)
    weight = np.zeros(1000, dtype)
    clipped_terms(likelihood, np.zeros(1000, dtype), advantage, 0.2, 1000, weight)
    np.testing.assert_allclose(weight, np.exp(likelihood.astype(float)) * advantage, rtol=1e-6)


@pytest.mark.parametrize(("ratio", "advantage", "loss", "slope"), [
    (1.0, 2.0, -2.0, 2.0), (1.1, 2.0, -2.2, 2.2), (1.5, 2.0, -2.4, 0.0), (0.5, 2.0, -1.0, 1.0),
    (1.0, -2.0, 2.0, -2.0), (1.5, -2.0, 3.0, -3.0), (0.5, -2.0, 1.6, 0.0), (0.9, -2.0, 1.8, -1.8),
])  # fmt: skip
def test_equations_51_and_52(ratio, advantage, loss, slope):
    """ε = 0.2: a ratio that has gained enough is held; one on the wrong side still counts in full."""
    weight = np.zeros(1)
    found = UNTOUCHED.clipped_terms(np.log([ratio]), np.zeros(1), np.array([advantage]), 0.2, 1, weight)
    assert found == pytest.approx(loss)
    assert weight[0] == pytest.approx(slope)
