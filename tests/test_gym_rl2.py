"""RL²'s input vector: that of our own `rl2` agents (oracle), and for anybody's environments (contract)."""

from typing import ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from support import SMALL, small

import tinymeta.gym
from tinymeta.base.errors import InputError
from tinymeta.gym import RL2Observation, RL2VectorObservation, TrialEnv, identifier
from tinymeta.learning.rows import write_input
from tinymeta.learning.sizes import allocate
from tinymeta.learning.wirings import make_layout


def our_input(layout, first, begins_episode, observation, reward, action):
    """What `write_input` feeds the network with, as a vector."""
    rows, _ = allocate(layout, 1, 1, np.float32)
    write_input.py_func(rows, layout, 0, -1, 0, 0, first, begins_episode, observation, reward, action, 0)
    x = np.zeros(layout.input_size, np.float32)
    x[layout.reward_column] = rows.prev_reward[0]
    x[rows.columns[0][rows.columns[0] >= 0]] = 1
    return x


@pytest.mark.parametrize("env", [env for env in tinymeta.gym.environments() if not small(env).observation_size])
def test_it_is_what_our_own_agent_sees(env):
    """Oracle: every step of three trials, but for the last number, which tells that an episode begins."""
    tasks = small(env)
    layout = make_layout(tasks, "rl2", 1)
    plain = TrialEnv(tasks)
    wrapped = RL2Observation(TrialEnv(tasks))
    generator = np.random.default_rng(0)
    for seed in range(3):
        observation, _ = plain.reset(seed=seed)
        x, _ = wrapped.reset(seed=seed)
        np.testing.assert_array_equal(x, [*our_input(layout, True, True, observation, 0, 0), 1])
        over = False
        while not over:
            action = int(generator.integers(tasks.num_actions))
            observation, reward, *ends, info = plain.step(action)
            x = wrapped.step(action)[0]
            new = info["new_episode"]
            np.testing.assert_array_equal(x, [*our_input(layout, False, new, observation, reward, action), new])
            over = any(ends)


def test_previous_reward_and_action_are_zero_where_a_trial_begins():
    """Also where the vector environment begins one by itself: reward, two levers, begins."""
    many = gymnasium.make_vec("tinymeta/Bandit-v0", 1, p=1, pulls=2, rl2=True)
    seen = [many.reset(seed=0)[0], *(many.step([0])[0] for _ in range(4))]
    assert np.concatenate(seen).tolist() == [[0, 0, 0, 1], [1, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 1], [1, 1, 0, 1]]
    many.step([0])  # the trial's last; a reset then leaves nothing to begin by itself
    again = [many.reset()[0], many.step([1])[0]]
    assert np.concatenate(again).tolist() == [[0, 0, 0, 1], [0, 0, 1, 1]]


@pytest.mark.parametrize(
    "env", [env for env in tinymeta.gym.environments() if isinstance(small(env), tinymeta.TaskSet)]
)
def test_its_space_knows_the_rewards(env):
    """The previous reward's bounds are the task set's own, with the 0 of a trial's beginning."""
    space = gymnasium.make(identifier(env), rl2=True, **SMALL.get(env, {})).observation_space
    tasks = small(env)
    layout = make_layout(tasks, "rl2", 1)
    rewards = np.array([0, tasks.reward.min(), tasks.reward.max()], np.float32)
    assert space.low[layout.reward_column] == rewards.min()
    assert space.high[layout.reward_column] == rewards.max()
    assert (space.shape, space.dtype) == ((layout.input_size + 1,), np.float32)


@pytest.mark.parametrize(("name", "numbers"), [("CartPole-v1", 4 + 1 + 2 + 1), ("Pendulum-v1", 3 + 1 + 1 + 1)])
def test_it_wraps_the_environments_of_others(name, numbers):
    """Numbers observed, choices and numbers done; the wrapper for many gives what as many single ones give."""
    many = RL2VectorObservation(gymnasium.make_vec(name, 2, "sync"))
    singles = gymnasium.make_vec(name, 2, "sync", wrappers=[RL2Observation])
    plain = gymnasium.make_vec(name, 2, "sync")
    x, _ = many.reset(seed=3)
    np.testing.assert_array_equal(x, singles.reset(seed=3)[0])
    plain.reset(seed=3)
    many.action_space.seed(3)
    assert x.shape == (2, numbers)
    assert (x[:, -1] == 1).all()
    assert not x[:, 4 if name == "CartPole-v1" else 3 : -1].any()
    for _ in range(250):  # CartPole's episodes end after some 20 steps, Pendulum's are cut after 200
        actions = many.action_space.sample()
        x = many.step(actions)[0]
        observation, reward, *_ = plain.step(actions)
        np.testing.assert_array_equal(x, singles.step(actions)[0])
        np.testing.assert_array_equal(x[:, : observation.shape[1]], observation)
        on = x[:, -1] == 0
        np.testing.assert_array_equal(x[on, observation.shape[1]], reward[on].astype(np.float32))
        assert x in many.observation_space


class Both(gymnasium.Env):
    """A category and numbers, categories counted from 3; actions counted from 1."""

    observation_space = spaces.Dict({"category": spaces.Discrete(2, start=3), "numbers": spaces.Box(-1, 1, (2,))})
    action_space = spaces.Discrete(2, start=1)
    metadata: ClassVar = {"render_modes": []}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return {"category": 4, "numbers": np.float32([0.5, -0.5])}, {}

    def step(self, action):
        return {"category": 3, "numbers": np.float32([0, 0.25])}, -2.0, False, False, {}


def test_categories_and_numbers_together():
    env = RL2Observation(Both(), reward_range=(-2, 0))
    assert env.reset()[0].tolist() == [0, 1, 0.5, -0.5, 0, 0, 0, 1]
    assert env.step(2)[0].tolist() == [1, 0, 0, 0.25, -2, 0, 1, 0]
    assert env.observation_space.low.tolist() == [0, 0, -1, -1, -2, 0, 0, 0]
    assert env.observation_space.high.tolist() == [1, 1, 1, 1, 0, 1, 1, 1]


def test_what_it_cannot_wrap_is_told():
    """Contract: other spaces, and vector environments that begin a new trial within the step that ended the last."""
    env = TrialEnv(tinymeta.make("bandit"))
    env.action_space = spaces.MultiBinary(2)
    with pytest.raises(InputError, match="action space MultiBinary.2., expected Discrete, Box or a Dict of these"):
        RL2Observation(env)
    same_step = {"autoreset_mode": AutoresetMode.SAME_STEP}
    with pytest.raises(InputError, match="autoreset_mode is .*SAME_STEP, expected AutoresetMode.NEXT_STEP"):
        RL2VectorObservation(gymnasium.make_vec("CartPole-v1", 2, "sync", vector_kwargs=same_step))
