"""Counter-based randomness: every uniform number is a pure function of (seed, stream, index).

The uniforms of update u are the same whatever was drawn before, so a resumed run needs no generator state, workers cannot
collide, and two agents can be compared on the same luck. Kernels own no generator; they are handed these numbers.
"""

import numpy as np

TRAINING, EVALUATION, INITIALISATION, CHECKING, ACTING, SHIFTING, PLAYING, PROBING = range(8)  # streams


def generator(seed, *stream, skip=0):
    """A `numpy.random.Generator` of its own for each seed and stream (integers from 0), after `skip` numbers of it.

    PCG64 (O'Neill 2014) can be advanced any distance at once, and is several times faster than Philox, NumPy's counter-based one.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=stream)).advance(skip))


def uniforms(seed, stream, first, count, size):
    """Rows first…first+count-1 of an endless table of uniforms in [0, 1) with `size` columns, float64 (count, size)."""
    return generator(seed, stream, skip=first * size).random((count, size))


PLASTIC = 1.2207440846057596  # x⁴ = x + 1, the base of the three-dimensional Kronecker sequence (Roberts 2018)


def spread(seed, first, count):
    """Points first…first+count-1 of an evenly spread sequence in [0, 1)³, shifted at random by `seed`; array (count, 3).

    Each point is uniform (over shifts), so a mean over them is unbiased, but together they cover the cube far more evenly than
    independent draws: the error of such a mean is at most that of independent ones in practice, so intervals stay valid.
    """
    shift = uniforms(seed, SHIFTING, 0, 1, 3)
    index = np.arange(first, first + count)[:, None]
    return (shift + index * PLASTIC ** -np.arange(1.0, 4.0)) % 1
