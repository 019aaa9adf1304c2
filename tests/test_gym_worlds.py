"""Worlds without a table for Gymnasium: numbers seen and done, episodes cut by a limit, one's own (contract)."""

from typing import NamedTuple

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.seeding import np_random
from gymnasium.vector import SyncVectorEnv
from test_gym_vector import B, assert_same_course

from tinymeta.base.errors import InputError
from tinymeta.environments.world import Draws, World, begin, step
from tinymeta.gym import RL2Observation, RL2VectorObservation, TrialEnv, TrialVectorEnv


class Walk(NamedTuple):
    """A point that is pushed along a line, which each task tilts."""

    tilt: np.ndarray  # (M,)


@begin.of(Walk)
def begin_walk(world, task, episode, state, uniforms, seen):
    """Anywhere in [0, 1)."""
    state[0] = uniforms[0]
    seen[0] = state[0]
    seen[1] = episode
    return 0


@step.of(Walk)
def step_walk(world, task, episode, state, action, uniforms, seen):
    """Moved by both numbers of the action and the tilt; the episode ends beyond 3."""
    state[0] += action[0] - action[1] + world.tilt[task] + 0.1 * uniforms[0]
    seen[0] = state[0]
    seen[1] = episode
    return -state[0], state[0] > 3, int(state[0] > 1)


def walk():
    """Three episodes of at most five steps, two tasks; numbers and a category are seen, actions are vectors."""
    return World(
        Walk(np.array([0.0, 1.0])), num_actions=2, max_steps=5, draws=Draws(1, 1, 1, 1), num_tasks=2,
        observation_size=2, num_observations=2, continuous=True, episodes=3,
        task_names=("level", "tilted"), name="walk",
    )  # fmt: skip


def test_the_pole_is_gymnasiums():
    """Oracle: CartPole-v1 from the same state under the same actions, to its end."""
    ours = gymnasium.make("tinymeta/Cartpole-v0")
    theirs = gymnasium.make("CartPole-v1")
    ours.action_space.seed(0)
    for seed in range(5):
        theirs.reset(seed=seed)
        theirs.unwrapped.state = ours.reset(seed=seed)[0].astype(float)
        over = False
        while not over:
            action = ours.action_space.sample()
            mine = ours.step(action)
            other = theirs.step(action)
            np.testing.assert_allclose(mine[0], other[0], atol=1e-6)
            assert mine[1:4] == other[1:4]
            over = mine[2]


def test_a_limit_truncates_episodes_and_at_last_the_trial():
    """Two episodes of three steps: the second begins near the middle; the last is a cut, not an end."""
    env = gymnasium.make("tinymeta/Cartpole-v0", max_steps=3, episodes=2)
    env.reset(seed=0)
    steps = [env.step(1) for _ in range(6)]
    assert [step[2] for step in steps] == [False] * 6
    assert [step[3] for step in steps] == [False] * 5 + [True]
    assert [step[4]["new_episode"] for step in steps] == [False, False, True, False, False, False]
    assert [step[4]["episode_index"] for step in steps] == [0, 0, 1, 1, 1, 1]
    assert [bool(np.abs(step[0]).max() <= 0.05) for step in steps] == [False, False, True, False, False, False]


def test_tasks_without_end_are_drawn_anew():
    """Oracle: random play earns 1 a step in Duan et al.'s MDPs, 4.5 standard errors; no task is named or chosen."""
    many = gymnasium.make_vec("tinymeta/RandomMdp-v0", 1000)
    _, infos = many.reset(seed=0)
    many.action_space.seed(0)
    assert set(infos) == {"episode_index", "_episode_index", "new_episode", "_new_episode"}
    rewards = np.zeros(1000)
    for _ in range(100):
        _, reward, terminated, truncated, _ = many.step(many.action_space.sample())
        rewards += reward
    assert terminated.all()
    assert not truncated.any()
    assert rewards.mean() == pytest.approx(100, abs=4.5 * rewards.std() / np.sqrt(1000))
    with pytest.raises(InputError, match="'random-mdp' has tasks without end"):
        many.reset(options={"task": 0})


def test_ones_own_world():
    """Vectors done; a category and numbers seen: many are as many single ones, and so is RL²'s input."""
    many = TrialVectorEnv(walk(), B)
    singles = SyncVectorEnv([lambda: TrialEnv(walk())] * B)
    assert many.single_action_space == spaces.Box(-np.inf, np.inf, (2,), np.float32)
    assert dict(many.single_observation_space)["category"] == spaces.Discrete(2)
    assert_same_course(many, singles, 60)
    wrapped = SyncVectorEnv([lambda: RL2Observation(TrialEnv(walk()))] * B)
    assert_same_course(RL2VectorObservation(TrialVectorEnv(walk(), B)), wrapped, 60)


def test_what_a_world_shows_and_takes():
    """By hand, from the generator's numbers: task and start, then at each step noise and a start that may follow."""
    env = TrialEnv(walk(), render_mode="ansi")
    number = np_random(0)[0].random(6)
    first, info = env.reset(seed=0, options={"task": 1})
    assert first["numbers"][0] == pytest.approx(number[1])
    assert info == {"task": 1, "task_name": "tilted", "episode_index": 0, "new_episode": True}
    seen, reward, terminated, truncated, info = env.step([0.5, 0.0])
    assert seen["numbers"][0] == pytest.approx(number[1] + 0.5 + 1 + 0.1 * number[2])
    assert (reward, terminated, truncated) == (pytest.approx(-seen["numbers"][0]), False, False)
    assert seen["category"] == 1
    seen, *_, info = env.step(np.array([2.0, 0.0]))
    assert seen["numbers"][0] == pytest.approx(number[5])
    assert (info["episode_index"], info["new_episode"], seen["numbers"][1]) == (1, True, 1)
    assert env.render().startswith("walk: task 1, episode 1, step 2; action [2. 0.], reward -")


def test_what_is_wrong_is_told():
    with pytest.raises(InputError, match="belief=True needs the exact belief, and 'walk' has no table"):
        TrialEnv(walk(), belief=True)
    for wrong in (TrialEnv, TrialVectorEnv):
        with pytest.raises(InputError, match="tasks = 3, expected a TaskSet or a World"):
            wrong(3)
    env = TrialEnv(walk())
    env.reset(seed=0)
    for action in (1, [1.0], [np.nan, 0.0], "up"):
        with pytest.raises(InputError, match="expected 1 vectors of 2 finite numbers"):
            env.step(action)
