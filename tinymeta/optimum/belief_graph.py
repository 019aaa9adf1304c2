"""Every belief that can be reached on a task set, as a graph.

Nodes are exact beliefs over (clock, task, state); the clock is the episode and, for fixed-length episodes, the time in it. Edges
are the evidence (observation, reward) that an action can bring. One switch says from which episode on the task's identity is
evidence too: never (the Bayes-optimal agent), from the second episode (the best that an agent wired like `rl1` can do), or
always (the informed optimum). With `observed=True` the whole hidden state is evidence, which gives the plain Markov chain.

When are two beliefs the same node? Floats that went different ways differ in their last digits, and rounding them could merge
what is different. But every probability is a dyadic rational, so a belief up to scale is a vector of rationals, and we carry
it along in exact arithmetic modulo two primes as well, scaled so that its first entry is 1. Equal beliefs have equal
residues, always; unequal ones collide with a chance near 2⁻⁶², and each merge is confirmed on the floats besides.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.environments.outcomes import NEVER
from tinymeta.optimum.components import _components, changes, ranges
from tinymeta.optimum.joint import _Joint
from tinymeta.optimum.nodes import NODE_LIMIT, PRIMES, _Growing, _Nodes, _residues

ENTRIES_AT_ONCE = 100_000


class BeliefGraph(NamedTuple):
    """All reachable beliefs of n nodes; pairs are numbered node·A + action."""

    roots: np.ndarray  # (r,) int64, nodes after the first observation
    root_probability: np.ndarray  # (r,)
    root_evidence: np.ndarray  # (r,) int64, see `evidence`
    entry_start: np.ndarray  # (n + 1,) int64
    entry_state: np.ndarray  # (e,) int32, (clock·M + task)·S + state
    entry_weight: np.ndarray  # (e,), sums to 1 within a node
    edge_start: np.ndarray  # (n·A + 1,) int64
    edge_child: np.ndarray  # (m,) int64
    edge_probability: np.ndarray  # (m,); what is missing to 1 is the trial's end
    edge_evidence: np.ndarray  # (m,) int64, ascending within a pair
    reward: np.ndarray  # (n, A), expected immediate reward
    component: np.ndarray  # (n,) int64, strongly connected component; children never have a higher number
    cyclic: np.ndarray  # (components,) bool

    @classmethod
    def from_edges(cls, roots_of, edge_start, edge_child, edge_probability, reward):
        """A chain or decision process of its own with the roots of another graph; its nodes hold no beliefs, its edges no evidence."""
        component, cyclic = _components(edge_start, edge_child, reward.shape[1], len(reward))
        none = np.zeros(0, np.int64)
        return cls(roots_of.roots, roots_of.root_probability, roots_of.root_evidence, none, none, none, edge_start, edge_child,
                   edge_probability, none, reward, component, cyclic)  # fmt: skip


def evidence(tasks, observation, reward, revealed=-1):
    """The number under which edges carry (observation, reward index, revealed task or -1)."""
    return (observation * len(tasks.outcomes.reward_value) + reward) * (tasks.num_tasks + 1) + revealed + 1


def belief_graph(tasks, identity_from=NEVER, observed=False, policy=None, node_limit=NODE_LIMIT):
    """Enumerate every belief that can be reached on `tasks`.

    Parameters
    ----------
    tasks : TaskSet
    identity_from : int
        Episode, counted from 0, from which the task's identity is part of the evidence.
    observed : bool
        The whole hidden state is evidence.
    policy : callable, optional
        policy(entry_start, entry_state, entry_weight) -> (nodes, A) probabilities; only beliefs that it can reach are enumerated.
    node_limit : int

    Raises
    ------
    NodeLimitError
        If there are more than `node_limit` beliefs.
    """
    outcomes, joint, A = tasks.outcomes, _Joint(tasks), tasks.num_actions
    probability_residue = _residues(outcomes.probability)
    nodes = _Nodes(tasks, node_limit)
    roots = _roots(tasks, nodes, identity_from, observed)
    edge_count, edge_child = _Growing(np.int64), _Growing(np.int64)
    edge_probability, edge_evidence, rewards = _Growing(np.float64), _Growing(np.int64), _Growing(np.float64)
    done = 0
    while done < len(nodes.known):
        start = nodes.start.view
        behind = max(done + 1, int(np.searchsorted(start, start[done] + ENTRIES_AT_ONCE // A)) - 1)
        behind = min(behind, len(nodes.known))
        entries = slice(start[done], start[behind])
        owner = np.repeat(np.arange(behind - done), np.diff(start[done : behind + 1]))
        state, weight = nodes.state.view[entries].astype(np.int64), nodes.weight.view[entries]
        residue = np.stack([store.view[entries] for store in nodes.residue])
        pair, entry = (owner[:, None] * A + np.arange(A)).ravel(), np.repeat(np.arange(len(state)), A)
        if policy is not None:
            allowed = policy(start[done : behind + 1] - start[done], state, weight).ravel()[pair] > 0
            pair, entry = pair[allowed], entry[allowed]
        address = joint.address(state[entry], pair % A)
        count = outcomes.start[address + 1] - outcomes.start[address]
        outcome = ranges(outcomes.start[address], count)
        pair, entry = np.repeat(pair, count), np.repeat(entry, count)
        mass = weight[entry] * outcomes.probability[outcome]
        pairs = (behind - done) * A
        rewards.append(np.bincount(pair, mass * outcomes.reward_value[outcomes.reward[outcome]], minlength=pairs))
        following, over = joint.after(state[entry], outcomes.state[outcome], outcomes.ended[outcome])
        seen = evidence(tasks, outcomes.observation[outcome], outcomes.reward[outcome])
        if observed:
            seen = following
        elif identity_from < NEVER:
            seen = seen + np.where(joint.episode(following) >= identity_from, joint.task(following) + 1, 0)
        goes_on = ~over
        pair, seen, following, mass = pair[goes_on], seen[goes_on], following[goes_on], mass[goes_on]
        residue = residue[:, entry[goes_on]]
        for row, factor, p in zip(residue, probability_residue[:, outcome[goes_on]], PRIMES, strict=True):
            row[:] = row * factor % np.uint64(p)
        pair, seen, following, mass, residue = _merge(pair, seen, following, mass, residue)
        first = changes(pair, seen)
        if (
            len(first) and not np.add.reduceat(mass, first).all()
        ):  # evidence less likely than 1e-308 underflowed to 0: it never comes
            kept = np.repeat(np.add.reduceat(mass, first) > 0, np.diff(np.append(first, len(mass))))
            pair, seen, following, mass, residue = pair[kept], seen[kept], following[kept], mass[kept], residue[:, kept]
            first = changes(pair, seen)
        if len(first):
            edge_child.append(nodes.identify(first, following, mass, residue))
            edge_probability.append(np.add.reduceat(mass, first))
            edge_evidence.append(seen[first])
        edge_count.append(np.bincount(pair[first], minlength=pairs))
        done = behind
    edge_start = np.concatenate([[0], np.cumsum(edge_count.view)])
    component, cyclic = _components(edge_start, edge_child.view, A, len(nodes.known))
    columns = nodes.start, nodes.state, nodes.weight
    edges = edge_start, edge_child.view.copy(), edge_probability.view.copy(), edge_evidence.view.copy()
    reward = rewards.view.reshape(-1, A).copy()
    return BeliefGraph(*roots, *(column.view.copy() for column in columns), *edges, reward, component, cyclic)


def _roots(tasks, nodes, identity_from, observed):
    """Nodes after the first observation, their probabilities, and the evidence that leads there (reward index 0)."""
    outcomes = tasks.outcomes
    task = np.repeat(np.arange(tasks.num_tasks), np.diff(outcomes.initial_start))
    state = task * tasks.num_states + outcomes.initial_state
    mass = outcomes.prior[task] * outcomes.initial_probability
    residue = (
        _residues(outcomes.prior[task]) * _residues(outcomes.initial_probability) % np.array(PRIMES, np.uint64)[:, None]
    )
    seen = evidence(tasks, outcomes.initial_observation, 0)
    if observed:
        seen = state
    elif identity_from == 0:
        seen = seen + task + 1
    possible = mass > 0
    pair = np.zeros(possible.sum(), np.int64)
    pair, seen, state, mass, residue = _merge(
        pair, seen[possible], state[possible], mass[possible], residue[:, possible]
    )
    first = changes(pair, seen)
    numbers = nodes.identify(first, state, mass, residue)
    return numbers, np.add.reduceat(mass, first), seen[first]


def _merge(pair, seen, state, mass, residue):
    """Sort entries by (pair, evidence, state) and add up those that agree in all three."""
    order = np.lexsort((state, seen, pair))
    pair, seen, state, mass, residue = pair[order], seen[order], state[order], mass[order], residue[:, order]
    first = changes(pair, seen, state)
    if len(first) == len(pair):
        return pair, seen, state, mass, residue
    primes = np.array(PRIMES, np.uint64)[:, None]
    return (
        pair[first],
        seen[first],
        state[first],
        np.add.reduceat(mass, first),
        np.add.reduceat(residue, first, axis=1) % primes,
    )
