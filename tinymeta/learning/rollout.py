"""Batches of trials on any task set, played by the network: simulate, step the LSTM, sample, record.

A trial uses `uniforms_per_trial` uniform numbers: task, first (state, observation), then an action and an outcome at
each step. They come from outside (`tinymeta.base.randomness`), so a rollout is a deterministic function of weights and
numbers.
"""

from tinymeta.base.jit import jit
from tinymeta.environments.outcomes import outcome_address, sample_index
from tinymeta.learning.rows import STEPS, TIMES, USED, write_input
from tinymeta.learning.update import apply_network
from tinymeta.network.flat import split
from tinymeta.network.heads import sample_action

# Columns of a trial's numbers; at time t, 2t further on, stand those of the step.
TASK_UNIFORM, START_UNIFORM, ACTION_UNIFORM, OUTCOME_UNIFORM = 0, 1, 2, 3


def uniforms_per_trial(step_limit: int) -> int:
    """How many uniform numbers a trial of at most `step_limit` steps uses."""
    return ACTION_UNIFORM + 2 * step_limit


@jit
def begin_trials(outcomes, rules, layout, uniforms, rows):
    """Sample task, first state and observation of B trials, uniforms (B, 2 + 2T).

    Overwrites rows 0…B-1, and the trials' task, state, elapsed and ended.
    """
    rows.begin[0] = 0
    for b in range(uniforms.shape[0]):
        task = sample_index(outcomes.prior_cumulative, 0, rules.num_tasks, uniforms[b, TASK_UNIFORM])
        start = outcomes.initial_start[task]
        stop = outcomes.initial_start[task + 1]
        first = sample_index(outcomes.initial_cumulative, start, stop, uniforms[b, START_UNIFORM])
        rows.task[b] = task
        rows.state[b] = outcomes.initial_state[first]
        rows.elapsed[b] = 0
        rows.ended[b] = False
        write_input(rows, layout, b, -1, b, 0, True, True, outcomes.initial_observation[first], 0, 0, task)


@jit
def step_environment(outcomes, rules, rows, n, uniform):
    """Row n's trial acts, by a number in [0, 1); returns the outcome. Overwrites reward, state, elapsed and ended."""
    b = rows.trial[n]
    state = rows.state[b]
    rows.state_before[n] = state
    last = rules.episode_length > 0 and rows.elapsed[b] + 1 == rules.episode_length
    address = outcome_address(
        last, rows.task[b], state, rows.action[n], rules.num_tasks, rules.num_states, rules.num_actions
    )
    outcome = sample_index(outcomes.cumulative, outcomes.start[address], outcomes.start[address + 1], uniform)
    rows.reward[n] = outcomes.reward_value[outcomes.reward[outcome]]
    rows.state[b] = outcomes.state[outcome]
    rows.elapsed[b] = 0 if outcomes.ended[outcome] else rows.elapsed[b] + 1
    rows.ended[b] = outcomes.ended[outcome] and rows.episode[n] + 1 == rules.episodes
    return outcome


@jit
def step_trials(outcomes, rules, layout, uniforms, rows, start, stop, t):
    """The trials of rows start…stop act at time t. Overwrites the rows stop… of time t + 1; returns their end."""
    fresh = stop
    for n in range(start, stop):
        b = rows.trial[n]
        outcome = step_environment(outcomes, rules, rows, n, uniforms[b, OUTCOME_UNIFORM + 2 * t])
        if not rows.ended[b]:
            ended = outcomes.ended[outcome]
            write_input(
                rows, layout, fresh, n, b, rows.episode[n] + ended, False, ended, outcomes.observation[outcome],
                rows.reward[n], rows.action[n], rows.task[b],
            )  # fmt: skip
            fresh += 1
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
def rollout(outcomes, rules, layout, theta, uniforms, greedy, rows, act):
    """Play B trials with the network and record all it did; uniforms (B, 2 + 2T). Overwrites rows and act."""
    begin_trials(outcomes, rules, layout, uniforms, rows)
    play_on(outcomes, rules, layout, theta, uniforms, greedy, rows, act, 0, uniforms.shape[0], 0)


@jit
def play_on(outcomes, rules, layout, theta, uniforms, greedy, rows, act, start, stop, t):
    """Play to the trials' ends from the inputs of time t, rows start…stop; earlier rows hold the states before."""
    parameters = split(theta, layout)
    while True:
        apply_network(rows, layout, parameters, act, start, stop)
        if start == stop or t == rules.step_limit:
            break  # what is left are trials that the step limit cut: their last row has a value, but no step follows
        for n in range(start, stop):
            uniform = uniforms[rows.trial[n], ACTION_UNIFORM + 2 * t]
            rows.action[n] = sample_action(act.probabilities, n, uniform, greedy)
        fresh = step_trials(outcomes, rules, layout, uniforms, rows, start, stop, t)
        start = stop
        stop = fresh
        t += 1
    close_rows(rows, t, start, stop)
