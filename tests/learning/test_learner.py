"""Returns, optimisers and the training loop: oracles, reproducibility, the zero initialisation, divergence."""

import numpy as np
import pytest
from support import every_agent, noisy_taskset, small

import tinymeta
from tinymeta.learning import gradient_check as gradcheck
from tinymeta.learning.learner import STATISTICS, DivergenceError, Learner
from tinymeta.learning.rows import STEPS, USED
from tinymeta.learning.settings import Settings
from tinymeta.learning.update import advantages, backward, forward
from tinymeta.learning.wirings import make_layout
from tinymeta.network.losses import Loss
from tinymeta.network.optim import adam, clip_factor, global_norm, rmsprop
from tinymeta.network.parameters import initial_parameters, num_parameters, to_dict, to_flat


@pytest.mark.parametrize("gae_lambda", [0.0, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("cut", [False, True])
def test_returns_agree_with_the_n_step_definition(gae_lambda, cut):
    """Oracle: `gradcheck.plain_targets`, the λ-weighted mean of n-step returns. With λ = 1 it is the discounted sum of rewards."""
    batch = gradcheck.play_batch(noisy_taskset(), "rl2", 5, cut=cut, loss=Loss(0.9, gae_lambda, 0.05, 0.01))
    target, advantage = batch.act.target.copy(), batch.act.advantage.copy()
    advantages(batch.rows, batch.loss, batch.act)
    np.testing.assert_allclose(batch.act.target, target, rtol=1e-12)
    np.testing.assert_allclose(batch.act.advantage, advantage, rtol=1e-10, atol=1e-12)


def test_only_a_time_limit_bootstraps():
    """The last step's Monte-Carlo target is its reward where the trial ended, and reward + γV where a limit cut it."""
    batch = gradcheck.play_batch(noisy_taskset(), "rl2", 5, cut=True, loss=Loss(0.9, 1.0, 0.05, 0.01))
    rows, act = batch.rows, batch.act
    steps, used = rows.size[STEPS], rows.size[USED]
    for b in range(len(rows.task)):
        last = max(n for n in range(steps) if rows.trial[n] == b)
        after = [act.heads[n, -1] for n in range(steps, used) if rows.trial[n] == b]
        assert len(after) == (not rows.ended[b])
        assert act.target[last] == pytest.approx(rows.reward[last] + (0.9 * after[0] if after else 0), rel=1e-12)


def test_optimisers_agree_with_their_papers():
    """Oracle: Adam's Algorithm 1 and PyTorch's RMSProp, written out in NumPy, over ten steps; torch itself where installed."""
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=50), rng.normal(size=(10, 50))
    theta, m, v = start.copy(), np.zeros(50), np.zeros(50)
    mine, first, second = start.copy(), np.zeros(50), np.zeros(50)
    ours, square, s = start.copy(), np.zeros(50), np.zeros(50)
    plain = start.copy()
    for step, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        theta -= 0.01 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        adam(mine, g, 1.0, first, second, 0.01, step)
        s = 0.99 * s + 0.01 * g * g
        plain -= 0.01 * g / (np.sqrt(s) + 1e-8)
        rmsprop(ours, g, 1.0, square, 0.01)
    np.testing.assert_allclose(mine, theta, rtol=1e-12)
    np.testing.assert_allclose(ours, plain, rtol=1e-12)


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_optimisers_agree_with_pytorch(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    theta, gradients = rng.normal(size=30), rng.normal(size=(20, 30))
    parameter = torch.nn.Parameter(torch.from_numpy(theta.copy()))
    other = (torch.optim.Adam if name == "adam" else torch.optim.RMSprop)([parameter], lr=1e-3)
    first, second = np.zeros(30), np.zeros(30)
    for step, g in enumerate(gradients, 1):
        norm = global_norm(g)
        parameter.grad = torch.from_numpy(g.copy())
        torch.nn.utils.clip_grad_norm_([parameter], 2.0)
        other.step()
        if name == "adam":
            adam(theta, g, clip_factor(norm, 2.0), first, second, 1e-3, step)
        else:
            rmsprop(theta, g, clip_factor(norm, 2.0), second, 1e-3)
    np.testing.assert_allclose(
        theta, parameter.detach().numpy(), rtol=1e-6
    )  # torch adds 1e-6 to the norm before it divides


def test_clipping():
    g = np.array([3.0, 4.0])
    assert global_norm(g) == 5
    assert clip_factor(5.0, 1.0) == 0.2
    assert clip_factor(0.5, 1.0) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_finiteness_is_noticed_under_fast_math(bad, dtype):
    """By the norm, if the gradient is not finite; by the optimiser's own pass, if a parameter is not."""
    gradient, moments = np.ones(1000, dtype), np.zeros((2, 1000), dtype)
    assert np.isfinite(global_norm(gradient))
    assert adam(np.ones(1000, dtype), gradient, 1.0, *moments, 1e-3, 1)
    assert rmsprop(np.ones(1000, dtype), gradient, 1.0, moments[1], 1e-3)
    theta = np.ones(1000, dtype)
    theta[617] = bad
    assert not adam(theta, gradient, 1.0, *moments, 1e-3, 1)
    assert not rmsprop(theta, gradient, 1.0, moments[1], 1e-3)
    gradient[617] = bad
    assert not np.isfinite(global_norm(gradient))


@every_agent
def test_parameter_layout_round_trip(agent):
    layout = make_layout(small("corridor"), agent, 6)
    theta = np.random.default_rng(0).normal(size=num_parameters(layout))
    np.testing.assert_array_equal(to_flat(to_dict(theta, layout), layout, np.float64), theta)


def test_default_initialisation():
    layout = make_layout(small("corridor"), "rl2", 48)
    p = to_dict(
        initial_parameters(layout, "default", np.random.default_rng(0).random(num_parameters(layout)), np.float64),
        layout,
    )
    for name, array in p.items():
        bound = (
            0
            if name.endswith("bias")
            else 1 / np.sqrt(48)
            if name.startswith("lstm")
            else np.sqrt(6 / (48 + len(array)))
        )
        assert np.abs(array).max() <= bound
        assert bound == 0 or np.abs(array).max() > 0.9 * bound


@pytest.mark.parametrize("env", ["bandit", "corridor"])
@every_agent
def test_zero_initialisation_cannot_learn(env, agent):
    """SCIENCE §5: with all weights zero every LSTM gradient is exactly zero, and after training still only the output biases moved."""
    tasks = small(env)
    learner = Learner(tasks, Settings(agent=agent, init="zero", hidden_size=6, trials=200))
    learner.advance(50)
    moved = to_dict(learner.theta, learner.layout)
    batch = gradcheck.play_batch(tasks, agent, 6)
    gradient = np.empty_like(batch.theta)
    batch.theta[:] = to_flat(moved, learner.layout, np.float64)  # with whatever the biases have become
    forward(batch.rows, batch.layout, batch.theta, batch.act)
    backward(batch.rows, batch.layout, batch.loss, batch.theta, batch.act, gradient)
    for name, array in to_dict(gradient, batch.layout).items():
        only_bias = name in ("policy.bias", "value.bias")
        assert array.any() == only_bias, name
        assert moved[name].any() == only_bias, name


def test_training_does_not_depend_on_chunks():
    """Contract: statistics and weights are equal to the last bit however the updates are grouped."""
    tasks, results = small("corridor"), []
    for chunks in ((60,), (1,) * 60, (7, 13, 40)):
        learner = Learner(tasks, Settings(agent="rl1", num_envs=3, hidden_size=8))
        results.append((np.concatenate([learner.advance(n) for n in chunks]), learner.theta.copy()))
    for statistics, theta in results[1:]:
        np.testing.assert_array_equal(statistics, results[0][0])
        np.testing.assert_array_equal(theta, results[0][1])


def test_seeds_differ_and_agents_share_their_luck():
    tasks = small("bandit")
    theta = [Learner(tasks, Settings(seed=seed)).theta for seed in (0, 1)]
    assert (theta[0] != theta[1]).any()


@pytest.mark.parametrize(("settings", "quantity"), [
    ({"learning_rate": 1e38}, "is not finite at update"), ({"vf_coef": 1e300}, "the gradient is not finite at update 1"),
])  # fmt: skip
def test_divergence_stops_at_once(settings, quantity):
    learner = Learner(small("corridor"), Settings(hidden_size=4, **settings))
    with pytest.raises(DivergenceError, match=quantity):
        learner.advance(200)


def test_the_bandit_is_learned():
    """The main job: 20 000 trials bring rl2 within 0.1 of the Bayes optimum, and the control without memory stays at chance."""
    tasks = tinymeta.make("bandit")
    reward = {
        agent: tinymeta.learn(tasks, agent, trials=20_000).play(2000).reward.sum(1).mean()
        for agent in ("rl2", "memoryless")
    }
    assert 9.4 <= reward["rl2"] <= 9.5 + 4 * 0.5 / np.sqrt(2000)
    assert abs(reward["memoryless"] - 5) < 0.1


def test_statistics_add_up():
    learner = Learner(tinymeta.make("bandit"), Settings(num_envs=5))
    column = dict(zip(STATISTICS, learner.advance(10).T, strict=True))
    assert (column["trials"] == 5).all()
    assert (column["env_steps"] == 50).all()
    np.testing.assert_allclose(
        column["loss"], column["policy_loss"] + 0.05 * column["value_loss"] - 0.001 * column["entropy"], rtol=1e-12
    )
