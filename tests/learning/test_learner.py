"""Returns and the training loop: oracles, reproducibility, the zero initialisation, divergence."""

import numpy as np
import pytest
from support import arrays_of, every_agent, noisy_taskset, small

import tinymeta
from tinymeta.learning.gradient_check import play_batch
from tinymeta.learning.learner import STATISTICS, DivergenceError, Learner
from tinymeta.learning.rollout import uniforms_per_trial
from tinymeta.learning.rows import STEPS, USED
from tinymeta.learning.settings import Settings
from tinymeta.learning.sizes import CHUNK_NUMBERS, training_bytes
from tinymeta.learning.update import advantages, backward, forward
from tinymeta.network.losses import Loss
from tinymeta.network.parameters import to_dict, to_flat


@pytest.mark.parametrize("gae_lambda", [0.0, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("cut", [False, True])
def test_returns_agree_with_the_n_step_definition(gae_lambda, cut):
    """Oracle: `plain_targets`, the λ-weighted mean of n-step returns; for λ = 1 the discounted sum of rewards."""
    batch = play_batch(noisy_taskset(), "rl2", 5, cut=cut, loss=Loss(0.9, gae_lambda, 0.05, 0.01))
    target, advantage = batch.act.target.copy(), batch.act.advantage.copy()
    advantages(batch.rows, batch.loss, batch.act)
    np.testing.assert_allclose(batch.act.target, target, rtol=1e-12)
    np.testing.assert_allclose(batch.act.advantage, advantage, rtol=1e-10, atol=1e-12)


def test_only_a_time_limit_bootstraps():
    """The last step's Monte-Carlo target is its reward where the trial ended, and reward + γV where a limit cut it."""
    batch = play_batch(noisy_taskset(), "rl2", 5, cut=True, loss=Loss(0.9, 1.0, 0.05, 0.01))
    rows, act = batch.rows, batch.act
    steps, used = rows.size[STEPS], rows.size[USED]
    for b in range(len(rows.task)):
        last = max(n for n in range(steps) if rows.trial[n] == b)
        after = [act.heads[n, -1] for n in range(steps, used) if rows.trial[n] == b]
        assert len(after) == (not rows.ended[b])
        assert act.target[last] == pytest.approx(rows.reward[last] + (0.9 * after[0] if after else 0), rel=1e-12)


@pytest.mark.parametrize("env", ["bandit", "corridor"])
@every_agent
def test_zero_initialisation_cannot_learn(env, agent):
    """docs/math.md, §7: every gradient but the output biases' is exactly zero, and only they move in training."""
    tasks = small(env)
    learner = Learner(tasks, Settings(agent=agent, init="zero", hidden_size=6, trials=200))
    learner.advance(50)
    moved = to_dict(learner.theta, learner.layout)
    batch = play_batch(tasks, agent, 6)
    gradient = np.empty_like(batch.theta)
    batch.theta[:] = to_flat(moved, learner.layout, np.float64)  # with whatever the biases have become
    forward(batch.rows, batch.layout, batch.theta, batch.act)
    backward(batch.rows, batch.layout, batch.loss.vf_coef, batch.loss.ent_coef, batch.theta, batch.act, gradient)
    for name, array in to_dict(gradient, batch.layout).items():
        only_bias = name in ("policy.bias", "value.bias")
        assert array.any() == only_bias, name
        assert moved[name].any() == only_bias, name


def test_training_does_not_depend_on_chunks():
    """Contract: statistics and weights are equal to the last bit however the updates are grouped."""
    tasks = small("corridor")
    results = []
    for chunks in ((60,), (1,) * 60, (7, 13, 40)):
        learner = Learner(tasks, Settings(agent="rl1", num_envs=3, hidden_size=8))
        results.append((np.concatenate([learner.advance(n) for n in chunks]), learner.theta.copy()))
    for statistics, theta in results[1:]:
        np.testing.assert_array_equal(statistics, results[0][0])
        np.testing.assert_array_equal(theta, results[0][1])


def test_agents_of_one_seed_meet_the_same_tasks():
    """Contract: the numbers depend on (seed, update) alone, so agents of one seed can be compared trial by trial."""
    tasks = small("corridor")

    def met(agent, seed):
        learner = Learner(tasks, Settings(agent=agent, seed=seed, num_envs=64, hidden_size=4))
        learner.advance(3)
        return learner.rows.task.copy()

    np.testing.assert_array_equal(met("rl2", 0), met("memoryless", 0))
    assert (met("rl2", 0) != met("rl2", 1)).any()
    assert len(np.unique(met("rl2", 0))) == 2


@pytest.mark.parametrize(("num_envs", "hidden_size"), [(1, 512), (1, 8), (64, 16)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_memory_is_asked_for_as_much_as_a_learner_holds(num_envs, hidden_size, dtype):
    """Property: the parameters, moments and gradient alone, and all with the rows, are not more than was asked for."""
    tasks = small("bandit")
    settings = Settings(num_envs=num_envs, hidden_size=hidden_size, dtype=dtype)
    learner = Learner(tasks, settings)
    vectors = [value for value in vars(learner).values() if isinstance(value, np.ndarray)]
    assert len(vectors) == 4
    # Setting up takes two more vectors of the initial numbers; a chunk's uniforms come as 8 bytes a number.
    arrays = [*vectors, *arrays_of((learner.rows, learner.act))]
    held = sum(array.nbytes for array in arrays) + 2 * 8 * learner.theta.size
    asked = training_bytes(tasks, settings)
    rest = 4 * 8 * max(CHUNK_NUMBERS, num_envs * uniforms_per_trial(tasks.step_limit))
    assert held <= asked - rest
    assert asked - rest <= 2 * held + 2**20


def test_seeds_begin_with_other_weights():
    weights = [Learner(small("bandit"), Settings(seed=seed, hidden_size=4)).theta for seed in (0, 0, 1)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).mean() > 0.5


DIVERGING = [
    ({"learning_rate": 1e38}, "is not finite at update"),
    ({"vf_coef": 1e300}, "the gradient is not finite at update 1"),
]


@pytest.mark.parametrize(("settings", "quantity"), DIVERGING)
def test_divergence_stops_at_once(settings, quantity):
    learner = Learner(small("corridor"), Settings(hidden_size=4, **settings))
    with pytest.raises(DivergenceError, match=quantity):
        learner.advance(200)


def test_a_loss_that_is_no_number_is_seen_as_such():
    """The compiled check itself: a sum minus itself is 0 to a compiler that may reassociate, whatever the sum is."""
    learner = Learner(small("bandit"), Settings(hidden_size=4))
    learner.theta[-1] = np.inf  # the value's bias
    with pytest.raises(DivergenceError, match="the loss is not finite at update 1"):
        learner.advance(1)


def test_the_bandit_is_learned():
    """The main job: rl2 comes within 0.1 of the Bayes optimum, and the control without memory stays at chance."""
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
