"""TODO learning.playing."""

from typing import NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.memory import require
from tinymeta.learning.rollout import uniforms_per_trial
from tinymeta.learning.rows import STEPS, TIMES, working_bytes

BATCH, PLAY_BYTES = 128, 2**25  # trials played at once, and the memory they may take; results do not depend on it


class Totals(NamedTuple):
    """What N trials of K episodes earned and how long they took. Episodes that a cut trial never reached count 0."""

    reward: np.ndarray  # (N, K)
    discounted: np.ndarray  # (N,), discounted over the whole trial
    steps: np.ndarray  # (N, K) int64
    task: np.ndarray  # (N,) int64
    cut: np.ndarray  # (N,) bool, a step limit cut the trial


def trials_at_once(layout, rules, rollouts, itemsize, trace, per_trial=0):
    """How many trials to play at once: up to `BATCH`, fewer where they are long; results do not depend on it.

    Raises
    ------
    ValueError
        If one trial, or what is kept of all of them, does not fit into memory.
    """
    one = (
        working_bytes(layout, 1, rules.step_limit, itemsize) + 4 * 8 * uniforms_per_trial(rules.step_limit) + per_trial
    )
    kept = 4 * 8 * rules.episodes + 64
    if trace:
        width = layout.input_size + 2 * layout.hidden_size + layout.num_actions + 9
        kept += 3 * itemsize * rules.step_limit * width
    batch = max(1, min(BATCH, rollouts, PLAY_BYTES // one))
    require(batch * one + rollouts * kept, f"playing {rollouts} trials of up to {rules.step_limit} steps")
    return batch


def evaluation_uniforms(seed, first, count, step_limit):
    """The numbers of test trials first…first+count-1, array (count, 2 + 2T). Task, first state and first action are
    spread evenly (`randomness.spread`), which takes most of the luck out of a test of 100 trials."""
    numbers = randomness.uniforms(seed, randomness.EVALUATION, first, count, uniforms_per_trial(step_limit))
    numbers[:, [0, 2, 1]] = randomness.spread(seed, first, count)  # the two most even columns for task and first action
    return numbers


def episode_totals(rows, episodes, gamma=1.0):
    """`Totals` of a batch of recorded rows."""
    B, steps = len(rows.task), rows.size[STEPS]
    reward, count = np.zeros((B, episodes)), np.zeros((B, episodes), np.int64)
    where = rows.trial[:steps], rows.episode[:steps]
    np.add.at(reward, where, rows.reward[:steps])
    np.add.at(count, where, 1)
    time = np.repeat(np.arange(rows.size[TIMES]), np.diff(rows.begin[: rows.size[TIMES] + 1]))
    discounted = np.bincount(rows.trial[:steps], rows.reward[:steps] * float(gamma) ** time, minlength=B)
    return Totals(reward, discounted, count, rows.task.copy(), ~rows.ended)
