"""TODO optimum.nodes."""

import numpy as np

from tinymeta.base.errors import PlanningError
from tinymeta.optimum.components import ranges

PRIMES = (2**31 - 1, 2**31 - 19)

NODE_LIMIT = 500_000

ENTRY_LIMIT = 10_000_000  # hypotheses held by all nodes together, near 500 MB while enumerating


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
            same = (self.state.view[stored] == state).all() and np.abs(self.weight.view[stored] - weight).max(
                initial=0
            ) < 1e-9
        if not same:
            raise ArithmeticError("two different beliefs have the same residues; please report this task set")
