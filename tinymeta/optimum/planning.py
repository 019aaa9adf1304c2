"""Bayes-optimal policies and exact values on the graph of reachable beliefs.

The graph is solved component by component (Tarjan 1972), sinks first: a lone node by one Bellman backup, which is backward
induction, a component with cycles by policy iteration with a dense linear solve. Nothing is sampled or truncated.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base.errors import PlanningError, real
from tinymeta.base.jit import jit
from tinymeta.optimum.belief_graph import BeliefGraph, belief_graph
from tinymeta.optimum.components import changes
from tinymeta.optimum.cycles import _solve_cycle
from tinymeta.optimum.nodes import NODE_LIMIT

TIE = 1e-10  # actions whose values differ by less than this, relative to the largest value, are tied


class Plan(NamedTuple):
    """An optimal policy on a `BeliefGraph`."""

    graph: BeliefGraph
    value: np.ndarray  # (n,), discounted
    action_value: np.ndarray  # (n, A)
    ties: np.ndarray  # (n, A) bool, the optimal actions
    policy: np.ndarray  # (n, A), all optimal actions equally likely


class Value(NamedTuple):
    """The exact worth of a policy, in expectation over tasks and luck."""

    reward_per_trial: float  # undiscounted
    steps_per_trial: float  # math.inf where the policy need not finish
    discounted_value: float


def plan(graph, gamma):
    """The policy that maximises the discounted return of a trial.

    Raises
    ------
    ValueError
        If gamma is outside [0, 1], or 1 on a graph with cycles, where a trial need not end.
    """
    gamma = real("gamma", gamma, 0, 1)
    if gamma == 1 and graph.cyclic.any():
        raise PlanningError("gamma = 1, expected gamma < 1: trials of this task set can go on for ever")
    action_value, value = _solve(graph, graph.reward, gamma, None)
    ties = action_value >= value[:, None] - TIE * max(1.0, np.abs(value).max())
    return Plan(graph, value, action_value, ties, ties / ties.sum(axis=1, keepdims=True))


def evaluate_policy(graph, policy, gamma):
    """The `Value` of a policy (n, A) on a graph, from its roots."""
    once = np.ones_like(graph.reward)
    worth = (
        _solve(graph, reward, discount, policy)[1]
        for reward, discount in ((graph.reward, 1.0), (once, 1.0), (graph.reward, gamma))
    )
    return Value(*(_at_roots(graph, value) for value in worth))


def by_episode(tasks, graph, policy):
    """(reward (K,), steps (K,)) that a policy expects in each episode of a trial, undiscounted and exact."""
    K, length = tasks.episodes, tasks.episode_length or 1
    owner = np.repeat(np.arange(len(graph.reward)), np.diff(graph.entry_start))
    episode = graph.entry_state // (tasks.num_tasks * tasks.num_states * length)
    share = np.bincount(owner * K + episode, graph.entry_weight, minlength=len(graph.reward) * K).reshape(-1, K)
    counted = ([_at_roots(graph, _solve(graph, per * share[:, k, None], 1.0, policy)[1]) for k in range(K)]
               for per in (graph.reward, np.ones_like(graph.reward)))  # fmt: skip
    return tuple(np.array(values) for values in counted)


def _at_roots(graph, value):
    return float(graph.root_probability @ value[graph.roots])


def _solve(graph, reward, gamma, policy):
    """Action values (n, A) and values (n,): of `policy`, or of the best policy where it is None."""
    n, A = reward.shape
    q, v = np.zeros((n, A)), np.zeros(n)
    order = np.argsort(graph.component, kind="stable")
    followed = np.empty((0, A)) if policy is None else policy
    cuts = np.append(changes(graph.component[order]), n)
    at = 0
    for c in np.flatnonzero(graph.cyclic):
        _backup(
            order[at : cuts[c]],
            graph.edge_start,
            graph.edge_child,
            graph.edge_probability,
            reward,
            gamma,
            followed,
            q,
            v,
        )
        at = cuts[c + 1]
        _solve_cycle(graph, order[cuts[c] : at], reward, gamma, policy, q, v)
    _backup(order[at:], graph.edge_start, graph.edge_child, graph.edge_probability, reward, gamma, followed, q, v)
    return q, v


@jit
def _backup(nodes, edge_start, edge_child, edge_probability, reward, gamma, policy, q, v):
    """Bellman backups of `nodes` in order, their children being solved or later in line. Overwrites their rows of q and v."""
    A = q.shape[1]
    for node in nodes:
        best, mean = -np.inf, 0.0
        for a in range(A):
            total = 0.0
            for e in range(edge_start[node * A + a], edge_start[node * A + a + 1]):
                total += edge_probability[e] * v[edge_child[e]]
            # An infinite value (a trial that never ends) must not meet gamma = 0 or a probability of 0.
            q[node, a] = reward[node, a] + (gamma * total if gamma > 0 else 0.0)
            best = max(best, q[node, a])
            if policy.shape[0] > 0 and policy[node, a] > 0:
                mean += policy[node, a] * q[node, a]
        v[node] = mean if policy.shape[0] > 0 else best


# ---------------------------------------------------------------- the yardsticks


def bayes_optimal(tasks, gamma, node_limit=NODE_LIMIT):
    """`Plan` of the agent that knows the task set and sees what `rl2` sees."""
    return plan(belief_graph(tasks, node_limit=node_limit), gamma)


def informed(tasks, gamma, identity_from=0, node_limit=NODE_LIMIT):
    """`Plan` of the agent that is also told the task, from episode `identity_from` on."""
    return plan(belief_graph(tasks, identity_from, node_limit=node_limit), gamma)


def plan_value(solved, gamma):
    """The `Value` of a `Plan`'s policy."""
    return evaluate_policy(solved.graph, solved.policy, gamma)


def random_value(tasks, gamma, node_limit=NODE_LIMIT):
    """The `Value` of choosing uniformly at random, exact and without a step limit."""
    graph = belief_graph(tasks, observed=True, node_limit=node_limit)
    return evaluate_policy(graph, np.full(graph.reward.shape, 1 / tasks.num_actions), gamma)
