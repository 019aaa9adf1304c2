"""B trials of one environment as Gymnasium sees them: spaces, observations, infos, the exact beliefs beside them.

`TrialEnv` has one trial and `TrialVectorEnv` many; both are thin shells around `Trials`.
"""

from typing import Any

import numpy as np
from gymnasium import spaces

from tinymeta.base.dispatch import compiled_for
from tinymeta.base.errors import InputError, choice, instance, integer, shown
from tinymeta.base.memory import require
from tinymeta.environments.kinds import table
from tinymeta.environments.table import TaskSet
from tinymeta.environments.world import World
from tinymeta.gym.slots import DRAWN, Drawing, begin_slots, follow_slots, make_slots, step_slots
from tinymeta.optimum.filter import reward_index
from tinymeta.optimum.joint import JointIndex

BELIEF_LIMIT = 100_000  # (clock, task, state) triples of a trial up to which its belief is told unasked
OPTIONS = ("task",)  # of reset
Compiled = TaskSet | World  # what kernels can step
LARGEST = float(np.finfo(np.float32).max)


class Trials:
    """B trials of one task set or world, side by side.

    Parameters
    ----------
    tasks : TaskSet or World
    count : int
        B.
    numbers : int
        N, how many uniform numbers of each slot are kept.
    belief : bool, optional
        Whether infos tell the exact belief over tasks. By default where there is a table and it costs little: up to
        `BELIEF_LIMIT` hypotheses about clock, task and state.
    step_limit : int, optional
        Steps after which a trial is cut; never more than the task set's own limit.

    Attributes
    ----------
    slots : Slots
    drawing : Drawing
    uniforms : array of shape (B, N)
        The numbers that the slots use next, from `slots.used` on; whoever owns the generators fills it in.

    Raises
    ------
    ValueError
        If there is no exact belief, or none of its size fits into memory; or for a wrong count or step limit.
    """

    def __init__(
        self, tasks: Compiled, count: int, numbers: int, belief: bool | None = None, step_limit: int | None = None
    ) -> None:
        if not isinstance(tasks, (TaskSet, World)):
            raise InputError(f"tasks = {shown(tasks)}, expected a TaskSet or a World, which compiled steps can read")
        self.tasks = tasks
        self.count = integer("num_envs", count, 1, 10**6)
        limit = tasks.step_limit if step_limit is None else integer("max_episode_steps", step_limit, 1)
        self.slots = make_slots(self.count, tasks.state_size, tasks.observation_size)
        cumulative = np.cumsum(tasks.prior)
        draws = tasks.draws
        self.drawing = Drawing(cumulative / cumulative[-1], 1 + draws.first, draws.step + draws.again)
        self.uniforms = np.zeros((count, max(numbers, 4 * self.drawing.begin, self.drawing.step)))
        self._world = tasks.data, tasks.rules(min(limit, tasks.step_limit))
        kind: Any = type(tasks.data)
        self._begin_slots = compiled_for(begin_slots, kind)
        self._step_slots = compiled_for(step_slots, kind)
        self._beliefs: tuple[np.ndarray, ...] | None = None
        if belief is None:
            belief = isinstance(tasks, TaskSet) and JointIndex(tasks).size <= BELIEF_LIMIT
        if instance("belief", belief, bool):
            self._beliefs = _working_memory(table(tasks, "belief=True"), count)
        names = np.array(getattr(tasks, "task_names", ()), object)
        self._task_names = names if any(names) else None

    @property
    def over(self) -> np.ndarray:
        """The trials that ended or were cut, bool array (B,)."""
        return self.slots.terminated | self.slots.truncated

    def begin(self, task: np.ndarray) -> None:
        """Every slot begins a trial, of its task (B,) or of one that is `DRAWN`."""
        self._begin_slots(*self._world, self.drawing, task, self.uniforms, self.slots)
        self._follow(task)

    def step(self, action: np.ndarray) -> None:
        """Every slot takes its action, array of `checked_actions`; one whose trial is over begins the next."""
        self._step_slots(*self._world, self.drawing, action, self.uniforms, self.slots)
        self._follow(action)

    def _follow(self, action: np.ndarray) -> None:
        if self._beliefs is not None:
            reward = reward_index(table(self.tasks, "the filter"), self.slots.reward)
            follow_slots(*self._world, action, reward, self.slots, *self._beliefs)

    def observations(self) -> Any:
        """What the slots see, in the form of the batched `observation_space`."""
        category = self.slots.observation.copy()
        numbers = self.slots.seen.astype(np.float32)
        if not self.tasks.observation_size:
            return category
        return {"category": category, "numbers": numbers} if self.tasks.num_observations > 1 else numbers

    def infos(self) -> dict[str, np.ndarray]:
        """{what Gymnasium's info tells: array of shape (B, …)}.

        The key "episode" is left to those who keep statistics of Gymnasium's episodes: its `RecordEpisodeStatistics`,
        Stable-Baselines3's `Monitor`.
        """
        slots = self.slots
        infos = {"episode_index": slots.episode.copy(), "new_episode": slots.new_episode.copy()}
        if self.tasks.num_tasks is not None:
            infos["task"] = slots.task.copy()
        if self._task_names is not None:
            infos["task_name"] = self._task_names[slots.task]
        if self._beliefs is not None:
            infos["belief"] = self._beliefs[-1].copy()
        return infos


def _working_memory(tasks: TaskSet, count: int) -> tuple[np.ndarray, ...]:
    """The beliefs of B trials and what else `follow_slots` needs: belief, span, following, marginal."""
    index = JointIndex(tasks)
    require(8 * index.size * (count + 1), f"the beliefs of {count} trials, {index.size} hypotheses each")
    shape = (index.clocks, index.M, index.S)
    return np.zeros((count, *shape)), np.zeros((count, 2), np.int64), np.zeros(shape), np.zeros((count, index.M))


def observation_space(tasks: Compiled) -> spaces.Space:
    """The space of one observation: Discrete for a category, Box for numbers, a Dict of both for both.

    Where nothing is known about their bounds, numbers are what float32 can hold.
    """
    category = spaces.Discrete(tasks.num_observations)
    numbers = spaces.Box(-LARGEST, LARGEST, (tasks.observation_size,), np.float32)
    if not tasks.observation_size:
        return category
    return spaces.Dict({"category": category, "numbers": numbers}) if tasks.num_observations > 1 else numbers


def action_space(tasks: Compiled) -> spaces.Space:
    """The space of one action: Discrete, or Box for a vector, which the world clips where it has bounds."""
    if tasks.continuous:
        return spaces.Box(-np.inf, np.inf, (tasks.num_actions,), np.float32)
    return spaces.Discrete(tasks.num_actions)


def chosen_tasks(options: dict[str, Any] | None, tasks: Compiled, count: int) -> np.ndarray:
    """The tasks that reset's options ask for, int64 array (B,), `DRAWN` where they leave it open.

    Raises
    ------
    InputError
        For an unknown option, or a task that there is not.
    """
    for name in options or {}:
        choice("option of reset", name, OPTIONS)
    task = (options or {}).get("task")
    if task is None:
        return np.full(count, DRAWN)
    if tasks.num_tasks is None:
        raise InputError(f"options['task'] = {shown(task)}, expected none: {tasks.name!r} has tasks without end")
    wanted = np.asarray(task)
    if wanted.dtype.kind not in "iu" or wanted.shape not in ((), (count,)):
        raise InputError(f"options['task'] = {shown(task)}, expected a task or, for {count} trials, one of each")
    for number in wanted.ravel().tolist():
        integer("options['task']", number, 0, tasks.num_tasks - 1)
    return np.full(count, wanted, np.int64)


def checked_actions(actions: Any, tasks: Compiled, count: int) -> np.ndarray:
    """`actions` as an int64 array (B,), or as a float64 array (B, A) where they are vectors.

    Raises
    ------
    InputError
        If they are not B integers of 0…A-1, or B vectors of A finite numbers.
    """
    array = np.asarray(actions)
    A = tasks.num_actions
    if tasks.continuous:
        if array.dtype.kind not in "fiu" or array.shape != (count, A) or not np.isfinite(array).all():
            raise InputError(f"actions = {shown(actions)}, expected {count} vectors of {A} finite numbers")
        return array.astype(np.float64)
    if array.dtype.kind not in "iu" or array.shape != (count,):
        raise InputError(f"actions = {shown(actions)}, expected {count} integers")
    if array.min() < 0 or array.max() >= A:
        raise InputError(f"actions = {shown(actions)}, expected integers >= 0 and <= {A - 1}")
    return array.astype(np.int64)
