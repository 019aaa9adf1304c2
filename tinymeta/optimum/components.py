"""Sorted columns and strongly connected components: the graph theory that the planner stands on.

A graph's edges are sorted by the *pair* (node, action) that they leave, numbered node·A + action; `edge_start`, of
n·A + 1 integers, says where each pair's edges begin. A strongly connected component is a largest set of nodes each of
which can be reached from every other: nodes on common cycles, or a lone node. Tarjan (1972) finds all of them in one
walk and completes those that others lead to first, so solving components in the order of their numbers never meets an
unsolved child.
"""

import math

import numpy as np

from tinymeta.base.jit import jit, jit_allocating

FEW_NODES = 2000  # plain Python is through with so many before the compiler has begun


def ranges(start: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Concatenation of start[i], start[i]+1, …, start[i]+count[i]-1.

    Examples
    --------
    >>> ranges(np.array([7, 0]), np.array([2, 3]))
    array([7, 8, 0, 1, 2])
    """
    ends = np.cumsum(count)
    return np.repeat(start - (ends - count), count) + np.arange(ends[-1] if len(ends) else 0)


def changes(*columns: np.ndarray) -> np.ndarray:
    """Indices at which any of the sorted columns differs from the entry before, 0 included.

    Examples
    --------
    >>> changes(np.array([4, 4, 5, 5]), np.array([1, 1, 1, 2]))
    array([0, 2, 3])
    """
    differs = np.zeros(len(columns[0]), bool)
    differs[:1] = True
    for column in columns:
        differs[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(differs)


def sorting(*columns: np.ndarray) -> np.ndarray:
    """Indices that sort by the first column, then by the second, and so on; equal rows keep their order.

    Columns of integers >= 0. Where they fit together into 64 bits one sort is made instead of one a column.

    Examples
    --------
    >>> sorting(np.array([1, 0, 1]), np.array([0, 9, 0]))
    array([1, 0, 2])
    """
    sizes = [int(column.max(initial=0)) + 1 for column in columns]
    if math.prod(sizes) >= 2**63:
        return np.lexsort(columns[::-1])
    key = columns[0]
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        key = key * size + column
    return np.argsort(key, kind="stable")


def strong_components(
    edge_start: np.ndarray, edge_child: np.ndarray, num_actions: int
) -> tuple[np.ndarray, np.ndarray]:
    """(component of each node (n,), which components hold a cycle (components,)).

    Components are numbered so that children never have a higher number.
    """
    node_start = edge_start[::num_actions].copy()
    n = len(node_start) - 1
    component = np.full(n, -1, np.int64)
    walk = _tarjan.py_func if n <= FEW_NODES else _tarjan  # the same integers either way
    walk(node_start, edge_child, component)
    source = np.repeat(np.arange(n), np.diff(node_start))
    cyclic = np.zeros(int(np.max(component)) + 1, bool)
    cyclic[component[source[component[source] == component[edge_child]]]] = True
    return component, cyclic


@jit_allocating
def _tarjan(start, child, component):
    """Tarjan's walk without recursion. Reads start (n + 1,) and child (m,); overwrites component (n,), at first all -1.

    `index` is the order in which nodes are found; `low` the smallest index that a node is known to lead back to.
    `stack` holds found nodes whose component is not complete, `path` the nodes that the walk is in the middle of.
    """
    n = component.shape[0]
    index = np.full(n, -1, np.int64)
    low = np.zeros(n, np.int64)
    cursor = start[:-1].copy()  # the next child to look at
    stack = np.empty(n, np.int64)
    path = np.empty(n, np.int64)
    found = height = completed = 0
    for root in range(n):
        depth = 0
        entered = root if index[root] < 0 else -1
        while entered >= 0 or depth > 0:
            if entered >= 0:
                index[entered] = low[entered] = found
                stack[height] = path[depth] = entered
                found += 1
                height += 1
                depth += 1
            node = path[depth - 1]
            entered = -1
            if cursor[node] < start[node + 1]:
                following = child[cursor[node]]
                cursor[node] += 1
                if index[following] < 0:
                    entered = following
                elif component[following] < 0:
                    low[node] = min(low[node], index[following])
                continue
            depth -= 1
            if depth > 0:
                low[path[depth - 1]] = min(low[path[depth - 1]], low[node])
            if low[node] == index[node]:
                height = _complete(node, completed, stack, height, component)
                completed += 1


@jit
def _complete(node, number, stack, height, component):
    """Take a component off the stack, down to the node that it was entered by; returns the stack's height."""
    component[node] = -1
    while component[node] < 0:
        height -= 1
        component[stack[height]] = number
    return height
