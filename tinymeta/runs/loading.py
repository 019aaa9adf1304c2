"""TODO runs.loading."""

from dataclasses import fields
import copy
import functools
import json

from tinymeta.base.errors import InputError, choice, instance
from tinymeta.environments.registry import make
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.learning.evaluation import exact_or_reason
from tinymeta.learning.learner import Learner
from tinymeta.learning.settings import Settings
from tinymeta.learning.wirings import make_layout
from tinymeta.runs.config import build, parse_kwargs
from tinymeta.runs.folder import RunFolder


RUN_NODE_LIMIT = 200_000  # beliefs among which a training run looks for the optimum, some two seconds

def exact_for(config):
    """`exact_or_reason` for a run's config, from at most `RUN_NODE_LIMIT` beliefs. In one process, runs that differ in their seed alone
    share the work."""
    return copy.deepcopy(_exact_for(config.env, json.dumps(config.env_kwargs), config.settings.gamma))

@functools.lru_cache(maxsize=16)
def _exact_for(env, env_kwargs, gamma):
    return exact_or_reason(make(env, **parse_kwargs(env_kwargs)), gamma, RUN_NODE_LIMIT)

def load(path, seed=0):
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
    settings, tasks = config.settings, build(config)
    layout = make_layout(tasks, settings.agent, settings.hidden_size)
    path = folder.last_checkpoint
    if path is None:
        raise InputError(f"{folder.path} has no checkpoint.npz, expected a run that got at least that far")
    state, _ = folder.read_checkpoint(path, config, layout)
    return Agent(tasks, settings.agent, state.theta, settings.hidden_size, seed)

def learn(tasks, agent="rl2", **settings):
    """Train an agent on any task set, in memory, and return it.

    Parameters
    ----------
    tasks : TaskSet
        One of ours or your own.
    agent : str
        A row of `tinymeta.agents.WIRINGS`.
    **settings
        Fields of `tinymeta.learner.Settings`, such as trials=20_000 or learning_rate=1e-3.

    Returns
    -------
    Agent
    """
    for name in settings:
        choice("setting", name, [f.name for f in fields(Settings)])
    settings = Settings(**settings, agent=agent)
    instance("tasks", tasks, TaskSet)
    learner = Learner(tasks, settings)
    learner.advance(settings.updates)
    return Agent(tasks, agent, learner.theta, settings.hidden_size)
