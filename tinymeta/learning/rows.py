"""What entered the network and what came of it, row by row, and the one place where a wiring acts: `write_input`.

Rows. A batch of B trials that end at different times is stored without gaps: `begin[t]:begin[t + 1]` are the rows of
the trials that are still running at time t, and `before[n]` is the row of the same trial one step earlier. A finished
trial has no row, hence no cost. Rows from `size[STEPS]` to `size[USED]` belong to no step: they are the inputs that
trials cut by a step limit would have seen next, and their values bootstrap. An episode that a limit cuts in a world
without a table has such a row, too, counted from the last one downwards; `after` of its last step names it.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base.jit import jit

TIMES, STEPS, USED, FINAL = range(4)  # entries of Rows.size
GOES_ON, ENDED = -1, -2  # of Rows.after: the return runs on to the trial's next row; or nothing follows


class Scaling(NamedTuple):
    """What a world's observations and rewards are shifted and scaled by, see `tinymeta.learning.scaling`."""

    shift: np.ndarray  # (O,) float64, taken from each number of an observation
    scale: np.ndarray  # (O,) float64, then it is multiplied by this
    reward: np.ndarray  # (1,) float64, rewards are multiplied by it


class Rows(NamedTuple):
    """What entered the network and what came of it: one row a step, N rows, B trials, at most T times."""

    size: np.ndarray  # (4,) int64: TIMES with a row, STEPS taken, rows USED, FINAL rows of cut episodes
    begin: np.ndarray  # (T + 2,) int64
    before: np.ndarray  # (N,) int64, row of the same trial one step earlier, -1 at its first
    after: np.ndarray  # (N,) int64, GOES_ON, ENDED, or the row of what a cut episode would have seen next
    reset: np.ndarray  # (N,) bool, the state is zeroed before this step
    columns: np.ndarray  # (N, 3) int64, columns of observation, previous action, task identity; -1 where absent
    prev_reward: np.ndarray  # (N,) the reward that enters
    numbers: np.ndarray  # (N, F) the numbers that enter besides: an observation vector, the previous action's vector
    trial: np.ndarray  # (N,) int64, 0…B-1
    episode: np.ndarray  # (N,) int64, 0…K-1
    action: np.ndarray  # (N,) int64, where actions are choices
    vector: np.ndarray  # (N, A), the action where it is a vector
    reward: np.ndarray  # (N,) the reward that follows, as it is learned from
    paid: np.ndarray  # (N,) the same as the environment paid it
    observation: np.ndarray  # (N,) int64, whether it enters or not
    features: np.ndarray  # (N, O) the observation vector as the environment gave it
    state_before: np.ndarray  # (N,) int64, the table's state in which the action was taken
    task: np.ndarray  # (B,) int64
    state: np.ndarray  # (B,) int64, the table's state now; at the end where the trial stopped
    world: np.ndarray  # (B, W) float64, the state of a world without a table
    seen: np.ndarray  # (B, O) float64, the observation vector now
    elapsed: np.ndarray  # (B,) int64, steps since the episode began
    ended: np.ndarray  # (B,) bool, the trial reached its end (False: a step limit cut it)
    scaling: Scaling


class Activations(NamedTuple):
    """What the forward pass keeps for the backward pass, and where the latter writes; one row per step."""

    h_prev: np.ndarray  # (N, H)
    c_prev: np.ndarray  # (N, H)
    gates: np.ndarray  # (N, 4H), activated, order i, f, g, o
    c: np.ndarray  # (N, H)
    tanh_c: np.ndarray  # (N, H)
    h: np.ndarray  # (N, H)
    heads: np.ndarray  # (N, A + 1), logits (means, where actions are vectors) and value
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
    bodies: tuple  # of a deep network, see `tinymeta.learning.deep`; empty for the network of the papers


@jit
def write_input(rows, layout, n, before, trial, episode, begins_trial, begins_episode, observation,
                prev_reward, prev_action, task):  # fmt: skip
    """Overwrites row n with what enters the network, all arguments numbers; the one place where a wiring acts."""
    rows.before[n] = before
    rows.trial[n] = trial
    rows.episode[n] = episode
    rows.observation[n] = observation
    alone = begins_trial or not layout.recurrent
    hidden = alone or (begins_episode and not layout.sees_across)
    rows.reset[n] = alone or (begins_episode and not layout.carries_state)
    rows.prev_reward[n] = 0 if hidden else prev_reward
    rows.columns[n, 0] = layout.observation_column + observation if layout.observation_column >= 0 else -1
    rows.columns[n, 1] = -1 if hidden or layout.action_column < 0 else layout.action_column + prev_action
    rows.columns[n, 2] = layout.identity_column + task if episode >= layout.identity_from else -1
    return hidden
