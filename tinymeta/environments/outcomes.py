"""TODO environments.outcomes."""

from typing import NamedTuple

import numpy as np

from tinymeta.base.jit import jit

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


@jit
def outcome_address(last, task, state, action, num_tasks, num_states, num_actions):
    """Where in the table the outcomes of an action begin; numbers or integer arrays (through `.py_func`)."""
    return ((last * num_tasks + task) * num_states + state) * num_actions + action


@jit
def sample_index(cumulative, start, stop, uniform):
    """The first index whose cumulative probability exceeds `uniform`; the last entry is 1, so there is one."""
    i = start
    while i < stop - 1 and uniform >= cumulative[i]:
        i += 1
    return i
