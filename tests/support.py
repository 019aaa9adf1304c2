"""Shared by all tests: small instances of every registered environment, and which agents they can be given."""

import numpy as np
import pytest

import tinymeta
from tinymeta.environments.outcomes import NEVER
from tinymeta.environments.registry import ENVIRONMENTS
from tinymeta.learning.wirings import WIRINGS

SMALL = {  # where an environment's default is larger than a test needs
    "corridor": {"left": 2, "right": 3},
    "bandit-independent": {"pulls": 4},
    "tiger": {"horizon": 5},
    "gridworld": {"size": 3, "steps": 4, "episodes": 2},
    "bandit-fixed": {"arms": 3, "pulls": 4, "instances": 2, "episodes": 2},
    "bandit-volatile": {"pulls": 4},
    "random-mdp": {"states": 3, "actions": 2, "horizon": 3, "episodes": 2},
    "cartpole": {"gravity": (5.0, 20.0), "max_steps": 9, "episodes": 2},
}


def small(env):
    """A task set or world of the registered environment, small enough for a test."""
    return tinymeta.make(env, **SMALL.get(env, {}))


def words(env):
    """The same as words of a command line."""
    shown = {key: ",".join(map(str, v)) if isinstance(v, tuple) else v for key, v in SMALL.get(env, {}).items()}
    return ["--env-kwargs", *(f"{key}={value}" for key, value in shown.items())] if shown else []


def is_told(agent):
    """Whether an agent is ever told the task's identity."""
    return WIRINGS[agent].identity_from < NEVER


BY_PYTHON = ("lunarlander", "quadruped")  # stepped by Python, in processes; what they need is not a part of the package
COMPILED = [env for env in ENVIRONMENTS if env not in BY_PYTHON]
KINDS = {env: small(env) for env in COMPILED}
PAIRS = [(env, agent) for env in COMPILED for agent in WIRINGS if KINDS[env].num_tasks or not is_told(agent)]
REFUSED = [(env, agent) for env in COMPILED for agent in WIRINGS if (env, agent) not in PAIRS]

every_env = pytest.mark.parametrize("env", COMPILED)
every_table = pytest.mark.parametrize("env", [env for env in KINDS if isinstance(KINDS[env], tinymeta.TaskSet)])
every_agent = pytest.mark.parametrize("agent", WIRINGS)
every_env_and_agent = pytest.mark.parametrize(("env", "agent"), PAIRS)


def arrays_of(held):
    """The arrays in a tuple, and in the tuples in it; one that stands there twice is one."""
    found = {}
    for value in held:
        inner = [value] if isinstance(value, np.ndarray) else arrays_of(value) if isinstance(value, tuple) else []
        found |= {id(array): array for array in inner}
    return list(found.values())


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
