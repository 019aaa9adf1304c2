"""Agents in one call: `learn` one in memory, or `load` the one that a run folder holds; and the exact values beside
them.

Everything else in this folder is about keeping runs; these functions are what one calls from Python, and what probes,
papers and the commands build on.
"""

import copy
import functools
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from tinymeta.base.errors import InputError, choice, instance
from tinymeta.base.files import AnyPath
from tinymeta.environments.kinds import AnyWorld, world_or_table
from tinymeta.environments.registry import make
from tinymeta.learning.agent import Agent
from tinymeta.learning.evaluation import exact_or_reason
from tinymeta.learning.kept import kept_scaling
from tinymeta.learning.learner import Learner
from tinymeta.learning.settings import Settings
from tinymeta.runs.config import Config, build, parse_kwargs
from tinymeta.runs.folder import RunFolder

RUN_NODE_LIMIT = 200_000  # beliefs among which a training run looks for the optimum, some two seconds


def learn(tasks: AnyWorld, agent: str = "rl2", **settings: Any) -> Agent:
    """Train an agent on any task set, in memory, and return it.

    Parameters
    ----------
    tasks : TaskSet or World
        One of ours or your own.
    agent : str
        A row of `tinymeta.learning.wirings.WIRINGS`.
    **settings
        Fields of `tinymeta.learning.settings.Settings`, such as trials=20_000 or learning_rate=1e-3. What is left out
        is taken from `tasks.defaults`, which `tinymeta.make` fills with the environment's own and you may fill for
        yours; what is not there either has the default of `Settings`.

    Raises
    ------
    ValueError
        For an unknown setting, a value out of range, or sizes that do not fit into memory.
    DivergenceError
        If a loss, gradient or parameter is not finite.

    Examples
    --------
    >>> import tinymeta
    >>> tinymeta.learn(tinymeta.make("bandit"), trials=40, hidden_size=4).layout.hidden_size
    4
    """
    world_or_table(tasks)
    defaults = instance("tasks.defaults", tasks.defaults, dict)
    _check_names("setting", settings)
    _check_names("setting in tasks.defaults", defaults)
    chosen = Settings(**{**defaults, **settings, "agent": agent})
    learner = Learner(tasks, chosen)
    learner.advance(chosen.updates)
    learner.close()
    return learner.agent()


def _check_names(kind: str, settings: Mapping[str, Any]) -> None:
    known = [f.name for f in fields(Settings)]
    for name in settings:
        choice(kind, name, known)


def load(path: AnyPath, seed: int = 0) -> Agent:
    """The agent of a run folder, with its latest checkpoint's weights.

    Parameters
    ----------
    path : str or Path
    seed : int
        Of the actions that `Agent.act` samples.

    Raises
    ------
    ValueError
        If `path` is no run folder or its files do not fit together.
    """
    folder = RunFolder(path)
    config = folder.read_config()
    settings = config.settings
    tasks = build(config)
    layout = settings.layout(tasks)
    checkpoint = folder.last_checkpoint
    if checkpoint is None:
        raise InputError(f"{folder.path} has no checkpoint.npz, expected a run that got at least that far")
    state, _ = folder.read_checkpoint(checkpoint, config, layout)
    return Agent.of_run(tasks, settings, state.theta, kept_scaling(settings, layout, state.kept), seed)


def exact_for(config: Config) -> dict[str, Any]:
    """`exact_or_reason` for a run's config, from at most `RUN_NODE_LIMIT` beliefs.

    In one process, runs that differ in their seed alone share the work.
    """
    return copy.deepcopy(_exact_for(config.env, json.dumps(config.env_kwargs), config.settings.gamma))


@functools.lru_cache(maxsize=16)
def _exact_for(env: str, env_kwargs: str, gamma: float) -> dict[str, Any]:
    return exact_or_reason(make(env, **parse_kwargs(env_kwargs)), gamma, RUN_NODE_LIMIT)
