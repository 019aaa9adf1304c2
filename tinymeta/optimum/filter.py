"""TODO optimum.filter."""

import numpy as np

from tinymeta.base.jit import jit


def reward_index(tasks, reward):
    """Index of each reward in `tasks.outcomes.reward_value`, compared as float32; -1 where the task set never pays it."""
    known = tasks.outcomes.reward_value.astype(np.float32)
    reward = np.asarray(reward, np.float32)
    index = np.minimum(np.searchsorted(known, reward), len(known) - 1)
    return np.where(known[index] == reward, index, -1)


@jit
def filter_begin(outcomes, observation, belief, span):
    """The belief (C, M, S) after the first observation (-1: none yet); returns that observation's probability."""
    belief[span[0] : span[1]] = 0
    total = 0.0
    for m in range(belief.shape[1]):
        for i in range(outcomes.initial_start[m], outcomes.initial_start[m + 1]):
            if observation < 0 or outcomes.initial_observation[i] == observation:
                weight = outcomes.prior[m] * outcomes.initial_probability[i]
                belief[0, m, outcomes.initial_state[i]] += weight
                total += weight
    if total > 0:
        for m in range(belief.shape[1]):
            for s in range(belief.shape[2]):
                belief[0, m, s] /= total
    span[0], span[1] = 0, 1
    return total


@jit
def filter_step(outcomes, rules, belief, span, action, observation, reward, following, ends):
    """One step of the filter on the clocks span[0]…span[1]-1. Overwrites following (C, M, S), then copies it to belief.

    With `ends` the trial ended in this step: then there is no observation and the belief stays as it was.
    Returns the probability of the evidence under the belief; 0 means impossible, and then the belief stays as it was.
    """
    M, S = belief.shape[1:]
    length = max(rules.episode_length, 1)
    low, high = span[0], span[1]
    top = min(high + length, belief.shape[0])
    following[low:top] = 0
    total = 0.0
    for c in range(low, high):
        episode = c // length
        last = rules.episode_length > 0 and c - episode * length == length - 1
        for m in range(M):
            for s in range(S):
                weight = belief[c, m, s]
                if weight == 0:
                    continue
                address = ((last * M + m) * S + s) * rules.num_actions + action
                for i in range(outcomes.start[address], outcomes.start[address + 1]):
                    if outcomes.reward[i] != reward:
                        continue
                    over = outcomes.ended[i] and episode + 1 == rules.episodes
                    if over != ends or (not ends and outcomes.observation[i] != observation):
                        continue
                    total += weight * outcomes.probability[i]
                    if not ends:
                        clock = (episode + 1) * length if outcomes.ended[i] else c + (rules.episode_length > 0)
                        following[clock, m, outcomes.state[i]] += weight * outcomes.probability[i]
    if ends or total == 0:
        return total
    first, behind = top, low
    for c in range(low, top):
        alive = False
        for m in range(M):
            for s in range(S):
                belief[c, m, s] = following[c, m, s] / total
                alive = alive or following[c, m, s] > 0
        if alive:
            first = min(first, c)
            behind = c + 1
    span[0], span[1] = first, behind
    return total


@jit
def filter_traces(
    outcomes, rules, observation, action, reward, valid, ended, belief, span, following, joint, log_likelihood, failed
):
    """The filter along N recorded trials (N, T). Overwrites joint (N, T, M, S), the belief before each action, and
    log_likelihood (N,). At impossible evidence writes (trial, step) into failed and stops; step 0 is the first observation.
    """  # fmt: skip
    N, T = action.shape
    for n in range(N):
        probability = filter_begin(outcomes, observation[n, 0], belief, span)
        if probability == 0:
            failed[0], failed[1] = n, 0
            return
        log_likelihood[n] = np.log(probability)
        for t in range(T):
            if not valid[n, t]:
                break
            for c in range(span[0], span[1]):
                for m in range(belief.shape[1]):
                    for s in range(belief.shape[2]):
                        joint[n, t, m, s] += belief[c, m, s]
            final = t + 1 == T or not valid[n, t + 1]
            if final and not ended[n]:
                break  # what a cut trial would have shown next is not recorded
            seen = -1 if final else observation[n, t + 1]
            probability = filter_step(outcomes, rules, belief, span, action[n, t], seen, reward[n, t], following, final)
            if probability == 0:
                failed[0], failed[1] = n, t + 1
                return
            log_likelihood[n] += np.log(probability)
