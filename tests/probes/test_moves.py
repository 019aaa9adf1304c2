"""Moves of states (oracle): they decode as wanted; the pattern is the most probable, the axes are the shortest."""

import numpy as np
import pytest

from tinymeta.probes.decoding import Ridge
from tinymeta.probes.moves import Moves, of_length


@pytest.fixture
def moves():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(400, 6)) @ rng.normal(size=(6, 6))
    return Moves(Ridge(states).fit(states @ rng.normal(size=(6, 2)), [1e-9])[0], states)


WANTED = np.array([[1.0, -2.0], [0.5, 0.0]])


def test_both_ways_decode_as_wanted(moves):
    for move in (moves.along_pattern(WANTED), moves.along_axes(WANTED)):
        np.testing.assert_allclose(move @ moves.decoder.weight, WANTED, atol=1e-9)


def test_the_pattern_is_the_most_probable_and_the_axes_are_the_shortest(moves):
    """Adding anything that decodes as nothing makes them less so."""
    precision = np.linalg.inv(moves.covariance)
    pattern = moves.along_pattern(WANTED)
    axes = moves.along_axes(WANTED)
    silent = np.linalg.svd(moves.decoder.weight.T)[2][2:]  # directions that change nothing that is decoded
    for direction in np.concatenate([silent, -silent]):
        other = pattern + 0.1 * direction
        np.testing.assert_allclose(other @ moves.decoder.weight, WANTED, atol=1e-9)
        improbable = [np.einsum("bi,ij,bj->b", move, precision, move) for move in (pattern, other)]
        assert (improbable[0] < improbable[1]).all()
        assert (np.linalg.norm(axes, axis=1) < np.linalg.norm(axes + 0.1 * direction, axis=1)).all()


def test_drawn_moves_have_the_covariance_of_the_states(moves):
    drawn = moves.drawn(200_000, seed=0)
    np.testing.assert_allclose(np.cov(drawn.T), moves.covariance, atol=0.03 * np.abs(moves.covariance).max())


def test_without_the_pattern_nothing_of_it_is_left(moves):
    drawn = moves.drawn(50, seed=0)
    rest = moves.without_pattern(drawn)
    np.testing.assert_allclose(rest @ moves.patterns, 0, atol=1e-9)
    assert np.linalg.norm(rest) > 0.1 * np.linalg.norm(drawn)
    np.testing.assert_allclose(moves.without_pattern(rest), rest, atol=1e-12)


def test_lengths():
    np.testing.assert_allclose(
        of_length(np.array([[3.0, 4.0], [0, 0]]), np.array([[1.0], [1.0]])), [[0.6, 0.8], [0, 0]]
    )
