"""Filter and planner against brute force on random task sets: oracle tests, and the properties that follow from them.

The oracle knows only the arrays that define a task set and the rules of a trial. It lists every history (first
observation, then actions with the observations and rewards that they brought) and carries for each the joint weight
P(history, hidden state | actions) of every hidden state (task, state, episode, time in the episode). Nothing is merged,
normalised or rounded on the way:

    likelihood of a history = Σ weights,    belief = weights / Σ weights,
    worth of a history = max or mean over actions of Σ over what may follow of (P · reward + γ · worth).
"""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import MAX_STEPS, REWARDS, random_task_set, task_sets

from tinymeta import TaskSet
from tinymeta.belief import Belief, belief_along, reward_index
from tinymeta.planning import (
    bayes_optimal,
    belief_graph,
    evaluate_policy,
    evidence,
    informed,
    plan,
    plan_value,
    random_value,
)

CLOSE = {"rtol": 0, "atol": 1e-10}
NEVER = math.inf  # identity_from of an agent that is never told the task
UNPAID = 7.0  # a reward of no random task set
assert UNPAID not in REWARDS

gammas = st.sampled_from((0.5, 0.9, 1.0))
oracle_settings = settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


# ---------------------------------------------------------------- the oracle


class History:
    """One history, the weights of the hidden states under it, and what may follow it.

    path : tuple of (action, observation, reward, told task); observation None is the trial's end
    told : the task that was revealed together with the first observation
    weights : {(task, state, episode, time in the episode): P(history, hidden state | actions)}
    children : children[action] is the list of histories that are one step longer; empty after the trial's end
    """

    def __init__(self, first, told, path, weights):
        self.first, self.told, self.path, self.weights = first, told, path, weights
        self.probability = sum(weights.values())
        self.children = []

    @property
    def over(self):
        return bool(self.path) and self.path[-1][1] is None

    def joint(self, tasks):
        """The belief, array of shape (M, S)."""
        belief = np.zeros((tasks.num_tasks, tasks.num_states))
        for (m, s, _, _), weight in self.weights.items():
            belief[m, s] += weight / self.probability
        return belief

    def complete(self):
        """The histories of complete trials that begin like this one, each as the list of its beginnings, itself last."""
        if self.over:
            return [[self]]
        return [[self, *line] for children in self.children for child in children for line in child.complete()]


class Rules:
    """The rules of a trial on the raw arrays, as plain Python lists."""

    def __init__(self, tasks, identity_from=NEVER):
        self.prior, self.initial = tasks.prior.tolist(), tasks.initial.tolist()
        self.transition, self.reward = tasks.transition.tolist(), tasks.reward.tolist()
        self.observation, self.by_action = tasks.observation.tolist(), tasks.observation.ndim == 4
        self.first_observation, self.terminal = tasks.initial_observation.tolist(), tasks.terminal.tolist()
        self.episodes, self.length = tasks.episodes, tasks.episode_length
        self.actions = range(tasks.num_actions)
        self.identity_from = identity_from

    def told(self, m, episode):
        return m if episode >= self.identity_from else None

    def begin(self, seen=True):
        """{(first observation, told task): weights} at the start of a trial; {(None, None): weights} if not seen."""
        found = {}
        for m, prior in enumerate(self.prior):
            for s, start in enumerate(self.initial[m]):
                row = enumerate(self.first_observation[m][s]) if seen else [(None, 1.0)]
                for o, chance in row:
                    add(found, (o, self.told(m, 0)), (m, s, 0, 0), prior * start * chance)
        return found

    def follow(self, weights, action):
        """{(observation, reward, told task): weights} one step later."""
        found = {}
        for (m, s, episode, time), weight in weights.items():
            for entered, chance in enumerate(self.transition[m][s][action]):
                moved = weight * chance
                if moved == 0:
                    continue
                reward = self.reward[m][s][action][entered]
                ended = self.terminal[m][entered] or time + 1 == self.length
                if ended and episode + 1 == self.episodes:  # the trial's end, which is seen
                    add(found, (None, reward, None), (m, entered, episode + 1, 0), moved)
                elif ended:  # within this step the next episode begins, and its first observation comes with the reward
                    for s_next, start in enumerate(self.initial[m]):
                        for o, chance_o in enumerate(self.first_observation[m][s_next]):
                            key = (o, reward, self.told(m, episode + 1))
                            add(found, key, (m, s_next, episode + 1, 0), moved * start * chance_o)
                else:
                    row = self.observation[m][action][entered] if self.by_action else self.observation[m][entered]
                    for o, chance_o in enumerate(row):
                        key = (o, reward, self.told(m, episode))
                        add(found, key, (m, entered, episode, time + 1), moved * chance_o)
        return found


def add(found, key, hidden, weight):
    if weight > 0:
        weights = found.setdefault(key, {})
        weights[hidden] = weights.get(hidden, 0.0) + weight


def all_histories(tasks, identity_from=NEVER, seen=True):
    """The roots of the trees of all histories, one for each first observation (and told task)."""
    rules = Rules(tasks, identity_from)

    def grow(history):
        assert len(history.path) <= MAX_STEPS, "the strategy promises short trials"
        for action in rules.actions if not history.over else ():
            followers = rules.follow(history.weights, action)
            paths = {evidence: (*history.path, (action, *evidence)) for evidence in followers}
            history.children.append(
                [grow(History(history.first, history.told, paths[key], found)) for key, found in followers.items()]
            )
        return history

    return [grow(History(o, told, (), weights)) for (o, told), weights in rules.begin(seen).items()]


def worth(history, gamma, choose, gain=float):
    """P(history) times the expected discounted gain after it; `choose(worth of each action, step)` is the policy."""
    if history.over:
        return 0.0
    return choose(action_worths(history, gamma, choose, gain), len(history.path))


def action_worths(history, gamma, choose, gain=float):
    return [
        sum(
            child.probability * gain(child.path[-1][2]) + gamma * worth(child, gamma, choose, gain) for child in children
        )
        for children in history.children
    ]


def best(worths, _step):
    return max(worths)


def uniform(worths, _step):
    return sum(worths) / len(worths)


def total(roots, gamma, choose, gain=float):
    """The expected discounted gain of a trial."""
    return sum(worth(root, gamma, choose, gain) for root in roots)


def one(_reward):
    """The gain that counts steps."""
    return 1.0


def as_arrays(tasks, lines):
    """The arguments of `belief_along` for complete trials, given as lists of their beginnings."""
    shape = (len(lines), max(len(line) - 1 for line in lines))
    observation, action, reward = np.zeros(shape, int), np.zeros(shape, int), np.zeros(shape)
    valid = np.zeros(shape, bool)
    for n, line in enumerate(lines):
        before = line[0].first
        for t, (a, o, r, _) in enumerate(line[-1].path):
            observation[n, t], action[n, t], reward[n, t], valid[n, t] = before, a, r, True
            before = o
    return observation, action, reward, valid, np.ones(len(lines), bool)
