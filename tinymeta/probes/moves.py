"""Ways to move a state so that another belief is decoded from it, and moves to compare them with.

A linear map decodes a belief from states: a move Δ (2H,) of [h, c] changes what is decoded by Δ·W, W being its weight
(2H, V). Of all moves that change it as wanted, two are singled out: the shortest, in the span of W, the decoder's
*axes*; and the most probable under the states' covariance Σ, in the span of Σ·W, the *pattern* (Haufe et al. 2014):
the directions in which states do vary when the belief does. The axes may be directions in which states hardly vary,
so that the move leads nowhere that the network has ever been.
"""

import functools

import numpy as np

from tinymeta.base import randomness
from tinymeta.probes.decoding import LinearMap


class Moves:
    """Moves of states (n, 2H).

    Parameters
    ----------
    decoder : LinearMap
        From states to what is decoded, (V,).
    states : array of shape (n, 2H)
        Whose covariance makes the pattern.
    """

    def __init__(self, decoder: LinearMap, states: np.ndarray) -> None:
        self.decoder = decoder
        self.covariance = np.cov(np.asarray(states, float).T)
        self.patterns = self.covariance @ decoder.weight  # (2H, V)

    def along_pattern(self, difference: np.ndarray) -> np.ndarray:
        """The most probable moves (B, 2H) that change what is decoded by `difference` (B, V)."""
        return self._within(self.patterns, difference)

    def along_axes(self, difference: np.ndarray) -> np.ndarray:
        """The shortest such moves (B, 2H)."""
        return self._within(self.decoder.weight, difference)

    def drawn(self, count: int, seed: int) -> np.ndarray:
        """Moves (count, 2H) drawn from the covariance of the states."""
        deviates = randomness.generator(seed, randomness.PROBING, 3).standard_normal((count, len(self.covariance)))
        return deviates @ self._root

    @functools.cached_property
    def _root(self) -> np.ndarray:
        """R with R'R the covariance of the states."""
        values, axes = np.linalg.eigh(self.covariance)
        return np.sqrt(np.maximum(values, 0))[:, None] * axes.T

    def without_pattern(self, move: np.ndarray) -> np.ndarray:
        """The part of moves (B, 2H) that is orthogonal to the span of the pattern."""
        basis, size, _ = np.linalg.svd(self.patterns, full_matrices=False)
        basis = basis[:, size > 1e-8 * size.max(initial=0)]
        return move - move @ basis @ basis.T

    def _within(self, directions: np.ndarray, difference: np.ndarray) -> np.ndarray:
        """Moves with rows in the span of `directions` (2H, V) that change what is decoded by `difference`."""
        return difference @ np.linalg.pinv(self.decoder.weight.T @ directions, rcond=1e-8) @ directions.T


def of_length(move: np.ndarray, length: np.ndarray) -> np.ndarray:
    """The rows of move (B, F) scaled to lengths (B, 1); zeros stay.

    Examples
    --------
    >>> of_length(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[10.0], [1.0]])).tolist()
    [[6.0, 8.0], [0.0, 0.0]]
    """
    size = np.linalg.norm(move, axis=1, keepdims=True)
    return move * length / np.where(size > 0, size, 1)
