"""Worlds made of Gymnasium's environments: their tasks (property), and what is refused, in one line (contract)."""

import itertools
import sys

import faulty_environments
import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete
from hypothesis import given
from hypothesis import strategies as st

from tinymeta.base.errors import InputError
from tinymeta.environments.gymnasium_world import grid, gym
from tinymeta.environments.lunarlander import lunarlander
from tinymeta.environments.quadruped import quadruped

faulty_environments.register()


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=4), max_size=3))
def test_lists_make_the_grid(values):
    """Property: all combinations, the last keyword fastest; the names tell what differs."""
    keywords = dict(zip("abc", values, strict=False))
    tasks, names = grid(keywords)
    assert [tuple(task.values()) for task in tasks] == list(itertools.product(*values))
    assert len(names) == len(tasks)
    if len({*map(tuple, map(dict.values, tasks))}) == len(tasks):
        assert len(set(names)) == len(names)


def test_sizes():
    world = gym("Pendulum-v1", episodes=2, g=(1, 2, 3))
    assert (world.num_tasks, world.num_actions, world.continuous) == (3, 1, True)
    assert (world.num_observations, world.observation_size) == (1, 3)
    assert (world.episodes, world.max_steps, world.step_limit) == (2, 200, 400)
    assert world.task_names == ["g=1", "g=2", "g=3"]
    assert world.data is None
    lake = gym("FrozenLake-v1")
    assert (lake.num_actions, lake.continuous, lake.num_observations, lake.observation_size) == (4, False, 16, 0)


def test_lunarlander_blows_as_told():
    world = lunarlander(wind=(0, 15), turbulence=0, gravity=-5, max_steps=300)
    assert world.task_names == ["wind=0", "wind=15"]
    still, windy = (world.environment(task).unwrapped for task in range(2))
    assert (still.enable_wind, windy.enable_wind, windy.wind_power) == (False, True, 15)
    assert (windy.turbulence_power, windy.gravity, windy.continuous) == (0, -5, True)


def guided(observation, goal):
    """An action that comes down and, at the ground, often lands; `goal` is some random number in [-1, 1]."""
    x, y, x_dot, y_dot, angle, spin, left, right = observation
    turn = 0.5 * x + x_dot + 0.2 * goal - angle
    hover = 0.55 * abs(x) - y - y_dot
    if left or right:
        turn, hover = 0.0, -2 * y_dot
    return np.clip([20 * hover - 1, -20 * (0.5 * turn - spin)], -1.5, 1.5).astype(np.float32)


@pytest.mark.parametrize("wind", [0, 5, 15])
def test_the_lander_is_gymnasiums_to_the_bit(wind):
    """Oracle: observations, rewards, ends and what the generator draws, of random and of guided flight; some land."""
    world = lunarlander(wind=wind)
    keywords = world.family.keywords[0]
    ours, theirs = world.environment(0).unwrapped, gymnasium.make("LunarLander-v3", **keywords).unwrapped
    assert type(ours).step is not type(theirs).step
    rng = np.random.default_rng(wind)
    rewards = []
    for episode in range(24):
        seed = episode if episode % 3 == 0 else None  # else the generator goes on
        mine, other = ours.reset(seed=seed)[0], theirs.reset(seed=seed)[0]
        for _ in range(400):
            assert mine.tobytes() == other.tobytes()
            wild = episode % 2 == 0
            action = rng.uniform(-1.2, 1.2, 2).astype(np.float32) if wild else guided(mine, rng.uniform(-1, 1))
            mine, reward, terminated, truncated, _ = ours.step(action)
            other, *expected = theirs.step(action)
            assert (reward, terminated, truncated) == tuple(expected[:3])
            assert type(reward) is float
            if terminated:
                break
        rewards.append(reward)
    assert ours.np_random.bit_generator.state == theirs.np_random.bit_generator.state
    assert -100 in rewards
    assert 100 in rewards or wind > 0  # came to rest


def test_a_lander_that_is_drawn_is_gymnasiums():
    """With exhaust gases, which only a picture has."""
    drawn = lunarlander(wind=0).environment(0, render_mode="rgb_array").unwrapped
    drawn.reset(seed=0)
    drawn.step(np.array([1.0, 1.0], np.float32))
    assert len(drawn.particles) == 2


def refuse(build, *told):
    with pytest.raises(InputError) as failure:
        build()
    message = str(failure.value)
    assert "\n" not in message
    for part in told:
        assert part in message


REFUSED = {
    "unknown id": (lambda: gym("CartPol-v1"), "gym:CartPol-v1", "CartPole-v1"),
    "old version": (lambda: gym("LunarLander-v2"), "LunarLander-v3"),
    "no version": (lambda: gym("CartPole"), "CartPole"),
    "a module to import": (lambda: gym("antigravity:X-v0"), "antigravity:X-v0", "registered"),
    "no text": (lambda: gym(3), "id = 3"),
    "unknown keyword": (lambda: gym("CartPole-v1", gravitas=9), "gravitas", "gym:CartPole-v1"),
    "no limit": (lambda: gym("tests/Endless-v0"), "max_steps is missing"),
    "limit of no steps": (lambda: gym("CartPole-v1", max_steps=0), "max_steps = 0"),
    "no episodes": (lambda: gym("CartPole-v1", episodes=0), "episodes = 0"),
    "no values": (lambda: gym("Pendulum-v1", g=()), "g = ()", "at least one value"),
    "fails": (lambda: gym("tests/Faulty-v0", fault="make"), "could not be made: ValueError: no such world"),
    "too many tasks": (lambda: gym("Pendulum-v1", g=list(range(400)), b=list(range(400))), "number of tasks"),
    "wind": (lambda: lunarlander(wind=(0, 30)), "wind[1] = 30"),
    "no wind": (lambda: lunarlander(wind=()), "number of values of wind = 0"),
    "turbulence": (lambda: lunarlander(turbulence=3), "turbulence = 3"),
    "gravity": (lambda: lunarlander(gravity=9.8), "gravity = 9.8"),
    "terrain": (lambda: quadruped(terrain="grund"), "'grund'", "did you mean 'ground'"),
    "no terrain": (lambda: quadruped(terrain=()), "number of values of terrain = 0"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_wrong_input_is_told(case):
    refuse(*case)


SPACES = {
    "dict": {"observations": Dict({"a": Discrete(2)})},
    "many choices": {"actions": MultiDiscrete([2, 2])},
    "whole numbers as actions": {"actions": Box(0, 5, (2,), np.int64)},
    "nothing to see": {"observations": Box(0, 1, (0,))},
    "nothing to do": {"actions": Box(0, 1, (0,))},
    "too much to see": {"observations": Box(0, 1, (2000, 1000))},
}


@pytest.mark.parametrize("spaces", SPACES.values(), ids=SPACES)
def test_other_spaces_are_refused(spaces):
    refuse(lambda: gym("tests/Spaces-v0", **spaces), "gym:tests/Spaces-v0 has the", "expected Discrete or a Box")


def test_images_are_flattened():
    assert gym("tests/Spaces-v0", observations=Box(0, 255, (8, 8, 3), np.uint8)).observation_size == 192


@pytest.mark.parametrize(("build", "missing"), [(lambda: gym("CartPole-v1"), "gymnasium"),
                                                (lambda: lunarlander(), "gymnasium"),
                                                (lambda: quadruped(), "gymnasium")])  # fmt: skip
def test_what_is_not_installed_is_told_with_the_command(build, missing, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    refuse(build, f"needs {missing}", "python -m pip install 'tinymeta[")
