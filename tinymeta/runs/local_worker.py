"""What a worker of our own local cluster does first: leave Ctrl-C, and what there is to tell, to the command.

An interrupt at a terminal reaches every process there. The command ends its workers; what goes wrong with a seed comes
back as the slice's exception. Dask loads this module by name (`preload`) and calls `dask_setup`, also in a worker that
replaces another.
"""

import logging
import signal
from typing import Any


def dask_setup(worker: Any) -> None:
    """Called by Dask in the worker's main thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
