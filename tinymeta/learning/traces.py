"""TODO learning.traces."""

import numpy as np

from tinymeta.learning.rows import STEPS, TIMES


def make_trace(rows, act, layout):
    """Recorded rows as rectangular arrays, trial by trial; entries past a trial's end are zero and not `valid`.

    Returns
    ------- dict with inputs (N, T, D), reset, action, reward, task, episode, observation, state (the environment's),
    valid (N, T), logits (N, T, A), value (N, T), hidden and cell (N, T, H): the state after the step's input, from
    which its logits are read.
    """
    times, steps = rows.size[TIMES], rows.size[STEPS]
    B, N = len(rows.task), np.arange(steps)
    time = np.repeat(np.arange(times), np.diff(rows.begin[: times + 1]))
    where = rows.trial[:steps], time
    inputs = np.zeros((steps, layout.input_size), act.h.dtype)
    inputs[:, layout.reward_column] = rows.prev_reward[:steps]
    for column in rows.columns[:steps].T:
        inputs[N[column >= 0], column[column >= 0]] = 1
    flat = {
        "inputs": inputs, "reset": rows.reset, "action": rows.action, "reward": rows.reward, "task": rows.task[rows.trial],
        "episode": rows.episode, "observation": rows.observation, "state": rows.state_before, "valid": np.ones(steps, bool),
        "logits": act.heads[:, :-1],
        "value": act.heads[:, -1], "hidden": act.h, "cell": act.c,
    }  # fmt: skip
    trace = {}
    for name, array in flat.items():
        trace[name] = np.zeros((B, times, *array.shape[1:]), array.dtype)
        trace[name][where] = array[:steps]
    return trace


def join_traces(traces):
    """Traces of several batches as one, padded to the longest."""
    times = max(trace["valid"].shape[1] for trace in traces)
    padded = [
        {name: np.pad(a, [(0, 0), (0, times - a.shape[1])] + [(0, 0)] * (a.ndim - 2)) for name, a in trace.items()}
        for trace in traces
    ]
    return {name: np.concatenate([trace[name] for trace in padded]) for name in padded[0]}
