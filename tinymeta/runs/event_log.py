"""TensorBoard's event files beside metrics.csv: the same rows, for those who look at runs with TensorBoard.

One file in <run>/tensorboard, made of tensorboardX's messages. A step is an environment step; the tags are
train/<column>. The file always tells what metrics.csv tells: when a run goes on, it is written anew from the rows that
are left, with wall times estimated from the run's training seconds, and then row by row.

Like metrics.csv it is appended to and closed again, row by row. tensorboardX's own `SummaryWriter` writes from a
thread, where a full disk would go unheard.
"""

import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinymeta.base.extras import extra_module
from tinymeta.base.files import writing
from tinymeta.runs import metrics
from tinymeta.runs.metrics import METRICS

FOLDER = "tensorboard"
EVENT_FILES = f"{FOLDER}/events.out.tfevents.*"
TAGS = {name: f"train/{name}" for name in METRICS if name != "env_steps"}


def check_tensorboard() -> Any:
    """tensorboardX's module of messages; where it is missing, an InputError that says how to install it."""
    return extra_module("tensorboardX.proto.event_pb2", "tensorboard", "--tensorboard")


class EventLog:
    """A run's event file, made anew: it begins with the rows that metrics.csv has already.

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
        self._messages = check_tensorboard()
        self._checksum = extra_module("tensorboardX.record_writer", "tensorboard", "--tensorboard").masked_crc32c
        self._metrics_path = run / "metrics.csv"
        self._path = run / FOLDER / f"events.out.tfevents.{time.time():010.0f}.{socket.gethostname()}"
        self._last_step = -1
        with writing(self._path):
            for earlier in run.glob(EVENT_FILES):
                earlier.unlink()
            self._path.parent.mkdir(parents=True, exist_ok=True)
        begin = self._messages.SessionLog(status=self._messages.SessionLog.START)
        self._write(self._messages.Event(wall_time=time.time(), file_version="brain.Event:2"))
        self._write(self._messages.Event(wall_time=time.time(), session_log=begin))  # drops what was read before
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
        event = self._messages.Event(wall_time=time.time() if wall_time is None else wall_time)
        event.step = self._last_step = int(row["env_steps"])
        for name, tag in TAGS.items():
            event.summary.value.add(tag=tag, simple_value=row[name])
        self._write(event)

    def _write(self, event: Any) -> None:
        """Append a TFRecord: length, its checksum, data, its checksum."""
        data = event.SerializeToString()
        length = struct.pack("<Q", len(data))
        checksums = (struct.pack("<I", self._checksum(part)) for part in (length, data))
        record = b"".join((length, next(checksums), data, next(checksums)))
        with writing(self._path), open(self._path, "ab") as file:
            file.write(record)
