"""Worlds that exist only in Python: environments of Gymnasium (Towers et al. 2024), as sets of tasks.

A task is an environment with certain keywords; a keyword that is given as a list stands for one task with each of its
values, and several lists for all combinations. An episode of ours is one of Gymnasium's: it is *terminated* where the
environment says so, and *truncated*, which is no end that a value may count on, after `max_steps` or where the
environment says that. A trial is `episodes` of them on one task; the environment's own generator is seeded when the
trial begins, and goes on from episode to episode.
"""

import contextlib
import difflib
import io
import itertools
import math
import warnings
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError, integer, shown
from tinymeta.base.extras import extra_module
from tinymeta.environments.gym_family import Family, Spaces, make_plain, one_line, read_spaces
from tinymeta.environments.gym_pool import Pool
from tinymeta.environments.world import Draws, WorldRules

MOST_TASKS = 100_000
MOST_EPISODES = 10**6
MOST_STEPS = 10**7


class PythonWorld:
    """A set of tasks that Python steps; the attributes are those of a `TaskSet` where both have them.

    Attributes
    ----------
    name : str
    data : None
        There is nothing that a compiled step could read.
    num_tasks : int
        M, all equally likely.
    task_names : list of str
        The keywords that tell each task from the others.
    num_actions : int
        A: choices, or the length of the action vector.
    continuous : bool
        Actions are vectors; the pool clips them to the environment's bounds.
    num_observations : int
        One-hot categories; 1 where there are none.
    observation_size : int
        F numbers of the observation vector; 0 where there are none.
    episodes, max_steps, step_limit : int
        K per trial, steps after which an episode is truncated, and K times that.
    defaults : dict
        Settings that training takes where the user says nothing; the registry fills it in.
    """

    data = None
    state_size = 1  # of no use, but it has no table
    prior = None
    independent_arms = None
    horizon = math.inf

    def __init__(self, family: Family) -> None:
        self.family = family
        self.name = family.name
        self.num_tasks = len(family.keywords)
        self.task_names = family.task_names
        self.num_actions = family.spaces.num_actions
        self.continuous = family.spaces.continuous
        self.num_observations = family.spaces.num_observations
        self.observation_size = family.spaces.observation_size
        self.episodes = family.episodes
        self.max_steps = family.max_steps
        self.step_limit = family.episodes * family.max_steps
        self.defaults: dict[str, Any] = {}
        self.draws = Draws(first=1, action=self.num_actions if self.continuous else 1, step=0)

    def rules(self, step_limit: int | None = None, per_episode: bool = False) -> WorldRules:
        """What a simulation needs to know, under this step limit or another one."""
        M = self.num_tasks
        limit = step_limit or self.step_limit
        cumulative = np.arange(1, M + 1) / M
        return WorldRules(M, self.episodes, self.max_steps, limit, *self.draws, per_episode, cumulative)

    def __repr__(self) -> str:
        actions = "action numbers" if self.continuous else "actions"
        observations = f"{self.observation_size or self.num_observations} observation"
        observations += " numbers" if self.observation_size else "s"
        sizes = f"{self.num_tasks} tasks, {self.num_actions} {actions}, {observations}"
        trial = f"{self.episodes} episodes per trial, at most {self.step_limit} steps"
        return f"PythonWorld({self.name!r}: {sizes}, {trial})"

    def pool(self, count: int, workers: int | None = None) -> Pool:
        """`count` copies, stepped together by worker processes (one for each core by default)."""
        return Pool(self.family, count, workers)

    def environment(self, task: int, **keywords: Any) -> Any:
        """The environment of a task as `gymnasium.make` gives it, with its step limit; for looking at it.

        Parameters
        ----------
        task : int
        **keywords
            Further ones of the environment, such as render_mode="rgb_array".
        """
        import gymnasium

        task = integer("task", task, 0, self.num_tasks - 1)
        keywords = {**self.family.keywords[task], **keywords}
        return gymnasium.make(self.family.spec, max_episode_steps=self.max_steps, **keywords)


def gym(id: str, episodes: int = 1, max_steps: int | None = None, **keywords: Any) -> PythonWorld:
    """Any environment that is registered with Gymnasium and whose spaces are Box or Discrete.

    Parameters
    ----------
    id : str
        Such as "Pendulum-v1". An environment that an installed package registers by itself is there; one's own is
        registered in a Python file that is brought along. "module:Name" is refused: a run's folder holds the id, and
        reading a folder must not import what it names.
    episodes : int
        K per trial.
    max_steps : int, optional
        Steps after which an episode is truncated; those that the environment is registered with by default.
    **keywords
        The environment's own. A list or tuple stands for several tasks, one with each value; several of them for all
        combinations, the last one changing fastest. A value that is a list itself is given within another one. A
        keyword of the environment that is called `id`, `episodes` or `max_steps` cannot be given: register it under
        another id, with `kwargs`.

    Raises
    ------
    InputError
        If Gymnasium is missing, or the id is unknown, or the first task cannot be made, or a space is another one, or
        there is no step limit.
    """
    name = f"gym:{id}"
    return gymnasium_world(name, _specification(name, id), *grid(keywords), episodes, max_steps)


def gymnasium_world(
    name: str,
    spec: Any,
    keywords: list[dict[str, Any]],
    task_names: list[str],
    episodes: int,
    max_steps: int | None,
    spaces: Spaces | None = None,
) -> PythonWorld:
    """A world of what Gymnasium calls an `EnvSpec` and of the keywords of each task; see `gym`.

    Without `spaces` the first task is made once, to see them.
    """
    episodes = integer("episodes", episodes, 1, MOST_EPISODES)
    limit = spec.max_episode_steps if max_steps is None else integer("max_steps", max_steps, 1, MOST_STEPS)
    if limit is None:
        raise InputError(
            f"max_steps is missing: environment {name} is registered without a step limit; expected one, for example "
            "max_steps=1000"
        )
    if spaces is None:
        spaces = _spaces(name, spec, keywords[0])
    return PythonWorld(Family(name, spec, keywords, task_names, spaces, episodes, limit))


def grid(keywords: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """The keywords of each task, and its name: the keywords that differ between tasks, or all where there is one task.

    Examples
    --------
    >>> grid({"gravity": (9.8, 1.6), "sutton_barto_reward": True})[1]
    ['gravity=9.8', 'gravity=1.6']
    """
    values = {key: list(value) if isinstance(value, (list, tuple)) else [value] for key, value in keywords.items()}
    for key, given in values.items():
        if not given:
            raise InputError(f"{key} = {shown(keywords[key])}, expected at least one value")
    count = math.prod(map(len, values.values()))
    integer("the number of tasks", count, 1, MOST_TASKS)
    tasks = [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]
    telling = [key for key in values if count == 1 or len(values[key]) > 1]
    return tasks, [", ".join(f"{key}={task[key]}" for key in telling) for task in tasks]


def _specification(name: str, id: str) -> Any:
    gymnasium = extra_module("gymnasium", "gym", f"environment {shown(name)}")
    if not isinstance(id, str) or ":" in id:
        raise InputError(f"id = {shown(id)}, expected the name of a registered environment, such as 'CartPole-v1'")
    try:
        return gymnasium.spec(id)
    except gymnasium.error.Error as error:
        near = difflib.get_close_matches(id, list(gymnasium.registry), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"environment {name}: {one_line(error)}{hint}") from error


def _spaces(name: str, spec: Any, keywords: dict[str, Any]) -> Spaces:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # environments have their own; and to Box2D a warning that raises is fatal
        try:
            environment = make_plain(spec, keywords)
        except Exception as error:
            raise InputError(f"environment {name} could not be made: {one_line(error)}") from error
        with contextlib.closing(environment):
            return read_spaces(f"environment {name}", environment.observation_space, environment.action_space)
