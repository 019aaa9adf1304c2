"""The registry of task sets: each row is a builder and the training defaults of its column in the paper's Table 1.

A new environment is one builder that returns a `TaskSet` or a `World`, and one row here. Table 1 (Alver & Precup 2021,
Appendix A.1) has columns for the bandit and the corridor; the other environments begin from the column of the one that
they resemble.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from tinymeta.base.errors import InputError, choice, shown
from tinymeta.environments import own
from tinymeta.environments.bandit import bandit
from tinymeta.environments.cartpole import cartpole
from tinymeta.environments.corridor import corridor
from tinymeta.environments.fixed_arms import fixed_arms
from tinymeta.environments.gridworld import gridworld
from tinymeta.environments.gymnasium_world import gym
from tinymeta.environments.independent import independent
from tinymeta.environments.informative import informative
from tinymeta.environments.kinds import AnyWorld
from tinymeta.environments.lunarlander import lunarlander
from tinymeta.environments.quadruped import quadruped
from tinymeta.environments.random_mdp import random_mdp
from tinymeta.environments.tiger import tiger
from tinymeta.environments.volatile import volatile

BANDIT = {
    "learning_rate": 1e-3, "gamma": 0.80, "ent_coef": 0.001, "max_grad_norm": 1.0, "vf_coef": 0.05,
    "num_envs": 4, "trials": 20_000,
}  # fmt: skip
CORRIDOR = {
    "learning_rate": 1e-4, "gamma": 0.90, "ent_coef": 0.01, "max_grad_norm": 5.0, "vf_coef": 0.05,
    "num_envs": 1, "trials": 50_000,
}  # fmt: skip
# Ours, chosen on seeds from 1000 on.
CARTPOLE = {
    "algorithm": "ppo", "learning_rate": 1e-3, "final_learning_rate": 0.0, "n_epochs": 10, "gamma": 0.99,
    "gae_lambda": 0.95, "ent_coef": 0.0, "vf_coef": 0.5, "max_grad_norm": 0.5, "num_envs": 16, "hidden_size": 32,
    "trials": 8_000, "returns": "episode",
}  # fmt: skip
LUNARLANDER = {
    **CARTPOLE, "gamma": 0.999, "gae_lambda": 0.98, "learning_rate": 5e-4, "final_learning_rate": 1e-4,
    "ent_coef": 0.01, "final_ent_coef": 0.0, "n_epochs": 4, "num_minibatches": 32, "batch_size": 512, "num_envs": 32,
    "trials": 3_200, "hidden_size": 32, "encoder": (64,), "separate_value": True, "norm_obs": True, "norm_reward": True,
}  # fmt: skip
RANDOM_MDP = {
    **CARTPOLE, "learning_rate": 2e-3, "n_epochs": 6, "gamma": 0.8, "gae_lambda": 0.3, "ent_coef": 0.01,
    "final_ent_coef": 0.0, "num_envs": 64, "num_minibatches": 16, "hidden_size": 48, "trials": 60_000,
    "returns": "trial",
}  # fmt: skip
LONG = {**CORRIDOR, "learning_rate": 1e-3, "gamma": 0.95, "num_envs": 16}


class Environment(NamedTuple):
    """One row of the registry: a builder of task sets, and what training uses where the user says nothing."""

    build: Callable[..., AnyWorld]
    defaults: dict[str, Any]
    needs_extra: bool = False  # something that is not installed with the package


ENVIRONMENTS = {
    "bandit": Environment(bandit, BANDIT),
    "corridor": Environment(corridor, CORRIDOR),
    "bandit-independent": Environment(independent, BANDIT),
    "bandit-informative": Environment(informative, BANDIT),
    "tiger": Environment(tiger, {**LONG, "trials": 400_000}),
    "gridworld": Environment(gridworld, {**LONG, "trials": 200_000}),
    "bandit-fixed": Environment(fixed_arms, BANDIT),
    "bandit-volatile": Environment(volatile, BANDIT),
    "random-mdp": Environment(random_mdp, RANDOM_MDP),
    "cartpole": Environment(cartpole, CARTPOLE),
    "lunarlander": Environment(lunarlander, LUNARLANDER, needs_extra=True),
    "quadruped": Environment(quadruped, LUNARLANDER, needs_extra=True),
}
GYM = "gym:"  # before the id of an environment of Gymnasium
SHIPPED = frozenset(ENVIRONMENTS)


def bring(where: str) -> str:
    """Add one's own environment, "FILE.py:FUNCTION", here and in worker processes; returns its name.

    Raises
    ------
    InputError
        See `tinymeta.environments.own.load_function`; or if the name is that of an environment of ours, or if
        `FUNCTION.defaults` is no dict.
    """
    name, build = own.load_function(where)
    if name in SHIPPED:
        raise InputError(f"--env-module {where}: {name!r} is an environment of tinymeta, expected another name")
    defaults = getattr(build, "defaults", {})
    if not isinstance(defaults, dict):
        raise InputError(f"--env-module {where}: {name}.defaults is {shown(defaults)}, expected a dict of settings")
    ENVIRONMENTS[name] = Environment(build, {**BANDIT, **defaults})
    own.remember(where)
    return name


def environment(env: str) -> Environment:
    """A row of `ENVIRONMENTS`.

    Raises
    ------
    InputError
        For an unknown name; says how one's own are given.
    """
    if isinstance(env, str) and env.startswith(GYM):
        return Environment(functools.partial(gym, env.removeprefix(GYM)), CARTPOLE, needs_extra=True)
    try:
        return ENVIRONMENTS[choice("environment", env, ENVIRONMENTS)]
    except InputError as error:
        others = "one of Gymnasium's is gym:ID, one's own is given with --env-module FILE.py:FUNCTION"
        raise InputError(f"{error}; {others}") from None


def make(env: str, **kwargs: Any) -> Any:
    """Build the task set or world `env`.

    Parameters
    ----------
    env : str
        A row of `ENVIRONMENTS`.
    **kwargs
        The builder's parameters.

    Returns
    -------
    TaskSet or World
        Its `defaults` are those of the registry.

    Raises
    ------
    ValueError
        For an unknown environment, an unknown keyword or a value that the builder refuses.

    Examples
    --------
    >>> import tinymeta
    >>> tinymeta.make("corridor", left=10, right=11)
    TaskSet('corridor': 2 tasks, 22 states, 2 actions, 22 observations, 2 episodes per trial, at most 210 steps)
    """
    row = environment(env)
    known = inspect.signature(row.build).parameters
    for key in () if "keywords" in known else kwargs:
        choice(f"keyword of environment {env!r}", key, known)
    tasks = row.build(**kwargs)
    tasks.defaults = dict(row.defaults)
    return tasks


for _entry in own.remembered():  # a worker process has what the command was given
    bring(_entry)
