"""Looking on while runs go on, without touching them."""

from collections.abc import Iterable
from pathlib import Path

from tinymeta.base.files import AnyPath

Stamp = tuple[str, int, int]  # of a file: path, size, time of its last change


def going_on(paths: Iterable[AnyPath]) -> bool:
    """Whether a process writes into one of these runs or sweeps, or says so: a killed one leaves its lock behind."""
    return any(lock.exists() for path in paths for lock in (Path(path, "lock"), *Path(path).glob("seed-*/lock")))


def state(paths: Iterable[AnyPath]) -> list[Stamp]:
    """What changes when one of these runs or sweeps gets on: it has a new row, or is finished."""
    stamps = []
    for path in paths:
        for name in ("metrics.csv", "result.json"):
            for file in (Path(path, name), *sorted(Path(path).glob(f"seed-*/{name}"))):
                if file.exists():
                    status = file.stat()
                    stamps.append((str(file), status.st_size, status.st_mtime_ns))
    return stamps
