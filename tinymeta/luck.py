"""Counter-based randomness: every uniform number is a pure function of (seed, stream, index).

The uniforms of update u are the same whatever was drawn before, so a resumed run needs no generator state, workers cannot
collide, and two agents can be compared on the same luck. Kernels own no generator; they are handed these numbers.
"""

import numpy as np

TRAINING, EVALUATION, INITIALISATION, CHECKING = range(4)  # streams
BLOCK = 4  # Philox4x64 makes four 64-bit words per counter step (Salmon et al. 2011)


def uniforms(seed, stream, first, count, size):
    """Rows first…first+count-1 of an endless table of uniforms in [0, 1) with `size` columns, float64 (count, size)."""
    width = -(-size // BLOCK) * BLOCK
    bits = np.random.Philox(key=np.array([seed, stream], np.uint64), counter=first * (width // BLOCK))
    return np.random.Generator(bits).random((count, width))[:, :size]
