"""Every belief that can be reached on a task set, as a graph.

Nodes are exact beliefs over the joint index (clock, task, state), see `tinymeta.optimum.joint`; when two are the same
is the subject of `tinymeta.optimum.nodes`. Edges are the evidence (observation, reward) that an action can bring. One
switch says from which episode on the task's identity is evidence too: never (the Bayes-optimal agent), from the
second episode (the best that an agent wired like `rl1` can do), or always (the informed optimum). With
`observed=True` the whole hidden state is evidence, which gives the plain Markov chain.

The graph grows breadth first, a batch of nodes at a time: each hypothesis of each node meets each outcome of each
action, which gives `Hypotheses` about the next moment; sorted and added up they are the beliefs that follow.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

from tinymeta.environments.outcomes import NEVER
from tinymeta.environments.table import TaskSet
from tinymeta.optimum.components import ranges, strong_components
from tinymeta.optimum.hypotheses import Hypotheses
from tinymeta.optimum.joint import JointIndex
from tinymeta.optimum.nodes import NODE_LIMIT, Nodes, modulo_primes, residues

ENTRIES_AT_ONCE = 100_000  # (hypothesis, action) that are expanded together

Integers = TypeVar("Integers", int, np.ndarray)
Policy = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


class BeliefGraph(NamedTuple):
    """All n reachable beliefs, holding e entries, and m edges. Pairs (node, action) are numbered node·A + action."""

    roots: np.ndarray  # (r,) int64, nodes after the first observation
    root_probability: np.ndarray  # (r,)
    root_evidence: np.ndarray  # (r,) int64, see `evidence`
    entry_start: np.ndarray  # (n + 1,) int64
    entry_state: np.ndarray  # (e,) int32, joint index, ascending within a node
    entry_weight: np.ndarray  # (e,), sums to 1 within a node
    edge_start: np.ndarray  # (n·A + 1,) int64
    edge_child: np.ndarray  # (m,) int64
    edge_probability: np.ndarray  # (m,); what is missing to 1 is the trial's end
    edge_evidence: np.ndarray  # (m,) int64, ascending within a pair
    reward: np.ndarray  # (n, A), expected immediate reward
    component: np.ndarray  # (n,) int64, strongly connected component; children never have a higher number
    cyclic: np.ndarray  # (components,) bool

    def with_nodes(
        self, edge_start: np.ndarray, edge_child: np.ndarray, edge_probability: np.ndarray, reward: np.ndarray
    ) -> "BeliefGraph":
        """Another decision process with the roots of this one; its nodes hold no entries, its edges no evidence."""
        component, cyclic = strong_components(edge_start, edge_child, reward.shape[1])
        nothing = np.zeros(0, np.int64)
        return self._replace(
            entry_start=nothing,
            entry_state=nothing,
            entry_weight=nothing,
            edge_start=edge_start,
            edge_child=edge_child,
            edge_probability=edge_probability,
            edge_evidence=nothing,
            reward=reward,
            component=component,
            cyclic=cyclic,
        )


def evidence(tasks: TaskSet, observation: Integers, reward: Integers | int, revealed: Integers | int = -1) -> Integers:
    """The number under which edges carry (observation, reward index, revealed task or -1)."""
    return (observation * len(tasks.outcomes.reward_value) + reward) * (tasks.num_tasks + 1) + revealed + 1


def evidence_parts(tasks: TaskSet, number: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(observation, reward index, revealed task or -1) of the numbers that `evidence` gives.

    Examples
    --------
    >>> import tinymeta
    >>> tasks = tinymeta.make("bandit")
    >>> [int(part) for part in evidence_parts(tasks, evidence(tasks, 0, reward=1, revealed=-1))]
    [0, 1, -1]
    """
    seen, told = np.divmod(number, tasks.num_tasks + 1)
    observation, reward = np.divmod(seen, len(tasks.outcomes.reward_value))
    return observation, reward, told - 1


def belief_graph(
    tasks: TaskSet,
    identity_from: int = NEVER,
    observed: bool = False,
    policy: Policy | None = None,
    node_limit: int = NODE_LIMIT,
) -> BeliefGraph:
    """Enumerate every belief that can be reached on `tasks`.

    Parameters
    ----------
    tasks : TaskSet
    identity_from : int
        Episode, counted from 0, from which the task's identity is part of the evidence.
    observed : bool
        The whole hidden state is evidence.
    policy : callable, optional
        policy(entry_start, entry_state, entry_weight) -> (nodes, A) probabilities; only beliefs that it can reach are
        enumerated.
    node_limit : int

    Raises
    ------
    NodeLimitError
        If there are more than `node_limit` beliefs.

    Examples
    --------
    Two pulls of the deterministic bandit: nothing is known, then the first reward tells the task.

    >>> import tinymeta
    >>> graph = belief_graph(tinymeta.make("bandit", pulls=2))
    >>> [graph.entry_weight[i:j].tolist() for i, j in zip(graph.entry_start[:-1], graph.entry_start[1:])]
    [[0.5, 0.5], [1.0], [1.0]]
    """
    enumeration = _Enumeration(tasks, identity_from, observed, policy, node_limit)
    roots = enumeration.find_roots()
    done = 0
    while done < len(enumeration.nodes):
        done = enumeration.expand(done)
    return enumeration.graph(*roots)


class _Enumeration:
    """A belief graph while it grows: nodes, and the edges of those that are expanded."""

    def __init__(
        self, tasks: TaskSet, identity_from: int, observed: bool, policy: Policy | None, node_limit: int
    ) -> None:
        outcomes = tasks.outcomes
        self.tasks = tasks
        self.index = JointIndex(tasks)
        self.identity_from = identity_from
        self.observed = observed
        self.policy = policy
        self.nodes = Nodes(tasks, node_limit)
        self.outcome_residue = residues(outcomes.probability)
        self.outcome_evidence = evidence(tasks, outcomes.observation, outcomes.reward)
        self.reward: list[np.ndarray] = []  # by pair, one array a batch
        self.edge_count: list[np.ndarray] = []  # by pair
        self.edge_child: list[np.ndarray] = []
        self.edge_probability: list[np.ndarray] = []
        self.edge_evidence: list[np.ndarray] = []

    def seen(self, joint: np.ndarray, shown: np.ndarray) -> np.ndarray:
        """The evidence of hypotheses `joint` (n,) whose observation and reward make the evidence `shown` (n,)."""
        if self.observed:
            return joint
        if self.identity_from == NEVER:
            return shown
        told = self.index.episode(joint) >= self.identity_from
        return shown + np.where(told, self.index.task(joint) + 1, 0)

    def find_roots(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Nodes after the first observation, their probabilities, and the evidence for them (reward index 0)."""
        outcomes = self.tasks.outcomes
        task = np.repeat(np.arange(self.index.M), np.diff(outcomes.initial_start))
        joint = task * self.index.S + outcomes.initial_state
        hypotheses = Hypotheses(
            pair=np.zeros(len(task), np.int64),
            evidence=self.seen(joint, evidence(self.tasks, outcomes.initial_observation, 0)),
            joint=joint,
            weight=outcomes.prior[task] * outcomes.initial_probability,
            residue=modulo_primes(residues(outcomes.prior[task]) * residues(outcomes.initial_probability)),
        )
        hypotheses, first, probability = hypotheses.take(np.flatnonzero(hypotheses.weight)).beliefs()
        roots = self.nodes.identify(first, hypotheses.joint, hypotheses.weight, hypotheses.residue)
        return roots, probability, hypotheses.evidence[first]

    def expand(self, first: int) -> int:
        """Add the edges of a batch of nodes, from `first` on; returns the node after the last of them."""
        start = self.nodes.start
        last_entry = start[first] + ENTRIES_AT_ONCE // self.index.A
        stop = max(first + 1, int(np.searchsorted(start, last_entry)) - 1)
        stop = min(stop, len(self.nodes))
        num_pairs = (stop - first) * self.index.A
        hypotheses, begins, probability = self.following(first, stop).beliefs()
        if len(begins):
            children = self.nodes.identify(begins, hypotheses.joint, hypotheses.weight, hypotheses.residue)
            self.edge_child.append(children)
            self.edge_probability.append(probability)
            self.edge_evidence.append(hypotheses.evidence[begins])
        self.edge_count.append(np.bincount(hypotheses.pair[begins], minlength=num_pairs))
        return stop

    def following(self, first: int, stop: int) -> Hypotheses:
        """What may follow the nodes first…stop-1, where the trial goes on; notes the expected reward of each pair."""
        A = self.index.A
        outcomes = self.tasks.outcomes
        start = self.nodes.start[first : stop + 1]
        entries = slice(start[0], start[-1])
        joint = self.nodes.joint[entries].astype(np.int64)
        weight = self.nodes.weight[entries]
        pair, entry = self.pairs(start - start[0], joint, weight)
        address = self.index.address(joint, 0)[entry] + pair % A
        count = np.diff(outcomes.start)[address]
        outcome = ranges(outcomes.start[address], count)
        pair = np.repeat(pair, count)
        entry = np.repeat(entry, count)
        weight = weight[entry] * outcomes.probability[outcome]
        gain = weight * outcomes.reward_value[outcomes.reward[outcome]]
        self.reward.append(np.bincount(pair, gain, minlength=(stop - first) * A))
        following, over = self.index.after(joint[entry], outcomes.state[outcome], outcomes.ended[outcome])
        goes_on = np.flatnonzero(~over)
        following = following[goes_on]
        outcome = outcome[goes_on]
        residue = np.take(self.nodes.residue[:, entries], entry[goes_on], axis=1)
        return Hypotheses(
            pair=pair[goes_on],
            evidence=self.seen(following, self.outcome_evidence[outcome]),
            joint=following,
            weight=weight[goes_on],
            residue=modulo_primes(residue * np.take(self.outcome_residue, outcome, axis=1)),
        )

    def pairs(self, start: np.ndarray, joint: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(pair, entry) of every entry under every action of its node; only under those that the policy may take."""
        A = self.index.A
        count = np.repeat(np.diff(start), A)
        pair = np.repeat(np.arange(len(count)), count)
        entry = ranges(np.repeat(start[:-1], A), count)
        if self.policy is None:
            return pair, entry
        allowed = self.policy(start, joint, weight).ravel()[pair] > 0
        return pair[allowed], entry[allowed]

    def graph(self, roots: np.ndarray, probability: np.ndarray, root_evidence: np.ndarray) -> BeliefGraph:
        """The graph, once all nodes are expanded."""
        edge_start = np.concatenate([[0], np.cumsum(np.concatenate(self.edge_count))])
        edge_child = np.concatenate([np.zeros(0, np.int64), *self.edge_child])
        component, cyclic = strong_components(edge_start, edge_child, self.index.A)
        return BeliefGraph(
            roots=roots,
            root_probability=probability,
            root_evidence=root_evidence,
            entry_start=self.nodes.start.copy(),
            entry_state=self.nodes.joint.copy(),
            entry_weight=self.nodes.weight.copy(),
            edge_start=edge_start,
            edge_child=edge_child,
            edge_probability=np.concatenate([np.zeros(0), *self.edge_probability]),
            edge_evidence=np.concatenate([np.zeros(0, np.int64), *self.edge_evidence]),
            reward=np.concatenate(self.reward).reshape(-1, self.index.A),
            component=component,
            cyclic=cyclic,
        )
