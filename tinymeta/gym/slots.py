"""The kernels under the Gymnasium environments: B trials side by side, each fed with uniform numbers of its own.

What a table is stands behind two kernels alone, for one slot each: `begin_episode` begins a trial's first episode, and
`act` takes a step, after which the slot shows the next episode's beginning where one ended. `begin_slots` and
`step_slots` run the trials around them: they draw tasks, count episodes and steps, tell a trial's end from a cut, and
let a slot whose trial is over begin the next one at its next step.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base.jit import jit
from tinymeta.environments.outcomes import outcome_address, sample_index
from tinymeta.optimum.filter import filter_begin, filter_step

BEGIN_UNIFORMS = 2  # the numbers that a trial's beginning takes: task, first (state, observation)
STEP_UNIFORMS = 1  # and a step: its outcome
DRAWN = -1  # in place of a task: one drawn from the prior


class Slots(NamedTuple):
    """B trials that go on side by side; all arrays are of shape (B,)."""

    task: np.ndarray  # int64
    episode: np.ndarray  # int64, 0…K-1; at the trial's end the last one
    steps: np.ndarray  # int64, since the trial began
    elapsed: np.ndarray  # int64, steps since the episode began
    state: np.ndarray  # int64, the table's
    observation: np.ndarray  # int64
    reward: np.ndarray  # float64, of the last step
    terminated: np.ndarray  # bool, the trial reached its end
    truncated: np.ndarray  # bool, a step limit cut it
    new_episode: np.ndarray  # bool, the observation is an episode's first
    used: np.ndarray  # int64, how many of the slot's uniform numbers were used


def make_slots(count: int) -> Slots:
    """`Slots` for `count` trials none of which has begun: all are over."""
    integers = ("task", "episode", "steps", "elapsed", "state", "observation", "used")
    return Slots(
        **{name: np.zeros(count, np.int64) for name in integers},
        **{name: np.zeros(count, np.bool_) for name in ("truncated", "new_episode")},
        terminated=np.ones(count, np.bool_),
        reward=np.zeros(count),
    )


@jit
def begin_episode(outcomes, rules, uniforms, slots, b):
    """Slot b begins its trial's first episode by uniforms (1,). Overwrites its state and observation."""
    task = slots.task[b]
    start = outcomes.initial_start[task]
    first = sample_index(outcomes.initial_cumulative, start, outcomes.initial_start[task + 1], uniforms[0])
    slots.state[b] = outcomes.initial_state[first]
    slots.observation[b] = outcomes.initial_observation[first]


@jit
def act(outcomes, rules, action, uniforms, slots, b):
    """Slot b acts by uniforms (1,). Overwrites its state and observation, after an episode's end the next one's first.

    Returns (reward, whether the episode ended, whether a limit cut it: never in a table).
    """
    last = rules.episode_length > 0 and slots.elapsed[b] + 1 == rules.episode_length
    address = outcome_address(
        last, slots.task[b], slots.state[b], action, rules.num_tasks, rules.num_states, rules.num_actions
    )
    outcome = sample_index(outcomes.cumulative, outcomes.start[address], outcomes.start[address + 1], uniforms[0])
    slots.state[b] = outcomes.state[outcome]
    slots.observation[b] = outcomes.observation[outcome]
    return outcomes.reward_value[outcomes.reward[outcome]], outcomes.ended[outcome], False


@jit
def begin_slot(data, rules, prior_cumulative, task, uniforms, slots, b):
    """Slot b begins a trial of a task, or of one that is `DRAWN`, by its next numbers of uniforms (B, N)."""
    first = slots.used[b]
    slots.used[b] = first + BEGIN_UNIFORMS
    drawn = sample_index(prior_cumulative, 0, prior_cumulative.shape[0], uniforms[b, first])
    slots.task[b] = drawn if task == DRAWN else task
    slots.episode[b] = 0
    slots.steps[b] = 0
    slots.elapsed[b] = 0
    slots.reward[b] = 0
    slots.terminated[b] = False
    slots.truncated[b] = False
    slots.new_episode[b] = True
    begin_episode(data, rules, uniforms[b, first + 1 : slots.used[b]], slots, b)


@jit
def begin_slots(data, rules, prior_cumulative, task, uniforms, slots):
    """Every slot begins a trial of its task (B,), or of one that is `DRAWN`. Overwrites slots, moves `used` on."""
    for b in range(task.shape[0]):
        begin_slot(data, rules, prior_cumulative, task[b], uniforms, slots, b)


@jit
def step_slots(data, rules, prior_cumulative, action, uniforms, slots):
    """Every slot takes its action (B,); one whose trial is over heeds none and begins the next trial."""
    for b in range(action.shape[0]):
        if slots.terminated[b] or slots.truncated[b]:
            begin_slot(data, rules, prior_cumulative, DRAWN, uniforms, slots, b)
            continue
        first = slots.used[b]
        slots.used[b] = first + STEP_UNIFORMS
        reward, ended, cut = act(data, rules, action[b], uniforms[b, first : slots.used[b]], slots, b)
        over = (ended or cut) and slots.episode[b] + 1 == rules.episodes
        slots.reward[b] = reward
        slots.steps[b] += 1
        slots.terminated[b] = over and ended
        slots.truncated[b] = (over and cut) or (not over and slots.steps[b] == rules.step_limit)
        slots.new_episode[b] = (ended or cut) and not over
        slots.elapsed[b] = 0 if ended or cut else slots.elapsed[b] + 1
        if slots.new_episode[b]:
            slots.episode[b] += 1


@jit
def follow_slots(outcomes, rules, action, reward, slots, belief, span, following, marginal):
    """The exact filter (`tinymeta.optimum.filter`) of every slot takes in what its last step brought.

    Reads action and reward (B,), the latter as indices of reward_value, and slots. Overwrites belief (B, C, M, S), span
    (B, 2) and marginal (B, M), the belief over tasks; following (C, M, S) is working memory.
    """
    for b in range(action.shape[0]):
        if slots.steps[b] == 0:
            filter_begin(outcomes, slots.observation[b], belief[b], span[b])
        else:
            filter_step(
                outcomes, rules, belief[b], span[b], action[b], slots.observation[b], reward[b], following,
                slots.terminated[b],
            )  # fmt: skip
        marginal[b] = 0
        for c in range(span[b, 0], span[b, 1]):
            for m in range(marginal.shape[1]):
                for s in range(belief.shape[3]):
                    marginal[b, m] += belief[b, c, m, s]
