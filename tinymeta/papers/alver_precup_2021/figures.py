"""python -m tinymeta.figures: finished runs → pictures. Never trains; each plot has a CSV beside it with the numbers drawn.

learning-bandit, learning-corridor   Figure 2 middle and right: learning curves of all four agents
episodes                             reward and steps by episode within a trial: search, then knowledge
corridor-paths, architecture         see `tinymeta.diagrams`
animation-bandit, animation-corridor see `tinymeta.animations`
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from tinymeta.base.files import write_whole
from tinymeta.optimum.exact_values import exact_values
from tinymeta.optimum.planning import bayes_optimal, by_episode
from tinymeta.papers.alver_precup_2021.animations import animate
from tinymeta.papers.alver_precup_2021.diagrams import draw_architecture, draw_corridor_paths
from tinymeta.papers.alver_precup_2021.experiments import AGENTS
from tinymeta.papers.plotting import (
    COLOUR,
    INFORMED_GREEN,
    LABEL,
    STYLE,
    csv_text,
    draw_each,
    mean_and_band,
    save,
    smoothed,
)
from tinymeta.runs.config import build

LEARNING = {  # environment: (column, axis label, smoothing in intervals, range of the axis)
    "bandit": ("reward_per_trial", "reward per trial", 3, (4.5, 10.3)),
    "corridor": ("steps_per_trial", "time steps per trial", 3, (0, 90)),
}


def draw_learning(results, env, out):
    """Figure 2, middle and right: mean over seeds with a 95 % band, single runs faint; against trials and against steps.

    All runs take equally many trials but not steps: against steps, a run that has ended keeps its last value.
    """
    column, label, window, limits = LEARNING[env]
    config = results.run(f"{env}-rl2", 0).read_config()
    exact = exact_values(build(config), config.settings.gamma)
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.0), sharey=True, layout="constrained")
    numbers, by_steps = ({name: [] for name in ("agent", x, "mean", "low", "high")} for x in ("trials", "env_steps"))
    all_metrics = {agent: results.metrics(f"{env}-{agent}") for agent in AGENTS}
    grid = np.linspace(0, max(metrics["env_steps"].max() for metrics in all_metrics.values()), 400)[1:]
    for agent, metrics in all_metrics.items():
        curves, trials, steps = smoothed(metrics[column], window), metrics["trials"][0], metrics["env_steps"]
        mean, low, high = mean_and_band(curves)
        at_steps = mean_and_band(np.array([np.interp(grid, s, c) for s, c in zip(steps, curves, strict=True)]))
        against_trials = (axes[0], trials / 1e3, (mean, low, high), np.broadcast_to(trials, curves.shape))
        for axis, x, (m, lo, hi), runs in (against_trials, (axes[1], grid / 1e3, at_steps, steps)):
            for run_x, curve in zip(runs, curves, strict=True):
                axis.plot(run_x / 1e3, curve, color=COLOUR[agent], alpha=0.12, lw=0.5, rasterized=True)
            axis.fill_between(x, lo, hi, color=COLOUR[agent], alpha=0.25, lw=0)
            axis.plot(x, m, color=COLOUR[agent], ls=STYLE[agent], lw=1.6, label=LABEL[agent])
        for columns, x, band in ((numbers, trials, (mean, low, high)), (by_steps, grid, at_steps)):
            for name, values in zip(columns, ([agent] * len(x), x, *band), strict=True):
                columns[name].extend(values)
    for name in ("informed", "bayes_optimal", "random"):
        for columns in (numbers, by_steps):
            for key, value in zip(columns, (f"{name} (exact)", "", *[exact[name][column]] * 3), strict=True):
                columns[key].append(value)
    for axis in axes:
        axis.axhline(exact["informed"][column], color=INFORMED_GREEN, ls="--", lw=1.2, label="informed optimum (exact)")
        axis.axhline(exact["bayes_optimal"][column], color="black", ls="-", lw=0.8, label="Bayes optimum (exact)")
        if limits[0] <= exact["random"][column] <= limits[1]:
            axis.axhline(exact["random"][column], color="black", ls=":", lw=0.8, label="random (exact)")
        axis.set_ylim(limits)
        axis.set_xlim(left=0)
    axes[0].set(xlabel="training trials (thousands)", ylabel=label)
    axes[1].set(xlabel="environment steps (thousands)", xscale="log" if env == "corridor" else "linear")
    if env == "corridor":
        axes[1].set_xlim(left=20)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    figure.suptitle(f"{env}: mean of {results.seeds} runs, 95 % band, single runs faint", fontsize=9)
    save(figure, Path(out) / f"learning-{env}", numbers)
    write_whole(Path(out) / f"learning-{env}-by-steps.csv", csv_text(by_steps).encode())


def draw_episodes(results, out):
    """Reward (bandit) and steps (corridor) by episode within a trial: search in the first, knowledge in the later ones."""
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 2.8), layout="constrained")
    numbers = {name: [] for name in ("environment", "agent", "episode", "mean", "low", "high")}
    panels = ((axes[0], "bandit", "reward", "reward per episode"), (axes[1], "corridor", "steps", "steps per episode"))
    for axis, env, what, label in panels:
        rows = {
            LABEL[agent]: np.array([t[f"{what}_per_episode"] for t in results.evaluations(f"{env}-{agent}")])
            for agent in AGENTS
        }
        K = rows["RL²"].shape[1]
        episode = np.arange(1, K + 1)
        for i, agent in enumerate(AGENTS):
            mean, low, high = mean_and_band(rows[LABEL[agent]])
            shift = (i - 1.5) * 0.06
            look = {"color": COLOUR[agent], "ls": STYLE[agent], "marker": "o", "ms": 3.5, "lw": 1.2, "capsize": 2}
            axis.errorbar(episode + shift, mean, [mean - low, high - mean], label=LABEL[agent], **look)
            for name, values in zip(numbers, ([env] * K, [agent] * K, episode, mean, low, high), strict=True):
                numbers[name].extend(values)
        config = results.run(f"{env}-rl2", 0).read_config()
        tasks = build(config)
        solved = bayes_optimal(tasks, config.settings.gamma)
        best = dict(zip(("reward", "steps"), by_episode(tasks, solved.graph, solved.policy), strict=True))[what]
        axis.plot(episode, best, "k_", ms=16, mew=1.5, label="Bayes-optimal (exact)", zorder=0)
        for name, values in zip(numbers, ([env] * K, ["bayes"] * K, episode, best, best, best), strict=True):
            numbers[name].extend(values)
        axis.set(xlabel="episode within the trial", ylabel=label, xticks=episode, title=env)
        axis.set_ylim(bottom=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    save(figure, Path(out) / "episodes", numbers)


def draw_all(results, out, workers=1, say=print):
    """Every figure of the module's docstring, those that take longest first."""
    jobs = {f"animation-{env}": (animate, (results, env, out)) for env in ("corridor", "bandit")}
    jobs |= {f"learning-{env}": (draw_learning, (results, env, out)) for env in ("corridor", "bandit")}
    jobs |= {
        "corridor-paths": (draw_corridor_paths, (results, out)),
        "episodes": (draw_episodes, (results, out)),
        "architecture": (draw_architecture, (results, out)),
    }
    draw_each({str(Path(out) / name): job for name, job in jobs.items()}, workers, say)
