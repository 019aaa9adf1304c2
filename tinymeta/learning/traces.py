"""Recorded rows as rectangular arrays: all that a third party needs to replay the trials."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinymeta.learning.playing import times_of
from tinymeta.learning.rows import STEPS, TIMES, Activations, Rows
from tinymeta.learning.wirings import Layout
from tinymeta.network.gaussian import HALF_LOG_2PI

Trace = dict[str, np.ndarray]


def make_trace(rows: Rows, act: Activations, layout: Layout, log_std: np.ndarray | None = None) -> Trace:
    """Recorded rows trial by trial; entries past a trial's end are zero and not `valid`.

    Returns
    -------
    dict of arrays
        inputs (N, T, D), reset, action, reward, task, episode, observation, state (the environment's), valid (N, T),
        features (N, T, O), logits (N, T, A), log_prob (N, T) of the action, value (N, T), hidden and cell (N, T, H):
        the state after the step's input, from which its logits are read. Actions that are vectors are (N, T, A), and
        logits then the means of their distributions, whose log σ is `log_std` (A,).
    """
    steps = rows.size[STEPS]
    flat = {
        "inputs": dense_inputs(rows, steps, layout, act.h.dtype),
        "reset": rows.reset,
        "action": rows.vector if layout.action_column < 0 else rows.action,
        "reward": rows.paid,
        "task": rows.task[rows.trial],
        "episode": rows.episode,
        "observation": rows.observation,
        "state": rows.state_before,
        "features": rows.features,
        "valid": np.ones(steps, bool),
        "logits": act.heads[:, :-1],
        "log_prob": _log_prob(rows, act.heads[:, :-1], steps, log_std),
        "value": act.heads[:, -1],
        "hidden": act.h,
        "cell": act.c,
    }
    where = rows.trial[:steps], times_of(rows)
    trace = {}
    for name, array in flat.items():
        trace[name] = np.zeros((len(rows.task), rows.size[TIMES], *array.shape[1:]), array.dtype)
        trace[name][where] = array[:steps]
    return trace


def _log_prob(rows: Rows, logits: np.ndarray, steps: int, log_std: np.ndarray | None) -> np.ndarray:
    """log π of the steps' actions, array (steps,)."""
    logits = logits[:steps]
    if log_std is not None:
        z = (rows.vector[:steps] - logits) / np.exp(log_std)
        return (-(z**2) / 2 - log_std - HALF_LOG_2PI).sum(axis=1)
    top = logits.max(axis=1)
    total = np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return logits[np.arange(steps), rows.action[:steps]] - top - total


def dense_inputs(rows: Rows, steps: int, layout: Layout, dtype: Any) -> np.ndarray:
    """x of the first rows, array (steps, D), the vectors that the kernels never store (Eq. 1)."""
    inputs = np.zeros((steps, layout.input_size), dtype)
    inputs[:, layout.reward_column] = rows.prev_reward[:steps]
    inputs[:, layout.input_size - layout.num_numbers :] = rows.numbers[:steps]
    for column in rows.columns[:steps].T:
        present = column >= 0
        inputs[np.flatnonzero(present), column[present]] = 1
    return inputs


def join_traces(traces: Sequence[Trace]) -> Trace:
    """Traces of several batches as one, padded to the longest."""
    times = max(trace["valid"].shape[1] for trace in traces)
    return {name: np.concatenate([_padded(trace[name], times) for trace in traces]) for name in traces[0]}


def _padded(array: np.ndarray, times: int) -> np.ndarray:
    """The array with zeros appended along its second axis, up to `times`."""
    return np.pad(array, [(0, 0), (0, times - array.shape[1])] + [(0, 0)] * (array.ndim - 2))
