"""Sorted columns and strongly connected components against slow and obvious ways (oracle)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinymeta.optimum.components import changes, ranges, sorting, strong_components

seeds = given(st.integers(0, 2**32 - 1))
quickly = settings(deadline=None, derandomize=True, max_examples=100)


@quickly
@seeds
def test_components_are_mutual_reachability(seed):
    """Oracle: nodes share a component if each reaches the other; children's components never have a higher number."""
    rng = np.random.default_rng(seed)
    n, A = int(rng.integers(1, 12)), int(rng.integers(1, 3))
    count = rng.integers(0, 3, n * A)
    edge_start = np.concatenate([[0], np.cumsum(count)])
    edge_child = rng.integers(0, n, edge_start[-1])
    component, cyclic = strong_components(edge_start, edge_child, A)
    source = np.repeat(np.arange(n * A), count) // A
    step = np.zeros((n, n), bool)
    step[source, edge_child] = True
    reach = step.copy()
    for k in range(n):  # Warshall
        reach |= reach[:, k, None] & reach[k]
    mutual = (reach & reach.T) | np.eye(n, dtype=bool)
    np.testing.assert_array_equal(component[:, None] == component, mutual)
    np.testing.assert_array_equal(cyclic[component], np.diag(reach))
    assert (component[edge_child] <= component[source]).all()


@quickly
@seeds
@pytest.mark.parametrize("largest", [5, 2**40])
def test_sorting_is_lexicographic_and_stable(largest, seed):
    """Oracle: Python's sort of tuples; with numbers that fit into 64 bits together, and with such that do not."""
    rng = np.random.default_rng(seed)
    columns = [rng.integers(0, 3, 40) * (largest // 2) for _ in range(3)]
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    assert sorting(*columns).tolist() == sorted(range(40), key=rows.__getitem__)


def test_empty_columns():
    """Contract: nothing to sort, to count or to concatenate is no error."""
    none = np.zeros(0, np.int64)
    assert [len(result) for result in (sorting(none, none), changes(none), ranges(none, none))] == [0, 0, 0]
