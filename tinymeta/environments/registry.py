"""The registry of task sets: each row is a builder and the training defaults of its column in the paper's Table 1.

A new environment is one builder that returns a `TaskSet`, and one row here.
"""

import inspect
from typing import NamedTuple

from tinymeta.base.errors import choice
from tinymeta.environments.bandit import bandit
from tinymeta.environments.corridor import corridor
from tinymeta.environments.gridworld import gridworld
from tinymeta.environments.independent import independent
from tinymeta.environments.informative import informative
from tinymeta.environments.tiger import tiger

BANDIT_DEFAULTS = {
    "learning_rate": 1e-3, "gamma": 0.80, "ent_coef": 0.001, "max_grad_norm": 1.0, "vf_coef": 0.05,
    "num_envs": 4, "trials": 20_000,
}  # fmt: skip

GRIDWORLD_DEFAULTS = {
    "learning_rate": 1e-4, "gamma": 0.90, "ent_coef": 0.01, "max_grad_norm": 5.0, "vf_coef": 0.05,
    "num_envs": 1, "trials": 50_000,
}  # fmt: skip


class Environment(NamedTuple):
    """One row of the registry: a builder of task sets, and what training uses where the user says nothing."""

    build: object
    defaults: dict


ENVIRONMENTS = {
    "bandit": Environment(bandit, BANDIT_DEFAULTS),
    "corridor": Environment(corridor, GRIDWORLD_DEFAULTS),
    "bandit-independent": Environment(independent, BANDIT_DEFAULTS),
    "bandit-informative": Environment(informative, BANDIT_DEFAULTS),
    "tiger": Environment(
        tiger, {**GRIDWORLD_DEFAULTS, "learning_rate": 1e-3, "gamma": 0.95, "num_envs": 16, "trials": 400_000}
    ),
    "gridworld": Environment(
        gridworld, {**GRIDWORLD_DEFAULTS, "learning_rate": 1e-3, "gamma": 0.95, "num_envs": 16, "trials": 200_000}
    ),
}


def make(env, **kwargs):
    """Build the task set `env`, for example ``make("corridor", left=10, right=11)``.

    Raises
    ------
    ValueError
        For an unknown environment, an unknown keyword or a value that the builder refuses.
    """
    build, defaults = ENVIRONMENTS[choice("environment", env, ENVIRONMENTS)]
    known = inspect.signature(build).parameters
    for key in kwargs:
        choice(f"keyword of environment {env!r}", key, known)
    tasks = build(**kwargs)
    tasks.defaults = dict(defaults)
    return tasks
