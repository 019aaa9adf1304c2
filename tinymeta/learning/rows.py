"""What entered the network and what came of it, row by row, and the one place where a wiring acts: `write_input`.

Rows. A batch of B trials that end at different times is stored without gaps: `begin[t]:begin[t + 1]` are the rows of
the trials that are still running at time t, and `before[n]` is the row of the same trial one step earlier. A finished
trial has no row, hence no cost. Rows from `size[STEPS]` to `size[USED]` belong to no step: they are the inputs that
trials cut by a step limit would have seen next, and their values bootstrap.
"""

from typing import Any, NamedTuple

import numpy as np

from tinymeta.base.jit import jit
from tinymeta.learning.wirings import Layout
from tinymeta.network.products import zeros

TIMES, STEPS, USED = 0, 1, 2  # entries of Rows.size


class Rows(NamedTuple):
    """What entered the network and what came of it: one row a step, N rows, B trials, at most T times."""

    size: np.ndarray  # (3,) int64: TIMES with a row, STEPS taken, rows USED
    begin: np.ndarray  # (T + 2,) int64
    before: np.ndarray  # (N,) int64, row of the same trial one step earlier, -1 at its first
    reset: np.ndarray  # (N,) bool, the state is zeroed before this step
    columns: np.ndarray  # (N, 3) int64, columns of observation, previous action, task identity; -1 where absent
    prev_reward: np.ndarray  # (N,) the reward that enters
    trial: np.ndarray  # (N,) int64, 0…B-1
    episode: np.ndarray  # (N,) int64, 0…K-1
    action: np.ndarray  # (N,) int64
    reward: np.ndarray  # (N,) the reward that follows
    observation: np.ndarray  # (N,) int64, whether it enters or not
    state_before: np.ndarray  # (N,) int64, the environment's state in which the action was taken
    task: np.ndarray  # (B,) int64
    state: np.ndarray  # (B,) int64, the environment's state now; at the end where the trial stopped
    elapsed: np.ndarray  # (B,) int64, steps since the episode began
    ended: np.ndarray  # (B,) bool, the trial reached its end (False: a step limit cut it)


class Activations(NamedTuple):
    """What the forward pass keeps for the backward pass, and where the latter writes; one row per step."""

    h_prev: np.ndarray  # (N, H)
    c_prev: np.ndarray  # (N, H)
    gates: np.ndarray  # (N, 4H), activated, order i, f, g, o
    c: np.ndarray  # (N, H)
    tanh_c: np.ndarray  # (N, H)
    h: np.ndarray  # (N, H)
    heads: np.ndarray  # (N, A + 1), logits and value
    probabilities: np.ndarray  # (N, A), π
    log_probabilities: np.ndarray  # (N, A), log π
    target: np.ndarray  # (N,) return G that the value is fitted to
    advantage: np.ndarray  # (N,) Â
    dheads: np.ndarray  # (N, A + 1)
    dgates: np.ndarray  # (N, 4H), with respect to the pre-activations
    dh: np.ndarray  # (N, H)
    dc: np.ndarray  # (N, H)
    dh_prev: np.ndarray  # (N, H)
    next_value: np.ndarray  # (B,)
    next_target: np.ndarray  # (B,)


def allocate(layout: Layout, batch: int, step_limit: int, dtype: Any) -> tuple[Rows, Activations]:
    """Empty `Rows` and `Activations` for `batch` trials of at most `step_limit` steps."""
    N = batch * (step_limit + 1)
    A = layout.num_actions
    per_row = ("before", "trial", "episode", "action", "observation", "state_before")
    per_trial = ("task", "state", "elapsed")
    rows = Rows(
        size=np.zeros(3, np.int64),
        begin=np.zeros(step_limit + 2, np.int64),
        columns=np.zeros((N, 3), np.int64),
        **{name: np.zeros(N, np.int64) for name in per_row},
        **{name: np.zeros(batch, np.int64) for name in per_trial},
        reset=np.zeros(N, bool),
        ended=np.zeros(batch, bool),
        prev_reward=np.zeros(N, dtype),
        reward=np.zeros(N, dtype),
    )
    widths = dict.fromkeys(("h_prev", "c_prev", "c", "tanh_c", "h", "dh", "dc", "dh_prev"), layout.hidden_size)
    widths |= {"gates": 4 * layout.hidden_size, "dgates": 4 * layout.hidden_size}
    widths |= {"heads": A + 1, "dheads": A + 1, "probabilities": A, "log_probabilities": A}
    act = Activations(
        **{name: zeros((N, width), dtype) for name, width in widths.items()},
        **{name: np.zeros(N, dtype) for name in ("target", "advantage")},
        **{name: np.zeros(batch, dtype) for name in ("next_value", "next_target")},
    )
    return rows, act


def working_bytes(layout: Layout, batch: int, step_limit: int, itemsize: int) -> int:
    """Bytes of `allocate`, rounded up.

    Per row: some integers, eight arrays of width H, the gates and their gradients of width 4H, and the heads' arrays.
    """
    row = 12 * 8 + itemsize * (16 * layout.hidden_size + 4 * (layout.num_actions + 1) + 4)
    return batch * (step_limit + 2) * row


@jit
def write_input(rows, layout, n, before, trial, episode, begins_trial, begins_episode, observation,
                prev_reward, prev_action, task):  # fmt: skip
    """Overwrites row n with what enters the network, all arguments numbers; the one place where a wiring acts."""
    rows.before[n] = before
    rows.trial[n] = trial
    rows.episode[n] = episode
    rows.observation[n] = observation
    rows.reset[n] = begins_trial or (begins_episode and not layout.carries_state)
    hidden = begins_trial or (begins_episode and not layout.sees_across)
    rows.prev_reward[n] = 0 if hidden else prev_reward
    rows.columns[n, 0] = layout.observation_column + observation if layout.observation_column >= 0 else -1
    rows.columns[n, 1] = -1 if hidden else layout.action_column + prev_action
    rows.columns[n, 2] = layout.identity_column + task if episode >= layout.identity_from else -1
