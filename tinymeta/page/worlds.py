"""Finished runs → what a page holds: one entry a task set, with its tables, its optimum and its agents.

Runs are grouped by task set. An agent called "untrained" stands beside them: the network of the first run as it was
before training.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.environments.kinds import table
from tinymeta.environments.outcomes import make_rules
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.learning.networks import Deep
from tinymeta.learning.wirings import WIRINGS
from tinymeta.page.encoding import packed
from tinymeta.page.fitting import fitted
from tinymeta.page.labels import labels_of
from tinymeta.papers.plotting import LABEL
from tinymeta.probes.many import run_folders
from tinymeta.probes.recording import untrained
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.loading import load

TEST_ROLLOUTS = 100  # as in result.json
MANY = 2**30  # stands for "never" where JavaScript has no 64-bit integers


def worlds_of(paths: Iterable[str | Path]) -> list[dict[str, Any]]:
    """The page's worlds, in the order of the runs.

    Parameters
    ----------
    paths : iterable of str or Path
        Run folders, or folders of seed-<k>, of which the first seed is shown.

    Raises
    ------
    InputError
        If a path holds no finished run, or two of them are the same agent on the same task set.
    """
    groups: dict[str, list[RunFolder]] = {}
    for path in paths:
        run = RunFolder(run_folders([path])[0])
        if not run.finished:
            raise InputError(f"run {run.path} is unfinished, expected one with a result.json")
        config = run.read_config()
        group = groups.setdefault(f"{config.env} {config.env_kwargs}", [])
        name = config.settings.agent
        if name in [other.read_config().settings.agent for other in group]:
            raise InputError(f"run {run.path} is a second {name} on its task set, expected one of each agent")
        group.append(run)
    return [_world(runs) for runs in groups.values()]


def _world(runs: list[RunFolder]) -> dict[str, Any]:
    agents = [load(run.path) for run in runs]
    settings = runs[0].read_config().settings
    tasks = table(agents[0].tasks, "the page")
    for agent, run in zip(agents, runs, strict=True):
        if isinstance(agent.layout.network, Deep):
            raise InputError(f"run {run.path} has dense layers or two networks, expected one LSTM for the page")
    labels = labels_of(tasks)
    entries = [_agent(agent, agent.name, run) for agent, run in zip(agents, runs, strict=True)]
    twin = untrained(agents[0], settings.seed, settings.init)
    return {
        "env": tasks.name,
        **labels._asdict(),
        **tables_of(tasks),
        "optimum": _optimum(runs[0], settings.gamma),
        "agents": [*entries, _agent(twin, "untrained", None)],
    }


def tables_of(tasks: TaskSet) -> dict[str, Any]:
    """What simulation and filter in the browser read: {"hidden", "rules", "outcomes"}."""
    return {
        "hidden": "task" if tasks.num_tasks > 1 else "state",
        "rules": make_rules(tasks)._asdict(),
        "outcomes": {name: packed(np.asarray(array)) for name, array in tasks.outcomes._asdict().items()},
    }


def _agent(agent: Agent, name: str, run: RunFolder | None) -> dict[str, Any]:
    """An agent's network, and what is fitted to it; `run` is None for one that was never trained."""
    layout = agent.layout._asdict()
    del layout["head"], layout["network"]
    layout["identity_from"] = min(layout["identity_from"], MANY)
    test = agent.play(TEST_ROLLOUTS)
    return {
        "name": name,
        "label": LABEL.get(name, name),
        "wiring": agent.name,
        "role": WIRINGS[agent.name].role,
        "trained": 0 if run is None else run.read_config().settings.trials,
        "layout": layout,
        "theta": packed(agent.theta),
        "test": {"reward": float(test.reward.sum(axis=1).mean()), "steps": float(test.steps.sum(axis=1).mean())},
        **fitted(agent),
    }


def _optimum(run: RunFolder, gamma: float) -> dict[str, Any]:
    """The Bayes optimum per trial, or bounds of it, as the run's own test found it; None where not known."""
    found = run.read_result()["evaluation"]["bayes_optimal"]
    bounds = found.get("bounds", {})
    return {
        "gamma": gamma,
        "reward": found["reward_per_trial"],
        "steps": found["steps_per_trial"],
        "lower": bounds["lower"]["reward_per_trial"] if bounds else None,
        "upper": bounds["upper"]["reward_per_trial"] if bounds else None,
    }
