"""The one table that simulation, belief and planning read: what can come of an action, the reset folded in.

For each (task, state, action) it lists the possible (next state, observation, reward, episode ended) with their
probabilities. Simulation samples from it, the belief filter (Alver & Precup 2021, Eq. 1) sums over it, the planner
enumerates it; so all three mean the same environment.
"""

from typing import Any, NamedTuple

import numpy as np

from tinymeta.base.jit import jit

NEVER = np.iinfo(np.int64).max  # an episode that no trial has


class Outcomes(NamedTuple):
    """What can happen, as one sparse table; `outcome_address` says where the outcomes of an action are.

    The outcomes of address i are `start[i]:start[i + 1]`. `initial_*` hold the first (state, observation) of a trial,
    addressed by task.
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
    per_episode: bool = False  # whether returns restart at an episode's end


def make_rules(tasks: Any, step_limit: int | None = None, per_episode: bool = False) -> Rules:
    """The `Rules` of a `TaskSet`, under its own step limit or another one."""
    return Rules(
        num_states=tasks.num_states,
        num_actions=tasks.num_actions,
        num_tasks=tasks.num_tasks,
        episodes=tasks.episodes,
        episode_length=tasks.episode_length or 0,
        step_limit=step_limit or tasks.step_limit,
        per_episode=per_episode,
    )


@jit
def outcome_address(last, task, state, action, num_tasks, num_states, num_actions):
    """Where in the table the outcomes of an action are; numbers, or integer arrays through `outcome_address.py_func`.

    `last` is 1 at the final step of a fixed-length episode, where every next state resets, and 0 otherwise.
    """
    return ((last * num_tasks + task) * num_states + state) * num_actions + action


@jit
def sample_index(cumulative, start, stop, uniform):
    """The first index in start…stop whose cumulative probability exceeds `uniform`; the last entry is 1, so there is
    one.
    """
    i = start
    while i < stop - 1 and uniform >= cumulative[i]:
        i += 1
    return i


def compile_outcomes(tasks: Any) -> Outcomes:
    """Fold P, R, O, d0 and the reset of a `TaskSet` into `Outcomes`."""
    initial = [_initial_pairs(tasks, m) for m in range(tasks.num_tasks)]
    table = _Table(("state", "observation", "reward", "ended"))
    reward_value, reward_index = np.unique(tasks.reward, return_inverse=True)
    reward_index = reward_index.reshape(tasks.reward.shape)
    emission = [_emission_pairs(tasks, m) for m in range(tasks.num_tasks)]
    for last in (False, True):
        for m, s, a in np.ndindex(tasks.num_tasks, tasks.num_states, tasks.num_actions):
            used = not tasks.terminal[m, s] and (not last or tasks.episode_length is not None)
            merged: dict[tuple, float] = {}
            for s_next in np.flatnonzero(tasks.transition[m, s, a]) if used else ():
                ended = bool(last or tasks.terminal[m, s_next])
                for state, observation, weight in initial[m] if ended else emission[m][a][s_next]:
                    key = (state, observation, reward_index[m, s, a, s_next], ended)
                    merged[key] = merged.get(key, 0.0) + tasks.transition[m, s, a, s_next] * weight
            table.append(merged)
    first = _Table(("state", "observation"))
    for pairs in initial:
        first.append({(state, observation): weight for state, observation, weight in pairs})
    prior_cumulative = np.cumsum(tasks.prior)
    return Outcomes(
        **table.arrays(),
        reward_value=reward_value,
        **{f"initial_{name}": array for name, array in first.arrays().items()},
        prior=tasks.prior.copy(),
        prior_cumulative=prior_cumulative / prior_cumulative[-1],
    )


class _Table:
    """Columns that grow address by address; outcomes that agree in all columns are one."""

    def __init__(self, columns: tuple[str, ...]):
        self.columns: dict[str, list] = {name: [] for name in columns}
        self.probability: list[float] = []
        self.cumulative: list[float] = []
        self.start = [0]

    def append(self, merged: dict[tuple, float]) -> None:
        """Add one address with its outcomes, {the columns' values: probability}."""
        total = sum(merged.values())
        cumulative = 0.0
        for key, probability in merged.items():
            cumulative += probability
            self.probability.append(probability)
            self.cumulative.append(cumulative / total)  # the last entry of an address is exactly 1
            for column, value in zip(self.columns.values(), key, strict=True):
                column.append(value)
        self.start.append(len(self.probability))

    def arrays(self) -> dict[str, np.ndarray]:
        floats = {"probability": np.array(self.probability, float), "cumulative": np.array(self.cumulative, float)}
        kinds = {name: np.bool_ if name == "ended" else np.int64 for name in self.columns}
        columns = {name: np.array(values, kinds[name]) for name, values in self.columns.items()}
        return {"start": np.array(self.start, np.int64), **floats, **columns}


def _initial_pairs(tasks: Any, m: int) -> list[tuple[int, int, float]]:
    """[(state, observation, probability)] of an episode's first moment in task m."""
    return [
        (int(s), int(o), tasks.initial[m, s] * tasks.initial_observation[m, s, o])
        for s in np.flatnonzero(tasks.initial[m])
        for o in np.flatnonzero(tasks.initial_observation[m, s])
    ]


def _emission_pairs(tasks: Any, m: int) -> list[list[list[tuple[int, int, float]]]]:
    """[action][next state] -> [(next state, observation, probability)] in task m, without a reset."""
    by_action = tasks.observation[m] if tasks.observation.ndim == 4 else tasks.observation[m][None]
    rows = [
        [[(s, int(o), seen[s, o]) for o in np.flatnonzero(seen[s])] for s in range(tasks.num_states)]
        for seen in by_action
    ]
    return rows if len(rows) == tasks.num_actions else rows * tasks.num_actions
