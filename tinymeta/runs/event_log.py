"""TensorBoard's event files beside metrics.csv: the same rows, for those who look at runs with TensorBoard.

One file in <run>/tensorboard, written by tensorboardX. A step is an environment step; the tags are train/<column>.
The file always tells what metrics.csv tells: when a run goes on, it is written anew from the rows that are left, with
wall times estimated from the run's training seconds, and then row by row.

tensorboardX's own `SummaryWriter` writes from a thread, where a full disk would go unheard and its queue would wait for
ever. So its `EventsWriter` is used, which writes at once.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tinymeta.base.extras import extra_module
from tinymeta.base.files import writing
from tinymeta.runs import metrics
from tinymeta.runs.metrics import METRICS

FOLDER = "tensorboard"
EVENT_FILES = f"{FOLDER}/events.out.tfevents.*"
FLUSH_EVERY = 1.0  # seconds; a flush waits for the disk
TAGS = {name: f"train/{name}" for name in METRICS if name != "env_steps"}


def check_tensorboard() -> Any:
    """tensorboardX's module of writers; where it is missing, an InputError that says how to install it."""
    return extra_module("tensorboardX.event_file_writer", "tensorboard", "--tensorboard")


class EventLog:
    """Within it the rows of a run go into an event file; those that metrics.csv has already are its beginning.

    Parameters
    ----------
    run : Path
        The run folder.
    seconds : float
        Training seconds that those rows took.

    Raises
    ------
    InputError
        If tensorboardX is missing.
    WriteError
        If the file cannot be written.
    """

    def __init__(self, run: Path, seconds: float) -> None:
        writers = check_tensorboard()
        self._events = extra_module("tensorboardX.proto.event_pb2", "tensorboard", "--tensorboard")
        self._path = run / FOLDER
        with writing(self._path):
            for earlier in run.glob(EVENT_FILES):
                earlier.unlink()
            self._path.mkdir(parents=True, exist_ok=True)
            self._writer = writers.EventsWriter(str(self._path / "events"))
        self._flushed = time.monotonic()
        self._last_step = -1
        start = self._events.SessionLog(status=self._events.SessionLog.START)
        self._write(self._events.Event(wall_time=time.time(), step=0, session_log=start))
        self._metrics_path = run / "metrics.csv"
        self.catch_up(seconds)

    def catch_up(self, seconds: float) -> None:
        """Add the rows that metrics.csv has by now, whose last one was written after so many training seconds."""
        columns = metrics.read(self._metrics_path)
        steps = columns["env_steps"]
        now = time.time()
        for i in np.flatnonzero(steps > self._last_step):
            row = {name: column[i] for name, column in columns.items()}
            self.add(row, now - seconds * (1 - steps[i] / steps[-1]))

    def add(self, row: Mapping[str, float], wall_time: float | None = None) -> None:
        """Add a row of metrics.csv, of now if no time is given."""
        event = self._events.Event(wall_time=time.time() if wall_time is None else wall_time)
        event.step = self._last_step = int(row["env_steps"])
        for name, tag in TAGS.items():
            event.summary.value.add(tag=tag, simple_value=row[name])
        self._write(event)

    def _write(self, event: Any) -> None:
        with writing(self._path):
            self._writer.write_event(event)
            if time.monotonic() - self._flushed > FLUSH_EVERY:
                self._writer.flush()
                self._flushed = time.monotonic()

    def __enter__(self) -> "EventLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with writing(self._path):
            self._writer.close()
