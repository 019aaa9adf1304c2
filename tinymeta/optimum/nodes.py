"""When are two beliefs the same? Exact beliefs as the nodes of a graph.

Floats that went different ways differ in their last digits, and rounding them could merge what is different. But every
probability in a task set is a float, hence a rational number with a power of two below it, so a belief up to scale is
a vector of rationals. It is carried along a second time in exact arithmetic, as *residues*: each rational modulo two
primes, scaled so that the first entry is 1. Equal beliefs have equal residues, always; unequal ones collide with a
chance near 2⁻⁶², and each merge is confirmed on hypotheses and floats besides.

A belief is kept sparse: its hypotheses, joint indices in ascending order, their weights and their residues. Beliefs
are found by a hash of hypotheses and residues in an open-addressed table: `slot[hash mod size]`, or the next free
one.
"""

from typing import Any, NamedTuple

import numpy as np

from tinymeta.base.errors import PlanningError
from tinymeta.base.jit import jit
from tinymeta.environments.table import TaskSet

PRIMES = (2**31 - 1, 2**31 - 19)  # products of residues fit into 63 bits
PRIMES_ARRAY = np.array(PRIMES)  # for kernels
NODE_LIMIT = 500_000
ENTRY_LIMIT = 10_000_000  # hypotheses held by all nodes together, near 500 MB while enumerating
SAME_WEIGHT = 1e-9  # by how much the floats of equal beliefs may differ


class NodeLimitError(PlanningError):
    """More beliefs are reachable than the limit allows."""

    def __init__(self, name: str, nodes: int, limit: int, entries: int) -> None:
        super().__init__(
            f"task set {name!r} has too many reachable beliefs: {nodes} found, holding {entries} hypotheses, and more "
            f"to come, with limits of {limit} and {ENTRY_LIMIT}; shorten the trial or raise node_limit"
        )
        self._arguments = name, nodes, limit, entries

    def __reduce__(self) -> tuple[Any, ...]:  # so that it can cross to another process
        return type(self), self._arguments


def residues(values: np.ndarray) -> np.ndarray:
    """Floats (n,) as residues (len(PRIMES), n) int64: numerator times the inverse of the power of two below it."""
    distinct, inverse = np.unique(values, return_inverse=True)
    ratios = [float(value).as_integer_ratio() for value in distinct]
    table = np.array([[top % p * pow(bottom, -1, p) % p for top, bottom in ratios] for p in PRIMES], np.int64)
    return table.reshape(len(PRIMES), -1)[:, inverse]


def modulo_primes(values: np.ndarray) -> np.ndarray:
    """Rows (len(PRIMES), n), each modulo its prime."""
    return np.stack([row % p for row, p in zip(values, PRIMES, strict=True)])


class _Table(NamedTuple):
    """The beliefs found so far, in arrays whose capacity is larger: n nodes holding e entries."""

    size: np.ndarray  # (2,) int64, n and e
    slot: np.ndarray  # (power of two,) int64, a node or -1
    key: np.ndarray  # (capacity,) uint64, hash of each node
    start: np.ndarray  # (capacity + 1,) int64, where a node's entries begin
    joint: np.ndarray  # (capacity,) int32
    weight: np.ndarray  # (capacity,) float64, sums to 1 within a node
    residue: np.ndarray  # (len(PRIMES), capacity) int64, the first of a node is 1


def _empty_table(nodes: int, entries: int) -> _Table:
    """An empty table of this capacity."""
    return _Table(
        size=np.zeros(2, np.int64),
        slot=np.full(2 << nodes.bit_length(), -1, np.int64),
        key=np.empty(nodes, np.uint64),
        start=np.zeros(nodes + 1, np.int64),
        joint=np.empty(entries, np.int32),
        weight=np.empty(entries),
        residue=np.empty((len(PRIMES), entries), np.int64),
    )


class Nodes:
    """The beliefs found so far, numbered in the order of their discovery, and the exact test whether one is new.

    Parameters
    ----------
    tasks : TaskSet
    limit : int
        Nodes that there may be.
    """

    def __init__(self, tasks: TaskSet, limit: int) -> None:
        self._tasks = tasks
        self._limit = limit
        self._table = _empty_table(nodes=1024, entries=4096)

    def __len__(self) -> int:
        return int(self._table.size[0])

    @property
    def start(self) -> np.ndarray:
        """(n + 1,) int64: the entries of node i are start[i]…start[i + 1]-1."""
        return self._table.start[: len(self) + 1]

    @property
    def joint(self) -> np.ndarray:
        """(e,) int32, joint indices, ascending within a node."""
        return self._table.joint[: self._table.size[1]]

    @property
    def weight(self) -> np.ndarray:
        """(e,) float64, sums to 1 within a node."""
        return self._table.weight[: self._table.size[1]]

    @property
    def residue(self) -> np.ndarray:
        """(len(PRIMES), e) int64, the first non-zero one of a node is 1."""
        return self._table.residue[:, : self._table.size[1]]

    def identify(self, first: np.ndarray, joint: np.ndarray, weight: np.ndarray, residue: np.ndarray) -> np.ndarray:
        """The nodes (g,) of the g beliefs whose entries begin at `first` (g,); new ones are added.

        Weights and residues may be unscaled; joint indices ascend within a belief.

        Raises
        ------
        NodeLimitError
            If there are more nodes than the limit, or they hold more than `ENTRY_LIMIT` hypotheses.
        """
        bounds = np.append(first, len(joint))
        weight = weight / np.repeat(np.add.reduceat(weight, first), np.diff(bounds))
        self._make_room(len(first), len(joint))
        nodes = np.empty(len(first), np.int64)
        if not _identify(bounds, joint, weight, residue.copy(), self._table, nodes):
            raise ArithmeticError("two different beliefs have the same residues; please report this task set")
        found, entries = (int(size) for size in self._table.size)
        if found > self._limit or entries > ENTRY_LIMIT:
            raise NodeLimitError(self._tasks.name, found, self._limit, entries)
        return nodes

    def _make_room(self, nodes: int, entries: int) -> None:
        """Move to a larger table if these many more might not fit."""
        old = self._table
        n, e = (int(size) for size in old.size)
        if n + nodes <= len(old.key) and e + entries <= len(old.joint):
            return
        table = _empty_table(max(n + nodes, 2 * n), max(e + entries, 2 * e))
        table.size[:] = old.size
        table.key[:n] = old.key[:n]
        table.start[: n + 1] = old.start[: n + 1]
        table.joint[:e] = old.joint[:e]
        table.weight[:e] = old.weight[:e]
        table.residue[:, :e] = old.residue[:, :e]
        _fill_slots(table)
        self._table = table


@jit
def _identify(bounds, joint, weight, residue, table, nodes):
    """Write into nodes (g,) the number of each belief, adding new ones to the table; False if residues collided.

    Belief i has the entries bounds[i]…bounds[i + 1]-1 of joint (n,), weight (n,), summing to 1, and residue (P, n),
    which is overwritten with its scaled values.
    """
    for i in range(nodes.shape[0]):
        low = bounds[i]
        high = bounds[i + 1]
        for k in range(residue.shape[0]):
            _scale(residue[k], low, high, PRIMES_ARRAY[k])
        key = _hash(joint, residue, low, high)
        slot = _find_slot(table, key)
        if table.slot[slot] < 0:
            table.slot[slot] = _add(table, key, joint, weight, residue, low, high)
        elif not _same(table, table.slot[slot], joint, weight, low, high):
            return False
        nodes[i] = table.slot[slot]
    return True


@jit
def _scale(residue, low, high, p):
    """Divide residue[low:high] modulo p by its first non-zero entry."""
    first = low
    while first < high - 1 and residue[first] == 0:
        first += 1
    if residue[first] == 1:  # weights that began equal often stay so
        return
    scale = _inverse(residue[first], p)
    for e in range(first, high):
        residue[e] = residue[e] * scale % p


@jit
def _inverse(value, p):
    """1 / value modulo p, by Euclid's algorithm; 0 for 0."""
    remainder = p
    divisor = value
    before = 0
    factor = 1  # divisor = factor · value modulo p, throughout
    while divisor > 1:
        quotient = remainder // divisor
        remainder, divisor = divisor, remainder - quotient * divisor
        before, factor = factor, before - quotient * factor
    return factor % p if divisor == 1 else 0


@jit
def _mix(value):
    """A 64-bit finaliser (SplitMix64, Steele et al. 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@jit
def _hash(joint, residue, low, high):
    """64 bits that tell beliefs apart by their hypotheses and scaled residues."""
    key = np.uint64(high - low)
    for e in range(low, high):
        key = _mix(key + np.uint64(joint[e]) * np.uint64(0x9E3779B97F4A7C15))
        for k in range(residue.shape[0]):
            key = _mix(key ^ np.uint64(residue[k, e]))
    return key


@jit
def _find_slot(table, key):
    """The slot of the node with this key, or the free one where it belongs."""
    last = np.uint64(table.slot.shape[0] - 1)
    slot = key & last
    while table.slot[slot] >= 0 and table.key[table.slot[slot]] != key:
        slot = (slot + np.uint64(1)) & last
    return slot


@jit
def _add(table, key, joint, weight, residue, low, high):
    """Append a belief to the table; returns its number."""
    node = table.size[0]
    shift = table.size[1] - low
    table.key[node] = key
    for e in range(low, high):
        table.joint[shift + e] = joint[e]
        table.weight[shift + e] = weight[e]
        for k in range(residue.shape[0]):
            table.residue[k, shift + e] = residue[k, e]
    table.start[node + 1] = shift + high
    table.size[0] += 1
    table.size[1] += high - low
    return node


@jit
def _same(table, node, joint, weight, low, high):
    """True if a belief has the hypotheses of a node, and its weights but for rounding."""
    shift = table.start[node] - low
    if table.start[node + 1] - table.start[node] != high - low:
        return False
    for e in range(low, high):
        if table.joint[shift + e] != joint[e] or not abs(table.weight[shift + e] - weight[e]) < SAME_WEIGHT:
            return False
    return True


@jit
def _fill_slots(table):
    """Enter all nodes of a table into its free slots."""
    for node in range(table.size[0]):
        table.slot[_find_slot(table, table.key[node])] = node
