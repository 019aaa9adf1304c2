"""What all pictures share: colours, labels, sizes, files written whole, several at a time, and bands over seeds."""

import csv
import io
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from tinymeta.base.files import write_whole
from tinymeta.base.intervals import t_quantile
from tinymeta.base.processes import one_thread_each

mpl.use("agg")

# Okabe & Ito's colours, told apart also without colour vision; line styles tell them apart in grey.
COLOUR = {"rl2": "#0072B2", "rl1": "#D55E00", "memoryless": "#7F7F7F", "informed": "#CC79A7"}

STYLE = {"rl2": "-", "rl1": (0, (5, 1)), "memoryless": (0, (1, 1)), "informed": (0, (3, 1, 1, 1))}

LABEL = {"rl2": "RL²", "rl1": "RL¹", "memoryless": "memoryless", "informed": "informed"}

INFORMED_GREEN = "#009E73"

SETTINGS = {
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "savefig.bbox": "tight", "svg.hashsalt": "tinymeta",
    "figure.dpi": 100, "savefig.dpi": 160, "legend.frameon": False, "svg.fonttype": "none",
}  # fmt: skip


def draw_each(jobs, workers=1, say=print):
    """Call all functions of {name: (function, arguments)} in `workers` processes; begun in the order given, so the longest first."""
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


def _draw(function, arguments):
    with plt.rc_context(SETTINGS):
        function(*arguments)


def save(figure, path, columns=None):
    """Write path.png and path.svg, and path.csv from {column: values}."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, metadata=metadata)
        write_whole(path.with_suffix(f".{kind}"), buffer.getvalue())
    plt.close(figure)
    if columns is not None:
        write_whole(path.with_suffix(".csv"), csv_text(columns).encode())


def csv_text(columns):
    """{column: values} as CSV with a header line; all columns are equally long."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def mean_and_band(curves, confidence=0.95):
    """(mean, low, high) over the first axis (seeds), with Student's interval at each point."""
    mean, n = curves.mean(axis=0), len(curves)
    if n == 1:
        return mean, mean, mean
    half = t_quantile((1 + confidence) / 2, n - 1) * curves.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half


def smoothed(curves, window):
    """Moving mean along the last axis over the last `window` points (fewer at the beginning)."""
    total = np.cumsum(curves, axis=-1)
    total[..., window:] = total[..., window:] - total[..., :-window].copy()
    return total / np.minimum(np.arange(1, curves.shape[-1] + 1), window)
