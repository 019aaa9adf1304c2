"""An environment is data: a finite set of finite episodic POMDPs, and the one table that everything else reads.

M tasks share S states, A actions and O observations (Alver & Precup 2021, §3). Task m has transitions P, rewards R,
observations O, an initial distribution d0 and terminal states; `prior` is P(T). An *episode* runs until a terminal state
is entered (or for `episode_length` steps), a *trial* is `episodes` episodes on one task. Entering a terminal state in one
of the first K-1 episodes resets to d0 inside the same step: the next observation is the new episode's first, beside the
last step's reward. The K-th ending ends the trial. `max_steps` is different: it *cuts* a trial, for training and rollouts
only, and ends nothing.

`TaskSet.outcomes` compiles P, R, O, d0 and the reset into one sparse table: for each (task, state, action) the possible
(next state, observation, reward, episode ended) with their probabilities. Simulation samples from that table, the belief
filter (paper, Eq. 1) sums over it, the planner enumerates it; so all three mean the same environment.
"""

import math
from typing import NamedTuple

import numpy as np

from tinymeta.errors import InputError, instance, integer

ROW_TOLERANCE = 1e-9  # a probability row may miss 1 by this much
NEVER = np.iinfo(np.int64).max  # an episode that no trial has


class Outcomes(NamedTuple):
    """What can happen, as one sparse table; rows of outcomes are addressed by ((last·M + m)·S + s)·A + a.

    `last` is 1 at the final step of a fixed-length episode, where every next state resets, and 0 otherwise. The outcomes of
    one address are `start[i]:start[i + 1]`. `initial_*` hold the first (state, observation) of a trial, addressed by task.
    """

    start: np.ndarray  # (2·M·S·A + 1,) int64
    probability: np.ndarray  # (n,) float64
    cumulative: np.ndarray  # (n,) float64, cumulative within an address
    state: np.ndarray  # (n,) int64, the state after a possible reset
    observation: np.ndarray  # (n,) int64
    reward: np.ndarray  # (n,) int64, index into reward_value
    ended: np.ndarray  # (n,) bool, the episode ended in this step
    reward_value: np.ndarray  # (R,) float64, the distinct rewards
    initial_start: np.ndarray  # (M + 1,) int64
    initial_probability: np.ndarray  # (n0,) float64
    initial_cumulative: np.ndarray  # (n0,) float64
    initial_state: np.ndarray  # (n0,) int64
    initial_observation: np.ndarray  # (n0,) int64
    prior: np.ndarray  # (M,) float64
    prior_cumulative: np.ndarray  # (M,) float64


class Rules(NamedTuple):
    """What a simulation needs to know of a task set besides its outcomes."""

    num_states: int
    num_actions: int
    num_tasks: int
    episodes: int
    episode_length: int  # 0 where episodes have no fixed length
    step_limit: int  # T


def make_rules(tasks, step_limit=None):
    return Rules(
        tasks.num_states,
        tasks.num_actions,
        tasks.num_tasks,
        tasks.episodes,
        tasks.episode_length or 0,
        step_limit or tasks.step_limit,
    )


class TaskSet:
    """A finite set of finite episodic POMDPs, validated at construction and immutable afterwards.

    Parameters
    ----------
    transition : array of shape (M, S, A, S)
        P_m(s' | s, a). Every row sums to 1, also those of terminal states, which are never used.
    reward : array of shape (M, S, A, S)
        R_m(s, a, s'), deterministic given the transition. A stochastic reward is a transition into an outcome state.
    observation : array of shape (M, S, O) or (M, A, S, O)
        O_m(o | s') or O_m(o | a, s').
    initial : array of shape (M, S)
        d0, the distribution of an episode's first state; zero on terminal states.
    terminal : bool array of shape (M, S)
        The states that end an episode.
    prior : array of shape (M,), optional
        P(T), uniform by default.
    episodes : int
        K, episodes per trial.
    initial_observation : array of shape (M, S, O), optional
        Distribution of an episode's first observation. Needed only where `observation` depends on the action.
    episode_length : int, optional
        Fixed length of every episode in steps, known to the model; its end is a true end. Needed where no terminal state exists.
    max_steps : int, optional
        Step limit that cuts a trial in rollouts; needed where a trial can be endless.
    name : str

    Raises
    ------
    ValueError
        Names the array, the index, the value and what was expected.
    """

    def __init__(self, transition, reward, observation, initial, terminal, prior=None, episodes=1, *,
                 initial_observation=None, episode_length=None, max_steps=None, name="custom"):  # fmt: skip
        self.name = instance("name", name, str)
        self.dedicated = None  # gamma -> exact values, where a planner of its own beats enumerating beliefs
        self.transition = _distribution("transition", transition, ("M", "S", "A", "S"), {})
        sizes = dict(zip("MSA", self.transition.shape[:3], strict=True))
        self.reward = _array("reward", reward, ("M", "S", "A", "S"), sizes)
        if _axes("observation", observation) == 3:
            self.observation = _distribution("observation", observation, ("M", "S", "O"), sizes)
            first = self.observation if initial_observation is None else initial_observation
        else:
            self.observation = _distribution("observation", observation, ("M", "A", "S", "O"), sizes)
            if initial_observation is None and (self.observation != self.observation[:, :1]).any():
                raise InputError("initial_observation is missing: observation depends on the action, and an episode's first "
                                 "observation follows none; expected an array of shape (M, S, O)")  # fmt: skip
            first = self.observation[:, 0] if initial_observation is None else initial_observation
        sizes["O"] = self.observation.shape[-1]
        self.initial_observation = _distribution("initial_observation", first, ("M", "S", "O"), sizes)
        self.initial = _distribution("initial", initial, ("M", "S"), sizes)
        self.terminal = _boolean("terminal", terminal, (sizes["M"], sizes["S"]))
        if prior is None:
            prior = np.full(sizes["M"], 1 / sizes["M"])
        self.prior = _distribution("prior", prior, ("M",), sizes)
        self.episodes = integer("episodes", episodes, low=1, high=10**6)
        self.episode_length = None if episode_length is None else integer("episode_length", episode_length, 1, 10**6)
        self.max_steps = None if max_steps is None else integer("max_steps", max_steps, low=1, high=10**7)
        for array in (
            self.transition,
            self.reward,
            self.observation,
            self.initial_observation,
            self.initial,
            self.terminal,
            self.prior,
        ):
            array.setflags(write=False)
        self.num_tasks, self.num_states, self.num_actions = self.transition.shape[:3]
        self.num_observations = sizes["O"]
        self._check_terminal_states()
        self._check_rewards()
        self.horizon = self._longest_trial()  # steps of the longest possible trial, math.inf if there is none
        if self.horizon == math.inf and self.max_steps is None:
            raise InputError(f"max_steps is missing: a trial of task set {self.name!r} can go on for ever; expected a step limit")
        self.step_limit = int(min(self.horizon, self.max_steps or math.inf))
        self.outcomes = _compile_outcomes(self)

    def __repr__(self):
        return (f"TaskSet({self.name!r}: {self.num_tasks} tasks, {self.num_states} states, {self.num_actions} actions, "
                f"{self.num_observations} observations, {self.episodes} episodes per trial, at most {self.step_limit} steps)")  # fmt: skip

    def _check_terminal_states(self):
        onto = np.argwhere(self.terminal & (self.initial > 0))
        if len(onto):
            m, s = onto[0]
            raise InputError(f"initial[{m}, {s}] = {self.initial[m, s]:g}, expected 0: state {s} of task {m} is terminal")
        if self.episode_length is not None:
            return
        for m in range(self.num_tasks):
            if not (self._reachable(m) & self.terminal[m]).any():
                raise InputError(f"terminal[{m}] holds no state that task {m} can reach from initial[{m}]; expected at least one, "
                                 "or an episode_length")  # fmt: skip

    def _check_rewards(self):
        beyond = np.argwhere(np.abs(self.reward) > np.finfo(np.float32).max)
        if len(beyond):
            index = tuple(int(i) for i in beyond[0])
            raise InputError(f"reward{list(index)} = {self.reward[index]:g}, expected a number that float32 can hold")
        values = np.unique(self.reward)
        narrow = values.astype(np.float32)
        if len(np.unique(narrow)) < len(values):
            close = values[:-1][np.diff(narrow) == 0][0]
            raise InputError(f"reward holds two different values near {close!r} that are one number in float32; expected rewards that "
                             "an agent can tell apart")  # fmt: skip

    def _reachable(self, m):
        """Mask (S,) of the states that task m can enter within an episode, terminal ones included."""
        step = (self.transition[m] > 0).any(axis=1) & ~self.terminal[m][:, None]  # (S, S)
        reached = self.initial[m] > 0
        fresh = reached
        while fresh.any():
            fresh = step[fresh].any(axis=0) & ~reached
            reached = reached | fresh
        return reached

    def _longest_trial(self):
        longest = max(self._longest_episode(m) for m in range(self.num_tasks))
        return self.episodes * min(longest, self.episode_length or math.inf)

    def _longest_episode(self, m):
        """Steps of task m's longest episode: take away, again and again, the states from which only terminal ones are left to enter;
        each round is a step. States that never go lie on a cycle."""
        inner = self._reachable(m) & ~self.terminal[m]
        step = (self.transition[m] > 0).any(axis=1) & inner[:, None] & inner
        ways, rounds = step.sum(axis=1), 0  # (S,) successors that are left
        while inner.any():
            last = inner & (ways == 0)
            if not last.any():
                return math.inf
            inner, ways, rounds = inner & ~last, ways - step[:, last].sum(axis=1), rounds + 1
        return rounds


def _numpy(name, value):
    """`value` as an array; masked entries, which NumPy would forget, are refused."""
    try:
        array = np.array(value)
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise InputError(f"{name} is not an array of numbers: {error}") from None
    if np.ma.is_masked(value):
        raise InputError(f"{name} has masked entries, expected a number everywhere")
    return array


def _axes(name, value):
    axes = _numpy(name, value).ndim
    if axes not in (3, 4):
        raise InputError(f"{name} has {axes} axes, expected shape (M, S, O) or (M, A, S, O)")
    return axes


def _array(name, value, axes, sizes):
    """`value` as a finite float64 array whose axes have the sizes known so far; errors name the array and the index."""
    array = _numpy(name, value)
    expected = f"({', '.join(axes)})"
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} has dtype {array.dtype}, expected real numbers of shape {expected}")
    if array.ndim != len(axes):
        raise InputError(f"{name} has shape {array.shape}, expected {len(axes)} axes {expected}")
    known = dict(sizes)
    for axis, size in zip(axes, array.shape, strict=True):
        if size == 0:
            raise InputError(f"{name} has shape {array.shape}, expected at least one entry along every axis of {expected}")
        if known.setdefault(axis, size) != size:
            wanted = ", ".join(str(known.get(a, a)) for a in axes)
            raise InputError(f"{name} has shape {array.shape}, expected ({wanted}) for axes {expected}")
    with np.errstate(over="ignore"):  # of a wider type; what overflows is refused below
        array = np.ascontiguousarray(array, dtype=np.float64)
    if not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"{name}{list(index)} = {array[index]}, expected a finite number")
    return array


def _distribution(name, value, axes, sizes):
    """Like `_array`, and every row along the last axis is a probability distribution."""
    array = _array(name, value, axes, sizes)
    if (array < 0).any():
        index = tuple(int(i) for i in np.argwhere(array < 0)[0])
        raise InputError(f"{name}{list(index)} = {array[index]:g}, expected a probability >= 0")
    with np.errstate(over="ignore"):
        total = array.sum(axis=-1)
    wrong = np.abs(total - 1) > ROW_TOLERANCE
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise InputError(f"{name}{list(index) if index else ''} sums to {total[index]:.12g}, expected 1")
    return array


def _boolean(name, value, shape):
    array = _numpy(name, value)
    if array.dtype != bool or array.shape != shape:
        raise InputError(f"{name} has dtype {array.dtype} and shape {array.shape}, expected bool of shape {shape}")
    return array


def _compile_outcomes(tasks):
    """Fold P, R, O, d0 and the reset into `Outcomes`; equal (state, observation, reward, ended) are merged."""
    reward_value, reward_index = np.unique(tasks.reward, return_inverse=True)
    reward_index = reward_index.reshape(tasks.reward.shape)
    M, S, A = tasks.num_tasks, tasks.num_states, tasks.num_actions
    initial = [_initial_pairs(tasks, m) for m in range(M)]
    emission = [_emission_pairs(tasks, m) for m in range(M)]
    successors = [[[np.flatnonzero(tasks.transition[m, s, a]) for a in range(A)] for s in range(S)] for m in range(M)]
    columns = {name: [] for name in ("probability", "cumulative", "state", "observation", "reward", "ended")}
    start = [0]
    for last in (False, True):
        for m, s, a in np.ndindex(M, S, A):
            merged = {}
            used = not tasks.terminal[m, s] and (not last or tasks.episode_length is not None)
            for s_next in successors[m][s][a] if used else ():
                probability, reward = tasks.transition[m, s, a, s_next], reward_index[m, s, a, s_next]
                ended = bool(last or tasks.terminal[m, s_next])
                pairs = initial[m] if ended else emission[m][a][s_next]
                for state, observation, weight in pairs:
                    key = (state, observation, reward, ended)
                    merged[key] = merged.get(key, 0.0) + probability * weight
            _append(columns, start, merged)
    initial_columns = {name: [] for name in ("probability", "cumulative", "state", "observation")}
    initial_start = [0]
    for pairs in initial:
        _append(initial_columns, initial_start, {(state, observation): weight for state, observation, weight in pairs})
    return Outcomes(
        start=np.array(start, np.int64), reward_value=reward_value,
        **{name: np.array(column, _DTYPE[name]) for name, column in columns.items()},
        initial_start=np.array(initial_start, np.int64),
        **{f"initial_{name}": np.array(column, _DTYPE[name]) for name, column in initial_columns.items()},
        prior=tasks.prior.copy(), prior_cumulative=np.cumsum(tasks.prior) / np.cumsum(tasks.prior)[-1],
    )  # fmt: skip


_DTYPE = {"probability": np.float64, "cumulative": np.float64, "state": np.int64, "observation": np.int64,
          "reward": np.int64, "ended": np.bool_}  # fmt: skip


def _initial_pairs(tasks, m):
    """[(state, observation, probability)] of an episode's first moment in task m."""
    return [(int(s), int(o), tasks.initial[m, s] * tasks.initial_observation[m, s, o])
            for s in np.flatnonzero(tasks.initial[m]) for o in np.flatnonzero(tasks.initial_observation[m, s])]  # fmt: skip


def _emission_pairs(tasks, m):
    """[action][next state] -> [(next state, observation, probability)] in task m, without a reset."""
    by_action = tasks.observation[m] if tasks.observation.ndim == 4 else tasks.observation[m][None]
    rows = [[[(s, int(o), by_action[a, s, o]) for o in np.flatnonzero(by_action[a, s])] for s in range(tasks.num_states)]
            for a in range(len(by_action))]  # fmt: skip
    return rows if len(rows) == tasks.num_actions else rows * tasks.num_actions


def _append(columns, start, merged):
    """Add one address's outcomes, {(state, observation[, reward, ended]): probability}, to the table."""
    names = [name for name in columns if name not in ("probability", "cumulative")]
    total, cumulative = sum(merged.values()), 0.0
    for key, probability in merged.items():
        cumulative += probability
        columns["probability"].append(probability)
        columns["cumulative"].append(cumulative / total)  # the last entry of an address is exactly 1
        for name, value in zip(names, key, strict=True):
            columns[name].append(value)
    start.append(start[-1] + len(merged))
