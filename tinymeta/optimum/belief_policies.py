"""TODO optimum.belief_policies."""

import numpy as np

from tinymeta.optimum.belief_graph import BeliefGraph, belief_graph
from tinymeta.optimum.components import ranges
from tinymeta.optimum.nodes import NODE_LIMIT, NodeLimitError
from tinymeta.optimum.planning import TIE, evaluate_policy, plan


class TaskPolicies:
    """What to do for each task, as if it were the one: action values of the fully observed problem, averaged within the task."""

    def __init__(self, tasks, gamma):
        graph = belief_graph(tasks, observed=True)
        self.tasks = tasks
        joint = tasks.episodes * (tasks.episode_length or 1) * tasks.num_tasks * tasks.num_states
        self.action_value = np.full((joint, tasks.num_actions), np.nan)
        self.action_value[graph.entry_state[graph.entry_start[:-1]]] = plan(graph, gamma).action_value

    def of(self, state, weight):
        """(weights (M,), first best action (M,)) of one belief, given as joint indices and weights; action -1 for weight 0."""
        weights, actions = self.of_many(np.array([0, len(state)]), state, weight)
        return weights[0], np.maximum(actions[0], 0)

    def of_many(self, start, state, weight):
        """The same for many beliefs: (nodes, M) weights and actions."""
        n, M, A = len(start) - 1, self.tasks.num_tasks, self.tasks.num_actions
        owner = np.repeat(np.arange(n), np.diff(start)) * M + state // self.tasks.num_states % M
        weights = np.bincount(owner, weight, minlength=n * M)
        q = np.stack(
            [np.bincount(owner, weight * self.action_value[state, a], minlength=n * M) for a in range(A)], axis=1
        )
        q /= np.where(weights > 0, weights, 1)[:, None]
        best = q.max(axis=1, keepdims=True)
        actions = (q >= best - TIE * np.maximum(1, np.abs(best))).argmax(axis=1)
        return weights.reshape(n, M), np.where(weights > 0, actions, -1).reshape(n, M)

    def greedy(self, start, state, weight):
        """Policy (nodes, A) of the greedy agent; the first of equally probable tasks."""
        weights, actions = self.of_many(start, state, weight)
        top = (weights >= weights.max(axis=1, keepdims=True) * (1 - TIE)).argmax(axis=1)
        return np.eye(self.tasks.num_actions)[actions[np.arange(len(top)), top]]


def greedy_value(tasks, gamma, node_limit=NODE_LIMIT):
    """The exact `Value` of the greedy agent; only the beliefs that it can reach are enumerated."""
    choices = TaskPolicies(tasks, gamma)
    graph = belief_graph(tasks, policy=choices.greedy, node_limit=node_limit)
    return evaluate_policy(graph, choices.greedy(graph.entry_start, graph.entry_state, graph.entry_weight), gamma)


def thompson_value(tasks, gamma, node_limit=NODE_LIMIT):
    """The exact `Value` of the Thompson agent, on the product of beliefs and held tasks.

    Node n of the product is belief n with no task held yet; node N + n·M + m is belief n with task m held.
    """
    graph, choices = belief_graph(tasks, node_limit=node_limit), TaskPolicies(tasks, gamma)
    N, M, A = len(graph.reward), tasks.num_tasks, tasks.num_actions
    weights, actions = choices.of_many(graph.entry_start, graph.entry_state, graph.entry_weight)
    episode = _most_probable_episode(tasks, graph)
    parent = np.repeat(np.arange(N * A), np.diff(graph.edge_start)) // A
    same = episode[parent] == episode[graph.edge_child]
    needs_holding = np.zeros(N, bool)
    needs_holding[graph.edge_child[same]] = True
    if (needs_holding.sum() + 1) * M > 4 * node_limit:
        raise NodeLimitError(tasks.name, int(needs_holding.sum()) * M, node_limit, len(graph.entry_state))
    policy = np.zeros((N, M, A))
    n, m = np.nonzero(weights > 0)
    policy[n, m, actions[n, m]] = 1
    fresh = (policy * weights[:, :, None]).sum(axis=1)  # (N, A)
    held_given_action = np.where(
        fresh[:, None] > 0, policy * weights[:, :, None] / np.where(fresh > 0, fresh, 1)[:, None], 0
    )  # (N, M, A)
    holding = np.argwhere((weights > 0) & needs_holding[:, None])  # the held nodes, as (n, m)
    number = np.full((N, M), -1)
    number[holding[:, 0], holding[:, 1]] = N + np.arange(len(holding))
    source, child, probability = [], [], []

    def connect(start, edge, share, held):
        """Edges from product pairs `start`, each a share of `edge`; with task `held` kept where that is possible."""
        to = graph.edge_child[edge]
        kept = np.where(same[edge] & (weights[to, held] > 0), number[to, held], to)
        source.append(start)
        child.append(kept)
        probability.append(graph.edge_probability[edge] * share)

    pair = np.repeat(np.arange(N * A), np.diff(graph.edge_start))
    moves_on = np.flatnonzero(~same & (fresh.ravel()[pair] > 0))
    connect(pair[moves_on], moves_on, np.ones(len(moves_on)), np.zeros(len(moves_on), int))
    edge, task = np.nonzero(same[:, None] & (held_given_action.transpose(0, 2, 1).reshape(N * A, M)[pair] > 0))
    connect(pair[edge], edge, held_given_action[pair[edge] // A, task, pair[edge] % A], task)
    action = actions[holding[:, 0], holding[:, 1]]
    pairs = holding[:, 0] * A + action
    count = np.diff(graph.edge_start)[pairs]
    edge, owner = ranges(graph.edge_start[pairs], count), np.repeat(np.arange(len(holding)), count)
    connect((N + owner) * A + action[owner], edge, np.ones(len(edge)), holding[owner, 1])
    source, child, probability = (np.concatenate(parts) for parts in (source, child, probability))
    order = np.argsort(source, kind="stable")
    total = N + len(holding)
    held_policy = np.eye(A)[action] if len(holding) else np.zeros((0, A))
    product = BeliefGraph.from_edges(
        graph, np.searchsorted(source[order], np.arange(total * A + 1)), child[order], probability[order],
        np.concatenate([graph.reward, graph.reward[holding[:, 0]]]),
    )  # fmt: skip
    return evaluate_policy(product, np.concatenate([fresh, held_policy]), gamma)


def _most_probable_episode(tasks, graph):
    clock = graph.entry_state // (tasks.num_tasks * tasks.num_states)
    owner = np.repeat(np.arange(len(graph.reward)), np.diff(graph.entry_start))
    order = np.lexsort((graph.entry_weight, owner))
    return (clock // (tasks.episode_length or 1))[order][graph.entry_start[1:] - 1]
