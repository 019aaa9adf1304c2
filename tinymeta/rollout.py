"""Batches of trials on any task set, played by the network: simulate, step the LSTM, sample, record.

A trial uses 2 + 2T uniform numbers: task, first (state, observation), then an action and an outcome at each step. They come
from outside (`tinymeta.luck`), so a rollout is a deterministic function of weights and numbers.
"""

import numpy as np

from tinymeta._jit import jit
from tinymeta.actor_critic import heads_forward, split
from tinymeta.lstm import Activations, Rows, lstm_forward
from tinymeta.primitives import zeros


def allocate(layout, batch, step_limit, dtype):
    """Empty `Rows` and `Activations` for `batch` trials of at most `step_limit` steps."""
    B, T, H, A = batch, step_limit, layout.hidden_size, layout.num_actions
    N = B * (T + 1)
    integers = {"size": 3, "begin": T + 2, "before": N, "columns": (N, 3), "trial": N, "episode": N, "action": N,
                "observation": N, "place": N, "task": B, "state": B, "elapsed": B}  # fmt: skip
    rows = {name: np.zeros(shape, np.int64) for name, shape in integers.items()}
    rows |= {"reset": np.zeros(N, bool), "ended": np.zeros(B, bool)}
    rows |= {"prev_reward": np.zeros(N, dtype), "reward": np.zeros(N, dtype)}
    widths = {"gates": 4 * H, "dgates": 4 * H, "heads": A + 1, "dheads": A + 1, "probabilities": A, "log_probabilities": A}
    act = {name: zeros((N, widths.get(name, H)), dtype) for name in Activations._fields}
    act |= {"target": np.zeros(N, dtype), "advantage": np.zeros(N, dtype)}
    act |= {"next_value": np.zeros(B, dtype), "next_target": np.zeros(B, dtype)}
    return Rows(**rows), Activations(**act)


@jit
def draw(cumulative, start, stop, uniform):
    """The first index whose cumulative probability exceeds `uniform`; the last entry is 1, so there is one."""
    i = start
    while i < stop - 1 and uniform >= cumulative[i]:
        i += 1
    return i


@jit
def write_input(rows, layout, n, before, trial, episode, begins_trial, begins_episode, observation, prev_reward, prev_action, task):
    """Row n of what enters the network; the one place where a wiring acts."""
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


@jit
def sample_action(probabilities, n, uniform, greedy):
    """An action from row n of π (N, A), or the first most probable one."""
    A = probabilities.shape[1]
    if greedy:
        best = 0
        for a in range(1, A):
            if probabilities[n, a] > probabilities[n, best]:
                best = a
        return best
    total = 0.0
    for a in range(A):
        total += probabilities[n, a]
    threshold = uniform * total
    cumulative, choice = 0.0, 0
    for a in range(A):
        if probabilities[n, a] > 0 and cumulative <= threshold:
            choice = a
        cumulative += probabilities[n, a]
    return choice


@jit
def begin_trials(outcomes, rules, layout, uniforms, rows):
    """The first row of every trial: sample task, first state and observation."""
    for b in range(uniforms.shape[0]):
        task = draw(outcomes.prior_cumulative, 0, rules.num_tasks, uniforms[b, 0])
        first = draw(outcomes.initial_cumulative, outcomes.initial_start[task], outcomes.initial_start[task + 1], uniforms[b, 1])
        rows.task[b] = task
        rows.state[b] = outcomes.initial_state[first]
        rows.elapsed[b] = 0
        rows.ended[b] = False
        write_input(rows, layout, b, -1, b, 0, True, True, outcomes.initial_observation[first], 0, 0, task)


@jit
def step_environment(outcomes, rules, rows, n, uniform):
    """Trial of row n takes action[n]: returns the outcome and writes the reward; moves state, elapsed and ended along."""
    b, action = rows.trial[n], rows.action[n]
    rows.place[n] = rows.state[b]
    last = rules.episode_length > 0 and rows.elapsed[b] + 1 == rules.episode_length
    address = ((last * rules.num_tasks + rows.task[b]) * rules.num_states + rows.state[b]) * rules.num_actions + action
    outcome = draw(outcomes.cumulative, outcomes.start[address], outcomes.start[address + 1], uniform)
    rows.reward[n] = outcomes.reward_value[outcomes.reward[outcome]]
    rows.state[b] = outcomes.state[outcome]
    rows.elapsed[b] = 0 if outcomes.ended[outcome] else rows.elapsed[b] + 1
    rows.ended[b] = outcomes.ended[outcome] and rows.episode[n] + 1 == rules.episodes
    return outcome


@jit
def rollout(outcomes, rules, layout, theta, uniforms, greedy, rows, act):
    """Play B trials with the network and record all it did; uniforms (B, 2 + 2T). Overwrites rows and act."""
    begin_trials(outcomes, rules, layout, uniforms, rows)
    rows.begin[0] = 0
    play_on(outcomes, rules, layout, theta, uniforms, greedy, rows, act, 0, uniforms.shape[0], 0)


@jit
def play_on(outcomes, rules, layout, theta, uniforms, greedy, rows, act, start, stop, t):
    """Play trials to their ends from the inputs of time t, rows start…stop; the rows before hold what the network comes with."""
    weight_x, weight_h, bias, head_weight, head_bias = split(theta, layout)
    while True:
        lstm_forward(rows, layout.reward_column, weight_x, weight_h, bias, act, start, stop)
        heads_forward(head_weight, head_bias, act, start, stop)
        if start == stop or t == rules.step_limit:
            break  # what is left are trials that the step limit cut: their last row has a value, but no step follows
        fresh = stop
        for n in range(start, stop):
            b = rows.trial[n]
            action = sample_action(act.probabilities, n, uniforms[b, 2 + 2 * t], greedy)
            rows.action[n] = action
            outcome = step_environment(outcomes, rules, rows, n, uniforms[b, 3 + 2 * t])
            if not rows.ended[b]:
                ended = outcomes.ended[outcome]
                write_input(rows, layout, fresh, n, b, rows.episode[n] + ended, False, ended, outcomes.observation[outcome],
                            rows.reward[n], action, rows.task[b])  # fmt: skip
                fresh += 1
        t += 1
        rows.begin[t] = stop
        start, stop = stop, fresh
    rows.begin[t + 1] = stop
    rows.size[0], rows.size[1], rows.size[2] = t, start, stop
