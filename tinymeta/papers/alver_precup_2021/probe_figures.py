"""TODO papers.alver_precup_2021.probe_figures."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from tinymeta.papers.alver_precup_2021.experiments import OVER_TRAINING
from tinymeta.papers.alver_precup_2021.inside import TITLES
from tinymeta.papers.plotting import COLOUR, draw_each, mean_and_band, save
from tinymeta.papers.probe_results import Probes
from tinymeta.probes.decoding import Regression, Samples, split_trials
from tinymeta.probes.probing import over_training
from tinymeta.probes.recording import record, relive, untrained
from tinymeta.probes.transplants import WHAT
from tinymeta.runs.loading import load

SHOWN = 40  # steps of a trial in the picture of its belief

UNTRAINED, SHUFFLED = "#7F7F7F", "#E69F00"

FLOOR = 1e-4  # of the logarithmic axes of dissimilarities

# ---------------------------------------------------------------- pictures


def draw_state_space(probes, out):
    figure, axes = plt.subplots(1, 3, figsize=(9.4, 3.1), layout="constrained")
    numbers = {name: [] for name in ("task set", "component 1", "component 2", "P(task 0)")}
    for axis, task in zip(axes, ("bandit-0.1-0.9-100", "bandit-0.25-0.75-100", "corridor"), strict=True):
        recording = record(load(probes.runs(f"{task}-rl2")[0].path), 60)
        at = np.nonzero(recording.valid)
        state = np.hstack([recording.hidden[at], recording.cell[at]]).astype(float)
        state -= state.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(state.T))
        plane = state @ vectors[:, [-1, -2]]
        belief = recording.hypotheses[at][:, 0]
        dots = axis.scatter(*plane.T, c=belief, cmap="cividis", vmin=0, vmax=1, s=5, alpha=0.6, lw=0, rasterized=True)
        for trial, style in zip((0, 1, 2), ("-", "--", ":"), strict=True):
            axis.plot(*plane[at[0] == trial].T, style, color="black", lw=0.7, alpha=0.8)
        share = 100 * values[[-1, -2]] / values.sum()
        axis.set(
            xlabel=f"component 1 ({share[0]:.0f} % of variance)",
            ylabel=f"component 2 ({share[1]:.0f} %)",
            title=TITLES[task],
        )
        axis.title.set_size(8)
        for name, values_ in zip(numbers, ([task] * len(plane), *plane.T, belief), strict=True):
            numbers[name].extend(values_)
    figure.colorbar(dots, ax=axes, label="exact belief P(task 0)", shrink=0.9)
    save(figure, Path(out) / "state-space", numbers)


def draw_over_training(probes, out):
    figure, axes = plt.subplots(1, 3, figsize=(9.4, 2.9), layout="constrained")
    numbers = {name: [] for name in ("experiment", "seed", "trials", "r2", "r2_log_odds", "bits", "reward")}
    for axis, name in zip(axes, OVER_TRAINING, strict=True):
        curves = []
        for seed, folder in enumerate(probes.runs(name)[:5]):
            snapshots, config = folder.load_snapshots(), folder.read_config()
            last = snapshots[-1][1]
            agents = [untrained(last, config.settings.seed), *(agent for _, agent in snapshots)]
            rows = over_training(agents, record(last, 60))
            trials = np.array([0, *(updates for updates, _ in snapshots)]) * config.settings.num_envs
            curves.append([[row[key] for key in ("r2", "bits", "reward")] for row in rows])
            for t, row in zip(trials, rows, strict=True):
                for column, value in zip(numbers, (name, seed, t, *row.values()), strict=True):
                    numbers[column].append(value)
        curves = np.array(curves)  # (seeds, snapshots, 3)
        twin = axis.twinx()
        for ax, i, colour, style, label in (
            (axis, 0, COLOUR["rl2"], "-", "decoding R²"),
            (twin, 2, COLOUR["rl1"], "--", "reward per trial"),
        ):
            mean, low, high = mean_and_band(curves[:, :, i])
            ax.fill_between(trials / 1e3, low, high, color=colour, alpha=0.2, lw=0)
            ax.plot(trials / 1e3, mean, style, color=colour, marker="o", ms=3, label=label)
        twin.spines["right"].set_visible(True)
        axis.set(
            xlabel="training trials (thousands)",
            title=TITLES[name.removesuffix("-rl2")],
            ylim=(min(0.5, curves[:, :, 0].min()), 1.01),
        )
        axis.set_ylabel("held-out decoding R²", color=COLOUR["rl2"])
        twin.set_ylabel("reward per trial", color=COLOUR["rl1"])
    save(figure, Path(out) / "decoding-training", numbers)


def draw_calibration(probes, out):
    figure, axes = plt.subplots(1, 3, figsize=(9.4, 3.1), sharey=True, layout="constrained")
    numbers = {name: [] for name in ("experiment", "network", "decoded", "came true", "cases")}
    for axis, task in zip(axes, ("bandit-0.1-0.9", "bandit-0.25-0.75-100", "tiger"), strict=True):
        axis.plot([0, 1], [0, 1], color="black", lw=0.6, ls=":")
        for who, colour, marker in (("trained", COLOUR["rl2"], "o"), ("untrained", UNTRAINED, "s")):
            bins = {}
            for result in probes.of(f"{task}-rl2"):
                for row in result["decoding"][who]["hc"]["calibration"]:
                    bins.setdefault(min(int(row[0] * 10), 9), []).append(row)  # decoded, came true, cases
            tenths = [np.array(rows) for _, rows in sorted(bins.items())]
            points = np.array([np.average(rows[:, :2], axis=0, weights=rows[:, 2]) for rows in tenths])
            cases = np.array([int(rows[:, 2].sum()) for rows in tenths])
            axis.plot(*points.T, lw=0.5, color=colour, alpha=0.5)
            axis.scatter(
                *points.T,
                2 + 50 * np.sqrt(cases / cases.max()),
                color=colour,
                marker=marker,
                label=who,
                alpha=0.8,
                lw=0,
            )
            for (decoded, true), count in zip(points, cases, strict=True):
                for column, value in zip(numbers, (task, who, decoded, true, count), strict=True):
                    numbers[column].append(value)
        axis.set(xlabel="decoded probability", title=TITLES[task], xlim=(0, 1), ylim=(0, 1))
    axes[0].set_ylabel("share that came true")
    axes[0].legend(title="(larger: more cases)")
    save(figure, Path(out) / "calibration", numbers)


def draw_simulation(probes, out):
    figure, axes = plt.subplots(2, 2, figsize=(9.4, 5.6), sharex=True, layout="constrained")
    numbers = {name: [] for name in ("task set", "series", "quantity", "mean", "low", "high")}
    series = (("RL²", "rl2", "trained", COLOUR["rl2"]), ("RL¹", "rl1", "trained", COLOUR["rl1"]),
              ("RL² untrained", "rl2", "untrained", UNTRAINED), ("RL² shuffled", "rl2", "shuffled", SHUFFLED))  # fmt: skip
    for row, d in zip(axes, ("D_s", "D_o"), strict=True):
        for axis, way in zip(row, ("agent → Bayes", "Bayes → agent"), strict=True):
            for i, (label, agent, who, colour) in enumerate(series):
                quantity = f"{d} {way}, {who}"
                found = [probes.estimate(f"{task}-{agent}", quantity) for task in TITLES]
                x = np.array([j for j, e in enumerate(found) if e is not None]) + (i - 1.5) * 0.2
                mean, low, high = (
                    np.array([getattr(e, key) for e in found if e is not None]) for key in ("mean", "low", "high")
                )
                axis.bar(
                    x, mean, 0.18, color=colour, label=label, hatch=("", "//", "..", "xx")[i], edgecolor="white", lw=0.3
                )
                axis.vlines(x, np.maximum(low, FLOOR), np.maximum(high, FLOOR), color="black", lw=0.7)
                for task, e in zip(TITLES, found, strict=True):
                    if e is not None:
                        for column, value in zip(numbers, (task, label, quantity, e.mean, e.low, e.high), strict=True):
                            numbers[column].append(value)
            axis.set(title=f"{d}, {way}", yscale="log")
            axis.set_ylim(bottom=FLOOR)
            axis.set_xticks(range(len(TITLES)), TITLES.values(), rotation=35, ha="right", fontsize=7)
        row[0].set_ylabel("dissimilarity of states" if d == "D_s" else "dissimilarity of outputs")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    save(figure, Path(out) / "simulation", numbers)


def draw_transplants(probes, out):
    tasks = ("bandit", "corridor", "bandit-0.25-0.75-100")
    figure, axes = plt.subplots(1, 3, figsize=(9.4, 3.2), sharey=True, layout="constrained")
    numbers = {name: [] for name in ("task set", "series", "put in", "mean", "low", "high")}
    series = (
        ("RL²", "rl2", "trained", COLOUR["rl2"]),
        ("RL¹", "rl1", "trained", COLOUR["rl1"]),
        ("RL² untrained", "rl2", "untrained", UNTRAINED),
    )
    for axis, task in zip(axes, tasks, strict=True):
        for i, (label, agent, who, colour) in enumerate(series):
            found = [probes.estimate(f"{task}-{agent}", f"transplant {what}, {who}") for what in WHAT]
            mean, low, high = (
                np.array([getattr(e, key) if e else np.nan for e in found]) for key in ("mean", "low", "high")
            )
            x = np.arange(len(WHAT)) + (i - 1) * 0.27
            axis.bar(x, mean, 0.25, color=colour, label=label, hatch=("", "//", "..")[i], edgecolor="white", lw=0.3)
            axis.errorbar(x, mean, [mean - low, high - mean], fmt="none", color="black", lw=0.7)
            for what, *values in zip(WHAT, mean, low, high, strict=True):
                for column, value in zip(numbers, (task, label, what, *values), strict=True):
                    numbers[column].append(value)
        axis.axhline(0.5, color="black", lw=0.5, ls=":")
        axis.set(title=TITLES[task], ylim=(0, 1.05))
        axis.set_xticks(range(len(WHAT)), WHAT, rotation=35, ha="right")
    axes[0].set_ylabel("share of actions that follow the donor")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    save(figure, Path(out) / "transplants", numbers)


def draw_along_a_trial(probes, out):
    figure, axes = plt.subplots(1, 3, figsize=(9.4, 2.8), sharey=True, layout="constrained")
    numbers = {name: [] for name in ("task set", "step", "exact", "decoded", "decoded, untrained")}
    for axis, task in zip(axes, ("bandit-0.25-0.75-100", "tiger", "corridor"), strict=True):
        folder = probes.runs(f"{task}-rl2")[0]
        recording, agent = record(load(folder.path), 100), load(folder.path)
        before = untrained(agent, folder.read_config().settings.seed)
        samples = Samples.of(recording)
        split, at = split_trials(samples.trial), (samples.trial, samples.step)
        moves = np.abs(np.diff(recording.hypotheses[:, :SHOWN, 0], axis=1)) * recording.valid[:, 1:SHOWN]
        tested = np.unique(samples.trial[split.test])
        trial = tested[np.argmax(moves.sum(axis=1)[tested])]  # the one whose belief moves most
        decoded = []
        for source in (recording, relive(before, recording)):
            x = np.hstack([source.hidden[at], source.cell[at]])
            decoded.append(Regression(x, split).fit(samples.hypotheses)(x[samples.trial == trial])[:, 0])
        exact, decoded = samples.hypotheses[samples.trial == trial][:SHOWN, 0], [values[:SHOWN] for values in decoded]
        step = np.arange(1, len(exact) + 1)
        axis.plot(step, exact, color="black", lw=1.4, label="exact belief")
        axis.plot(step, decoded[0], "o", ms=3, color=COLOUR["rl2"], label="decoded from RL²")
        axis.plot(step, decoded[1], "x", ms=3, color=UNTRAINED, label="decoded before training")
        axis.set(xlabel="step of the trial", title=TITLES[task], ylim=(-0.25, 1.25))
        for column, value in zip(numbers, ([task] * len(step), step, exact, *decoded), strict=True):
            numbers[column].extend(value)
    axes[0].set_ylabel("P(first hypothesis)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    save(figure, Path(out) / "belief-along-a-trial", numbers)


def draw_all(results, out, workers=1, say=print):
    """Every picture of the module's docstring, those that take longest first."""
    drawings = {
        "decoding-training": draw_over_training, "simulation": draw_simulation, "state-space": draw_state_space,
        "belief-along-a-trial": draw_along_a_trial, "transplants": draw_transplants, "calibration": draw_calibration,
    }  # fmt: skip
    draw_each({str(Path(out) / name): (draw, (Probes(results), out)) for name, draw in drawings.items()}, workers, say)
