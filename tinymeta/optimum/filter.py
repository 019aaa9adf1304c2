"""The kernels of the exact Bayes filter; `tinymeta.optimum.belief` says what they compute.

A belief is an array (C, M, S) over clocks, tasks and states, see `tinymeta.optimum.joint`. Where trials are long, few
clocks are possible at a time: `span` (2,) holds the first one and the one after the last, and nothing outside is read
or written.
"""

import numpy as np

from tinymeta.base.jit import jit
from tinymeta.environments.outcomes import outcome_address
from tinymeta.environments.table import TaskSet


def reward_index(tasks: TaskSet, reward: np.ndarray | float) -> np.ndarray:
    """Index of each reward in `tasks.outcomes.reward_value`, compared as float32; -1 where the task set never pays it.

    Examples
    --------
    >>> import tinymeta
    >>> reward_index(tinymeta.make("corridor"), np.array([0.0, 10.0, 0.5]))
    array([ 0,  1, -1])
    """
    known = tasks.outcomes.reward_value.astype(np.float32)
    narrow = np.asarray(reward, np.float32)
    index = np.minimum(np.searchsorted(known, narrow), len(known) - 1)
    return np.where(known[index] == narrow, index, -1)


@jit
def filter_begin(outcomes, observation, belief, span):
    """The belief after the first observation (-1: none yet). Overwrites belief (C, M, S) and span (2,).

    Returns the observation's probability; where that is 0, belief is 0 throughout.
    """
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
    span[0] = 0
    span[1] = 1
    return total


@jit
def filter_step(outcomes, rules, belief, span, action, observation, reward, following, ends):
    """One Bayes update of belief (C, M, S) and span (2,), which it overwrites; following (C, M, S) is working memory.

    With `ends` the trial ended in this step: then there is no observation and the belief stays as it was. Returns the
    probability of the evidence under the belief; 0 means impossible, and then the belief stays as it was, too.
    """
    first = span[0]
    last = min(span[1] + max(rules.episode_length, 1), belief.shape[0])  # one step begins at most one further episode
    following[first:last] = 0
    total = _weigh_outcomes(outcomes, rules, belief, span, action, observation, reward, following, ends)
    if total > 0 and not ends:
        _normalise(following, total, first, last, belief, span)
    return total


@jit
def _weigh_outcomes(outcomes, rules, belief, span, action, observation, reward, following, ends):
    """Add to following the weight of every outcome that agrees with the evidence; returns their sum."""
    M = belief.shape[1]
    S = belief.shape[2]
    length = max(rules.episode_length, 1)
    total = 0.0
    for c in range(span[0], span[1]):
        episode = c // length
        last = rules.episode_length > 0 and c - episode * length == length - 1
        for m in range(M):
            for s in range(S):
                weight = belief[c, m, s]
                if weight == 0:
                    continue
                address = outcome_address(last, m, s, action, M, S, rules.num_actions)
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
    return total


@jit
def _normalise(following, total, first, last, belief, span):
    """Write following / total into belief, from clock first to last-1, and into span which of these are possible."""
    span[0] = last
    span[1] = first
    for c in range(first, last):
        possible = False
        for m in range(belief.shape[1]):
            for s in range(belief.shape[2]):
                belief[c, m, s] = following[c, m, s] / total
                possible = possible or following[c, m, s] > 0
        if possible:
            span[0] = min(span[0], c)
            span[1] = c + 1


@jit
def filter_traces(
    outcomes, rules, observation, action, reward, valid, ended, belief, span, following, joint, log_likelihood, failed
):
    """The filter along N recorded trials of up to T steps.

    Reads observation, action, reward (indices) and valid (N, T) and ended (N,). Overwrites joint (N, T, M, S), which
    comes as 0, with the belief before each action, and log_likelihood (N,); belief, span and following are working
    memory. At impossible evidence it writes (trial, step) into failed (2,) and stops; step 0 is the first
    observation.
    """
    N = action.shape[0]
    T = action.shape[1]
    for n in range(N):
        probability = filter_begin(outcomes, observation[n, 0], belief, span)
        if probability == 0:
            failed[0] = n
            failed[1] = 0
            return
        log_likelihood[n] = np.log(probability)
        for t in range(T):
            if not valid[n, t]:
                break
            _add_over_clocks(belief, span, joint[n, t])
            final = t + 1 == T or not valid[n, t + 1]
            if final and not ended[n]:
                break  # what a cut trial would have shown next is not recorded
            seen = -1 if final else observation[n, t + 1]
            index = reward[n, t]
            probability = filter_step(outcomes, rules, belief, span, action[n, t], seen, index, following, final)
            if probability == 0:
                failed[0] = n
                failed[1] = t + 1
                return
            log_likelihood[n] += np.log(probability)


@jit
def _add_over_clocks(belief, span, joint):
    """Add to joint (M, S) the sum of a belief over clocks."""
    for c in range(span[0], span[1]):
        for m in range(belief.shape[1]):
            for s in range(belief.shape[2]):
                joint[m, s] += belief[c, m, s]
