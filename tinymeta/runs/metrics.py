"""metrics.csv: how a run went, one row an interval of updates; a pure function of the settings, bit for bit.

    update, trials, env_steps            counters at the row's end
    reward_per_trial, steps_per_trial    means over the interval's training trials
    policy_loss, value_loss, entropy,
    loss, grad_norm                      means over the interval's updates; the norm is taken before clipping

Numbers are written as Python's `repr`, which reads back to the same bits. The file is the only one that is appended
to.
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinymeta.base.errors import InputError, real, shown
from tinymeta.base.files import read_bounded, write_whole, writing
from tinymeta.learning.learner import STATISTICS, Learner

METRICS = (
    "update", "trials", "env_steps", "reward_per_trial", "steps_per_trial",
    "policy_loss", "value_loss", "entropy", "loss", "grad_norm",
)  # fmt: skip
PER_UPDATE = METRICS[5:]
METRICS_LIMIT = 2**28  # bytes of a metrics.csv that are read


def metrics_row(learner: Learner, statistics: np.ndarray) -> dict[str, float]:
    """One row from the statistics (n, 8) of an interval's updates, of which the learner has just made the last."""
    total = dict(zip(STATISTICS, statistics.sum(axis=0).tolist(), strict=True))
    row = {
        "update": learner.updates_done,
        "trials": learner.trials_done,
        "env_steps": learner.env_steps_done,
        "reward_per_trial": total["reward"] / total["trials"],
        "steps_per_trial": total["env_steps"] / total["trials"],
    }
    return row | {name: total[name] / len(statistics) for name in PER_UPDATE}


def create(path: Path) -> None:
    """Begin the file with the columns' names."""
    write_whole(path, (",".join(METRICS) + "\n").encode())


def append(path: Path, row: Mapping[str, float]) -> None:
    """Add a row; `sync` brings it to the disk."""
    with writing(path), open(path, "a", encoding="utf-8", newline="\n") as file:
        file.write(",".join(repr(value) for value in row.values()) + "\n")


def sync(path: Path) -> None:
    """Bring what was appended to the disk."""
    with writing(path), open(path, "rb+") as file:
        os.fsync(file.fileno())


def read(path: Path) -> dict[str, np.ndarray]:
    """{column: array}, one entry per interval.

    Raises
    ------
    FileNotFoundError
    ValueError
        If a line is not what `append` writes; names the line.
    """
    text = read_bounded(path, METRICS_LIMIT).decode("utf-8", errors="replace")
    lines = text.splitlines()
    if not lines or lines[0] != ",".join(METRICS):
        raise InputError(f"{path} does not begin with the columns {', '.join(METRICS)}")
    if not text.endswith("\n"):  # the last number could be read all the same, and be another one
        raise InputError(f"{path}, line {len(lines)}: {shown(lines[-1])} is cut off, expected a whole line")
    rows = [_parse(line, f"{path}, line {number}") for number, line in enumerate(lines[1:], 2)]
    columns = np.array(rows, float).reshape(-1, len(METRICS)).T
    return dict(zip(METRICS, columns, strict=True))


def _parse(line: str, source: str) -> list[float]:
    """The numbers of one line."""
    cells = line.split(",")
    if len(cells) != len(METRICS):
        raise InputError(f"{source}: {len(cells)} columns, expected {len(METRICS)}")
    try:
        row = [float(cell) for cell in cells]
    except ValueError:
        row = [math.nan]
    if not math.isfinite(sum(row)):  # one look for all; then the one to blame is named
        return [_number(f"{source}: {name}", cell) for name, cell in zip(METRICS, cells, strict=True)]
    return row


def _number(name: str, text: str) -> float:
    try:
        return real(name, float(text))
    except ValueError:
        raise InputError(f"{name} = {shown(text)}, expected a finite number") from None
