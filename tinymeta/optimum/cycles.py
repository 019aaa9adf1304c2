"""TODO optimum.cycles."""

import numpy as np

from tinymeta.base.errors import PlanningError
from tinymeta.optimum.components import ranges

COMPONENT_LIMIT = 4000  # nodes in one cycle, solved densely


def _solve_cycle(graph, nodes, reward, gamma, policy, q, v):
    """Policy iteration (or one evaluation of `policy`) on the nodes of one cyclic component. Overwrites their rows of q, v."""
    size, A = len(nodes), reward.shape[1]
    if size > COMPONENT_LIMIT:
        raise PlanningError(
            f"{size} beliefs form one cycle, expected at most {COMPONENT_LIMIT}; give the task set an episode_length"
        )
    local = np.full(len(v), -1)
    local[nodes] = np.arange(size)
    pairs = (nodes[:, None] * A + np.arange(A)).ravel()
    count = np.diff(graph.edge_start)[pairs]
    edge, pair = ranges(graph.edge_start[pairs], count), np.repeat(np.arange(size * A), count)
    inside = local[graph.edge_child[edge]] >= 0
    leaving, staying = edge[~inside], edge[inside]
    outside_value = v[graph.edge_child[leaving]]
    fixed = reward[nodes] + gamma * np.bincount(
        pair[~inside], graph.edge_probability[leaving] * outside_value, minlength=size * A
    ).reshape(size, A)
    stay_from, stay_to = pair[inside], local[graph.edge_child[staying]]
    stay_probability = graph.edge_probability[staying]

    def action_values(value):
        moved = np.bincount(stay_from, stay_probability * value[stay_to], minlength=size * A)
        return fixed + gamma * moved.reshape(size, A)

    def evaluate(choice):
        matrix = np.zeros((size, size))
        np.add.at(matrix, (stay_from // A, stay_to), choice.ravel()[stay_from] * stay_probability)
        gain = np.where(choice > 0, choice * np.where(choice > 0, fixed, 0), 0).sum(axis=1)
        settled, endless = _endless(matrix, gain) if gamma == 1 else (np.zeros(size, bool), np.isinf(gain))
        system, known = np.eye(size) - gamma * matrix, settled | endless
        system[known] = np.eye(size)[known]
        value = np.linalg.solve(system, np.where(known, 0.0, gain))
        value[endless] = np.inf
        return value

    if policy is not None:
        v[nodes] = evaluate(policy[nodes])
        q[nodes] = action_values(v[nodes])
        return
    value = np.zeros(size)
    for _ in range(200):  # value iteration only finds a good start
        value = action_values(value).max(axis=1)
    best = action_values(value).argmax(axis=1)
    while True:
        value = evaluate(np.eye(A)[best])
        values = action_values(value)
        better = values.max(axis=1) > values[np.arange(size), best] + 1e-12 * max(1.0, np.abs(value).max())
        if not better.any():
            break
        best = np.where(better, values.argmax(axis=1), best)
    v[nodes], q[nodes] = value, values


def _endless(matrix, gain):
    """Of a chain with these inner probabilities, without discount: (settled, endless) nodes.

    A node that cannot leave the component is settled at 0 if it meets no reward there; otherwise it collects for ever, and so
    does every node that may come to it, or that leaves for an infinite value.
    """
    step = matrix > 0
    can_leave = _can_reach(step, matrix.sum(axis=1) < 1 - 1e-12)
    collects = _can_reach(step, ~can_leave & (gain != 0)) & ~can_leave
    endless = _can_reach(step, collects | np.isinf(gain))
    return ~can_leave & ~endless, endless


def _can_reach(step, goal):
    """Nodes (n,) from which some node of `goal` can be reached along `step` (n, n)."""
    while True:
        grown = goal | (step & goal[None, :]).any(axis=1)
        if (grown == goal).all():
            return grown
        goal = grown
