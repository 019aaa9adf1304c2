"""A2C by segments: whole trials are A2C's own (differential), a segment's gradient that of its loss (oracle), all steps
once (property), and a run in two parts has the bits of one (contract).
"""

import numpy as np
import pytest
from own_worlds import reach
from plain import UNTOUCHED, plain_batch
from support import noisy_taskset, small

from tinymeta.base.errors import InputError
from tinymeta.learning.gradient_check import Network
from tinymeta.learning.learner import Learner
from tinymeta.learning.rows import STEPS
from tinymeta.learning.segments import make_segmented
from tinymeta.learning.settings import Settings
from tinymeta.network.losses import Loss
from tinymeta.network.optim import adam, clip_factor, global_norm

A2C = Loss(0.9, 0.8, 0.5, 0.1)
KINDS = {
    "table": (noisy_taskset, "rl1", Network()),
    "cartpole": (lambda: small("cartpole"), "rl2", Network((4,), True)),
    "without memory": (lambda: small("cartpole"), "plain", Network((4,), False)),
    "reach": (reach, "rl2", Network((5,), True)),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
RATES = np.array([0.05, 0.02])
MAX_NORM = 0.5


def played(kind, trials=3):
    build, agent, network = KINDS[kind]
    return plain_batch(build(), agent, network, A2C, trials=trials)


def segmented(batch, bptt_steps):
    settings = Settings(num_envs=len(batch.rows.task), bptt_steps=bptt_steps, dtype="float64", **A2C._asdict())
    return make_segmented(settings, batch.layout, len(batch.rows.before), np.float64)


def learned(batch, loss, theta, rates=RATES):
    """(status, gradient of the last step, statistics) of one update of theta."""
    gradient, first, second = (np.zeros_like(theta) for _ in range(3))
    statistics = np.zeros(8)
    UNTOUCHED.forward(batch.rows, batch.layout, theta, batch.act)
    status = UNTOUCHED.learn(
        loss, batch.rows, batch.layout, MAX_NORM, True, theta, first, second, gradient, rates, 0, np.empty(0),
        batch.act, statistics,
    )  # fmt: skip
    return status, gradient, statistics


@every_kind
def test_a_segment_as_long_as_the_trial_is_a2c(kind):
    batch = played(kind, trials=1)
    one, other = batch.theta.copy(), batch.theta.copy()
    status, expected, terms = learned(batch, A2C, one)
    assert status == 0
    status, gradient, others = learned(batch, segmented(batch, 1000), other)
    assert status == 0
    np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(other, one, rtol=1e-9)
    np.testing.assert_allclose(others, terms, rtol=1e-9)


@every_kind
def test_losses_are_means_over_the_steps(kind):
    """With weights that do not move, cutting changes no activation, so no loss; only the gradients' norm."""
    batch = played(kind)
    still = np.array([0.0, RATES[1]])
    _, _, terms = learned(batch, A2C, batch.theta.copy(), still)
    _, _, others = learned(batch, segmented(batch, 2), batch.theta.copy(), still)
    np.testing.assert_allclose(others[:7], terms[:7], rtol=1e-9)
    assert others[7] != pytest.approx(terms[7], rel=1e-3)


def rows_of(batch, b):
    return [n for n in range(batch.rows.size[STEPS]) if batch.rows.trial[n] == b]


def segment_loss(batch, theta, chosen, before, target, advantage):
    """The loss of the rows `chosen`, one after the other, as a function of theta; `before` is the state (bodies, 2, H)
    that they begin with. The network runs on the whole batch's rows, with that state put in where they begin.
    """
    rows, act, layout = batch.rows, batch.act, batch.layout
    for n in chosen:
        if n == chosen[0]:
            put_state(act, rows.before[n], before)
        UNTOUCHED.apply_network(rows, layout, UNTOUCHED.split(theta, layout), act, n, n + 1)
    length = len(chosen)
    part = rows._replace(
        **{name: getattr(rows, name)[chosen] for name in ("action", "vector")}, size=np.array([1, length, length, 0])
    )
    names = ("heads", "probabilities", "log_probabilities")
    seen = act._replace(**{name: getattr(act, name)[chosen] for name in names}, target=target[chosen],
                        advantage=advantage[chosen])  # fmt: skip
    policy, value, entropy = UNTOUCHED.loss_terms(part, layout, theta, seen)
    return policy + A2C.vf_coef * value - RATES[1] * entropy


def states(act, n):
    """The state that row n left, of each body."""
    return [(body.h[n].copy(), body.c[n].copy()) for body in (act.bodies or (act,))]


def put_state(act, n, state):
    if n >= 0:
        for body, (h, c) in zip(act.bodies or (act,), state, strict=True):
            body.h[n], body.c[n] = h, c


@every_kind
def test_an_update_is_gradient_steps_on_segments(kind):
    """By central differences of each segment's loss, whose first state is a constant."""
    batch = played(kind, trials=2)
    act = batch.act
    theta = batch.theta.copy()
    status, last, _ = learned(batch, segmented(batch, 3), theta)
    assert status == 0
    target, advantage = act.target.copy(), act.advantage.copy()
    mine = batch.theta.copy()
    first, second = np.zeros_like(mine), np.zeros_like(mine)
    number = 0
    for b in range(2):
        chain = rows_of(batch, b)
        state = None
        for at in range(0, len(chain), 3):
            chosen = chain[at : at + 3]
            gradient = np.zeros_like(mine)
            for p in range(len(mine)):
                step = np.zeros_like(mine)
                step[p] = 1e-3
                values = [
                    segment_loss(batch, mine + k * step, chosen, state, target, advantage) for k in (1, -1, 2, -2)
                ]
                gradient[p] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / 12e-3
            segment_loss(batch, mine, chosen, state, target, advantage)
            state = states(act, chosen[-1])
            number += 1
            kept = gradient.copy()
            adam(mine, gradient, clip_factor(global_norm(gradient), MAX_NORM), first, second, RATES[0], number)
    assert number > 2
    scale = np.sqrt(np.mean(kept**2))
    assert np.abs(last - kept).max() <= 1e-7 * max(scale, np.abs(kept).max())


@pytest.mark.parametrize("length", [1, 2, 5])
@every_kind
def test_every_step_is_learned_from_once(kind, length):
    batch = played(kind)
    loss = segmented(batch, length)
    UNTOUCHED.link_rows(batch.rows, loss.first, loss.next)
    met = []
    for b in range(3):
        n = loss.first[b]
        while n >= 0:
            n = UNTOUCHED.take_segment(batch.rows, batch.act, loss, n, batch.layout.recurrent)
            taken = loss.rows.size[STEPS]
            assert taken == length or n < 0
            met += list(zip(loss.act.target[:taken], loss.act.advantage[:taken], strict=True))
    steps = batch.rows.size[STEPS]
    assert sorted(met) == sorted(zip(batch.act.target[:steps], batch.act.advantage[:steps], strict=True))


@pytest.mark.parametrize("kind", ["table", "cartpole"])
def test_compiled_and_resumed_it_is_the_same(kind):
    """Four updates, and two and two by another learner."""
    tasks = KINDS[kind][0]()
    network = {"encoder": (4,), "separate_value": True} if kind == "cartpole" else {}
    settings = Settings(num_envs=3, bptt_steps=4, trials=12, hidden_size=5, optimizer="rmsprop", **network)
    whole, one, two = (Learner(tasks, settings) for _ in range(3))
    whole.advance(4)
    one.advance(2)
    two.restore(one.theta, one.first, one.second, one.updates_done, one.env_steps_done, one.kept())
    two.advance(2)
    assert whole.theta.tobytes() == two.theta.tobytes()
    assert whole.kept()["a2c.taken"] == two.kept()["a2c.taken"] > 12


def test_ppo_is_not_cut():
    with pytest.raises(InputError, match="bptt_steps = 16 with PPO"):
        Settings(algorithm="ppo", bptt_steps=16)
