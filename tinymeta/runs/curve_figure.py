"""The picture of learning curves, and the numbers beside it; what is drawn stands in `tinymeta.runs.curves`."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from tinymeta.base.errors import InputError, shown
from tinymeta.base.files import AnyPath, check_writable, checked_path, write_whole
from tinymeta.base.pictures import METADATA, Table, csv_text, drawing, new_figure, rendered
from tinymeta.optimum.planning import Value
from tinymeta.runs.curves import Curve, Source, curves, task_labels
from tinymeta.runs.loading import exact_for

# Okabe & Ito's colours but for the black and the green of the optima; after six the line's style changes.
PALETTE = ("#0072B2", "#D55E00", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
STYLES = ("-", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)))
OPTIMA = {  # (name in a legend, colour, style)
    "bayes_optimal": ("Bayes optimum (exact)", "black", "-"),
    "informed": ("informed optimum (exact)", "#009E73", "--"),
}
NAME_WIDTH = 90  # characters of a legend's line
AXIS_LABEL = {
    "trials": "training trials",
    "env_steps": "environment steps",
    "seconds": "seconds of training (a run's time shared out by its environment steps)",
}


class Optimum(NamedTuple):
    """An exact value that a curve can be held against."""

    kind: str  # of `OPTIMA`
    curve: int  # the first one it belongs to
    label: str
    value: float


def check_output(path: AnyPath) -> Path:
    """`path` if a picture can be written there and its numbers beside it, else an InputError."""
    out = checked_path("--out", path)
    kinds = [f".{kind}" for kind in METADATA]
    if out.suffix.lower() not in kinds:
        raise InputError(f"--out {shown(str(path))}, expected a file name that ends with {' or '.join(kinds)}")
    for file in (out, out.with_suffix(".csv")):
        check_writable(file)
    return out


def draw(sources: Sequence[Source], metric: str, axis: str, out: Path) -> list[Curve]:
    """Draw the learning curves into `out`, PNG or SVG by its ending, with their numbers as CSV beside it.

    Parameters
    ----------
    sources : sequence of Source
        See `tinymeta.runs.curves.find`.
    metric, axis : str
        See `tinymeta.runs.curves.curves`.
    out : Path
        See `check_output`.

    Returns
    -------
    list of Curve
        What was drawn.
    """
    drawn = curves(sources, metric, axis)
    optima = exact_optima(sources, metric)
    with drawing():
        figure, axes = new_figure(6.4, 3.6 + 0.16 * (len(drawn) + len(optima)))
        for number, curve in enumerate(drawn):
            _paint(axes, curve, _colour(number), STYLES[number // len(PALETTE) % len(STYLES)])
        for optimum in optima:
            _, colour, style = OPTIMA[optimum.kind]
            alone = sum(other.kind == optimum.kind for other in optima) == 1
            axes.axhline(
                optimum.value,
                color=colour if alone else _colour(optimum.curve),
                ls=style,
                lw=1,
                label=optimum.label,
                zorder=1,
            )
        axes.set(xlabel=AXIS_LABEL[axis], ylabel=metric.replace("_", " "), ylim=_limits(drawn, optima))
        axes.set_xlim(left=0)
        if any(len(curve.seeds) > 1 for curve in drawn):
            axes.set_title("mean over seeds, 95 % band, single seeds faint", fontsize=8)
        handles, names = axes.get_legend_handles_labels()
        names = [textwrap.fill(name, NAME_WIDTH) for name in names]
        figure.legend(handles, names, loc="outside lower left", fontsize=8)
        write_whole(out, rendered(figure, out.suffix[1:].lower()))
    write_whole(out.with_suffix(".csv"), csv_text(_table(drawn, optima, metric, axis).columns).encode())
    return drawn


def _colour(number: int) -> str:
    return PALETTE[number % len(PALETTE)]


def _limits(drawn: Sequence[Curve], optima: Sequence[Optimum]) -> tuple[float, float]:
    """Room for all runs and optima. Bands of a few seeds may be cut: Student's interval knows no bounds of a metric."""
    values = np.concatenate([*(y for curve in drawn for _, y in curve.runs), [optimum.value for optimum in optima]])
    margin = 0.05 * (values.max() - values.min()) or 0.05 * max(1.0, abs(values.max()))
    return values.min() - margin, values.max() + margin


def _paint(axes: Axes, curve: Curve, colour: str, style: str | tuple) -> None:
    if len(curve.seeds) > 1:
        for x, y in curve.runs:
            axes.plot(x, y, color=colour, alpha=0.35, lw=0.6, rasterized=True)
        axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.25, lw=0)
    marker = "o" if len(curve.x) == 1 else None  # a line through one point is none
    axes.plot(curve.x, curve.mean, color=colour, ls=style, marker=marker, lw=1.4, label=curve.label)


def _table(drawn: Sequence[Curve], optima: Sequence[Optimum], metric: str, axis: str) -> Table:
    """The numbers drawn: single seeds, then their mean, curve by curve; last the exact values."""
    table = Table("curve", "seed", axis, metric, "low", "high", "seeds")
    for curve in drawn:
        for seed, (x, y) in zip(curve.seeds, curve.runs, strict=True):
            table.add(curve.label, seed, x, y, "", "", "")
        table.add(curve.label, "mean", curve.x, curve.mean, curve.low, curve.high, curve.n)
    for optimum in optima:
        table.add(optimum.label, "", "", optimum.value, "", "", "")
    return table


def exact_optima(sources: Sequence[Source], metric: str) -> list[Optimum]:
    """The exact values of the sources' task sets, where the metric has one and it is within reach.

    Equal values are one line. Where task sets have different ones, a line's label names whose it is.
    """
    if metric not in Value._fields:
        return []
    found: dict[str, dict[float, list[int]]] = {kind: {} for kind in OPTIMA}  # {kind: {value: its curves}}
    for number, source in enumerate(sources):
        exact = _exact(source)
        for kind, values in found.items():
            value = exact[kind][metric]
            if value is not None:
                values.setdefault(value, []).append(number)
    tasks = task_labels(sources)
    optima = []
    for kind, values in found.items():
        for value, whose in values.items():
            names = dict.fromkeys(tasks[number] for number in whose)
            suffix = f" of {'; '.join(names)}" if len(values) > 1 else ""
            optima.append(Optimum(kind, whose[0], OPTIMA[kind][0] + suffix, value))
    return optima


def _exact(source: Source) -> dict:
    """{"bayes_optimal", "informed"} of a source: from a finished run's test, or worked out anew."""
    finished = next((run for run in source.runs if run.finished), None)
    return exact_for(source.configs[0]) if finished is None else finished.read_result()["evaluation"]
