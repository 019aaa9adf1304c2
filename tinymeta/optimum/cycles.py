"""Values on a cycle of beliefs, where backward induction has no last step to begin at.

Within a strongly connected component the values of a policy solve a linear system. With the component's inner
transition matrix T under the policy, and g the expected reward plus the discounted value of leaving,

    v = g + γ T v.

It is solved densely. The best policy is found by policy iteration (Howard 1960), which begins at the greedy policy of
some rounds of value iteration. At γ = 1 the system is singular where a policy never leaves; such nodes are worth 0 if
they meet no reward any more. If they collect for ever their worth does not exist as a number, and infinity stands for
it, whatever the sign of the reward.
"""

import numpy as np

from tinymeta.base.errors import PlanningError
from tinymeta.optimum.belief_graph import BeliefGraph
from tinymeta.optimum.components import ranges

COMPONENT_LIMIT = 4000  # nodes in one cycle, solved densely
WARM_UP = 200  # rounds of value iteration, which only find a good policy to start from
IMPROVEMENT = 1e-12  # by which, relative to the largest value, another action must be better to be preferred


class Cycle:
    """The equations of one cyclic component of n nodes.

    Parameters
    ----------
    graph : BeliefGraph
    nodes : array of shape (n,)
        The component's nodes, ascending.
    reward : array of shape (nodes of the graph, A)
        What an action brings at once.
    gamma : float
    value : array of shape (nodes of the graph,)
        Solved for all nodes that the component leads to.

    Raises
    ------
    PlanningError
        If there are more than `COMPONENT_LIMIT` nodes.
    """

    def __init__(
        self, graph: BeliefGraph, nodes: np.ndarray, reward: np.ndarray, gamma: float, value: np.ndarray
    ) -> None:
        self.size = len(nodes)
        self.A = reward.shape[1]
        self.gamma = gamma
        if self.size > COMPONENT_LIMIT:
            raise PlanningError(
                f"{self.size} beliefs form one cycle, expected at most {COMPONENT_LIMIT}; "
                "give the task set an episode_length"
            )
        graph_pairs = (nodes[:, None] * self.A + np.arange(self.A)).ravel()
        count = np.diff(graph.edge_start)[graph_pairs]
        edge = ranges(graph.edge_start[graph_pairs], count)
        pair = np.repeat(np.arange(self.size * self.A), count)
        child = graph.edge_child[edge]
        probability = graph.edge_probability[edge]
        target = np.minimum(np.searchsorted(nodes, child), self.size - 1)
        stays = nodes[target] == child
        self._pair = pair[stays]
        self._target = target[stays]
        self._probability = probability[stays]
        self._gain = reward[nodes] + gamma * self._by_pair(pair[~stays], probability[~stays] * value[child[~stays]])

    def _by_pair(self, pair: np.ndarray, amount: np.ndarray) -> np.ndarray:
        """Sums (n, A) of the amounts that belong to each pair (node, action)."""
        return np.bincount(pair, amount, minlength=self.size * self.A).reshape(self.size, self.A)

    def action_values(self, value: np.ndarray) -> np.ndarray:
        """(n, A): one Bellman backup of values (n,)."""
        return self._gain + self.gamma * self._by_pair(self._pair, self._probability * value[self._target])

    def evaluate(self, policy: np.ndarray) -> np.ndarray:
        """Values (n,) of a policy (n, A)."""
        inner = np.zeros((self.size, self.size))
        np.add.at(inner, (self._pair // self.A, self._target), policy.ravel()[self._pair] * self._probability)
        # An action that is never taken may be worth infinitely much.
        gain = (policy * np.where(policy > 0, self._gain, 0)).sum(axis=1)
        if self.gamma == 1:
            settled, endless = _endless(inner, gain)
        else:
            settled = np.zeros(self.size, bool)
            endless = np.isinf(gain)
        known = settled | endless
        system = np.eye(self.size) - self.gamma * inner
        system[known] = np.eye(self.size)[known]
        value = np.linalg.solve(system, np.where(known, 0.0, gain))
        value[endless] = np.inf
        return value

    def optimise(self) -> np.ndarray:
        """Values (n,) of the best policy."""
        value = np.zeros(self.size)
        for _ in range(WARM_UP):
            value = self.action_values(value).max(axis=1)
        action = self.action_values(value).argmax(axis=1)
        while True:
            value = self.evaluate(np.eye(self.A)[action])
            action_value = self.action_values(value)
            threshold = action_value[np.arange(self.size), action] + IMPROVEMENT * max(1.0, np.abs(value).max())
            better = action_value.max(axis=1) > threshold
            if not better.any():
                return value
            action = np.where(better, action_value.argmax(axis=1), action)


def _endless(inner: np.ndarray, gain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a chain with inner probabilities (n, n) and gains (n,), without discount: (settled, endless) nodes.

    A node that cannot leave the component is settled at 0 if it meets no reward there; otherwise it collects for
    ever, and so does every node that may come to it, or that leaves for an infinite value.
    """
    step = inner > 0
    can_leave = _can_reach(step, inner.sum(axis=1) < 1 - 1e-12)
    collects = _can_reach(step, ~can_leave & (gain != 0)) & ~can_leave
    endless = _can_reach(step, collects | np.isinf(gain))
    return ~can_leave & ~endless, endless


def _can_reach(step: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Nodes (n,) from which some node of `goal` can be reached along `step` (n, n)."""
    while True:
        grown = goal | (step & goal).any(axis=1)
        if (grown == goal).all():
            return grown
        goal = grown
