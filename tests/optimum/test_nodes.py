"""Exact beliefs as nodes: residues by hand (oracle), what counts as the same belief (property), limits (contract)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinymeta
from tinymeta.optimum import nodes
from tinymeta.optimum.nodes import PRIMES, NodeLimitError, Nodes, modulo_primes, residues


def identify(table, beliefs):
    """Node numbers of beliefs, each {joint index: weight}."""
    first = np.cumsum([0, *(len(belief) for belief in beliefs)])[:-1]
    joint = np.array([key for belief in beliefs for key in sorted(belief)], np.int64)
    weight = np.array([belief[key] for belief in beliefs for key in sorted(belief)])
    return table.identify(first, joint, weight, residues(weight)).tolist()


def empty(limit=10**6):
    return Nodes(tinymeta.make("bandit"), limit)


def test_residues_of_floats():
    """Oracle: a residue is the float's rational value modulo the prime: ½ + ½ = 1 and 0.1 + 0.2 ≠ 0.3 there as well."""
    p = PRIMES[0]
    half, one, tenth, fifth, three = (int(residues(np.array([x]))[0, 0]) for x in (0.5, 1.0, 0.1, 0.2, 0.3))
    assert (half + half) % p == one == 1
    assert (tenth + fifth) % p != three
    assert pow(2, 55, p) * tenth % p == 3602879701896397 % p


def test_scale_does_not_matter():
    """Property: a belief is known up to a factor; what is not a multiple is another belief."""
    table = empty()
    assert identify(table, [{0: 0.25, 3: 0.5}, {0: 0.125, 3: 0.25}, {0: 0.5, 3: 0.25}]) == [0, 0, 1]
    assert identify(table, [{0: 0.5, 4: 1.0}, {0: 1.0}, {3: 1.0}, {0: 0.0625, 3: 0.125}]) == [2, 3, 4, 0]
    assert len(table) == 5
    np.testing.assert_allclose(table.weight[:4], [1 / 3, 2 / 3, 2 / 3, 1 / 3])
    np.testing.assert_array_equal(table.start, [0, 2, 4, 6, 7, 8])


def test_beliefs_that_floats_cannot_tell_apart():
    """Property: 0.1 + 0.2 : 0.3 is not 1 : 1, although it is within any tolerance; rounding would merge the two."""
    weight = np.array([0.1 + 0.2, 0.3])
    assert identify(empty(), [{0: 1.0, 1: 1.0}, {0: float(weight[0]), 1: float(weight[1])}]) == [0, 1]


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_nodes_are_what_a_dictionary_finds(seed):
    """Oracle: many random beliefs in several batches, so that the table grows, against a dictionary of exact ratios."""
    rng = np.random.default_rng(seed)
    table = empty()
    known = {}
    for _ in range(5):
        beliefs = []
        for _ in range(800):
            support = np.sort(rng.choice(6, rng.integers(1, 4), replace=False)).tolist()
            beliefs.append(dict(zip(support, (2.0 ** rng.integers(-3, 3, len(support))).tolist(), strict=True)))
        keys = [tuple((k, w / min(belief.values())) for k, w in sorted(belief.items())) for belief in beliefs]
        assert identify(table, beliefs) == [known.setdefault(key, len(known)) for key in keys]
    assert len(table) == len(known)


def test_colliding_residues_are_found_out():
    """Contract: equal residues with different floats are an error, never a silent merge."""
    table = empty()
    same = residues(np.array([0.5, 0.5]))
    table.identify(np.array([0]), np.array([0, 1]), np.array([0.5, 0.5]), same)
    with pytest.raises(ArithmeticError, match="two different beliefs have the same residues"):
        table.identify(np.array([0]), np.array([0, 1]), np.array([0.5, 0.25]), same)


@pytest.mark.parametrize("p", PRIMES)
def test_inverse(p):
    """Oracle: Python's own modular inverse."""
    for value in (1, 2, 3, 12345, p // 2, p - 2, p - 1):
        assert nodes._inverse.py_func(value, p) == pow(value, -1, p)
    assert nodes._inverse.py_func(0, p) == 0


def test_modulo_primes():
    values = np.array([[PRIMES[0] + 5], [3 * PRIMES[1] + 7]])
    np.testing.assert_array_equal(modulo_primes(values), [[5], [7]])


def test_too_many_nodes():
    """Contract: the error can cross to another process."""
    with pytest.raises(NodeLimitError, match=r"2 found, holding 2 hypotheses, .* with limits of 1") as caught:
        identify(empty(limit=1), [{0: 1.0}, {1: 1.0}])
    rebuilt = caught.value.__reduce__()
    assert str(rebuilt[0](*rebuilt[1])) == str(caught.value)
