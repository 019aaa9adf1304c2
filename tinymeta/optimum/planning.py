"""Bayes-optimal policies and exact values on the graph of reachable beliefs.

A belief is a state of a Markov decision process (Åström 1965), so Bellman's equation gives the optimum,

    Q(b, a) = R(b, a) + γ Σ_e P(e | b, a) V(b after a and e),      V(b) = max_a Q(b, a),

with e the evidence that an action can bring; in the trial's last step nothing follows. The graph is solved component
by component, sinks first: a lone node by one backup, which is backward induction, a component with cycles as
`tinymeta.optimum.cycles` tells. The same equation with a mean in place of the maximum is the worth of a given policy.
Nothing is sampled or truncated.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tinymeta.base.errors import PlanningError, real
from tinymeta.base.jit import jit
from tinymeta.environments.table import TaskSet
from tinymeta.optimum.belief_graph import BeliefGraph, belief_graph
from tinymeta.optimum.components import changes
from tinymeta.optimum.cycles import Cycle
from tinymeta.optimum.joint import JointIndex
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
    """The exact worth of a policy, in expectation over tasks and all that is random."""

    reward_per_trial: float  # undiscounted
    steps_per_trial: float  # math.inf where the policy need not finish
    discounted_value: float


def plan(graph: BeliefGraph, gamma: float) -> Plan:
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


def bayes_optimal(tasks: TaskSet, gamma: float, node_limit: int = NODE_LIMIT) -> Plan:
    """`Plan` of the agent that knows the task set and sees what `rl2` sees.

    Examples
    --------
    The first pull of the deterministic bandit is a coin toss, the second is won (γ = 1):

    >>> import tinymeta
    >>> plan_value(bayes_optimal(tinymeta.make("bandit", pulls=2), 1), 1).reward_per_trial
    1.5
    """
    return plan(belief_graph(tasks, node_limit=node_limit), gamma)


def informed(tasks: TaskSet, gamma: float, identity_from: int = 0, node_limit: int = NODE_LIMIT) -> Plan:
    """`Plan` of the agent that is also told the task, from episode `identity_from` on."""
    return plan(belief_graph(tasks, identity_from, node_limit=node_limit), gamma)


def plan_value(solved: Plan, gamma: float) -> Value:
    """The `Value` of a `Plan`'s policy."""
    return evaluate_policy(solved.graph, solved.policy, gamma)


def random_policy(graph: BeliefGraph) -> np.ndarray:
    """The policy (n, A) that chooses uniformly."""
    return np.full(graph.reward.shape, 1 / graph.reward.shape[1])


def evaluate_policy(graph: BeliefGraph, policy: np.ndarray, gamma: float) -> Value:
    """The `Value` of a policy (n, A) on a graph, from its roots."""
    one_a_step = np.ones_like(graph.reward)
    return Value(
        reward_per_trial=_expected(graph, policy, graph.reward, 1.0),
        steps_per_trial=_expected(graph, policy, one_a_step, 1.0),
        discounted_value=_expected(graph, policy, graph.reward, gamma),
    )


def by_episode(tasks: TaskSet, graph: BeliefGraph, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(reward (K,), steps (K,)) that a policy expects in each episode of a trial, undiscounted and exact."""
    K = tasks.episodes
    n = len(graph.reward)
    node = np.repeat(np.arange(n), np.diff(graph.entry_start))
    episode = JointIndex(tasks).episode(graph.entry_state)
    share = np.bincount(node * K + episode, graph.entry_weight, minlength=n * K).reshape(n, K)  # P(episode | belief)
    reward = [_expected(graph, policy, graph.reward * share[:, k, None], 1.0) for k in range(K)]
    steps = [_expected(graph, policy, np.ones_like(graph.reward) * share[:, k, None], 1.0) for k in range(K)]
    return np.array(reward), np.array(steps)


def _expected(graph: BeliefGraph, policy: np.ndarray, reward: np.ndarray, gamma: float) -> float:
    """The discounted sum of a reward (n, A) that a policy expects, from the roots on."""
    value = _solve(graph, reward, gamma, policy)[1]
    return float(graph.root_probability @ value[graph.roots])


def _solve(
    graph: BeliefGraph, reward: np.ndarray, gamma: float, policy: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Action values (n, A) and values (n,): of `policy`, or of the best policy where it is None."""
    action_value = np.zeros(reward.shape)
    value = np.zeros(len(reward))
    followed = np.empty((0, reward.shape[1])) if policy is None else policy
    edges = graph.edge_start, graph.edge_child, graph.edge_probability
    for nodes, on_a_cycle in _in_order(graph):
        if not on_a_cycle:
            _backup(nodes, *edges, reward, gamma, followed, action_value, value)
            continue
        cycle = Cycle(graph, nodes, reward, gamma, value)
        value[nodes] = cycle.optimise() if policy is None else cycle.evaluate(policy[nodes])
        action_value[nodes] = cycle.action_values(value[nodes])
    return action_value, value


def _in_order(graph: BeliefGraph) -> Iterator[tuple[np.ndarray, bool]]:
    """(nodes, they form a cycle) in the order in which they can be solved; lone nodes come many at once."""
    order = np.argsort(graph.component, kind="stable")
    bounds = np.append(changes(graph.component[order]), len(order))
    solved = 0
    for component in np.flatnonzero(graph.cyclic):
        yield order[solved : bounds[component]], False
        yield order[bounds[component] : bounds[component + 1]], True
        solved = int(bounds[component + 1])
    yield order[solved:], False


@jit
def _backup(nodes, edge_start, edge_child, edge_probability, reward, gamma, policy, action_value, value):
    """Bellman backups of `nodes` in order, whose children are solved or earlier in line.

    Reads the edges, reward (n, A) and policy (n, A), which has no rows where the best action is to be taken.
    Overwrites the nodes' rows of action_value (n, A) and value (n,).
    """
    A = action_value.shape[1]
    for node in nodes:
        best = -np.inf
        mean = 0.0
        for a in range(A):
            total = 0.0
            for e in range(edge_start[node * A + a], edge_start[node * A + a + 1]):
                total += edge_probability[e] * value[edge_child[e]]
            # An infinite value (a trial that never ends) must not meet gamma = 0 or a probability of 0.
            action_value[node, a] = reward[node, a] + (gamma * total if gamma > 0 else 0.0)
            best = max(best, action_value[node, a])
            if policy.shape[0] > 0 and policy[node, a] > 0:
                mean += policy[node, a] * action_value[node, a]
        value[node] = mean if policy.shape[0] > 0 else best
