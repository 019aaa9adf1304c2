"""Pictures of what follows when states are exchanged or moved: metamers, transplants, evidence."""

from pathlib import Path

import numpy as np

from tinymeta.papers.alver_precup_2021.experiments import TITLES
from tinymeta.papers.plotting import COLOUR, UNTRAINED_GREY, Table, mean_and_band, new_figure, save
from tinymeta.papers.probe_results import Probes
from tinymeta.papers.results import Results
from tinymeta.probes.metamers import FLOOR
from tinymeta.probes.summary import QUANTITIES, find
from tinymeta.probes.transplants import PUT_IN

TRANSPLANTS_DRAWN = ("bandit", "corridor", "bandit-0.25-0.75-100", "bandit-uniform-100")
COUNTED = ("bandit-0.1-0.9-100", "bandit-0.25-0.75-100", "bandit-uniform-100", "tiger")
HISTORIES = {"own": "histories of the agent's own actions", "random": "histories of random actions"}
NETWORKS = {"trained": COLOUR["rl2"], "untrained": UNTRAINED_GREY}


def draw_metamers(results: Results, out: Path) -> None:
    """How much less a swap of equal beliefs changes than one of different beliefs: every seed, every task set."""
    probes = Probes(results)
    table = Table("task set", "histories", "network", "seed", "ratio")
    figure, axes = new_figure(9.4, 3.6, 1, 2, sharey=True)
    tasks = [task for task in TITLES if task != "bandit-independent-100"]  # too many tasks for beliefs to be recorded
    for axis, (histories, title) in zip(axes, HISTORIES.items(), strict=True):
        for i, (network, colour) in enumerate(NETWORKS.items()):
            for position, task in enumerate(tasks):
                key = QUANTITIES[f"metamers, {histories} histories, {network}"]
                ratios = np.array([find(found, key) for found in probes.of(f"{task}-rl2")])
                known = np.flatnonzero(np.isfinite(ratios))
                seeds = np.array(results.seeds_of(f"{task}-rl2"))[known]
                table.add(task, histories, network, seeds, ratios[known])
                x = position + (i - 0.5) * 0.4 + np.linspace(-0.12, 0.12, max(1, len(known)))[: len(known)]
                label = {"trained": "RL²", "untrained": "before training"}[network] if position == 0 else None
                axis.plot(x, np.maximum(ratios[known], FLOOR), "os"[i], ms=2.5, color=colour, label=label)
                if len(known) == 0 and network == "trained":
                    axis.annotate("no\npairs", (position, 3 * FLOOR), ha="center", fontsize=7, color=colour)
        axis.axhline(1, color="black", lw=0.6, ls=":")
        axis.set(title=title, yscale="log", ylim=(FLOOR / 2, 4))
        axis.set_xticks(range(len(tasks)), [TITLES[task] for task in tasks], rotation=35, ha="right", fontsize=7)
    axes[0].set_ylabel("change by equal beliefs /\nchange by different beliefs")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    save(figure, out / "metamers", table.columns)


def draw_transplants(results: Results, out: Path) -> None:
    """Whom the behaviour follows when an episode begins with another trial's state, whole, in parts, or moved."""
    probes = Probes(results)
    table = Table("task set", "series", "put in", "mean", "low", "high")
    figure, axes = new_figure(9.4, 5.4, 2, 2, sharey=True)
    series = (("RL²", "rl2", "trained", COLOUR["rl2"], ""), ("RL¹", "rl1", "trained", COLOUR["rl1"], "//"),
              ("RL² before training", "rl2", "untrained", UNTRAINED_GREY, ".."))  # fmt: skip
    for axis, task in zip(axes.flat, TRANSPLANTS_DRAWN, strict=True):
        for i, (label, agent, network, colour, hatch) in enumerate(series):
            found = [probes.estimate(f"{task}-{agent}", f"transplant {what}, {network}") for what in PUT_IN]
            mean, low, high = (
                np.array([np.nan if value is None else getattr(value, key) for value in found])
                for key in ("mean", "low", "high")
            )
            table.add(task, label, PUT_IN, mean, low, high)
            x = np.arange(len(PUT_IN)) + (i - 1) * 0.27
            axis.bar(x, mean, 0.25, color=colour, label=label, hatch=hatch, edgecolor="white", lw=0.3)
            axis.errorbar(x, mean, [mean - low, high - mean], fmt="none", color="black", lw=0.7)
        axis.axhline(0.5, color="black", lw=0.5, ls=":")
        axis.set(title=TITLES[task], ylim=(0, 1.05))
        axis.set_xticks(range(len(PUT_IN)), PUT_IN, rotation=35, ha="right")
    for axis in axes[:, 0]:
        axis.set_ylabel("share of actions\nthat follow the donor")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    save(figure, out / "transplants", table.columns)


def draw_evidence(results: Results, out: Path) -> None:
    """The policy by net evidence: of states as they came, of states moved to that evidence, and of the optimum."""
    probes = Probes(results)
    table = Table("task set", "series", "net evidence", "mean", "low", "high")
    figure, axes = new_figure(9.4, 2.7, 1, len(COUNTED), sharey=True)
    series = (("optimal", "Bayes-optimal", "black", ":"), ("recorded", "RL², as recorded", COLOUR["rl2"], "-"),
              ("moved", "RL², state moved", COLOUR["rl1"], (0, (5, 1))))  # fmt: skip
    for axis, task in zip(axes, COUNTED, strict=True):
        found = [result["switching"]["trained"] for result in probes.of(f"{task}-rl2")]
        evidence = np.array(found[0]["evidence"])
        for key, label, colour, style in series:
            curves = np.array([[np.nan if p is None else p for p in result[key]] for result in found])
            known = np.flatnonzero(np.isfinite(curves).all(axis=0))
            mean, low, high = mean_and_band(curves[:, known])
            table.add(task, label, evidence[known], mean, low, high)
            axis.plot(evidence[known], mean, ls=style, color=colour, label=label, lw=1.2)
            axis.fill_between(evidence[known], low, high, color=colour, alpha=0.2, lw=0)
        axis.set(xlabel="net evidence (observations)", ylim=(-0.02, 1.02))
        axis.set_title(TITLES[task].replace(", 100", ",\n100"), fontsize=9)
    axes[0].set_ylabel("probability of arm 0\n(tiger: of the right door)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    save(figure, out / "evidence", table.columns)
