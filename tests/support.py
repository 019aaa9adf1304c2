"""Shared by all tests: small instances of every registered environment, and the kernels as plain Python."""

import importlib
import pathlib
import types

import numpy as np
import pytest

import tinymeta
from tinymeta.environments.registry import ENVIRONMENTS
from tinymeta.learning.wirings import WIRINGS

SMALL = {  # where an environment's default is larger than a test needs
    "corridor": {"left": 2, "right": 3},
    "bandit-independent": {"pulls": 4},
    "tiger": {"horizon": 5},
    "gridworld": {"size": 3, "steps": 4, "episodes": 2},
}

every_env = pytest.mark.parametrize("env", ENVIRONMENTS)
every_agent = pytest.mark.parametrize("agent", WIRINGS)


def small(env):
    """A task set of the registered environment, small enough for a test."""
    return tinymeta.make(env, **SMALL.get(env, {}))


def noisy_taskset(**changes):
    """Two tasks, three states, two actions: everything is random, ends differ between tasks, observations are noisy."""
    P = np.array([
        [[[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]], [[0.2, 0.5, 0.3], [0.0, 0.0, 1.0]], [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]],
        [[[0.4, 0.4, 0.2], [0.3, 0.3, 0.4]], [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]], [[0.5, 0.5, 0.0], [0.2, 0.7, 0.1]]],
    ])  # fmt: skip
    arrays = {
        "transition": P,
        "reward": np.where(np.arange(3) == 2, 1.0, 0.25) * np.ones((2, 3, 2, 3)),
        "observation": np.array([[[0.8, 0.2], [0.3, 0.7], [0.5, 0.5]]] * 2),
        "initial": np.array([[0.7, 0.3, 0], [0.6, 0.0, 0.4]]),
        "terminal": np.array([[False, False, True], [False, True, False]]),
        "prior": np.array([0.4, 0.6]),
    }
    return tinymeta.TaskSet(**{**arrays, "episodes": 3, "max_steps": 12, "name": "noisy", **changes})


KERNEL_MODULES = ("network.flat", "network.lstm", "network.heads", "network.losses", "learning.update")


def plain_kernels(*edits):
    """`tinymeta.learning.update` and the network under it as plain Python, with planted bugs.

    Each (old, new) of `edits` is applied to the sources. It must apply exactly once, so that a test cannot go on
    planting a bug that no longer is one.
    """
    modules = [importlib.import_module(f"tinymeta.{name}") for name in KERNEL_MODULES]
    sources = [pathlib.Path(module.__file__).read_text(encoding="utf-8") for module in modules]
    for old, new in edits:
        assert sum(source.count(old) for source in sources) == 1, old
        sources = [source.replace(old, new) for source in sources]
    planted = {}
    for source in sources:
        plain = types.ModuleType("plain")
        exec(source.replace("@jit\n", ""), plain.__dict__)
        plain.__dict__.update(planted)  # in place of the compiled ones that it imported
        planted.update({name: value for name, value in vars(plain).items() if isinstance(value, types.FunctionType)})
    return plain
