"""TODO optimum.components."""

import numpy as np

from tinymeta.base.jit import jit_allocating


def ranges(start, count):
    """Concatenation of start[i], start[i]+1, …, start[i]+count[i]-1."""
    ends = np.cumsum(count)
    return np.repeat(start - (ends - count), count) + np.arange(ends[-1] if len(ends) else 0)


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
