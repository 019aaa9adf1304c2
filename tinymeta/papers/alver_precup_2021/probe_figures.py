"""Pictures of what decoding and simulation found in all runs."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from tinymeta.base.intervals import Estimate
from tinymeta.papers.alver_precup_2021.experiments import TITLES
from tinymeta.papers.plotting import COLOUR, SHUFFLED_ORANGE, UNTRAINED_GREY, Table, new_figure, save
from tinymeta.papers.probe_results import Probes
from tinymeta.papers.results import Results
from tinymeta.probes.decoding import BINS

CALIBRATED = ("bandit-0.1-0.9", "bandit-0.25-0.75-100", "tiger")
FLOOR = 1e-5  # of the logarithmic axes of dissimilarities; what is smaller is drawn as high as this


class Series(NamedTuple):
    """Bars of one kind."""

    label: str
    agent: str
    network: str  # trained, or a control
    colour: str
    hatch: str


SERIES = (
    Series("RL²", "rl2", "trained", COLOUR["rl2"], ""),
    Series("RL¹", "rl1", "trained", COLOUR["rl1"], "//"),
    Series("RL² untrained", "rl2", "untrained", UNTRAINED_GREY, ".."),
    Series("RL² shuffled", "rl2", "shuffled", SHUFFLED_ORANGE, "xx"),
)


def draw_calibration(results: Results, out: Path) -> None:
    """Decoded probability against the frequency with which it came true."""
    probes = Probes(results)
    table = Table("experiment", "network", "decoded", "came true", "cases")
    figure, axes = new_figure(9.4, 3.1, 1, 3, sharey=True)
    for axis, task in zip(axes, CALIBRATED, strict=True):
        axis.plot([0, 1], [0, 1], color="black", lw=0.6, ls=":")
        for network, colour, marker in (("trained", COLOUR["rl2"], "o"), ("untrained", UNTRAINED_GREY, "s")):
            decoded, true, cases = _pooled_calibration(probes.of(f"{task}-rl2"), network)
            table.add(task, network, decoded, true, cases)
            size = 2 + 50 * np.sqrt(cases / cases.max())
            axis.plot(decoded, true, lw=0.5, color=colour, alpha=0.5)
            axis.scatter(decoded, true, size, color=colour, marker=marker, label=network, alpha=0.8, lw=0)
        axis.set(xlabel="decoded probability", title=TITLES[task], xlim=(0, 1), ylim=(0, 1))
    axes[0].set_ylabel("share that came true")
    axes[0].legend(title="(larger: more cases)")
    save(figure, out / "calibration", table.columns)


def _pooled_calibration(found: list[dict[str, Any]], network: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(decoded, came true, cases) of each tenth of the unit interval that occurs, over all runs."""
    tenths: dict[int, list] = {}
    for result in found:
        for row in result["decoding"][network]["hc"]["posterior"]["calibration"]:
            tenths.setdefault(min(int(row[0] * BINS), BINS - 1), []).append(row)
    pooled = [np.array(rows) for _, rows in sorted(tenths.items())]
    decoded, true = np.array([np.average(rows[:, :2], axis=0, weights=rows[:, 2]) for rows in pooled]).T
    return decoded, true, np.array([int(rows[:, 2].sum()) for rows in pooled])


def draw_simulation(results: Results, out: Path) -> None:
    """Dissimilarities of both simulations, with controls, on every task set."""
    probes = Probes(results)
    table = Table("task set", "series", "quantity", "mean", "low", "high")
    figure, axes = new_figure(9.4, 5.6, 2, 2, sharex=True)
    for row, dissimilarity in zip(axes, ("D_s", "D_o"), strict=True):
        for axis, way in zip(row, ("agent → Bayes", "Bayes → agent"), strict=True):
            for i, series in enumerate(SERIES):
                quantity = f"{dissimilarity} {way}, {series.network}"
                found = {task: probes.estimate(f"{task}-{series.agent}", quantity) for task in TITLES}
                known = {task: value for task, value in found.items() if value is not None}
                for task, value in known.items():
                    table.add(task, series.label, quantity, value.mean, value.low, value.high)
                position = [list(TITLES).index(task) for task in known]
                _paint_simulation(axis, np.array(position) + (i - 1.5) * 0.2, list(known.values()), series)
            axis.set(title=f"{dissimilarity}, {way}", yscale="log")
            axis.set_ylim(bottom=FLOOR)
            axis.set_xticks(range(len(TITLES)), TITLES.values(), rotation=35, ha="right", fontsize=7)
    axes[0, 0].set_ylabel("states: variance unexplained")
    axes[1, 0].set_ylabel("outputs: P(wrong choice)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    save(figure, out / "simulation", table.columns)


def _paint_simulation(axis: Axes, x: np.ndarray, values: list[Estimate], series: Series) -> None:
    mean, low, high = (np.array([getattr(value, key) for value in values]) for key in ("mean", "low", "high"))
    axis.bar(
        x,
        np.maximum(mean, 1.1 * FLOOR),
        0.18,
        color=series.colour,
        label=series.label,
        hatch=series.hatch,
        edgecolor="white",
        lw=0.3,
    )
    axis.vlines(x, np.maximum(low, FLOOR), np.maximum(high, FLOOR), color="black", lw=0.7)
