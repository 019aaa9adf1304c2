"""Gradient tests: every environment and agent, random directions, planted bugs, float32, and PyTorch's autograd."""

import numpy as np
import pytest
from support import every_agent, every_env, noisy_taskset, plain_kernels, small

from tinymeta import gradcheck as command
from tinymeta.learning import gradient_check as gradcheck
from tinymeta.learning.gradient_check import (
    analytic_gradient,
    check,
    compare,
    numerical_gradient,
    play_batch,
    weighted_loss,
)
from tinymeta.learning.rows import STEPS, USED, allocate
from tinymeta.learning.update import advantages, backward, forward
from tinymeta.learning.wirings import WIRINGS
from tinymeta.network.losses import Loss
from tinymeta.network.parameters import num_parameters, to_dict

H = 5


def largest_error(batch, **kwargs):
    return max(
        e.relative_error
        for e in compare(analytic_gradient(batch, **kwargs), numerical_gradient(batch), batch.layout).values()
    )


@every_env
@every_agent
def test_every_environment_and_agent(env, agent):
    assert (
        max(entry.relative_error for entry in check(small(env), agent, hidden_size=H).values()) <= gradcheck.TOLERANCE
    )


@every_agent
def test_noisy_taskset(agent):
    assert (
        max(entry.relative_error for entry in check(noisy_taskset(), agent, hidden_size=H).values())
        <= gradcheck.TOLERANCE
    )


def test_the_batches_hold_what_they_promise():
    """Resets inside the sequence, trials that finish early beside others that go on, masked rewards, bootstrapped cuts."""
    tasks = small("corridor")
    whole, cut = play_batch(tasks, "memoryless", H), play_batch(tasks, "memoryless", H, cut=True)
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
    gradient, rng = analytic_gradient(batch), np.random.default_rng(0)
    loss = lambda theta: weighted_loss(batch.rows, batch.layout, batch.loss, theta, batch.act)  # noqa: E731
    for _ in range(20):
        d = rng.normal(size=len(gradient))
        d /= np.linalg.norm(d)
        e = 1e-3
        slope = (
            8 * (loss(batch.theta + e * d) - loss(batch.theta - e * d))
            - loss(batch.theta + 2 * e * d)
            + loss(batch.theta - 2 * e * d)
        ) / (12 * e)
        assert abs(slope - gradient @ d) <= 1e-9 * np.linalg.norm(gradient) + 1e-11


PLANTED = {
    "none": (),
    "sign in the forget gate": (("df[k] = dc_n[k]", "df[k] = -dc_n[k]"),),
    "sign in the output gate": (("do[k] = dh_n[k]", "do[k] = -dh_n[k]"),),
    "gate derivative": (("(one - g[k] * g[k])", "(one - g[k])"),),
    "missing reset": (("        if not rows.reset[n]:\n            before", "        if rows.before[n] >= 0:\n            before"),),
    "forgotten bootstrap": (("for n in range(steps, used):", "for n in range(0):"),),
    "bootstrap with zero target": (("next_target[rows.trial[n]] = heads[n, A]", "next_target[rows.trial[n]] = 0"),),
    "entropy sign": (("entropy -= probabilities[n, a] *", "entropy += probabilities[n, a] *"),),
    "value weight": (("number(2.0 * loss.vf_coef)", "number(loss.vf_coef)"),),
    "policy gradient": (("dheads[n, rows.action[n]] -= scale * advantage", "dheads[n, rows.action[n]] -= advantage"),),
    "reward column": (("dweight_x[reward_column, j] += prev_reward * dgates[n, j]", "dweight_x[reward_column, j] += dgates[n, j]"),),
}  # fmt: skip


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_bugs_are_caught(bug):
    """The checker itself is tested: with a bug in the backward pass the error is large, without one it is not."""
    batch = play_batch(noisy_taskset(), "rl1", H, cut=True)
    error = largest_error(batch, kernels=plain_kernels(*PLANTED[bug]))
    assert (error <= gradcheck.TOLERANCE) if bug == "none" else (error > 1e-3)


@every_agent
def test_float32_agrees_with_float64_to_rounding(agent):
    """The same kernels in float32: the gradient differs by float32 rounding, a few hundred ulps of its norm."""
    batch = play_batch(noisy_taskset(), agent, 48)
    exact = analytic_gradient(batch)
    rows, act = allocate(batch.layout, len(batch.rows.task), batch.rows.begin.shape[0] - 2, np.float32)
    for narrow, wide in zip(rows, batch.rows, strict=True):
        narrow[...] = wide
    theta, gradient = batch.theta.astype(np.float32), np.empty(num_parameters(batch.layout), np.float32)
    forward(rows, batch.layout, theta, act)
    advantages(rows, batch.loss, act)
    backward(rows, batch.layout, batch.loss, theta, act, gradient)
    assert gradient.dtype == np.float32
    assert np.linalg.norm(gradient - exact) <= 200 * np.finfo(np.float32).eps * np.linalg.norm(exact)


@pytest.mark.parametrize("cut", [False, True])
@every_agent
def test_agreement_with_pytorch(agent, cut):
    """Oracle: the whole loss in torch.nn.LSTMCell and Linear, trial by trial, through the documented weight layout."""
    torch = pytest.importorskip("torch")
    batch = play_batch(noisy_taskset(), agent, H, cut=cut, loss=Loss(0.9, 1.0, 0.05, 0.01))
    layout, rows = batch.layout, batch.rows
    weights = to_dict(batch.theta, layout)
    with torch.random.fork_rng():
        cell = torch.nn.LSTMCell(layout.input_size, H).double()
        policy, value = torch.nn.Linear(H, layout.num_actions).double(), torch.nn.Linear(H, 1).double()
    names = {"lstm.weight_ih": cell.weight_ih, "lstm.weight_hh": cell.weight_hh, "lstm.bias": cell.bias_ih, "policy.weight": policy.weight,
             "policy.bias": policy.bias, "value.weight": value.weight, "value.bias": value.bias}  # fmt: skip
    with torch.no_grad():
        cell.bias_hh.zero_()
        for name, parameter in names.items():
            parameter.copy_(torch.from_numpy(weights[name]))
    steps, used = rows.size[STEPS], rows.size[USED]
    total = 0
    for b in range(len(rows.task)):
        h = c = torch.zeros(1, H, dtype=torch.double)
        terms, bootstrap = [], 0.0
        for n in [n for n in range(used) if rows.trial[n] == b]:
            x = torch.zeros(1, layout.input_size, dtype=torch.double)
            x[0, layout.reward_column] = rows.prev_reward[n]
            for column in rows.columns[n]:
                if column >= 0:
                    x[0, column] = 1
            if rows.reset[n]:
                h, c = torch.zeros_like(h), torch.zeros_like(c)
            h, c = cell(x, (h, c))
            if n >= steps:
                bootstrap = value(h)[0, 0].detach()
            else:
                terms.append((torch.log_softmax(policy(h), -1)[0], value(h)[0, 0], rows.action[n], rows.reward[n]))
        target = bootstrap
        for log_pi, v, action, reward in reversed(terms):
            target = reward + batch.loss.gamma * target
            advantage = (target - v).detach()
            entropy = -(log_pi.exp() * log_pi).sum()
            total = (
                total
                - log_pi[action] * advantage
                + batch.loss.vf_coef * (target - v) ** 2
                - batch.loss.ent_coef * entropy
            )
    (total / steps).backward()
    mine = to_dict(analytic_gradient(batch), layout)
    for name, parameter in names.items():
        np.testing.assert_allclose(mine[name], parameter.grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


def test_command_prints_every_parameter(capsys):
    assert command.main(["bandit", "rl2", "--hidden-size", "4"]) == 0
    printed = capsys.readouterr().out
    batch = play_batch(small("bandit"), "rl2", 4)
    assert all(name in printed for name in to_dict(batch.theta, batch.layout))


def test_wirings_are_the_four_of_the_science():
    assert list(WIRINGS)[:4] == ["rl2", "rl1", "memoryless", "informed"]
