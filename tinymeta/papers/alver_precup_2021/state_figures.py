"""Pictures of what is in a network's state: where states lie, and how the belief is decoded from them.

They record trials of trained agents, which takes longer than reading what probes have left (`probe_figures`).
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from tinymeta.papers.alver_precup_2021.experiments import OVER_TRAINING, TITLES
from tinymeta.papers.plotting import COLOUR, UNTRAINED_GREY, Table, mean_and_band, new_figure, save
from tinymeta.papers.results import Results
from tinymeta.probes.belief_statistics import STATISTICS
from tinymeta.probes.decoding import ERROR_FLOOR, Regression, Samples, split_trials
from tinymeta.probes.probing import over_training
from tinymeta.probes.recording import record, relive, untrained
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.loading import load

STATE_SPACE = ("bandit-0.1-0.9-100", "bandit-0.25-0.75-100", "corridor")
ALONG_A_TRIAL = ("bandit-0.25-0.75-100", "tiger", "corridor")
SHOWN = 40  # steps of a trial in the picture of its belief
SEEDS_OVER_TRAINING = 5
DRAWN_OVER_TRAINING = ("net_evidence", "posterior")  # the first of them that a task set has


class Projection(NamedTuple):
    """States of n steps in the plane of their two principal components."""

    plane: np.ndarray  # (n, 2)
    share: np.ndarray  # (2,), of the variance, in percent
    belief: np.ndarray  # (n,), exact probability of the first hypothesis
    trial: np.ndarray  # (n,)


def draw_state_space(results: Results, out: Path) -> None:
    """States in their two principal components, coloured by the exact belief, with three trials' paths."""
    projections = {task: _project(results.first_run(f"{task}-rl2")) for task in STATE_SPACE}
    table = Table("task set", "component 1", "component 2", "P(task 0)")
    for task, projection in projections.items():
        table.add(task, *projection.plane.T, projection.belief)
    figure, axes = new_figure(9.4, 3.1, 1, 3)
    for axis, (task, projection) in zip(axes, projections.items(), strict=True):
        look = {"cmap": "cividis", "vmin": 0, "vmax": 1, "s": 5, "alpha": 0.6, "lw": 0, "rasterized": True}
        dots = axis.scatter(*projection.plane.T, c=projection.belief, **look)
        for trial, style in enumerate(("-", "--", ":")):
            axis.plot(*projection.plane[projection.trial == trial].T, style, color="black", lw=0.7, alpha=0.8)
        first, second = projection.share
        axis.set(
            xlabel=f"component 1 ({first:.0f} % of variance)",
            ylabel=f"component 2 ({second:.0f} %)",
            title=TITLES[task],
        )
        axis.title.set_size(8)
    figure.colorbar(dots, ax=axes, label="exact belief P(task 0)", shrink=0.9)
    save(figure, out / "state-space", table.columns)


def _project(run: RunFolder) -> Projection:
    recording = record(load(run.path), 60)
    at = np.nonzero(recording.valid)
    state = np.hstack([recording.hidden[at], recording.cell[at]]).astype(float)
    state -= state.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(state.T))
    largest = [-1, -2]
    share = 100 * values[largest] / values.sum()
    return Projection(state @ vectors[:, largest], share, recording.hypotheses[at][:, 0], at[0])


# ---------------------------------------------------------------- along training


def draw_over_training(results: Results, out: Path) -> None:
    """How much of a statistic of the belief decoding leaves unexplained, and what is earned, along training."""
    table = Table("experiment", "seed", "trials", *STATISTICS, "reward")
    figure, axes = new_figure(9.4, 2.9, 1, 3)
    for axis, name in zip(axes, OVER_TRAINING, strict=True):
        errors, reward = [], []
        for seed, run in list(zip(results.seeds_of(name), results.runs(name), strict=True))[:SEEDS_OVER_TRAINING]:
            trials, found = _along_training(run)
            table.add(name, seed, trials, *(found.get(key, "") for key in STATISTICS), found["reward"])
            shown = next(key for key in DRAWN_OVER_TRAINING if key in found)
            errors.append(np.log10(np.maximum(found[shown], ERROR_FLOOR)))
            reward.append(found["reward"])
        twin = axis.twinx()
        _paint_along_training(axis, trials, np.array(errors), COLOUR["rl2"], "-", STATISTICS[shown])
        _paint_along_training(twin, trials, np.array(reward), COLOUR["rl1"], "--", "reward per trial")
        twin.spines["right"].set_visible(True)
        title = TITLES[name.removesuffix("-rl2")]
        axis.set(xlabel="training trials (thousands)", title=title)
        axis.set_ylabel(f"log₁₀ of {STATISTICS[shown]} unexplained", color=COLOUR["rl2"])
        twin.set_ylabel("reward per trial", color=COLOUR["rl1"])
    save(figure, out / "decoding-training", table.columns)


def _along_training(run: RunFolder) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Trials of training at which the network was kept, the untrained one first; what `over_training` finds there."""
    settings = run.read_config().settings
    snapshots = run.load_snapshots()
    last = snapshots[-1][1]
    agents = [untrained(last, settings.seed), *(agent for _, agent in snapshots)]
    trials = np.array([0, *(updates for updates, _ in snapshots)]) * settings.num_envs
    rows = over_training(agents, record(last, 120))
    return trials, {key: np.array([row[key] for row in rows]) for key in rows[0]}


def _paint_along_training(
    axis: Axes, trials: np.ndarray, curves: np.ndarray, colour: str, style: str, label: str
) -> None:
    mean, low, high = mean_and_band(curves)
    axis.fill_between(trials / 1e3, low, high, color=colour, alpha=0.2, lw=0)
    axis.plot(trials / 1e3, mean, style, color=colour, marker="o", ms=3, label=label)


# ---------------------------------------------------------------- along a trial


def draw_along_a_trial(results: Results, out: Path) -> None:
    """Exact and decoded belief, step by step, in the test trial whose belief moves most."""
    table = Table("task set", "step", "exact", "decoded", "decoded, untrained")
    figure, axes = new_figure(9.4, 2.8, 1, 3, sharey=True)
    for axis, task in zip(axes, ALONG_A_TRIAL, strict=True):
        exact, decoded, decoded_before = _beliefs_along_a_trial(results.first_run(f"{task}-rl2"))
        step = np.arange(1, len(exact) + 1)
        table.add(task, step, exact, decoded, decoded_before)
        axis.plot(step, exact, color="black", lw=1.4, label="exact belief")
        axis.plot(step, decoded, "o", ms=3, color=COLOUR["rl2"], label="decoded from RL²")
        axis.plot(step, decoded_before, "x", ms=3, color=UNTRAINED_GREY, label="decoded before training")
        axis.set(xlabel="step of the trial", title=TITLES[task], ylim=(-0.25, 1.25))
    axes[0].set_ylabel("P(first hypothesis)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    save(figure, out / "belief-along-a-trial", table.columns)


def _beliefs_along_a_trial(run: RunFolder) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """P(first hypothesis) along a trial: exact, decoded from the trained network, and from the untrained one."""
    agent = load(run.path)
    recording = record(agent, 100)
    before = relive(untrained(agent, run.read_config().settings.seed), recording)
    samples = Samples.of(recording)
    split = split_trials(samples.trial)
    moves = np.abs(np.diff(recording.hypotheses[:, :SHOWN, 0], axis=1)) * recording.valid[:, 1:SHOWN]
    tested = np.unique(samples.trial[split.test])
    shown = samples.trial == tested[np.argmax(moves.sum(axis=1)[tested])]
    decoded = []
    for source in (recording, before):
        state = np.hstack([source.hidden[samples.trial, samples.step], source.cell[samples.trial, samples.step]])
        probability = Regression(state, split).fit(samples.hypotheses)(state[shown])
        decoded.append(probability[:SHOWN, 0])
    return samples.hypotheses[shown][:SHOWN, 0], decoded[0], decoded[1]
