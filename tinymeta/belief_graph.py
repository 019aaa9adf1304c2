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

from tinymeta._jit import jit_allocating
from tinymeta.errors import PlanningError
from tinymeta.taskset import NEVER

PRIMES = (2**31 - 1, 2**31 - 19)
NODE_LIMIT = 500_000
ENTRY_LIMIT = 10_000_000  # hypotheses held by all nodes together, near 500 MB while enumerating
ENTRIES_AT_ONCE = 100_000


class NodeLimitError(PlanningError):
    """More beliefs are reachable than the limit allows."""

    def __init__(self, name, nodes, limit, entries):
        super().__init__(
            f"task set {name!r} has too many reachable beliefs: {nodes} found, holding {entries} hypotheses, and more "
            f"to come, with limits of {limit} and {ENTRY_LIMIT}; shorten the trial or raise node_limit"
        )
        self._arguments = name, nodes, limit, entries

    def __reduce__(self):  # so that it can cross to another process
        return type(self), self._arguments


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


class _Growing:
    """An array that is appended to."""

    def __init__(self, dtype, first=None):
        self._data, self.size = np.empty(1024, dtype), 0
        if first is not None:
            self.append(np.array([first], dtype))

    def append(self, values):
        needed = self.size + len(values)
        if needed > len(self._data):
            grown = np.empty(max(needed, 2 * len(self._data)), self._data.dtype)
            grown[: self.size] = self._data[: self.size]
            self._data = grown
        self._data[self.size : needed] = values
        self.size = needed

    @property
    def view(self):
        return self._data[: self.size]


def _residues(values):
    """Floats as residues (len(PRIMES), n): numerator times the inverse of the power of two below it."""
    distinct, inverse = np.unique(values, return_inverse=True)
    ratios = [float(value).as_integer_ratio() for value in distinct]
    table = np.array([[top % p * pow(bottom, -1, p) % p for top, bottom in ratios] for p in PRIMES], np.uint64)
    return table.reshape(len(PRIMES), -1)[:, inverse]


def _inverse_mod(values, p):
    """Modular inverses by Fermat: values^(p - 2)."""
    result, base, exponent = np.ones_like(values), values.copy(), p - 2
    while exponent:
        if exponent & 1:
            result = result * base % np.uint64(p)
        base = base * base % np.uint64(p)
        exponent >>= 1
    return result


def _mix(values):
    """A 64-bit finaliser (Steele et al. 2014, SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def ranges(start, count):
    """Concatenation of start[i], start[i]+1, …, start[i]+count[i]-1."""
    ends = np.cumsum(count)
    return np.repeat(start - (ends - count), count) + np.arange(ends[-1] if len(ends) else 0)


class _Nodes:
    """The beliefs found so far, and the exact test whether one is new."""

    def __init__(self, tasks, limit):
        self.tasks, self.limit = tasks, limit
        self.start, self.state, self.weight = _Growing(np.int64, 0), _Growing(np.int32), _Growing(np.float64)
        self.residue = [_Growing(np.uint64) for _ in PRIMES]
        self.known = {}

    def identify(self, first, state, weight, residue):
        """Node numbers of the groups of entries that begin at `first`; new beliefs are added.

        `weight` and `residue` may be unnormalised; states ascend within a group.
        """
        count = np.diff(np.append(first, len(state)))
        group = np.repeat(np.arange(len(first)), count)
        weight = weight / np.add.reduceat(weight, first)[group]
        residue, key = residue.copy(), _mix(state.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))
        for row, p in zip(residue, PRIMES, strict=True):
            position = np.where(row > 0, np.arange(len(row)), len(row) - 1)
            scale = _inverse_mod(row[np.minimum.reduceat(position, first)], p)
            row[:] = row * scale[group] % np.uint64(p)
            key = _mix(key * np.uint64(0x9E3779B97F4A7C15) + row)
        key = np.add.reduceat(key, first)
        keys, at, inverse = np.unique(key, return_index=True, return_inverse=True)
        order = np.argsort(at)  # number new nodes in the order of their discovery
        number = np.empty(len(keys), np.int64)
        for i in order:
            number[i] = self.known.setdefault(int(keys[i]), len(self.known))
        new = at[order][number[order] >= self.start.size - 1]
        taken = ranges(first[new], count[new])
        self.start.append(self.state.size + np.cumsum(count[new]))
        self.state.append(state[taken])
        self.weight.append(weight[taken])
        for store, row in zip(self.residue, residue, strict=True):
            store.append(row[taken])
        nodes = number[inverse]
        self._confirm(nodes, count, state, weight)
        if len(self.known) > self.limit or self.state.size > ENTRY_LIMIT:
            raise NodeLimitError(self.tasks.name, len(self.known), self.limit, self.state.size)
        return nodes

    def _confirm(self, nodes, count, state, weight):
        start = self.start.view
        same = (start[nodes + 1] - start[nodes] == count).all()
        if same:
            stored = ranges(start[nodes], count)
            same = (self.state.view[stored] == state).all() and np.abs(self.weight.view[stored] - weight).max(initial=0) < 1e-9
        if not same:
            raise ArithmeticError("two different beliefs have the same residues; please report this task set")


class _Joint:
    """Arithmetic of the index (clock·M + task)·S + state."""

    def __init__(self, tasks):
        self.M, self.S, self.A, self.K = tasks.num_tasks, tasks.num_states, tasks.num_actions, tasks.episodes
        self.fixed = tasks.episode_length is not None
        self.length = tasks.episode_length or 1

    def address(self, joint, action):
        """Of the outcomes table, see `tinymeta.taskset.Outcomes`."""
        clock, pair = np.divmod(joint, self.M * self.S)
        last = (clock % self.length == self.length - 1) if self.fixed else np.zeros_like(clock)
        return (last * (self.M * self.S) + pair) * self.A + action

    def after(self, joint, state, ended):
        """(next joint index, the trial is over)."""
        clock, pair = np.divmod(joint, self.M * self.S)
        episode = clock // self.length
        following = np.where(ended, (episode + 1) * self.length, clock + self.fixed)
        return (following * self.M + pair // self.S) * self.S + state, ended & (episode + 1 == self.K)

    def task(self, joint):
        return joint // self.S % self.M

    def episode(self, joint):
        return joint // (self.M * self.S) // self.length


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
    residue = _residues(outcomes.prior[task]) * _residues(outcomes.initial_probability) % np.array(PRIMES, np.uint64)[:, None]
    seen = evidence(tasks, outcomes.initial_observation, 0)
    if observed:
        seen = state
    elif identity_from == 0:
        seen = seen + task + 1
    possible = mass > 0
    pair = np.zeros(possible.sum(), np.int64)
    pair, seen, state, mass, residue = _merge(pair, seen[possible], state[possible], mass[possible], residue[:, possible])
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
    return pair[first], seen[first], state[first], np.add.reduceat(mass, first), np.add.reduceat(residue, first, axis=1) % primes


def changes(*columns):
    """Indices at which any of the sorted columns differs from the entry before, 0 included."""
    size = len(columns[0])
    if size == 0:
        return np.zeros(0, np.int64)
    differs = np.zeros(size, bool)
    differs[0] = True
    for column in columns:
        differs[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(differs)


def _components(edge_start, edge_child, num_actions, n):
    """Tarjan's strongly connected components: (component of each node, which of them hold a cycle)."""
    component = np.full(n, -1, np.int64)
    _tarjan(edge_start[::num_actions].copy(), edge_child, component)
    owner = np.repeat(np.arange(n), np.diff(edge_start[::num_actions]))
    cyclic = np.zeros(component.max() + 1, bool)
    cyclic[component[owner[component[owner] == component[edge_child]]]] = True
    return component, cyclic


@jit_allocating
def _tarjan(start, child, component):
    """Tarjan (1972) without recursion; components are numbered in the order of completion, sinks first."""
    n = component.shape[0]
    index, low, cursor = np.full(n, -1, np.int64), np.zeros(n, np.int64), start[:-1].copy()
    stack, path = np.empty(n, np.int64), np.empty(n, np.int64)
    counter = height = found = 0
    for root in range(n):
        if index[root] >= 0:
            continue
        depth = 1
        path[0] = root
        index[root] = low[root] = counter
        counter += 1
        stack[height] = root
        height += 1
        while depth > 0:
            node = path[depth - 1]
            if cursor[node] < start[node + 1]:
                following = child[cursor[node]]
                cursor[node] += 1
                if index[following] < 0:
                    index[following] = low[following] = counter
                    counter += 1
                    stack[height] = path[depth] = following
                    height += 1
                    depth += 1
                elif component[following] < 0:
                    low[node] = min(low[node], index[following])
                continue
            depth -= 1
            if depth > 0:
                low[path[depth - 1]] = min(low[path[depth - 1]], low[node])
            if low[node] == index[node]:
                while True:
                    height -= 1
                    component[stack[height]] = found
                    if stack[height] == node:
                        break
                found += 1
