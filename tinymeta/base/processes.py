"""How many processes work at once, and with how many threads each.

A run is one thread of compiled loops on small arrays, so the cores of a machine are best used by as many processes
with one thread each. Left alone, every process would start one BLAS thread per core.
"""

import contextlib
import os
from collections.abc import Iterator

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def cores() -> int:
    """Cores that this process may use; where the system does not tell (macOS, Windows), those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cores_of_this_run() -> int:
    """Cores for what a run starts itself: one within `one_thread_each`, where other runs have the others."""
    return 1 if os.environ.get(ONE_THREAD[-1]) == "1" else cores()


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes that are started within it have one thread for numba and BLAS."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))  # inherited by the workers, read when they import NumPy
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
