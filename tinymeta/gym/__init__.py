"""Every compiled environment for Gymnasium: ``import tinymeta.gym``, then ``gymnasium.make("tinymeta/Bandit-v0")``.

One episode of Gymnasium's is one *trial*, K episodes of ours on one task, so a recurrent agent of any library can be
trained and tested on it; info tells task, episode and the exact belief. Keywords are those of `tinymeta.make`, and

    rl2=True                     observations are RL²'s input vectors, see `tinymeta.gym.wrappers`
    belief=True or False         whether info tells the exact belief
    render_mode="ansi"           of the single environments

`gymnasium.make_vec` makes `TrialVectorEnv`, which steps all trials in one compiled call. A `TaskSet` or `World` of
one's own needs no name: ``TrialEnv(tasks)``.
"""

import inspect
from typing import Any

from tinymeta.base.extras import extra_module

extra_module("gymnasium", "gym", "tinymeta.gym")

import gymnasium  # noqa: E402

from tinymeta.environments.gymnasium_world import PythonWorld  # noqa: E402
from tinymeta.environments.registry import ENVIRONMENTS, make  # noqa: E402
from tinymeta.environments.table import TaskSet  # noqa: E402
from tinymeta.gym.trial_env import TrialEnv  # noqa: E402
from tinymeta.gym.trials import Compiled  # noqa: E402
from tinymeta.gym.vector_env import TrialVectorEnv  # noqa: E402
from tinymeta.gym.wrappers import ANY_REWARD, RL2Observation, RL2VectorObservation  # noqa: E402


def identifier(env: str) -> str:
    """Gymnasium's name of the registered environment `env`.

    Examples
    --------
    >>> identifier("bandit-independent")
    'tinymeta/BanditIndependent-v0'
    """
    return f"tinymeta/{''.join(word[:1].upper() + word[1:] for word in env.split('-'))}-v0"


def environments() -> list[str]:
    """The registered environments that are compiled; those that Python steps, such as LunarLander, are Gymnasium's
    already.
    """
    returned = {env: inspect.signature(row.build).return_annotation for env, row in ENVIRONMENTS.items()}
    return [env for env, kind in returned.items() if kind is not PythonWorld]


def register() -> list[str]:
    """Tell Gymnasium of every one of `environments` that it does not yet know; returns the names of all.

    It was called when this module was imported. After one's own environment was added to the registry, call it again.
    """
    for env in environments():
        if identifier(env) not in gymnasium.registry:
            gymnasium.register(
                identifier(env),
                entry_point="tinymeta.gym:make_trial",
                vector_entry_point="tinymeta.gym:make_trials",
                kwargs={"env": env},
                order_enforce=False,  # `TrialEnv` itself refuses a step before the first reset
                disable_env_checker=True,  # all of Gymnasium's checks run in the tests
            )
    return [identifier(env) for env in environments()]


def make_trial(
    env: str, rl2: bool = False, belief: bool | None = None, render_mode: str | None = None, **kwargs: Any
) -> gymnasium.Env:
    """What ``gymnasium.make`` calls: a `TrialEnv` of the registered environment `env`, with `rl2` wrapped."""
    tasks = make(env, **kwargs)
    made = TrialEnv(tasks, belief, render_mode)
    return RL2Observation(made, _reward_range(tasks)) if rl2 else made


def make_trials(
    env: str,
    num_envs: int = 1,
    rl2: bool = False,
    belief: bool | None = None,
    max_episode_steps: int | None = None,
    **kwargs: Any,
) -> gymnasium.vector.VectorEnv:
    """What ``gymnasium.make_vec`` calls: a `TrialVectorEnv` of the registered environment `env`, with `rl2` wrapped."""
    tasks = make(env, **kwargs)
    made = TrialVectorEnv(tasks, num_envs, belief, max_episode_steps)
    return RL2VectorObservation(made, _reward_range(tasks)) if rl2 else made


def _reward_range(tasks: Compiled) -> tuple[float, float]:
    """The least and the largest reward of a step; of a world without a table nothing is known."""
    if not isinstance(tasks, TaskSet):
        return ANY_REWARD
    return float(tasks.outcomes.reward_value.min()), float(tasks.outcomes.reward_value.max())


register()
