"""A world: an environment that no table can hold, as arrays and two compiled functions.

    begin(world, task, episode, state, uniforms, seen)          -> observation
    step(world, task, episode, state, action, uniforms, seen)   -> reward, ended, observation

`world` is a NamedTuple of arrays and numbers, the same for all trials. `task` is the task of this trial, drawn from the
prior, and `episode` counts from 0. `state` (W,) float64 is the trial's own memory: `begin` writes an episode's first
state into it, at episode 0 also what holds for the whole trial; `step` moves it on. Both write the observation's vector
into `seen` (O,), and return its category, 0 where there is none. Randomness comes as `uniforms` in [0, 1). An episode
that has ended is followed by the next one inside the same step, which the caller sees to, as it sees to the limit
`max_steps`, which truncates an episode and ends nothing (see `tinymeta.learning.worlds`).

Both functions are chosen by the class of `world`: ``@begin.of(Pole)``, ``@step.of(Pole)``. They are plain Python until
they are compiled into the loop that trains, so they can be called, read and tested as such.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from tinymeta.base.dispatch import by_class
from tinymeta.base.errors import InputError, instance, integer, shown
from tinymeta.environments.arrays import distributions


@by_class
def begin(world, task, episode, state, uniforms, seen):
    """Begin an episode; overwrites state and seen and returns the observation's category."""


@by_class
def step(world, task, episode, state, action, uniforms, seen):
    """Take one step: updates state, overwrites seen, returns (reward, ended, category)."""


class Draws(NamedTuple):
    """How many uniform numbers a trial needs: to begin, and then at each step for what."""

    first: int  # for a trial's first `begin`
    action: int
    step: int
    again: int = 0  # for the `begin` of a later episode
    later: int = 0  # for all later episodes' `begin`; filled in by `World`

    @property
    def per_step(self) -> int:
        """Numbers of one step."""
        return self.action + self.step


class WorldRules(NamedTuple):
    """What a simulation needs to know of a world besides its arrays."""

    num_tasks: int
    episodes: int
    max_steps: int  # after which an episode is truncated
    step_limit: int  # T
    first: int  # see `Draws`
    action: int
    step: int
    again: int
    later: int
    per_episode: bool  # whether returns restart at an episode's end
    prior_cumulative: np.ndarray  # (M,)


class World:
    """An environment without a table, with the attributes that a `TaskSet` has.

    Parameters
    ----------
    data : NamedTuple
        Arrays and numbers, of a class for which `begin` and `step` are implemented.
    num_actions : int
        A: choices, or the length of the action's vector.
    max_steps : int
        Steps after which an episode is truncated.
    draws : Draws
        Uniform numbers; the entry `action` is filled in.
    num_tasks : int, optional
        M, if there are finitely many tasks, which then have an identity that agents can be told.
    state_size : int
        W, numbers of a trial's own memory.
    observation_size : int
        O, numbers of the observation's vector; 0 if there is none.
    num_observations : int
        Categories; 1 if there are none.
    continuous : bool
        Whether actions are vectors.
    episodes : int
        K, episodes per trial.
    step_limit : int, optional
        T, that cuts a trial; K·max_steps if left out.
    prior : array of shape (M,), optional
        Uniform if left out.
    task_names : sequence of str, optional
    name : str

    Raises
    ------
    ValueError
        Names the argument, what came and what was expected.
    """

    def __init__(
        self,
        data: Any,
        num_actions: int,
        max_steps: int,
        draws: Draws,
        *,
        num_tasks: int | None = None,
        state_size: int = 1,
        observation_size: int = 0,
        num_observations: int = 1,
        continuous: bool = False,
        episodes: int = 1,
        step_limit: int | None = None,
        prior: Any = None,
        task_names: tuple[str, ...] = (),
        name: str = "custom",
    ):
        if not hasattr(data, "_asdict"):
            raise InputError(f"data = {shown(data)}, expected a NamedTuple of arrays and numbers")
        self.name = instance("name", name, str)
        self.data = data
        self.num_actions = integer("num_actions", num_actions, 1, 10_000)
        self.max_steps = integer("max_steps", max_steps, 1, 10**6)
        self.num_tasks = None if num_tasks is None else integer("num_tasks", num_tasks, 1, 10**6)
        self.state_size = integer("state_size", state_size, 1, 10**6)
        self.observation_size = integer("observation_size", observation_size, 0, 10**5)
        self.num_observations = integer("num_observations", num_observations, 1, 10**5)
        self.continuous = bool(continuous)
        self.episodes = integer("episodes", episodes, 1, 10**6)
        longest = self.episodes * self.max_steps
        self.step_limit = longest if step_limit is None else min(longest, integer("step_limit", step_limit, 1, 10**7))
        draws = instance("draws", draws, Draws)
        self.draws = draws._replace(
            action=self.num_actions if continuous else 1, later=draws.again * (self.episodes - 1)
        )
        M = self.num_tasks or 1
        uniform = np.full(M, 1 / M)
        self.prior = distributions("prior", uniform if prior is None else prior, ("M",), {"M": M})
        self.task_names = task_names
        self.defaults: dict[str, Any] = {}
        self.horizon: float = math.inf if step_limit is None else self.step_limit
        self.independent_arms: tuple[int, int] | None = None

    def __repr__(self) -> str:
        tasks = "tasks without end" if self.num_tasks is None else f"{self.num_tasks} tasks"
        actions = f"{self.num_actions} numbers an action" if self.continuous else f"{self.num_actions} actions"
        return (
            f"World({self.name!r}: {tasks}, {actions}, {self.observation_size} numbers an observation, "
            f"{self.episodes} episodes per trial, at most {self.step_limit} steps)"
        )

    def rules(self, step_limit: int | None = None, per_episode: bool = False) -> WorldRules:
        """What a simulation needs to know, under this step limit or another one."""
        cumulative = np.cumsum(self.prior)
        draws = self.draws
        return WorldRules(
            self.num_tasks or 1,
            self.episodes,
            self.max_steps,
            step_limit or self.step_limit,
            draws.first,
            draws.action,
            draws.step,
            draws.again,
            draws.later,
            per_episode,
            cumulative / cumulative[-1],
        )
