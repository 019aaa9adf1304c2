"""The kernels under the Gymnasium environments: B trials side by side, each fed with uniform numbers of its own.

What a table or a world is stands behind two kernels alone, for one slot each: `begin_episode` begins a trial's first
episode, and `act` takes a step, after which the slot shows the next episode's beginning where one ended. `begin_slots`
and `step_slots` run the trials around them: they draw tasks, count episodes and steps, tell a trial's end from a cut,
and let a slot whose trial is over begin the next one at its next step.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base.dispatch import by_class
from tinymeta.base.jit import jit
from tinymeta.environments.outcomes import Outcomes, outcome_address, sample_index
from tinymeta.environments.world import begin, step
from tinymeta.optimum.filter import filter_begin, filter_step

DRAWN = -1  # in place of a task: one drawn from the prior


class Drawing(NamedTuple):
    """What a trial draws its task from, and how many uniform numbers it uses."""

    prior_cumulative: np.ndarray  # (M,)
    begin: int  # to begin: one for the task, and what the first episode takes
    step: int  # at each step


class Slots(NamedTuple):
    """B trials that go on side by side; all arrays are of shape (B,) but where another one is given."""

    task: np.ndarray  # int64
    episode: np.ndarray  # int64, 0…K-1; at the trial's end the last one
    steps: np.ndarray  # int64, since the trial began
    elapsed: np.ndarray  # int64, steps since the episode began
    state: np.ndarray  # int64, the table's
    world: np.ndarray  # (B, W) float64, the state of a world without a table
    observation: np.ndarray  # int64, its category
    seen: np.ndarray  # (B, O) float64, its numbers
    reward: np.ndarray  # float64, of the last step
    terminated: np.ndarray  # bool, the trial reached its end
    truncated: np.ndarray  # bool, a step limit cut it
    new_episode: np.ndarray  # bool, the observation is an episode's first
    used: np.ndarray  # int64, how many of the slot's uniform numbers were used


def make_slots(count: int, state_size: int, observation_size: int) -> Slots:
    """`Slots` for `count` trials none of which has begun: all are over."""
    integers = ("task", "episode", "steps", "elapsed", "state", "observation", "used")
    return Slots(
        **{name: np.zeros(count, np.int64) for name in integers},
        **{name: np.zeros(count, np.bool_) for name in ("truncated", "new_episode")},
        terminated=np.ones(count, np.bool_),
        reward=np.zeros(count),
        world=np.zeros((count, state_size)),
        seen=np.zeros((count, observation_size)),
    )


@by_class(Outcomes)
def begin_episode(world, rules, uniforms, slots, b):
    """Slot b begins its trial's first episode by its uniforms. Overwrites its state and observation."""
    task = slots.task[b]
    first = sample_index(
        world.initial_cumulative, world.initial_start[task], world.initial_start[task + 1], uniforms[0]
    )
    slots.state[b] = world.initial_state[first]
    slots.observation[b] = world.initial_observation[first]


@begin_episode.of(object)
def begin_in_world(world, rules, uniforms, slots, b):
    """The world's own `begin`."""
    slots.observation[b] = begin(world, slots.task[b], 0, slots.world[b], uniforms, slots.seen[b])


@by_class(Outcomes)
def act(world, rules, action, uniforms, slots, b):
    """Slot b acts by its uniforms. Overwrites its state and observation, after an episode's end the next one's first.

    Returns (reward, whether the episode ended, whether a limit truncated it).
    """
    last = rules.episode_length > 0 and slots.elapsed[b] + 1 == rules.episode_length
    address = outcome_address(
        last, slots.task[b], slots.state[b], action, rules.num_tasks, rules.num_states, rules.num_actions
    )
    outcome = sample_index(world.cumulative, world.start[address], world.start[address + 1], uniforms[0])
    slots.state[b] = world.state[outcome]
    slots.observation[b] = world.observation[outcome]
    return world.reward_value[world.reward[outcome]], world.ended[outcome], False


@act.of(object)
def act_in_world(world, rules, action, uniforms, slots, b):
    """The world's own `step`; where its episode is over, the next one's `begin`."""
    episode = slots.episode[b]
    reward, ended, observation = step(
        world, slots.task[b], episode, slots.world[b], action, uniforms[: rules.step], slots.seen[b]
    )
    truncated = not ended and slots.elapsed[b] + 1 == rules.max_steps
    if (ended or truncated) and episode + 1 < rules.episodes:
        rest = uniforms[rules.step :]
        observation = begin(world, slots.task[b], episode + 1, slots.world[b], rest, slots.seen[b])
    slots.observation[b] = observation
    return reward, ended, truncated


@jit
def begin_slot(world, rules, drawing, task, uniforms, slots, b):
    """Slot b begins a trial of a task, or of one that is `DRAWN`, by its next numbers of uniforms (B, N)."""
    first = slots.used[b]
    slots.used[b] = first + drawing.begin
    drawn = sample_index(drawing.prior_cumulative, 0, drawing.prior_cumulative.shape[0], uniforms[b, first])
    slots.task[b] = drawn if task == DRAWN else task
    slots.episode[b] = 0
    slots.steps[b] = 0
    slots.elapsed[b] = 0
    slots.reward[b] = 0
    slots.terminated[b] = False
    slots.truncated[b] = False
    slots.new_episode[b] = True
    begin_episode(world, rules, uniforms[b, first + 1 : slots.used[b]], slots, b)


@jit
def begin_slots(world, rules, drawing, task, uniforms, slots):
    """Every slot begins a trial of its task (B,), or of one that is `DRAWN`. Overwrites slots, moves `used` on."""
    for b in range(task.shape[0]):
        begin_slot(world, rules, drawing, task[b], uniforms, slots, b)


@jit
def step_slots(world, rules, drawing, action, uniforms, slots):
    """Every slot takes its action (B,); one whose trial is over heeds none and begins the next trial."""
    for b in range(action.shape[0]):
        if slots.terminated[b] or slots.truncated[b]:
            begin_slot(world, rules, drawing, DRAWN, uniforms, slots, b)
            continue
        first = slots.used[b]
        slots.used[b] = first + drawing.step
        reward, ended, cut = act(world, rules, action[b], uniforms[b, first : slots.used[b]], slots, b)
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
