"""Batches of trials on any task set or world, played by the network: simulate, step the LSTM, sample, record.

A trial on a table uses `uniforms_per_trial` uniform numbers: task, first (state, observation), then an action and an
outcome at each step. They come from outside (`tinymeta.base.randomness`), so a rollout is a deterministic function of
weights and numbers. Here stands the simulation of tables; that of other worlds is in `tinymeta.learning.worlds`.
"""

from tinymeta.base.dispatch import by_class
from tinymeta.base.jit import jit
from tinymeta.environments.outcomes import Outcomes, Rules, outcome_address, sample_index
from tinymeta.environments.table import TaskSet
from tinymeta.environments.world import Draws
from tinymeta.learning.policies import sample
from tinymeta.learning.rows import ENDED, FINAL, GOES_ON, STEPS, TIMES, USED, write_input
from tinymeta.learning.update import apply_network
from tinymeta.network.flat import split

# Columns of a trial's numbers; at time t, 2t further on, stand those of the step.
TASK_UNIFORM, START_UNIFORM, ACTION_UNIFORM, OUTCOME_UNIFORM = 0, 1, 2, 3


def uniforms_per_trial(step_limit: int, draws: Draws = TaskSet.draws) -> int:
    """How many uniform numbers a trial of at most `step_limit` steps uses."""
    return 1 + draws.first + draws.later + draws.per_step * step_limit


@by_class(Rules)
def action_uniform(rules, t):
    """The column of the first uniform number of time t's action."""
    return ACTION_UNIFORM + 2 * t


@by_class(Outcomes)
def begin_trial(world, rules, layout, uniforms, rows, b):
    """Sample trial b's task and first observation by uniforms[b]. Overwrites row b and the trial's entries."""
    task = sample_index(world.prior_cumulative, 0, rules.num_tasks, uniforms[b, TASK_UNIFORM])
    start = world.initial_start[task]
    stop = world.initial_start[task + 1]
    first = sample_index(world.initial_cumulative, start, stop, uniforms[b, START_UNIFORM])
    rows.task[b] = task
    rows.state[b] = world.initial_state[first]
    rows.elapsed[b] = 0
    rows.ended[b] = False
    write_input(rows, layout, b, -1, b, 0, True, True, world.initial_observation[first], 0, 0, task)


@by_class(Outcomes)
def step_trial(world, rules, layout, uniforms, rows, n, fresh, t):
    """Row n's trial acts at time t, by uniforms (B, …). Overwrites what came of it, and row `fresh` unless the trial is
    over.

    Returns the next fresh row.
    """
    b = rows.trial[n]
    state = rows.state[b]
    rows.state_before[n] = state
    last = rules.episode_length > 0 and rows.elapsed[b] + 1 == rules.episode_length
    address = outcome_address(
        last, rows.task[b], state, rows.action[n], rules.num_tasks, rules.num_states, rules.num_actions
    )
    uniform = uniforms[b, OUTCOME_UNIFORM + 2 * t]
    outcome = sample_index(world.cumulative, world.start[address], world.start[address + 1], uniform)
    rows.reward[n] = world.reward_value[world.reward[outcome]]
    rows.state[b] = world.state[outcome]
    ended = world.ended[outcome]
    rows.elapsed[b] = 0 if ended else rows.elapsed[b] + 1
    rows.after[n] = ENDED if ended and rules.per_episode else GOES_ON
    rows.ended[b] = ended and rows.episode[n] + 1 == rules.episodes
    if rows.ended[b]:
        return fresh
    write_input(
        rows, layout, fresh, n, b, rows.episode[n] + ended, False, ended, world.observation[outcome],
        rows.reward[n], rows.action[n], rows.task[b],
    )  # fmt: skip
    return fresh + 1


@jit
def begin_trials(world, rules, layout, uniforms, rows):
    """Begin B trials, uniforms (B, …). Overwrites rows 0…B-1 and the trials' entries."""
    rows.begin[0] = 0
    rows.size[FINAL] = 0
    for b in range(uniforms.shape[0]):
        begin_trial(world, rules, layout, uniforms, rows, b)


@jit
def step_trials(world, rules, layout, uniforms, rows, start, stop, t):
    """The trials of rows start…stop act at time t. Overwrites the rows stop… of time t + 1; returns their end."""
    fresh = stop
    for n in range(start, stop):
        fresh = step_trial(world, rules, layout, uniforms, rows, n, fresh, t)
    rows.begin[t + 1] = stop
    return fresh


@jit
def close_rows(rows, t, start, stop):
    """Note that `t` times were played and that rows start…stop are what cut trials would have seen next."""
    rows.begin[t + 1] = stop
    rows.size[TIMES] = t
    rows.size[STEPS] = start
    rows.size[USED] = stop


@jit
def rollout(world, rules, layout, theta, uniforms, greedy, rows, act):
    """Play B trials with the network and record all it did; uniforms (B, …). Overwrites rows and act."""
    begin_trials(world, rules, layout, uniforms, rows)
    play_on(world, rules, layout, theta, uniforms, greedy, rows, act, 0, uniforms.shape[0], 0)


@jit
def play_on(world, rules, layout, theta, uniforms, greedy, rows, act, start, stop, t):
    """Play to the trials' ends from the inputs of time t, rows start…stop; earlier rows hold the states before."""
    parameters = split(theta, layout)
    playing = True
    while True:
        apply_network(rows, layout, parameters, act, start, stop)
        if not playing:
            break
        if start == stop or t == rules.step_limit:
            # What is left are trials that the step limit cut: their last row has a value, but no step follows. What
            # cut episodes would have seen next has a value, too: the rows at the end, all after their predecessors.
            close_rows(rows, t, start, stop)
            playing = False
            stop = rows.before.shape[0]
            start = stop - rows.size[FINAL]
            if start == stop:
                break
        else:
            for n in range(start, stop):
                column = action_uniform(rules, t)
                sample(layout.head, rows, act, parameters[5], n, uniforms, column, greedy)
            fresh = step_trials(world, rules, layout, uniforms, rows, start, stop, t)
            start = stop
            stop = fresh
            t += 1
