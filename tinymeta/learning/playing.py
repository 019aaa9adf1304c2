"""What playing trials with frozen weights needs: batches that fit into memory, evenly spread randomness, totals."""

from typing import Any, NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.memory import require
from tinymeta.environments.table import TaskSet
from tinymeta.environments.world import Draws
from tinymeta.learning.rollout import uniforms_per_trial
from tinymeta.learning.rows import STEPS, TIMES, Rows
from tinymeta.learning.sizes import working_bytes
from tinymeta.learning.wirings import Layout

BATCH_LIMIT = 128  # trials played at once
BATCH_BYTES = 2**25  # memory that they may take; results do not depend on it


class Totals(NamedTuple):
    """What N trials of K episodes earned and how long they took. Episodes that a cut trial never reached count 0."""

    reward: np.ndarray  # (N, K)
    discounted: np.ndarray  # (N,), discounted over the whole trial
    steps: np.ndarray  # (N, K) int64
    task: np.ndarray  # (N,) int64
    cut: np.ndarray  # (N,) bool, a step limit cut the trial


def trials_at_once(
    layout: Layout, rules: Any, draws: Draws, rollouts: int, itemsize: int, trace: bool, bytes_per_trial: int = 0
) -> int:
    """How many trials to play at once: up to `BATCH_LIMIT`, fewer where they are long; results do not depend on it.

    Raises
    ------
    ValueError
        If one trial, or what is kept of all of them, does not fit into memory.
    """
    one = working_bytes(layout, 1, rules.step_limit, itemsize) + 4 * 8 * uniforms_per_trial(rules.step_limit, draws)
    one += bytes_per_trial
    kept = 4 * 8 * rules.episodes + 64
    if trace:
        width = layout.input_size + 2 * layout.hidden_size + layout.num_actions + 9
        kept += 3 * itemsize * rules.step_limit * width
    batch = max(1, min(BATCH_LIMIT, rollouts, BATCH_BYTES // one))
    require(batch * one + rollouts * kept, f"playing {rollouts} trials of up to {rules.step_limit} steps")
    return batch


def evaluation_uniforms(seed: int, first: int, count: int, step_limit: int, draws: Draws = TaskSet.draws) -> np.ndarray:
    """The numbers of test trials first…first+count-1, array (count, `uniforms_per_trial`).

    Task, first state and first action are spread evenly (`randomness.spread`): a test of 100 trials then depends much
    less on chance.
    """
    numbers = randomness.uniforms(seed, randomness.EVALUATION, first, count, uniforms_per_trial(step_limit, draws))
    evenly = [
        0,
        1 + draws.first + draws.later,
        1,
    ]  # the two most even columns: task, first action
    numbers[:, evenly] = randomness.spread(seed, first, count)
    return numbers


def episode_totals(rows: Rows, episodes: int, gamma: float = 1.0) -> Totals:
    """`Totals` of a batch of recorded rows."""
    B = len(rows.task)
    steps = rows.size[STEPS]
    reward = np.zeros((B, episodes))
    count = np.zeros((B, episodes), np.int64)
    where = rows.trial[:steps], rows.episode[:steps]
    np.add.at(reward, where, rows.paid[:steps])
    np.add.at(count, where, 1)
    discount = float(gamma) ** times_of(rows)
    discounted = np.bincount(rows.trial[:steps], rows.paid[:steps] * discount, minlength=B)
    return Totals(reward, discounted, count, rows.task.copy(), ~rows.ended)


def times_of(rows: Rows) -> np.ndarray:
    """The time of every step's row, array (steps,)."""
    times = rows.size[TIMES]
    return np.repeat(np.arange(times), np.diff(rows.begin[: times + 1]))
