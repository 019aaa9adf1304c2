"""The exact Bayes filter (paper, Eq. 1): what an ideal agent knows about the task and the state, given what `rl2` gets to see.

    b'(m, s') ∝ Σ_s P_m(s, a, s') O_m(a, s', o) 1[R_m(s, a, s') = r] b(m, s)

with the reset folded in where s' is terminal. Evidence is the triple (action, observation, reward) and the fact that the trial
goes on; an episode's end is not announced. Where it cannot be inferred, the episode (and, for fixed-length episodes, the
time in it) is hidden too. So the filter carries the *clock* c = episode·L + time in the episode along with (m, s), with L the fixed
length or 1, and belief means its marginal over clocks. Wherever ends are visible the clock is certain and this is Eq. 1 itself.
"""

import math

import numpy as np

from tinymeta.base.errors import InputError, instance, integer, real
from tinymeta.base.memory import require
from tinymeta.environments.outcomes import make_rules
from tinymeta.environments.table import TaskSet
from tinymeta.optimum.filter import filter_begin, filter_step, filter_traces, reward_index


def _clocks(tasks):
    return tasks.episodes * (tasks.episode_length or 1)


class Belief:
    """The exact belief along one trial.

    >>> belief = Belief(tasks)                  # the prior
    >>> belief.begin(observation)               # the trial's first observation; may be left out
    >>> belief.update(action, observation, reward)

    Attributes
    ----------
    joint : array of shape (M, S)
        P(task, state | history).
    tasks_marginal : array of shape (M,)
        P(task | history).
    log_likelihood : float
        log P(observations and rewards so far | actions).
    """

    def __init__(self, tasks):
        self._tasks, self._rules = instance("tasks", tasks, TaskSet), make_rules(tasks)
        shape = (_clocks(tasks), tasks.num_tasks, tasks.num_states)
        require(2 * 8 * math.prod(shape), f"a belief over {shape[0]} clocks, {shape[1]} tasks and {shape[2]} states")
        self._belief, self._following, self._span = np.zeros(shape), np.zeros(shape), np.zeros(2, np.int64)
        self.reset()

    def reset(self):
        """Back to the prior, before the first observation."""
        filter_begin(self._tasks.outcomes, -1, self._belief, self._span)
        self.steps, self.log_likelihood, self._over = 0, 0.0, False
        return self

    def begin(self, observation):
        """Take in a trial's first observation."""
        observation = integer("observation", observation, 0, self._tasks.num_observations - 1)
        probability = filter_begin(self._tasks.outcomes, observation, self._belief, self._span)
        if probability == 0:
            self.reset()
            raise InputError(
                f"impossible evidence at step 0: first observation {observation} has probability 0 in every task"
            )
        self.steps, self.log_likelihood, self._over = 0, float(np.log(probability)), False
        return self

    def update(self, action, observation, reward):
        """Take in one step: the action, the observation that followed (None if the trial ended) and the reward.

        Returns the belief itself.

        Raises
        ------
        ValueError
            If the evidence has probability 0 under the belief; names step, action, observation and reward. The belief stays.
        """
        if self._over:
            raise InputError(f"step {self.steps + 1}: the trial has ended, expected reset() before another update")
        action = integer("action", action, 0, self._tasks.num_actions - 1)
        if observation is not None:
            observation = integer("observation", observation, 0, self._tasks.num_observations - 1)
        index = int(reward_index(self._tasks, real("reward", reward)))
        seen = -1 if observation is None else observation
        probability = filter_step(self._tasks.outcomes, self._rules, self._belief, self._span, action, seen, index, self._following,
                                  observation is None)  # fmt: skip
        if probability == 0:
            raise _impossible(self.steps + 1, action, observation, reward)
        self.steps += 1
        self.log_likelihood += float(np.log(probability))
        self._over = observation is None
        return self

    @property
    def entries(self):
        """(joint indices (clock·M + task)·S + state, weights) of all that has positive probability."""
        flat = self._belief[self._span[0] : self._span[1]].ravel()
        inside = np.flatnonzero(flat)
        return inside + self._span[0] * self._belief[0].size, flat[inside]

    @property
    def joint(self):
        return self._belief[self._span[0] : self._span[1]].sum(axis=0)

    @property
    def tasks_marginal(self):
        return self.joint.sum(axis=1)

    @property
    def episode(self):
        """P(episode | history), array of shape (K,)."""
        weights = np.zeros(len(self._belief))
        weights[self._span[0] : self._span[1]] = self._belief[self._span[0] : self._span[1]].sum(axis=(1, 2))
        return weights.reshape(self._tasks.episodes, -1).sum(axis=1)


def _evidence(name, value, kinds, shape, below=None):
    """`value` as an array of one of the dtype `kinds`, of this shape, whose entries are in [0, below)."""
    array = np.asarray(value)
    if array.dtype.kind not in kinds or array.shape != shape or 0 in shape:
        raise InputError(
            f"{name} has dtype {array.dtype} and shape {array.shape}, expected shape (N, T), (N,) for ended: {shape}"
        )
    if below is not None and ((array < 0) | (array >= below)).any():
        index = tuple(int(i) for i in np.argwhere((array < 0) | (array >= below))[0])
        raise InputError(f"{name}{list(index)} = {array[index]}, expected at least 0 and below {below}")
    return array


def belief_along(tasks, observation, action, reward, valid, ended):
    """The exact belief before each action of N recorded trials, and the log-likelihood of each.

    Parameters
    ----------
    observation, action, reward, valid : arrays of shape (N, T)
        observation[n, t] is what was seen before action[n, t]; reward[n, t] follows it.
    ended : bool array of shape (N,)
        The trial reached its end (False: a step limit cut it; then what its last action brought is not recorded and not used).

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
    observation = _evidence("observation", observation, "iu", (N, T), tasks.num_observations).astype(np.int64)
    action = _evidence("action", action, "iu", (N, T), tasks.num_actions).astype(np.int64)
    reward, valid = _evidence("reward", reward, "fiu", (N, T)), _evidence("valid", valid, "b", (N, T))
    ended = _evidence("ended", ended, "b", (N,))
    index = reward_index(tasks, reward).astype(np.int64)
    require(
        8 * (N * T + 2 * _clocks(tasks)) * tasks.num_tasks * tasks.num_states,
        f"the beliefs along {N} trials of up to {T} steps",
    )
    joint, log_likelihood = np.zeros((N, T, tasks.num_tasks, tasks.num_states)), np.zeros(N)
    shape = (_clocks(tasks), tasks.num_tasks, tasks.num_states)
    failed = np.full(2, -1)
    scratch = np.zeros(shape), np.zeros(2, np.int64), np.zeros(shape)
    filter_traces(
        tasks.outcomes,
        make_rules(tasks),
        observation,
        action,
        index,
        valid,
        ended,
        *scratch,
        joint,
        log_likelihood,
        failed,
    )
    if failed[0] >= 0:
        n, t = (int(i) for i in failed)
        if t == 0:
            raise InputError(f"trial {n}: impossible evidence at step 0: first observation {observation[n, 0]}")
        final = t == T or not valid[n, t]
        raise _impossible(t, action[n, t - 1], None if final else observation[n, t], reward[n, t - 1], f"trial {n}: ")
    return joint, log_likelihood


def _impossible(step, action, observation, reward, where=""):
    seen = "the trial's end" if observation is None else f"observation {observation}"
    return InputError(f"{where}impossible evidence at step {step}: action {action}, {seen} and reward {float(reward):g} have "
                      "probability 0 in every task and state that the history leaves open")  # fmt: skip
