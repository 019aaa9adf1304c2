"""Two policies that act on the exact belief without planning over it, and what they are worth, exactly.

Both solve each task as if it were known, by the action values of the fully observed problem; where the state is
hidden too (Tiger), these are averaged over states under the belief (Q_MDP, Littman et al. 1995).

greedy      acts optimally for the most probable task
thompson    draws a task from the belief, holds it until the episode ends or evidence rules it out, and acts
            optimally for it (Thompson 1933; Strens 2000)

The greedy agent is a policy on the belief graph, so `evaluate_policy` gives its worth. The Thompson agent is not: it
remembers the task it holds. Its worth is taken on the product of belief graph and held task.
"""

import numpy as np

from tinymeta.environments.table import TaskSet
from tinymeta.optimum.belief_graph import BeliefGraph, belief_graph
from tinymeta.optimum.components import ranges
from tinymeta.optimum.graphs import Graphs
from tinymeta.optimum.joint import JointIndex
from tinymeta.optimum.nodes import NodeLimitError
from tinymeta.optimum.planning import TIE, Value, evaluate_policy, plan

HOLDING_LIMIT = 4  # (belief, held task) that there may be, times the node limit


class TaskPolicies:
    """What to do for each task, as if it were the one.

    Parameters
    ----------
    graphs : Graphs
        Of the task set.
    gamma : float
        Discount at which the actions are optimal.
    """

    def __init__(self, graphs: Graphs, gamma: float) -> None:
        observed = graphs.observed()
        self._index = JointIndex(graphs.tasks)
        self._action_value = np.full((self._index.A, self._index.size), np.nan)  # NaN for what is never reached
        self._action_value[:, observed.entry_state] = plan(observed, gamma).action_value.T

    def of(self, joint: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(P(task) (M,), best action (M,)) of one belief, given as joint indices and weights; action 0 for weight 0."""
        weights, actions = self.of_many(np.array([0, len(joint)]), joint, weight)
        return weights[0], np.maximum(actions[0], 0)

    def of_many(self, start: np.ndarray, joint: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(P(task) (n, M), best action (n, M), -1 for weight 0) of n beliefs; of tied actions the first.

        The entries of belief i are start[i]…start[i + 1]-1 of joint and weight.
        """
        n = len(start) - 1
        M = self._index.M
        owner = np.repeat(np.arange(n), np.diff(start)) * M + self._index.task(joint)
        weights = np.bincount(owner, weight, minlength=n * M)
        total = np.stack([np.bincount(owner, weight * q[joint], minlength=n * M) for q in self._action_value])
        action_value = total / np.where(weights > 0, weights, 1)  # (A, n·M)
        best = action_value.max(axis=0)
        actions = (action_value >= best - TIE * np.maximum(1, np.abs(best))).argmax(axis=0)
        return weights.reshape(n, M), np.where(weights > 0, actions, -1).reshape(n, M)

    def greedy(self, start: np.ndarray, joint: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Policy (n, A) of the greedy agent on n beliefs."""
        weights, actions = self.of_many(start, joint, weight)
        return np.eye(self._index.A)[actions[np.arange(len(weights)), most_probable(weights)]]


def most_probable(weights: np.ndarray) -> np.ndarray:
    """The most probable task of beliefs (..., M) over tasks; the first of equally probable ones."""
    return (weights >= weights.max(axis=-1, keepdims=True) * (1 - TIE)).argmax(axis=-1)


def greedy_value(graphs: Graphs, gamma: float) -> Value:
    """The exact `Value` of the greedy agent; only the beliefs that it can reach are enumerated."""
    choices = TaskPolicies(graphs, gamma)
    graph = belief_graph(graphs.tasks, policy=choices.greedy, node_limit=graphs.node_limit)
    return evaluate_policy(graph, choices.greedy(graph.entry_start, graph.entry_state, graph.entry_weight), gamma)


def thompson_value(graphs: Graphs, gamma: float) -> Value:
    """The exact `Value` of the Thompson agent.

    Raises
    ------
    NodeLimitError
        If there are too many beliefs, or too many (belief, held task).
    """
    graph = graphs.beliefs()
    same_episode = _same_episode(graphs.tasks, graph)
    may_hold = np.zeros(len(graph.reward), bool)
    may_hold[graph.edge_child[same_episode]] = True
    holding = int(may_hold.sum()) * graphs.tasks.num_tasks
    if holding + graphs.tasks.num_tasks > HOLDING_LIMIT * graphs.node_limit:
        raise NodeLimitError(graphs.tasks.name, holding, graphs.node_limit, len(graph.entry_state))
    choices = TaskPolicies(graphs, gamma)
    weights, actions = choices.of_many(graph.entry_start, graph.entry_state, graph.entry_weight)
    chain = _HoldingChain(graph, weights, actions, same_episode, may_hold)
    return evaluate_policy(chain.graph(), chain.policy, gamma)


def _same_episode(tasks: TaskSet, graph: BeliefGraph) -> np.ndarray:
    """(m,) bool: an edge does not lead into another episode, going by each belief's most probable hypothesis."""
    owner = np.repeat(np.arange(len(graph.reward)), np.diff(graph.entry_start))
    highest = np.maximum.reduceat(graph.entry_weight, graph.entry_start[:-1])
    top = np.flatnonzero(graph.entry_weight == highest[owner])
    most_probable_entry = np.zeros(len(graph.reward), np.int64)
    most_probable_entry[owner[top]] = top  # the last of equally probable ones
    episode = JointIndex(tasks).episode(graph.entry_state[most_probable_entry])
    return episode[_sources(graph)] == episode[graph.edge_child]


def _sources(graph: BeliefGraph) -> np.ndarray:
    """(m,): the node that each edge leaves."""
    A = graph.reward.shape[1]
    return np.repeat(np.arange(len(graph.reward)), np.diff(graph.edge_start[::A]))


class _HoldingChain:
    """The product of N beliefs and the task that the Thompson agent holds, as a decision process with one policy.

    A *fresh* node n < N is belief n with no task held yet: a task m is drawn with its probability, so that action a
    has probability P(a) = Σ_m P(m) 1[a is best for m], and given a the task has the posterior P(m) 1[a is best for m]
    / P(a). A *holding* node from N on is a belief together with a task m; it takes the best action for m. From
    either, an edge of the belief graph leads on to holding m, or to the fresh child where the episode ends or the
    evidence rules m out.

    Parameters
    ----------
    graph : BeliefGraph
    weights, actions : arrays of shape (N, M)
        P(task) and the best action for it, -1 for weight 0.
    same_episode : bool array of shape (m,)
        Edges along which a task is kept.
    may_hold : bool array of shape (N,)
        Beliefs that such an edge leads to.
    """

    def __init__(
        self,
        graph: BeliefGraph,
        weights: np.ndarray,
        actions: np.ndarray,
        same_episode: np.ndarray,
        may_hold: np.ndarray,
    ) -> None:
        self.beliefs = graph
        self.N, self.A = graph.reward.shape
        self.weights = weights
        self.actions = actions
        self.same_episode = same_episode
        node, task = np.nonzero(weights)
        drawn = np.bincount(node * self.A + actions[node, task], weights[node, task], minlength=self.N * self.A)
        self.fresh_policy = drawn.reshape(self.N, self.A)
        self.held_belief, self.held_task = np.nonzero((weights > 0) & may_hold[:, None])
        self.held_action = actions[self.held_belief, self.held_task]
        self.number = np.full(weights.shape, -1)  # of the holding node of a belief and a task
        self.number[self.held_belief, self.held_task] = self.N + np.arange(len(self.held_belief))

    @property
    def policy(self) -> np.ndarray:
        """(N + holding nodes, A)."""
        return np.concatenate([self.fresh_policy, np.eye(self.A)[self.held_action]])

    def graph(self) -> BeliefGraph:
        """The product, without beliefs."""
        parts = [self._fresh_to_fresh(), self._fresh_to_held(), self._held_onwards()]
        pair, child, probability = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = np.argsort(pair, kind="stable")
        reward = np.concatenate([self.beliefs.reward, self.beliefs.reward[self.held_belief]])
        edge_start = np.searchsorted(pair[order], np.arange(reward.size + 1))
        return self.beliefs.with_nodes(edge_start, child[order], probability[order], reward)

    def _edge_pairs(self) -> np.ndarray:
        """(m,): the pair that each edge of the belief graph leaves."""
        return np.repeat(np.arange(self.N * self.A), np.diff(self.beliefs.edge_start))

    def _fresh_to_fresh(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(pair, child, probability) of the edges that end an episode: whichever task was drawn is dropped."""
        pair = self._edge_pairs()
        edge = np.flatnonzero(~self.same_episode & (self.fresh_policy.ravel()[pair] > 0))
        return pair[edge], self.beliefs.edge_child[edge], self.beliefs.edge_probability[edge]

    def _fresh_to_held(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(pair, child, probability) of the edges within an episode, once for each task that may have been drawn."""
        pair = self._edge_pairs()
        node, action = np.divmod(pair, self.A)
        edge, task = np.nonzero(self.same_episode[:, None] & (self.actions[node] == action[:, None]))
        posterior = self.weights[node[edge], task] / self.fresh_policy.ravel()[pair[edge]]
        return pair[edge], self._kept(edge, task), self.beliefs.edge_probability[edge] * posterior

    def _held_onwards(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(pair, child, probability) of the edges that leave holding nodes, under the action of the task they hold."""
        taken = self.held_belief * self.A + self.held_action
        count = np.diff(self.beliefs.edge_start)[taken]
        edge = ranges(self.beliefs.edge_start[taken], count)
        holding = np.repeat(np.arange(len(taken)), count)
        pair = (self.N + holding) * self.A + self.held_action[holding]
        return pair, self._kept(edge, self.held_task[holding]), self.beliefs.edge_probability[edge]

    def _kept(self, edge: np.ndarray, task: np.ndarray) -> np.ndarray:
        """Where edges lead if `task` is held: to the child that holds it if that is possible, else to the fresh one."""
        child = self.beliefs.edge_child[edge]
        possible = self.same_episode[edge] & (self.weights[child, task] > 0)
        return np.where(possible, self.number[child, task], child)
