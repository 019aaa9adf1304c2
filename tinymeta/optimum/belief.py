"""The exact Bayes filter (paper, Eq. 1): what an ideal agent knows about the task and the state, given what `rl2` sees.

    b'(m, s') ∝ Σ_s P_m(s, a, s') O_m(a, s', o) 1[R_m(s, a, s') = r] b(m, s)

with the reset folded in where s' is terminal. Evidence is the triple (action, observation, reward) and the fact that
the trial goes on; an episode's end is not announced. Where it cannot be inferred, the episode (and, for fixed-length
episodes, the time in it) is hidden too. So the filter carries the clock along with task and state
(`tinymeta.optimum.joint`), and belief means its marginal over clocks. Wherever ends are visible the clock is certain
and this is Eq. 1 itself.
"""

import math

import numpy as np

from tinymeta.base.errors import InputError, instance, integer, real
from tinymeta.base.memory import require
from tinymeta.environments.outcomes import make_rules
from tinymeta.environments.table import TaskSet
from tinymeta.optimum.filter import filter_begin, filter_step, filter_traces, reward_index
from tinymeta.optimum.joint import JointIndex


class Belief:
    """The exact belief along one trial.

    Parameters
    ----------
    tasks : TaskSet

    Attributes
    ----------
    joint : array of shape (M, S)
        P(task, state | history).
    tasks_marginal : array of shape (M,)
        P(task | history).
    episode : array of shape (K,)
        P(episode | history).
    steps : int
        Updates so far.
    log_likelihood : float
        log P(observations and rewards so far | actions).

    Examples
    --------
    A pull of arm 0 wins with probability 0.9 in one task and 0.1 in the other:

    >>> import tinymeta
    >>> belief = tinymeta.Belief(tinymeta.make("bandit", p=(0.9, 0.1)))  # the prior
    >>> belief = belief.begin(0)  # the trial's first observation; may be left out
    >>> belief.update(action=0, observation=0, reward=1).tasks_marginal.round(6).tolist()
    [0.9, 0.1]
    """

    def __init__(self, tasks: TaskSet) -> None:
        self._tasks = instance("tasks", tasks, TaskSet)
        self._rules = make_rules(tasks)
        shape = _shape(tasks)
        require(2 * 8 * math.prod(shape), f"a belief over {shape[0]} clocks, {shape[1]} tasks and {shape[2]} states")
        self._belief = np.zeros(shape)
        self._following = np.zeros(shape)
        self._span = np.zeros(2, np.int64)
        self.reset()

    def reset(self) -> "Belief":
        """Back to the prior, before the first observation."""
        filter_begin(self._tasks.outcomes, -1, self._belief, self._span)
        self.steps = 0
        self.log_likelihood = 0.0
        self._over = False
        return self

    def begin(self, observation: int) -> "Belief":
        """Take in a trial's first observation."""
        observation = integer("observation", observation, 0, self._tasks.num_observations - 1)
        self.reset()
        probability = filter_begin(self._tasks.outcomes, observation, self._belief, self._span)
        if probability == 0:
            self.reset()
            raise InputError(
                f"impossible evidence at step 0: first observation {observation} has probability 0 in every task"
            )
        self.log_likelihood = float(np.log(probability))
        return self

    def update(self, action: int, observation: int | None, reward: float) -> "Belief":
        """Take in one step: the action, the observation that followed (None if the trial ended) and the reward.

        Returns the belief itself.

        Raises
        ------
        ValueError
            If the evidence has probability 0 under the belief; names step, action, observation and reward. The belief
            stays.
        """
        if self._over:
            raise InputError(f"step {self.steps + 1}: the trial has ended, expected reset() before another update")
        action = integer("action", action, 0, self._tasks.num_actions - 1)
        if observation is not None:
            observation = integer("observation", observation, 0, self._tasks.num_observations - 1)
        index = int(reward_index(self._tasks, real("reward", reward)))
        seen = -1 if observation is None else observation
        ends = observation is None
        probability = filter_step(
            self._tasks.outcomes, self._rules, self._belief, self._span, action, seen, index, self._following, ends
        )
        if probability == 0:
            raise _impossible(self.steps + 1, action, observation, reward)
        self.steps += 1
        self.log_likelihood += float(np.log(probability))
        self._over = ends
        return self

    @property
    def entries(self) -> tuple[np.ndarray, np.ndarray]:
        """(joint indices, weights) of all that has positive probability; see `tinymeta.optimum.joint`."""
        weights = self._possible().ravel()
        positive = np.flatnonzero(weights)
        return positive + self._span[0] * self._belief[0].size, weights[positive]

    @property
    def joint(self) -> np.ndarray:
        """P(task, state | history), array of shape (M, S)."""
        return self._possible().sum(axis=0)

    @property
    def tasks_marginal(self) -> np.ndarray:
        """P(task | history), array of shape (M,)."""
        return self.joint.sum(axis=1)

    @property
    def episode(self) -> np.ndarray:
        """P(episode | history), array of shape (K,)."""
        by_clock = np.zeros(len(self._belief))
        by_clock[self._span[0] : self._span[1]] = self._possible().sum(axis=(1, 2))
        return by_clock.reshape(self._tasks.episodes, -1).sum(axis=1)

    def _possible(self) -> np.ndarray:
        """The belief at the clocks that are possible."""
        return self._belief[self._span[0] : self._span[1]]


def belief_along(
    tasks: TaskSet,
    observation: np.ndarray,
    action: np.ndarray,
    reward: np.ndarray,
    valid: np.ndarray,
    ended: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The exact belief before each action of N recorded trials, and the log-likelihood of each.

    Parameters
    ----------
    tasks : TaskSet
    observation, action, reward, valid : arrays of shape (N, T)
        observation[n, t] is what was seen before action[n, t]; reward[n, t] follows it.
    ended : bool array of shape (N,)
        The trial reached its end (False: a step limit cut it; then what its last action brought is not recorded and
        not used).

    Returns
    -------
    joint : array of shape (N, T, M, S), zero where not valid
    log_likelihood : array of shape (N,)

    Raises
    ------
    ValueError
        At impossible evidence; names trial, step, action, observation and reward.
    """
    instance("tasks", tasks, TaskSet)
    N, T = np.shape(action) if np.ndim(action) == 2 else (0, 0)
    observation = _checked("observation", observation, "iu", (N, T), tasks.num_observations).astype(np.int64)
    action = _checked("action", action, "iu", (N, T), tasks.num_actions).astype(np.int64)
    reward = _checked("reward", reward, "fiu", (N, T))
    valid = _checked("valid", valid, "b", (N, T))
    ended = _checked("ended", ended, "b", (N,))
    index = reward_index(tasks, reward).astype(np.int64)
    C, M, S = _shape(tasks)
    require(8 * (N * T + 2 * C) * M * S, f"the beliefs along {N} trials of up to {T} steps")
    joint = np.zeros((N, T, M, S))
    log_likelihood = np.zeros(N)
    failed = np.full(2, -1)
    working_memory = np.zeros((C, M, S)), np.zeros(2, np.int64), np.zeros((C, M, S))
    evidence = observation, action, index, valid, ended
    filter_traces(tasks.outcomes, make_rules(tasks), *evidence, *working_memory, joint, log_likelihood, failed)
    if failed[0] >= 0:
        raise _impossible_trial(observation, action, reward, valid, *failed.tolist())
    return joint, log_likelihood


def _shape(tasks: TaskSet) -> tuple[int, int, int]:
    """(C, M, S): clocks, tasks and states."""
    index = JointIndex(tasks)
    return index.clocks, index.M, index.S


def _checked(name: str, value: np.ndarray, kinds: str, shape: tuple[int, ...], below: int | None = None) -> np.ndarray:
    """`value` as an array of one of the dtype `kinds`, of this shape, whose entries are in [0, below)."""
    array = np.asarray(value)
    if array.dtype.kind not in kinds or array.shape != shape or 0 in shape:
        raise InputError(
            f"{name} has dtype {array.dtype} and shape {array.shape}, expected shape (N, T), (N,) for ended: {shape}"
        )
    if below is not None and ((array < 0) | (array >= below)).any():
        index = tuple(np.argwhere((array < 0) | (array >= below))[0].tolist())
        raise InputError(f"{name}{list(index)} = {array[index]}, expected at least 0 and below {below}")
    return array


def _impossible_trial(
    observation: np.ndarray, action: np.ndarray, reward: np.ndarray, valid: np.ndarray, n: int, t: int
) -> InputError:
    """The error for evidence of trial n that is impossible at step t, counted from 1; 0 is the first observation."""
    if t == 0:
        return InputError(f"trial {n}: impossible evidence at step 0: first observation {observation[n, 0]}")
    final = t == valid.shape[1] or not valid[n, t]
    seen = None if final else observation[n, t]
    return _impossible(t, action[n, t - 1], seen, reward[n, t - 1], f"trial {n}: ")


def _impossible(step: int, action: int, observation: int | None, reward: float, where: str = "") -> InputError:
    seen = "the trial's end" if observation is None else f"observation {observation}"
    return InputError(
        f"{where}impossible evidence at step {step}: action {action}, {seen} and reward {float(reward):g} have "
        "probability 0 in every task and state that the history leaves open"
    )
