"""B trials of one environment as Gymnasium sees them: spaces, observations, infos, the exact beliefs beside them.

`TrialEnv` has one trial and `TrialVectorEnv` many; both are thin shells around `Trials`.
"""

from typing import Any

import numpy as np
from gymnasium import spaces

from tinymeta.base.errors import InputError, choice, instance, integer, shown
from tinymeta.base.memory import require
from tinymeta.environments.outcomes import make_rules
from tinymeta.environments.table import TaskSet
from tinymeta.gym.slots import DRAWN, begin_slots, follow_slots, make_slots, step_slots
from tinymeta.optimum.filter import reward_index
from tinymeta.optimum.joint import JointIndex

BELIEF_LIMIT = 100_000  # (clock, task, state) triples of a trial up to which its belief is told unasked
OPTIONS = ("task",)  # of reset


class Trials:
    """B trials of one task set, side by side.

    Parameters
    ----------
    tasks : TaskSet
    count : int
        B.
    numbers : int
        N, how many uniform numbers of each slot are kept.
    belief : bool, optional
        Whether infos tell the exact belief over tasks. By default where it costs little: up to `BELIEF_LIMIT`
        hypotheses about clock, task and state.
    step_limit : int, optional
        Steps after which a trial is cut; never more than the task set's own limit.

    Attributes
    ----------
    slots : Slots
    uniforms : array of shape (B, N)
        The numbers that the slots use next, from `slots.used` on; whoever owns the generators fills it in.

    Raises
    ------
    ValueError
        If no belief of this size fits into memory, or for a wrong count or step limit.
    """

    def __init__(
        self, tasks: TaskSet, count: int, numbers: int, belief: bool | None = None, step_limit: int | None = None
    ) -> None:
        self.tasks = instance("tasks", tasks, TaskSet)
        self.count = integer("num_envs", count, 1, 10**6)
        limit = tasks.step_limit if step_limit is None else integer("max_episode_steps", step_limit, 1)
        self.slots = make_slots(self.count)
        self.uniforms = np.zeros((count, numbers))
        self._world = tasks.outcomes, make_rules(tasks, min(limit, tasks.step_limit))
        self._beliefs: tuple[np.ndarray, ...] | None = None
        index = JointIndex(tasks)
        if belief is None:
            belief = index.size <= BELIEF_LIMIT
        if instance("belief", belief, bool):
            require(8 * index.size * (count + 1), f"the beliefs of {count} trials, {index.size} hypotheses each")
            shape = (index.clocks, index.M, index.S)
            span = np.zeros((count, 2), np.int64)
            self._beliefs = np.zeros((count, *shape)), span, np.zeros(shape), np.zeros((count, index.M))

    @property
    def over(self) -> np.ndarray:
        """The trials that ended or were cut, bool array (B,)."""
        return self.slots.terminated | self.slots.truncated

    def begin(self, task: np.ndarray) -> None:
        """Every slot begins a trial, of its task (B,) or of one that is `DRAWN`."""
        begin_slots(*self._world, self.tasks.outcomes.prior_cumulative, task, self.uniforms, self.slots)
        self._follow(task)

    def step(self, action: np.ndarray) -> None:
        """Every slot takes its action, int64 array (B,); one whose trial is over begins the next."""
        step_slots(*self._world, self.tasks.outcomes.prior_cumulative, action, self.uniforms, self.slots)
        self._follow(action)

    def _follow(self, action: np.ndarray) -> None:
        if self._beliefs is not None:
            reward = reward_index(self.tasks, self.slots.reward)
            follow_slots(*self._world, action, reward, self.slots, *self._beliefs)

    def observations(self) -> np.ndarray:
        """What the slots see, in the form of the batched observation space, int64 array (B,)."""
        return self.slots.observation.copy()

    def infos(self) -> dict[str, np.ndarray]:
        """{what Gymnasium's info tells: array of shape (B, …)}.

        The key "episode" is left to those who keep statistics of Gymnasium's episodes: its `RecordEpisodeStatistics`,
        Stable-Baselines3's `Monitor`.
        """
        slots = self.slots
        infos = {"task": slots.task, "episode_index": slots.episode, "new_episode": slots.new_episode}
        infos = {name: values.copy() for name, values in infos.items()}
        if self._beliefs is not None:
            infos["belief"] = self._beliefs[-1].copy()
        return infos


def observation_space(tasks: TaskSet) -> spaces.Discrete:
    """The space of one observation."""
    return spaces.Discrete(tasks.num_observations)


def action_space(tasks: TaskSet) -> spaces.Discrete:
    """The space of one action."""
    return spaces.Discrete(tasks.num_actions)


def chosen_tasks(options: dict[str, Any] | None, tasks: TaskSet, count: int) -> np.ndarray:
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
    wanted = np.asarray(task)
    if wanted.dtype.kind not in "iu" or wanted.shape not in ((), (count,)):
        raise InputError(f"options['task'] = {shown(task)}, expected a task or, for {count} trials, one of each")
    for number in wanted.ravel().tolist():
        integer("options['task']", number, 0, tasks.num_tasks - 1)
    return np.full(count, wanted, np.int64)


def checked_actions(actions: Any, tasks: TaskSet, count: int) -> np.ndarray:
    """`actions` as an int64 array (B,).

    Raises
    ------
    InputError
        If they are not B integers of 0…A-1.
    """
    array = np.asarray(actions)
    if array.dtype.kind not in "iu" or array.shape != (count,):
        raise InputError(f"actions = {shown(actions)}, expected {count} integers")
    if array.min() < 0 or array.max() >= tasks.num_actions:
        raise InputError(f"actions = {shown(actions)}, expected integers >= 0 and <= {tasks.num_actions - 1}")
    return array.astype(np.int64)
