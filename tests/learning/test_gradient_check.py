"""Gradient tests: every environment and agent against differences, random directions, planted bugs, float32."""

import numpy as np
import pytest
from plain import plain_kernels
from support import arrays_of, every_agent, every_table, noisy_taskset, small

from tinymeta.learning.gradient_check import (
    TOLERANCE,
    analytic_gradient,
    check,
    compare,
    numerical_gradient,
    play_batch,
    weighted_loss,
)
from tinymeta.learning.rows import STEPS, USED
from tinymeta.learning.sizes import allocate
from tinymeta.learning.update import advantages, backward, forward
from tinymeta.network.parameters import num_parameters

H = 5


def largest_error(entries):
    return max(entry.relative_error for entry in entries.values())


@every_table
@every_agent
def test_every_table_and_agent(env, agent):
    assert largest_error(check(small(env), agent, hidden_size=H)) <= TOLERANCE


@every_agent
def test_noisy_taskset(agent):
    assert largest_error(check(noisy_taskset(), agent, hidden_size=H)) <= TOLERANCE


def test_the_batches_hold_what_they_promise():
    """Resets inside the sequence, trials that finish early beside others that go on, masked rewards, cuts."""
    tasks = small("corridor")
    whole = play_batch(tasks, "memoryless", H)
    cut = play_batch(tasks, "memoryless", H, cut=True)
    steps = whole.rows.size[STEPS]
    assert whole.rows.ended.all()
    assert (whole.rows.reset[:steps] & (whole.rows.before[:steps] >= 0)).any()
    begins = whole.rows.episode[:steps] != whole.rows.episode[whole.rows.before[:steps]]
    assert (whole.rows.prev_reward[:steps][begins & (whole.rows.before[:steps] >= 0)] == 0).all()
    assert len(set(np.bincount(whole.rows.trial[:steps]))) > 1
    assert cut.rows.ended.any()
    assert not cut.rows.ended.all()
    assert cut.rows.size[USED] - cut.rows.size[STEPS] == (~cut.rows.ended).sum()


@every_agent
def test_random_directions(agent):
    """dL/dε along a random direction equals the gradient's projection on it, for each of 20 directions."""
    batch = play_batch(noisy_taskset(), agent, H, cut=True)
    gradient = analytic_gradient(batch)
    rng = np.random.default_rng(0)
    step = 1e-3

    def loss(direction, times):
        return weighted_loss(batch.rows, batch.layout, batch.loss, batch.theta + times * step * direction, batch.act)

    for _ in range(20):
        d = rng.normal(size=len(gradient))
        d /= np.linalg.norm(d)
        slope = (8 * (loss(d, 1) - loss(d, -1)) - (loss(d, 2) - loss(d, -2))) / (12 * step)
        assert abs(slope - gradient @ d) <= 1e-9 * np.linalg.norm(gradient) + 1e-11


PLANTED = {
    "none": (),
    "sign in the forget gate": (("df[k] = dc_n[k]", "df[k] = -dc_n[k]"),),
    "sign in the output gate": (("do[k] = dh_n[k]", "do[k] = -dh_n[k]"),),
    "gate derivative": (("(one - g[k] * g[k])", "(one - g[k])"),),
    "missing reset": (("if not reset[n]:\n            m = before", "if before[n] >= 0:\n            m = before"),),
    "forgotten bootstrap": (("for n in range(steps, used):", "for n in range(0):"),),
    "bootstrap with zero target": (("next_target[trial[n]] = value[n]", "next_target[trial[n]] = 0"),),
    "entropy sign": (("entropy = number(0)\n        for a in range(A):\n            entropy -=",
                      "entropy = number(0)\n        for a in range(A):\n            entropy +="),),
    "value weight": (("scale * twice_vf_coef * (value[n]", "scale * (value[n]"),),
    "policy gradient": (("dheads[n, action[n]] -= scale * advantage[n]", "dheads[n, action[n]] -= advantage[n]"),),
    "reward column": (("dweight_x[reward_column, j] += reward *", "dweight_x[reward_column, j] +="),),
    "stale cell gradient": (("dc[n, k] = 0", "dc[n, k] = 1"),),
}  # fmt: skip


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_bugs_are_caught(bug):
    """The checker itself is tested: with a bug in the backward pass the error is large, without one it is not."""
    batch = play_batch(noisy_taskset(), "rl1", H, cut=True)
    gradient = analytic_gradient(batch, plain_kernels(*PLANTED[bug]))
    error = largest_error(compare(gradient, numerical_gradient(batch), batch.layout))
    assert (error <= TOLERANCE) if bug == "none" else (error > 1e-3)


@every_agent
def test_float32_agrees_with_float64_to_rounding(agent):
    """The same kernels in float32: the gradient differs by float32 rounding, a few hundred ulps of its norm."""
    batch = play_batch(noisy_taskset(), agent, 48)
    exact = analytic_gradient(batch)
    rows, act = allocate(batch.layout, len(batch.rows.task), batch.rows.begin.shape[0] - 2, np.float32)
    for narrow, wide in zip(arrays_of(rows), arrays_of(batch.rows), strict=True):
        narrow[...] = wide
    theta = batch.theta.astype(np.float32)
    gradient = np.empty(num_parameters(batch.layout), np.float32)
    forward(rows, batch.layout, theta, act)
    advantages(rows, batch.loss, act)
    backward(rows, batch.layout, batch.loss.vf_coef, batch.loss.ent_coef, theta, act, gradient)
    assert gradient.dtype == np.float32
    assert np.linalg.norm(gradient - exact) <= 200 * np.finfo(np.float32).eps * np.linalg.norm(exact)
