"""SIGINT and SIGTERM: a run that is asked to stop finishes what it is writing first.

While a run trains, a signal only leaves a note (`SignalNote`), which the training loop reads between two pieces of
work; it then writes a checkpoint and raises `Interrupted`. The process that watches over many runs has nothing to
finish: there a signal is `Interrupted` at once (`raising_signals`). Python delivers signals to the main thread only,
so elsewhere nothing is taken over.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

STOPPING = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """A signal asked the run to stop, and its checkpoint is written."""

    def __init__(self, number: int) -> None:
        super().__init__(number)  # alone, so that the exception can cross to another process
        self.exit_code = 128 + number

    def __str__(self) -> str:
        return signal.Signals(self.args[0]).name


class Paused(Exception):
    """The caller asked the run to pause, and its checkpoint is written.

    Attributes
    ----------
    trials : int
        How far the run is.
    """

    def __init__(self, trials: int) -> None:
        super().__init__(trials)
        self.trials = trials


class SignalNote:
    """Within it SIGINT and SIGTERM are noted in `received`, so that no write is cut in two; a second SIGINT acts at
    once."""

    received: int | None = None

    def __enter__(self) -> "SignalNote":
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in STOPPING}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number

    def __exit__(self, *exception: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def raising_signals() -> Iterator[None]:
    """Within it SIGINT and SIGTERM are raised as `Interrupted`."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise Interrupted(number)

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, stop) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
