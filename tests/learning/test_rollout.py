"""Rollouts: simulation against the arrays (oracle), step-by-step against batched play, what finished trials cost."""

import numpy as np
import pytest
from support import REFUSED, every_agent, every_env_and_agent, noisy_taskset, small

import tinymeta
from tinymeta.base import randomness
from tinymeta.base.errors import InputError
from tinymeta.environments.outcomes import make_rules
from tinymeta.learning.agent import Agent
from tinymeta.learning.learner import Learner
from tinymeta.learning.rollout import rollout, uniforms_per_trial
from tinymeta.learning.rows import STEPS, TIMES
from tinymeta.learning.settings import Settings
from tinymeta.learning.sizes import allocate
from tinymeta.learning.wirings import WIRINGS, make_layout
from tinymeta.network.parameters import initial_parameters, num_parameters


def untrained(tasks, agent, hidden_size=7, seed=0, dtype=np.float32):
    layout = make_layout(tasks, agent, hidden_size)
    numbers = randomness.uniforms(seed, randomness.INITIALISATION, 0, 1, num_parameters(layout))[0]
    return Agent(tasks, agent, initial_parameters(layout, "default", numbers, dtype), hidden_size)


@every_env_and_agent
def test_stepping_by_hand_equals_the_batched_rollout(env, agent):
    """Contract: `act`, fed what a trial showed, gives the trial's logits, values and states to the last bit."""
    tasks = small(env)
    network = untrained(tasks, agent)
    _, trace = network.play(5, trace=True, step_limit=20)
    for b in range(5):
        network.reset()
        episode = 0
        for t in range(int(trace["valid"][b].sum())):
            now = int(trace["episode"][b, t])
            last = (
                {}
                if t == 0
                else {
                    "prev_reward": trace["reward"][b, t - 1],
                    "prev_action": trace["action"][b, t - 1],
                    "new_episode": now != episode,
                }
            )
            episode = now
            seen = trace["features" if tasks.observation_size else "observation"][b, t]
            _, info = network.act(seen, task=trace["task"][b, t], **last)
            for name, key in (("logits", "logits"), ("value", "value"), ("hidden", "hidden"), ("cell", "cell")):
                np.testing.assert_array_equal(np.float32(info[key]), trace[name][b, t])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@every_agent
def test_a_third_party_can_replay_a_trace(agent):
    """Oracle: a textbook LSTM in NumPy, fed the trace's inputs and resets, gives its states and outputs."""
    network = untrained(noisy_taskset(), agent, dtype=np.float64)
    _, trace = network.play(8, trace=True)
    p = network.parameters
    for b in range(8):
        h = c = np.zeros(7)
        for t in range(int(trace["valid"][b].sum())):
            if trace["reset"][b, t]:
                h, c = np.zeros(7), np.zeros(7)
            i, f, g, o = np.split(
                p["lstm.weight_ih"] @ trace["inputs"][b, t] + p["lstm.weight_hh"] @ h + p["lstm.bias"], 4
            )
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            np.testing.assert_allclose(trace["hidden"][b, t], h, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(trace["cell"][b, t], c, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(
                trace["logits"][b, t], p["policy.weight"] @ h + p["policy.bias"], rtol=1e-11, atol=1e-13
            )
            np.testing.assert_allclose(
                trace["value"][b, t], (p["value.weight"] @ h + p["value.bias"])[0], rtol=1e-11, atol=1e-13
            )


@every_agent
def test_what_enters_the_network(agent):
    """Contract (SCIENCE's table of wirings): which columns are set, and when the state is reset."""
    tasks = noisy_taskset()
    wiring = WIRINGS[agent]
    network = untrained(tasks, agent)
    totals, trace = network.play(50, trace=True)
    layout = network.layout
    seen = 0
    for b, t in np.argwhere(trace["valid"]):
        x = trace["inputs"][b, t]
        episode = trace["episode"][b, t]
        begins_episode = t > 0 and episode != trace["episode"][b, t - 1]
        seen += begins_episode
        assert trace["reset"][b, t] == (t == 0 or not wiring.recurrent or (begins_episode and not wiring.carries_state))
        expected = np.zeros(layout.input_size)
        expected[trace["observation"][b, t]] = 1
        if t > 0 and wiring.recurrent and (wiring.sees_across or not begins_episode):
            expected[layout.reward_column] = trace["reward"][b, t - 1]
            expected[layout.action_column + trace["action"][b, t - 1]] = 1
        if episode >= wiring.identity_from:
            expected[layout.identity_column + trace["task"][b, t]] = 1
        np.testing.assert_array_equal(x, expected)
    assert seen > 50
    assert (trace["episode"].max(axis=1) <= tasks.episodes - 1).all()
    np.testing.assert_array_equal(totals.steps.sum(axis=1), trace["valid"].sum(axis=1))
    np.testing.assert_allclose(totals.reward.sum(axis=1), trace["reward"].sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("changes", [{}, {"episode_length": 2, "max_steps": None}])
def test_simulation_follows_the_arrays(changes):
    """Oracle: steps and rewards of 20 000 trials under the uniform policy, against a plain simulation of the arrays."""
    tasks = noisy_taskset(**changes)
    network = untrained(tasks, "rl2")
    network.theta[:] = 0
    totals = network.play(20_000)
    rng = np.random.default_rng(0)
    expected = []
    for _ in range(20_000):
        m = rng.choice(2, p=tasks.prior)
        s = rng.choice(3, p=tasks.initial[m])
        steps = 0
        reward = 0.0
        for _ in range(tasks.episodes):
            for t in range(tasks.episode_length or 10**9):
                a = rng.integers(2)
                following = rng.choice(3, p=tasks.transition[m, s, a])
                reward += tasks.reward[m, s, a, following]
                s = following
                steps += 1
                if tasks.terminal[m, s] or t + 1 == tasks.episode_length or steps == tasks.step_limit:
                    break
            s = rng.choice(3, p=tasks.initial[m])
            if steps == tasks.step_limit:
                break
        expected.append((steps, reward))
    played = np.stack([totals.steps.sum(1), totals.reward.sum(1)], 1)
    error = np.sqrt(played.var(0) / len(played) + np.var(expected, 0) / len(expected))
    assert (np.abs(played.mean(0) - np.mean(expected, 0)) < 4 * error).all()


def test_task_frequencies_follow_the_prior():
    totals = untrained(noisy_taskset(), "rl2").play(5000)
    assert abs(np.mean(totals.task == 1) - 0.6) < 0.005  # evenly spread tasks: far closer than independent draws


def test_finished_trials_cost_no_rows():
    tasks = tinymeta.make("corridor", left=2, right=3, max_steps=300)
    network = untrained(tasks, "rl2")
    rows, act = allocate(network.layout, 64, tasks.step_limit, np.float32)
    uniforms = randomness.uniforms(0, randomness.TRAINING, 0, 64, uniforms_per_trial(tasks.step_limit))
    rollout(tasks.outcomes, make_rules(tasks), network.layout, network.theta, uniforms, False, rows, act)
    alive = np.diff(rows.begin[: rows.size[TIMES] + 1])
    assert alive[0] == 64
    assert (np.diff(alive) <= 0).all()
    assert alive[-1] < 4
    assert rows.size[STEPS] == alive.sum()


def test_a_trial_does_not_depend_on_its_batch():
    network = untrained(noisy_taskset(), "rl2")
    few, many = network.play(3), network.play(300)
    np.testing.assert_array_equal(few.reward, many.reward[:3])
    np.testing.assert_array_equal(few.steps, many.steps[:3])


def test_uniforms_are_a_pure_function_of_their_index():
    whole = randomness.uniforms(3, randomness.TRAINING, 0, 10, 7)
    np.testing.assert_array_equal(randomness.uniforms(3, randomness.TRAINING, 4, 3, 7), whole[4:7])
    assert (randomness.uniforms(4, randomness.TRAINING, 0, 10, 7) != whole).all()
    assert (randomness.uniforms(3, randomness.EVALUATION, 0, 10, 7) != whole).all()


def test_spread_points_are_uniform_and_even():
    points = randomness.spread(5, 0, 1000)
    assert points.shape == (1000, 3)
    agree = np.mean((points[:, 0] < 0.5) == (points[:, 1] < 0.5))
    assert abs(agree - 0.5) < 0.01
    np.testing.assert_array_equal(randomness.spread(5, 10, 5), points[10:15])
    shifts = np.array([randomness.spread(seed, 0, 1)[0] for seed in range(400)])
    assert (np.abs(shifts.mean(0) - 0.5) < 0.06).all()


@pytest.mark.parametrize(("arguments", "message"), [
    ({"observation": 2}, "observation = 2"), ({"observation": 0.5}, "observation = 0.5"),
    ({"observation": 0, "prev_reward": 1}, "first step"),
])  # fmt: skip
def test_act_refuses_nonsense(arguments, message):
    with pytest.raises(ValueError, match=message):
        untrained(noisy_taskset(), "rl2").act(**arguments)


def test_act_needs_the_task_where_the_wiring_shows_it():
    network = untrained(noisy_taskset(), "informed")
    with pytest.raises(ValueError, match="task, which agent 'informed' is told in episode 0 = None"):
        network.act(0)


@pytest.mark.parametrize(("env", "agent"), REFUSED)
def test_who_is_told_the_task_needs_tasks_that_can_be_told(env, agent):
    """Contract: where tasks come from a continuum they have no identity."""
    with pytest.raises(InputError, match=f"agent {agent!r} is told the task's identity, and the tasks of '{env}' have"):
        Learner(small(env), Settings(agent=agent))


def test_settings_refuse_nonsense():
    nonsense = {"gamma": 1.5, "learning_rate": 0, "num_envs": 0, "optimizer": "sgd", "init": "ones", "dtype": "float16"}
    nonsense |= {"agent": "rl3", "seed": -1, "max_grad_norm": float("inf"), "trials": True}
    for name, value in nonsense.items():
        with pytest.raises(ValueError, match=name):
            Settings(**{name: value})
