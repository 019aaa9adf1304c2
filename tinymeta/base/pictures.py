"""What all pictures share: figures outside any global state, tables of numbers beside them, whole files.

A picture is made in three steps: collect its numbers, write them as CSV, paint them. So each picture has a `Table`
beside it with what it shows. Figures are Matplotlib objects with a canvas of their own: pyplot, its list of open
figures and its backend are left alone, and `SETTINGS` are in force only while a picture is drawn (`drawing`).
"""

import contextlib
import csv
import io
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tinymeta.base.files import write_whole
from tinymeta.base.intervals import t_quantile
from tinymeta.base.processes import one_thread_each

SETTINGS: dict[str, Any] = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 100,
    "font.size": 9,
    "legend.frameon": False,
    "savefig.bbox": "tight",
    "savefig.dpi": 160,
    "svg.fonttype": "none",
    "svg.hashsalt": "tinymeta",
}

METADATA: dict[str, dict[str, None]] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}

DrawingJob = tuple[Callable[..., object], tuple[Any, ...]]


@contextlib.contextmanager
def drawing(**settings: Any) -> Iterator[None]:
    """Matplotlib's settings are `SETTINGS` and then `settings` within it, and what they were after it."""
    current: Any = {**SETTINGS, **settings}
    with mpl.rc_context(current):
        yield


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A figure of `width` by `height` inches and its axes, array (columns,) or (rows, columns).

    `options` are those of `Figure.subplots`, such as sharey=True. The layout is constrained.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **options)


def draw_each(jobs: Mapping[str, DrawingJob], workers: int = 1, say: Callable[[str], object] = print) -> None:
    """Call all functions of {name: (function, arguments)} in `workers` processes; `say` the name of each that is done.

    They are begun in the order given, so the longest first.
    """
    if workers == 1:
        for name, job in jobs.items():
            _draw(*job)
            say(name)
        return
    with one_thread_each(), ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        name_of = {pool.submit(_draw, *job): name for name, job in jobs.items()}
        for future in as_completed(name_of):
            future.result()
            say(name_of[future])


def _draw(function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    with drawing():
        function(*arguments)


class Table:
    """The numbers behind a picture, in named columns.

    Examples
    --------
    >>> table = Table("agent", "step", "value")
    >>> table.add("rl2", [1, 2], [0.5, 0.75])
    >>> print(csv_text(table.columns), end="")
    agent,step,value
    rl2,1,0.5
    rl2,2,0.75
    """

    def __init__(self, *names: str) -> None:
        self.columns: dict[str, list] = {name: [] for name in names}

    def add(self, *values: Any) -> None:
        """Add rows: for each column an array with one value a row, or a single value for all of these rows."""
        rows = max((len(value) for value in values if np.ndim(value) > 0), default=1)
        for column, value in zip(self.columns.values(), values, strict=True):
            column.extend(value if np.ndim(value) > 0 else [value] * rows)


def save(figure: Figure, path: str | Path, columns: Mapping[str, Sequence] | None = None) -> None:
    """Write path.png and path.svg, and path.csv from {column: values}."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for kind in METADATA:
        write_whole(path.with_suffix(f".{kind}"), rendered(figure, kind))
    if columns is not None:
        write_whole(path.with_suffix(".csv"), csv_text(columns).encode())


def rendered(figure: Figure, kind: str) -> bytes:
    """A figure as the bytes of a "png" or "svg" file; equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=METADATA[kind])
    return buffer.getvalue()


def csv_text(columns: Mapping[str, Sequence]) -> str:
    """{column: values} as CSV with a header line; all columns are equally long."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def mean_and_band(curves: np.ndarray, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean, low, high) over the first axis of `curves` (seeds, …), with Student's interval at each point."""
    n = len(curves)
    mean = curves.mean(axis=0)
    if n == 1:
        return mean, mean, mean
    half = t_quantile((1 + confidence) / 2, n - 1) * curves.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half


def smoothed(curves: np.ndarray, window: int) -> np.ndarray:
    """Moving mean along the last axis over the last `window` points (fewer at the beginning)."""
    total = np.cumsum(curves, axis=-1)
    total[..., window:] = total[..., window:] - total[..., :-window].copy()
    return total / np.minimum(np.arange(1, curves.shape[-1] + 1), window)
