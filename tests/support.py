"""Shared by all tests: small instances of every registered environment, and the kernels as plain Python."""

import pathlib
import types

import numpy as np
import pytest

import tinymeta
from tinymeta.environments.registry import ENVIRONMENTS
from tinymeta.learning.wirings import WIRINGS

SMALL = {  # where an environment's default is larger than a test needs
    "corridor": {"left": 2, "right": 3}, "bandit-independent": {"pulls": 4}, "tiger": {"horizon": 5},
    "gridworld": {"size": 3, "steps": 4, "episodes": 2},
}  # fmt: skip

every_env = pytest.mark.parametrize("env", ENVIRONMENTS)
every_agent = pytest.mark.parametrize("agent", WIRINGS)


def small(env):
    """A task set of the registered environment, small enough for a test."""
    return tinymeta.make(env, **SMALL.get(env, {}))


def noisy_taskset(**changes):
    """Two tasks, three states, two actions: everything is stochastic, ends differ between tasks, observations are noisy."""
    P = np.array([[[[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]], [[0.2, 0.5, 0.3], [0.0, 0.0, 1.0]], [[0, 0, 1], [0, 0, 1]]],
                  [[[0.4, 0.4, 0.2], [0.3, 0.3, 0.4]], [[0, 1, 0], [0, 1, 0]], [[0.5, 0.5, 0.0], [0.2, 0.7, 0.1]]]])  # fmt: skip
    arrays = {
        "transition": P, "reward": np.where(np.arange(3) == 2, 1.0, 0.25) * np.ones((2, 3, 2, 3)),
        "observation": np.array([[[0.8, 0.2], [0.3, 0.7], [0.5, 0.5]]] * 2), "initial": np.array([[0.7, 0.3, 0], [0.6, 0.0, 0.4]]),
        "terminal": np.array([[False, False, True], [False, True, False]]), "prior": np.array([0.4, 0.6]),
    }  # fmt: skip
    return tinymeta.TaskSet(**{**arrays, "episodes": 3, "max_steps": 12, "name": "noisy", **changes})


def plain_kernels(*edits):
    """The modules lstm and actor_critic as plain Python, each (old, new) of `edits` applied to their source: planted bugs.

    Every edit must apply exactly once, so that a test cannot go on planting a bug that no longer is one.
    """
    from tinymeta import actor_critic, lstm

    sources = {
        module.__name__: pathlib.Path(module.__file__).read_text(encoding="utf-8") for module in (lstm, actor_critic)
    }
    for old, new in edits:
        assert sum(source.count(old) for source in sources.values()) == 1, old
        sources = {name: source.replace(old, new) for name, source in sources.items()}
    plain_lstm = types.ModuleType("plain_lstm")
    exec(sources[lstm.__name__].replace("@jit\n", ""), plain_lstm.__dict__)
    plain = types.ModuleType("plain_actor_critic")
    code = (
        sources[actor_critic.__name__]
        .replace("@jit\n", "")
        .replace("from tinymeta.lstm import", "# from tinymeta.lstm import")
    )
    plain.__dict__.update(
        {name: getattr(plain_lstm, name) for name in ("lstm_forward", "lstm_backward", "lstm_parameter_gradients")}
    )
    exec(code, plain.__dict__)
    return plain
