"""Counter-based randomness: every uniform number is a pure function of (seed, stream, index).

The uniforms of update u are the same whatever was drawn before, so a resumed run needs no generator state, workers
cannot collide, and two agents can be compared on the same random numbers. Kernels own no generator; they are handed
these numbers.

A stream is what the numbers are for: those that train are independent of those that test, and new uses get new
streams.
"""

import numpy as np

TRAINING, EVALUATION, INITIALISATION, CHECKING, ACTING, SHIFTING, PLAYING, PROBING, SHUFFLING = range(9)  # streams


def generator(seed: int, *stream: int, skip: int = 0) -> np.random.Generator:
    """A generator of its own for each seed and stream (integers from 0), after `skip` numbers of it.

    PCG64 (O'Neill 2014) can be advanced any distance at once, and is several times faster than Philox, the
    counter-based generator of NumPy.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=stream)).advance(skip))


def uniforms(seed: int, stream: int, first: int, count: int, size: int) -> np.ndarray:
    """Rows first…first+count-1 of an endless table of uniforms in [0, 1) with `size` columns.

    Parameters
    ----------
    seed, stream : int
    first, count : int
        The rows wanted, counted from 0.
    size : int
        Columns.

    Returns
    -------
    float64 array of shape (count, size)

    Examples
    --------
    >>> whole = uniforms(0, TRAINING, 0, 10, 3)
    >>> bool((uniforms(0, TRAINING, 4, 2, 3) == whole[4:6]).all())
    True
    """
    return generator(seed, stream, skip=first * size).random((count, size))


PLASTIC = 1.2207440846057596  # x⁴ = x + 1, the base of the three-dimensional Kronecker sequence (Roberts 2018)


def spread(seed: int, first: int, count: int) -> np.ndarray:
    """Points first…first+count-1 of an evenly spread sequence in [0, 1)³, shifted at random by `seed`; array (count,
    3).

    Each point is uniform (over shifts), so a mean over them is unbiased, but together they cover the cube far more
    evenly than independent draws. The error of such a mean is in practice at most that of independent ones: intervals
    that assume independence are valid, and wider than they need be.
    """
    shift = uniforms(seed, SHIFTING, 0, 1, 3)
    index = np.arange(first, first + count)[:, None]
    return (shift + index * PLASTIC ** -np.arange(1.0, 4.0)) % 1
