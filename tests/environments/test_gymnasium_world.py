"""Worlds made of Gymnasium's environments: their tasks (property), and what is refused, in one line (contract)."""

import itertools
import sys

import faulty_environments
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
