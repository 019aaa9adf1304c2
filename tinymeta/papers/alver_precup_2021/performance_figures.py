"""How well agents do: learning curves (Figure 2 middle and right), and reward and steps by episode within a trial."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tinymeta.base.files import write_whole
from tinymeta.optimum.exact_values import Numbers
from tinymeta.optimum.planning import bayes_optimal, by_episode
from tinymeta.papers.alver_precup_2021.experiments import COMPARED
from tinymeta.papers.measures import optimum, per_episode
from tinymeta.papers.plotting import (
    COLOUR,
    INFORMED_GREEN,
    LABEL,
    STYLE,
    Table,
    csv_text,
    mean_and_band,
    new_figure,
    save,
    smoothed,
)
from tinymeta.papers.results import Results
from tinymeta.runs.config import build

Band = tuple[np.ndarray, np.ndarray, np.ndarray]  # mean, low, high

WINDOW = 3  # intervals over which a learning curve is averaged
GRID = 400  # points of the axis of environment steps


class Panel(NamedTuple):
    """What a learning curve shows of an environment."""

    column: str  # of metrics.csv
    label: str
    limits: tuple[float, float]
    log_steps: bool  # the axis of steps is logarithmic


PANELS = {
    "bandit": Panel("reward_per_trial", "reward per trial", (4.5, 10.3), False),
    "corridor": Panel("steps_per_trial", "time steps per trial", (0, 90), True),
}


class Curves(NamedTuple):
    """One agent's curves over n seeds against training trials and against environment steps."""

    trials: np.ndarray  # (intervals,), the same for all seeds
    steps: np.ndarray  # (n, intervals)
    values: np.ndarray  # (n, intervals), smoothed
    by_trials: Band  # at `trials`
    by_steps: Band  # at the grid of steps


def draw_learning(results: Results, out: Path, env: str) -> None:
    """Mean over seeds with a 95 % band, single runs faint; against trials and against steps.

    All runs take equally many trials but not steps: against steps, a run that has ended keeps its last value.
    """
    panel = PANELS[env]
    exact = optimum(results, f"{env}-rl2")
    metrics = {agent: results.metrics(f"{env}-{agent}") for agent in COMPARED}
    grid = np.linspace(0, max(columns["env_steps"].max() for columns in metrics.values()), GRID)[1:]
    curves = {agent: _curves(columns, panel.column, grid) for agent, columns in metrics.items()}
    by_trials, by_steps = _learning_tables(curves, grid, panel.column, exact)
    figure, axes = new_figure(7.6, 3.0, 1, 2, sharey=True)
    for agent, c in curves.items():
        runs = np.broadcast_to(c.trials, c.values.shape)
        _paint_curves(axes[0], agent, c.trials / 1e3, c.by_trials, runs / 1e3, c.values)
        _paint_curves(axes[1], agent, grid / 1e3, c.by_steps, c.steps / 1e3, c.values)
    _paint_yardsticks(axes, panel, exact)
    _finish_learning(figure, axes, panel)
    figure.suptitle(f"{env}: mean of {len(curves[COMPARED[0]].values)} runs, 95 % band, single runs faint", fontsize=9)
    save(figure, out / f"learning-{env}", by_trials.columns)
    write_whole(out / f"learning-{env}-by-steps.csv", csv_text(by_steps.columns).encode())


def _curves(metrics: dict[str, np.ndarray], column: str, grid: np.ndarray) -> Curves:
    values = smoothed(metrics[column], WINDOW)
    steps = metrics["env_steps"]
    at_steps = np.array([np.interp(grid, s, v) for s, v in zip(steps, values, strict=True)])
    return Curves(metrics["trials"][0], steps, values, mean_and_band(values), mean_and_band(at_steps))


def _learning_tables(
    curves: dict[str, Curves], grid: np.ndarray, column: str, exact: dict[str, Numbers]
) -> tuple[Table, Table]:
    """The numbers drawn against trials and against steps."""
    by_trials = Table("agent", "trials", "mean", "low", "high")
    by_steps = Table("agent", "env_steps", "mean", "low", "high")
    for agent, c in curves.items():
        by_trials.add(agent, c.trials, *c.by_trials)
        by_steps.add(agent, grid, *c.by_steps)
    for name in ("informed", "bayes_optimal", "random"):
        for table in (by_trials, by_steps):
            table.add(f"{name} (exact)", "", *[exact[name][column]] * 3)
    return by_trials, by_steps


def _paint_curves(axis: Axes, agent: str, x: np.ndarray, band: Band, runs_x: np.ndarray, runs_y: np.ndarray) -> None:
    mean, low, high = band
    for run_x, run_y in zip(runs_x, runs_y, strict=True):
        axis.plot(run_x, run_y, color=COLOUR[agent], alpha=0.12, lw=0.5, rasterized=True)
    axis.fill_between(x, low, high, color=COLOUR[agent], alpha=0.25, lw=0)
    axis.plot(x, mean, color=COLOUR[agent], ls=STYLE[agent], lw=1.6, label=LABEL[agent])


def _paint_yardsticks(axes: np.ndarray, panel: Panel, exact: dict[str, Numbers]) -> None:
    informed, bayes, random = (exact[name][panel.column] for name in ("informed", "bayes_optimal", "random"))
    for axis in axes:
        axis.axhline(informed, color=INFORMED_GREEN, ls="--", lw=1.2, label="informed optimum (exact)")
        axis.axhline(bayes, color="black", ls="-", lw=0.8, label="Bayes optimum (exact)")
        if panel.limits[0] <= random <= panel.limits[1]:
            axis.axhline(random, color="black", ls=":", lw=0.8, label="random (exact)")


def _finish_learning(figure: Figure, axes: np.ndarray, panel: Panel) -> None:
    for axis in axes:
        axis.set_ylim(panel.limits)
        axis.set_xlim(left=0)
    axes[0].set(xlabel="training trials (thousands)", ylabel=panel.label)
    axes[1].set(xlabel="environment steps (thousands)", xscale="log" if panel.log_steps else "linear")
    if panel.log_steps:
        axes[1].set_xlim(left=20)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)


# ---------------------------------------------------------------- by episode


def draw_episodes(results: Results, out: Path) -> None:
    """Reward (bandit) and steps (corridor) by episode within a trial: search first, knowledge in the later ones."""
    table = Table("environment", "agent", "episode", "mean", "low", "high")
    figure, axes = new_figure(7.6, 2.8, 1, 2)
    for axis, (env, what) in zip(axes, (("bandit", "reward"), ("corridor", "steps")), strict=True):
        bands = {agent: mean_and_band(per_episode(results, f"{env}-{agent}", what)) for agent in COMPARED}
        best = _best_by_episode(results, env, what)
        episode = np.arange(1, len(best) + 1)
        for agent, band in bands.items():
            table.add(env, agent, episode, *band)
        table.add(env, "bayes", episode, best, best, best)
        _paint_episodes(axis, episode, bands, best)
        axis.set(xlabel="episode within the trial", ylabel=f"{what} per episode", xticks=episode, title=env)
        axis.set_ylim(bottom=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    save(figure, out / "episodes", table.columns)


def _best_by_episode(results: Results, env: str, what: str) -> np.ndarray:
    """What the Bayes-optimal agent expects in each episode, array (K,)."""
    config = results.first_run(f"{env}-rl2").read_config()
    tasks = build(config)
    solved = bayes_optimal(tasks, config.settings.gamma)
    reward, steps = by_episode(tasks, solved.graph, solved.policy)
    return {"reward": reward, "steps": steps}[what]


def _paint_episodes(axis: Axes, episode: np.ndarray, bands: dict[str, Band], best: np.ndarray) -> None:
    for i, (agent, (mean, low, high)) in enumerate(bands.items()):
        x = episode + (i - 1.5) * 0.06
        axis.errorbar(
            x,
            mean,
            [mean - low, high - mean],
            label=LABEL[agent],
            color=COLOUR[agent],
            ls=STYLE[agent],
            marker="o",
            ms=3.5,
            lw=1.2,
            capsize=2,
        )
    axis.plot(episode, best, "k_", ms=16, mew=1.5, label="Bayes-optimal (exact)", zorder=0)
