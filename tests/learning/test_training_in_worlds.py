"""Training and playing where vectors are seen and done, compiled (contract, property); two kernels for all of it.

The kernels as plain Python are held against the textbook in `test_gradient_autograd`; here the compiled ones are held
against those.
"""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from own_worlds import reach
from plain import UNTOUCHED, plain_batch, plain_kernels
from support import small

from tinymeta.base import randomness
from tinymeta.base.errors import NotFiniteError
from tinymeta.environments import gym_pool
from tinymeta.environments.registry import make
from tinymeta.environments.world import begin, step
from tinymeta.learning import python_worlds
from tinymeta.learning.agent import Agent
from tinymeta.learning.algorithms import make_loss
from tinymeta.learning.learner import DivergenceError, Learner
from tinymeta.learning.rollout import uniforms_per_trial
from tinymeta.learning.rows import ENDED, FINAL, GOES_ON, STEPS, USED
from tinymeta.learning.scaling import KEPT
from tinymeta.learning.settings import Settings
from tinymeta.learning.sizes import rows_for
from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import parameter_shapes, to_flat

SETTINGS = Settings(
    agent="rl1", num_envs=6, trials=60, hidden_size=4, encoder=(5, 4), separate_value=True, normalize_advantage=True,
    returns="episode", dtype="float64", gamma=0.9, gae_lambda=0.9,
    norm_obs=True, norm_reward=True, ent_coef=0.01,
)  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    """A learner after some updates, whose rows are those of the last one."""
    learner = Learner(reach(), SETTINGS)
    learner.advance(5)
    return learner


def resumed(learner):
    """Another learner that stands where this one stands."""
    other = Learner(learner.tasks, learner.settings)
    kept = {f"scaling.{name}": getattr(learner.running, name) for name in learner.running._fields if name in KEPT}
    other.restore(
        learner.theta, learner.first, learner.second, learner.updates_done, learner.env_steps_done, kept
    )  # fmt: skip
    return other


def plain_update(learner):
    """What `advance(1)` does, by the kernels as plain Python."""
    s, rows, act = learner.settings, learner.rows, learner.act
    B, T = s.num_envs, learner.tasks.step_limit
    done = learner.updates_done
    uniforms = randomness.uniforms(s.seed, randomness.TRAINING, done, 1, B * uniforms_per_trial(T, learner.tasks.draws))
    shuffling = randomness.uniforms(s.seed, randomness.SHUFFLING, done, 1, s.n_epochs * B)[0]
    loss = make_loss(s, learner.layout, len(rows.before), T, learner.theta.dtype)
    UNTOUCHED.rollout(
        learner.tasks.data, learner.rules, learner.layout, learner.theta, uniforms.reshape(B, -1), False, rows, act
    )
    status = UNTOUCHED.learn(
        loss, rows, learner.layout, s.max_grad_norm, True, learner.theta, learner.first, learner.second,
        np.zeros_like(learner.theta), np.array([s.learning_rate, s.ent_coef]), done, shuffling, act, np.zeros(8),
    )  # fmt: skip
    assert status == 0
    UNTOUCHED.update_scaling(learner.running, rows)


def assert_alike(one, other, rtol, atol):
    """Two learners after the same updates."""
    steps = one.rows.size[STEPS]
    np.testing.assert_array_equal(one.rows.size, other.rows.size)
    for name in ("after", "reset", "before", "trial", "episode", "columns", "action"):
        np.testing.assert_array_equal(getattr(one.rows, name)[:steps], getattr(other.rows, name)[:steps])
    for name in ("vector", "reward", "paid", "numbers", "features"):
        mine, theirs = (getattr(learner.rows, name)[:steps] for learner in (one, other))
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=atol)
    for name in ("theta", "first", "second"):
        mine, theirs = getattr(one, name), getattr(other, name)
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=rtol * np.linalg.norm(theirs) + atol)


def test_compiled_training_is_the_plain_one(trained):
    """A2C with a deep network and vectors as actions, in float64: an update with the same numbers."""
    compiled, plain = resumed(trained), resumed(trained)
    compiled.advance(1)
    plain_update(plain)
    assert_alike(compiled, plain, 1e-8, 1e-12)
    np.testing.assert_allclose(plain.running.mean, compiled.running.mean, rtol=1e-9)


def test_compiled_ppo_is_the_plain_one():
    """PPO as CartPole trains by default, in float32: the first update, of eight gradient steps."""
    tasks = small("cartpole")
    settings = Settings(**{**tasks.defaults, "num_envs": 6, "num_minibatches": 2, "hidden_size": 4})
    compiled, plain = Learner(tasks, settings), Learner(tasks, settings)
    compiled.advance(1)
    plain_update(plain)
    assert (compiled.theta != Learner(tasks, settings).theta).all()
    assert_alike(compiled, plain, 1e-4, 1e-6)  # Adam's steps of parameters with hardly a slope are rounding


def test_training_is_a_function_of_weights_and_numbers(trained):
    """Contract: chunks, a restart in between and another learner's memory change no bit, scaling included."""
    whole = Learner(reach(), SETTINGS)
    whole.advance(5)
    np.testing.assert_array_equal(whole.theta, trained.theta)
    one, other = resumed(trained), resumed(trained)
    one.advance(2)
    other.advance(1)
    other = resumed(other)
    other.advance(1)
    np.testing.assert_array_equal(one.theta, other.theta)
    for mine, theirs in zip(one.rows.scaling, other.rows.scaling, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_workers_and_halves_change_no_bit(monkeypatch):
    """One worker whose trials are played together, as on one core, and two workers beside which actions are chosen."""
    trained = []
    for cores in (1, 2):
        for module in (gym_pool, python_worlds):
            monkeypatch.setattr(module, "cores_of_this_run", lambda cores=cores: cores)
        learner = Learner(make("gym:CartPole-v1", max_steps=30, episodes=2), Settings(num_envs=5, hidden_size=4))
        learner.advance(3)
        learner.close()
        trained.append(learner.theta.tobytes())
    assert trained[0] == trained[1]


def test_an_episode_begins_with_what_is_seen_then():
    """On the frozen lake every episode begins at place 0, wherever the one before ended."""
    learner = Learner(make("gym:FrozenLake-v1", max_steps=9, episodes=3), Settings(num_envs=6, hidden_size=4))
    learner.advance(1)
    learner.close()
    rows = learner.rows
    steps = range(rows.size[STEPS])
    begins = [n for n in steps if rows.before[n] < 0 or rows.episode[n] > rows.episode[rows.before[n]]]
    assert len(begins) == 6 * 3
    assert {int(rows.observation[n]) for n in begins} == {0}
    assert len({int(rows.observation[n]) for n in steps}) > 3


def test_stepping_by_hand_equals_the_batched_rollout(trained):
    """`act`, fed the vectors that a trial showed, gives its means, values and states to the last bit."""
    learner = resumed(trained)
    before = learner.agent()
    learner.advance(1)
    rows, act = learner.rows, learner.act
    for b in range(6):
        before.reset()
        own = [n for n in range(rows.size[STEPS]) if rows.trial[n] == b]
        for i, n in enumerate(own):
            last = {}
            if i > 0:
                m = own[i - 1]
                last = {"prev_reward": rows.paid[m], "prev_action": rows.vector[m]}
                last["new_episode"] = rows.episode[n] != rows.episode[m]
            _, info = before.act((rows.features[n], rows.observation[n]), task=rows.task[b], **last)
            np.testing.assert_array_equal(info["logits"], act.heads[n, :-1])
            assert info["value"] == act.heads[n, -1]
            np.testing.assert_array_equal(info["hidden"], act.h[n])


def test_it_learns():
    """Going straight to the target, which the first episode tells apart, is found in some hundred updates."""
    settings = {**vars(SETTINGS), "agent": "rl2", "num_envs": 16, "learning_rate": 3e-3}
    learner = Learner(reach(), Settings(**settings))
    reward = learner.advance(150)[:, 2] / 16
    assert reward[-20:].mean() > reward[:20].mean() + 4 * reward[:20].std() / math.sqrt(20)


# ---------------------------------------------------------------- hostile worlds

HOSTILE = {
    "a reward that is no number": ({"targets": ((math.nan, 0.0), (0.0, 0.0))}, "the loss is not finite at update 1"),
    "an infinite reward": ({"targets": ((math.inf, 0.0), (0.0, 0.0))}, "the loss is not finite at update 1"),
    "an observation that is no number": ({"sight": math.nan}, "the loss is not finite at update 1"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_world_that_gives_no_numbers_stops_the_run(what):
    """Contract: one clear line, and no parameter has become what it should not."""
    changes, told = HOSTILE[what]
    learner = Learner(reach(**changes), SETTINGS)
    with pytest.raises(DivergenceError, match=told) as failure:
        learner.advance(3)
    assert "\n" not in str(failure.value)
    assert np.isfinite(learner.theta).all()


def test_an_agent_refuses_what_it_cannot_see(trained):
    agent = trained.agent()
    for nonsense in (np.zeros(2), (np.array([0.0, np.nan]), 0), (np.zeros(3), 0), (np.zeros(2), 2), 0, "north", None):
        with pytest.raises(ValueError, match="observation = "):
            agent.act(nonsense)
        agent.reset()
    agent.act((np.zeros(2), 1))
    with pytest.raises(ValueError, match="prev_action = "):
        agent.act((np.zeros(2), 0), prev_reward=0.0, prev_action=1)
    weights = {name: np.full_like(array, 1e308) for name, array in agent.parameters.items()}
    huge = Agent.from_parameters(agent.tasks, "rl1", weights, np.float64)
    with pytest.raises(NotFiniteError, match="is not finite"):
        huge.act((np.ones(2), 0))


# ---------------------------------------------------------------- rollouts as plain Python, on paper

LIMITED = {"per trial": (False, None), "by episode": (True, None), "cut": (False, 7), "cut, by episode": (True, 7)}


@pytest.mark.parametrize("how", LIMITED)
def test_a_rollout_follows_the_world(how):
    """Oracle: each trial once more by the world's own functions: rewards, what is seen, ends, truncations, `after`."""
    follow_the_world(*LIMITED[how], UNTOUCHED)


def follow_the_world(per_episode, limit, kernels):
    tasks = reach()
    batch = plain_batch(tasks, "memoryless", trials=1)
    limit = limit or tasks.step_limit
    rows, act = rows_for(tasks, batch.layout, 12, limit, np.float64, per_episode)
    uniforms = np.random.default_rng(5).random((12, uniforms_per_trial(limit, tasks.draws)))
    kernels.rollout(tasks.data, tasks.rules(limit, per_episode), batch.layout, batch.theta, uniforms, False, rows, act)
    N = len(rows.before)
    finals = []
    for b in range(12):
        u = iter(uniforms[b])
        task = int(next(u) >= 0.5)
        assert rows.task[b] == task
        state, seen = np.zeros(2), np.zeros(2)
        category = begin(tasks.data, task, 0, state, take(u, 2), seen)
        later = [take(u, 2) for _ in range(2)]  # of the episodes after the first
        own = [n for n in range(rows.size[USED]) if rows.trial[n] == b]
        episode = elapsed = 0
        over = False
        for n in own:
            assert not over
            np.testing.assert_array_equal(rows.features[n], seen)
            assert (rows.observation[n], rows.episode[n]) == (category, episode)
            if n >= rows.size[STEPS]:
                break
            take(u, 2)  # the action's
            reward, ended, category = step(tasks.data, task, episode, state, rows.vector[n], take(u, 3), seen)
            assert rows.reward[n] == rows.paid[n] == reward
            elapsed += 1
            truncated = elapsed == 4 and not ended
            last = episode == 2
            if truncated and (per_episode or last):
                row = rows.after[n]
                finals.append(row)
                assert N - rows.size[FINAL] <= row < N
                assert rows.before[row] == n
                assert not rows.reset[row]
                assert rows.prev_reward[row] == reward
                np.testing.assert_array_equal(rows.features[row], seen)
                assert np.isfinite(act.heads[row]).all()
            else:
                assert rows.after[n] == (ENDED if ended and per_episode else GOES_ON)
            if ended or truncated:
                over = last
                elapsed = 0
                episode += 1
                if not over:
                    category = begin(tasks.data, task, episode, state, later[episode - 1], seen)
        assert rows.ended[b] == (over and ended)
        assert over or own[-1] >= rows.size[STEPS]
    assert sorted(finals) == list(range(N - rows.size[FINAL], N))
    assert finals or limit < tasks.step_limit


def take(numbers, count):
    return np.array([next(numbers) for _ in range(count)])


PLANTED = {
    "a truncation is an end": ("truncated = not ended and rows.elapsed[b] + 1 == rules.max_steps",
                               "truncated = False"),
    "an end that is a truncation bootstraps": ("truncated = not ended and", "truncated ="),
    "what follows is the next episode's first": ("write_row(rows, layout, final, n, b, rows.episode[n], False, False,",
                                                 "write_row(rows, layout, final, n, b, rows.episode[n], False, True,"),
    "the limit counts the trial's steps": ("rows.elapsed[b] = 0 if ended or truncated else rows.elapsed[b] + 1",
                                           "rows.elapsed[b] += 1"),
    "ends go on": ("elif ended and rules.per_episode:", "elif False:"),
    "another episode's numbers begin it": ("at = 1 + rules.first + episode * rules.again", "at = 1 + rules.first"),
}  # fmt: skip


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_bugs_are_caught(bug):
    """The check itself is tested: with a bug in how episodes follow each other it fails."""
    kernels = plain_kernels(PLANTED[bug])
    with pytest.raises((AssertionError, IndexError, KeyError, StopIteration, ValueError)):
        for how in LIMITED.values():
            follow_the_world(*how, kernels)


def test_a_trial_does_not_depend_on_its_batch():
    """Property: the same weights and numbers, alone or among others."""
    tasks = reach()
    batch = plain_batch(tasks, "rl2", trials=1)
    uniforms = np.random.default_rng(2).random((5, uniforms_per_trial(tasks.step_limit, tasks.draws)))

    def rewards(numbers):
        rows, act = rows_for(tasks, batch.layout, len(numbers), tasks.step_limit, np.float64)
        UNTOUCHED.rollout(tasks.data, tasks.rules(), batch.layout, batch.theta, numbers, False, rows, act)
        steps = rows.size[STEPS]
        return [rows.paid[:steps][rows.trial[:steps] == b] for b in range(len(numbers))]

    for alone, among in zip([rewards(uniforms[b : b + 1])[0] for b in range(5)], rewards(uniforms), strict=True):
        np.testing.assert_array_equal(alone, among)


def test_standard_deviations_are_parameters_of_their_own():
    """Oracle: actions of a network whose weights are 0 are σ times normal numbers about 0, whatever is seen."""
    n = 4000
    layout = make_layout(reach(), "plain", 1)
    zeros = {name: np.zeros(shape) for name, shape in parameter_shapes(layout).items()}
    theta = to_flat({**zeros, "policy.log_std": np.array([0.5, -1.0])}, layout, np.float64)
    vector, uniforms = np.zeros((n, 2)), np.random.default_rng(0).random((n, 2))
    for i in range(n):
        UNTOUCHED.sample_vector(np.zeros((n, 3)), theta[-2:], vector, i, uniforms[i], 0, False)
    np.testing.assert_allclose(vector.mean(axis=0), 0, atol=4 * np.exp(0.5) / np.sqrt(n))
    np.testing.assert_allclose(vector.std(axis=0), np.exp([0.5, -1.0]), rtol=0.05)
    UNTOUCHED.sample_vector(np.full((n, 3), 7.0), theta[-2:], vector, 0, uniforms[0], 0, True)
    np.testing.assert_array_equal(vector[0], [7, 7])


ALONE = """
import numpy as np
import tinymeta
from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import num_parameters

tasks = tinymeta.make("cartpole")
theta = np.zeros(num_parameters(make_layout(tasks, "rl2", 7, (6,), True)))
agent = tinymeta.Agent(tasks, "rl2", theta, 7, 0, (6,), True)
print(agent.act(np.zeros(4))[1]["probabilities"].tolist())
"""


def test_a_deep_agent_acts_where_nothing_else_was_imported():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", ALONE], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[0.5, 0.5]\n"
