"""One picture of the dips: that they happen, what begins them, and what ends them."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from tinymeta.base.intervals import estimate
from tinymeta.papers.alver_precup_2021.dip_results import CLIPPED, TRAINED_ON, intervene, runs_with_a_dip
from tinymeta.papers.alver_precup_2021.dips import LOST, RAISED, REMEDY, WINDOW
from tinymeta.papers.plotting import COLOUR, Table, new_figure, save, smoothed
from tinymeta.papers.results import Results

KEPT = COLOUR["rl1"]
MASKED = COLOUR["rl2"]
OPTIMUM = 9.5
LABELS = {  # of `VARIANTS`
    "without": "without",
    "with": "with",
    "with, √v raised": f"with,\n√v × {RAISED:g}",
    "with, momentum stopped": "with, momentum\nstopped",
    "with, clipped": f"with, clipped\nat {REMEDY:g}",
}


def draw_dips(results: Results, out: Path) -> None:
    """Reward over training without and with the remedy; reward after a rare action; how often the policy is lost."""
    found = dict(zip(results.seeds_of(TRAINED_ON), intervene(results), strict=True))
    causes = {seed: run["cause"] for seed, run in found.items() if run["cause"] is not None}
    table = Table("panel", "series", "seed", "x", "y")
    figure, axes = new_figure(9.4, 5.8, 2, 2)
    _paint_training(axes[0, 0], results, TRAINED_ON, "Table 1's clipping at 1", table)
    _paint_training(axes[1, 0], results, CLIPPED, f"clipped at {REMEDY:g}", table)
    _paint_causes(axes[0, 1], causes, table)
    places = {
        "before dips": {seed: cause["lost"] for seed, cause in causes.items()},
        "forced elsewhere": {seed: run["forced"] for seed, run in found.items() if run["forced"] is not None},
    }
    _paint_shares(axes[1, 1], places, table)
    save(figure, out / "dips", table.columns)


def _paint_training(axis: Axes, results: Results, name: str, title: str, table: Table) -> None:
    """Every run, a row of metrics.csv a point; the table has mean and worst over runs."""
    metrics = results.metrics(name)
    reward = metrics["reward_per_trial"]
    trials = metrics["trials"][0]
    for curve in reward:
        axis.plot(trials / 1e3, curve, lw=0.6, alpha=0.6, color=COLOUR["rl2"], rasterized=True)
    table.add("training", f"{name}, mean", "", trials, reward.mean(axis=0))
    table.add("training", f"{name}, worst run", "", trials, reward.min(axis=0))
    dips = runs_with_a_dip(results, name)
    axis.set(title=f"{title}: {round(dips.mean * dips.n)} of {dips.n} runs dip", ylim=(0, 10.2))
    axis.set(xlabel="training trials (thousands)", ylabel="reward per trial")
    axis.axhline(OPTIMUM, color="black", lw=0.6, ls=":")


def _paint_causes(axis: Axes, causes: dict[int, dict[str, Any]], table: Table) -> None:
    """Reward from the rare action on, as it was and with the likely action in its place; moving means."""
    for name, label, colour in (("as_it_was", "as it was", KEPT), ("masked", "rare action masked", MASKED)):
        for index, (seed, cause) in enumerate(causes.items()):
            curve = smoothed(np.array(cause[name]), WINDOW)
            updates = np.arange(len(curve))
            table.add("after the rare action", label, seed, updates, curve)
            style = "-" if name == "as_it_was" else "--"
            axis.plot(updates, curve, style, lw=0.9, alpha=0.8, color=colour, label=None if index else label)
    axis.axhline(LOST, color="black", lw=0.6, ls=":")
    axis.set(title=f"the first dip of {len(causes)} runs, the same random numbers", ylim=(0, 10.2))
    axis.set(xlabel="updates since the rare action (of 4 trials)", ylabel=f"reward per trial ({WINDOW} updates)")
    if causes:
        axis.legend(loc="lower right")


def _paint_shares(axis: Axes, places: dict[str, dict[int, dict[str, float]]], table: Table) -> None:
    """Share of continuations with new random numbers that lose the policy: a dot a run, mean and 95 % interval.

    places is {where the rare action came: {seed: {variant: share}}}.
    """
    for shift, colour, marker, (place, runs) in zip((-0.17, 0.17), (KEPT, MASKED), "os", places.items(), strict=True):
        for y, name in enumerate(LABELS):
            shares = np.array([lost[name] for lost in runs.values()])
            table.add(f"lost, {place}", name, list(runs), "", shares)
            if len(shares) == 0:
                continue
            spread = y + shift + np.linspace(-0.1, 0.1, len(shares))
            axis.scatter(100 * shares, spread, 9, color=colour, alpha=0.4, lw=0, marker=marker)
            mean, low, high, n = estimate(shares)
            error = [[100 * (mean - max(low, 0))], [100 * (min(high, 1) - mean)]]  # it is a share
            style: dict[str, Any] = {"fmt": marker, "color": colour, "ms": 5, "capsize": 2, "lw": 1}
            style |= {"mec": "black", "ecolor": "black"}
            label = None if y else f"{place}, {n} runs"
            axis.errorbar(100 * mean, y + shift, xerr=error, label=label, **style)
    axis.set_yticks(range(len(LABELS)), LABELS.values())
    axis.invert_yaxis()
    axis.set_xlim(-3, 103)
    axis.set(
        title="with and without a rare action, new random numbers", xlabel="continuations that lose the policy (%)"
    )
    axis.legend(loc="upper center", bbox_to_anchor=(0.4, -0.17), ncols=2)
