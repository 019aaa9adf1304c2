"""The paper's drawings: Figure 1 from the code's own configuration, and Figure 2 left, the paths of trained agents."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from tinymeta.base.errors import InputError
from tinymeta.learning.wirings import Layout
from tinymeta.optimum.belief import belief_along
from tinymeta.papers.plotting import LABEL, Table, new_figure, save
from tinymeta.papers.results import Results
from tinymeta.runs.config import build
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.loading import load

EPISODE_LOOKS = (
    ("#C0392B", "-"),
    ("#1E8449", (0, (4, 1))),
)  # the paper's red and green; dashes tell them apart in grey
BOX = {"boxstyle": "round,pad=0.02,rounding_size=0.04", "lw": 1.0}

Point = tuple[float, float]


def _box(
    axis: Axes, x: float, y: float, text: str, width: float = 0.34, height: float = 0.13, face: str = "#EEF3F8"
) -> None:
    corner = (x - width / 2, y - height / 2)
    axis.add_patch(FancyBboxPatch(corner, width, height, facecolor=face, edgecolor="black", **BOX))  # type: ignore[arg-type]
    axis.text(x, y, text, ha="center", va="center", fontsize=8)


def _arrow(
    axis: Axes,
    start: Point,
    end: Point,
    text: str = "",
    offset: Point = (0.02, 0),
    style: str = "arc3",
    ha: str = "left",
) -> None:
    axis.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "lw": 1, "color": "black", "connectionstyle": style})
    if text:
        x, y = (np.array(start) + end) / 2 + np.array(offset)
        axis.text(x, y, text, fontsize=8, ha=ha, va="center")


# ---------------------------------------------------------------- Figure 1


def input_parts(layout: Layout) -> list[tuple[str, int]]:
    """[(what, columns)] of the network's input, read from an agent's layout."""
    parts = []
    if layout.observation_column >= 0:
        parts.append(("position", layout.reward_column - layout.observation_column))
    parts += [("reward", 1), ("action", layout.num_actions)]
    if layout.identity_column >= 0:
        parts.append(("task", layout.input_size - layout.identity_column))
    return parts


def draw_architecture(results: Results, out: Path) -> None:
    """Figure 1: the RL² network, an agent in a partially observable environment, and RL² seen as such an agent."""
    config = results.first_run("corridor-rl2").read_config()
    tasks = build(config)
    layout = config.settings.layout(tasks)
    figure, axes = new_figure(11.0, 3.4, 1, 3)
    titles = ("RL²: the network (corridor)", "an agent in a POMDP", "RL²: the LSTM as state estimator")
    for axis, title in zip(axes, titles, strict=True):
        axis.set(xlim=(0, 1), ylim=(0, 1), title=title)
        axis.set_axis_off()
    _paint_network(axes[0], layout)
    _paint_agent(axes[1], "state estimator", "policy", "belief $b_t$", tasks.num_tasks)
    _paint_agent(axes[2], f"LSTM, {layout.hidden_size} units", "policy layer", "state $h_t$", tasks.num_tasks)
    save(figure, out / "architecture")


def _paint_network(axis: Axes, layout: Layout) -> None:
    parts = input_parts(layout)
    for i, (what, size) in enumerate(parts):
        x = (i + 0.5) / len(parts)
        _box(axis, x, 0.1, f"{what}\n{size}", width=0.8 / len(parts), height=0.15, face="#FFF7E6")
        _arrow(axis, (x, 0.19), (0.5 + (x - 0.5) * 0.4, 0.41))
    axis.text(0.02, 0.29, f"{layout.input_size} inputs", fontsize=8)
    _box(axis, 0.5, 0.5, f"LSTM, {layout.hidden_size} units", width=0.5, height=0.15)
    _arrow(axis, (0.77, 0.46), (0.77, 0.56), "h, c to\nthe next\nstep", (0.08, 0.0), "arc3,rad=1.6")
    _box(axis, 0.27, 0.85, f"policy π, {layout.num_actions} actions", width=0.46)
    _box(axis, 0.77, 0.85, "value V, 1", width=0.32)
    _arrow(axis, (0.45, 0.59), (0.3, 0.77))
    _arrow(axis, (0.55, 0.59), (0.73, 0.77))


def _paint_agent(axis: Axes, estimator: str, policy: str, belief: str, tasks: int) -> None:
    frame: dict[str, Any] = {"facecolor": "none", "edgecolor": "grey", "ls": "--", "boxstyle": "round,pad=0.03"}
    axis.add_patch(FancyBboxPatch((0.12, 0.4), 0.76, 0.42, **frame))
    axis.text(0.5, 0.92, "agent", ha="center", fontsize=8, color="dimgrey")
    _box(axis, 0.27, 0.56, estimator, width=0.28, height=0.16)
    _box(axis, 0.77, 0.56, policy, width=0.18, height=0.16)
    _arrow(axis, (0.43, 0.56), (0.66, 0.56), belief, (0, 0.06), ha="center")
    _arrow(axis, (0.2, 0.65), (0.34, 0.65), "", style="arc3,rad=-1.5")
    axis.text(0.27, 0.79, "from step to step", ha="center", fontsize=7)
    _box(axis, 0.53, 0.12, f"environment: {tasks} tasks", width=0.6, height=0.15, face="#EAF5EA")
    _arrow(axis, (0.27, 0.2), (0.27, 0.47), "$o_t, r_t$", (0.02, -0.06))
    _arrow(axis, (0.77, 0.47), (0.77, 0.2), "$a_t$", (0.02, -0.06))


# ---------------------------------------------------------------- Figure 2 left


class Episode(NamedTuple):
    """One episode of a path in the corridor."""

    step: np.ndarray  # (n,), time steps in the trial
    cell: np.ndarray  # (n + 1,), counted from the start; the goal last
    goal_left: np.ndarray  # (n,), exact belief that the goal is left


class CorridorPath(NamedTuple):
    """A trial of a trained agent."""

    cells: int
    goal: int  # its cell, counted from the start
    steps: int
    episodes: list[Episode]


def draw_corridor_paths(results: Results, out: Path) -> None:
    """Figure 2 left: where trained agents go in both episodes, for both goals, coloured by the exact belief."""
    table = Table("agent", "goal", "episode", "step", "cell", "belief_goal_left")
    figure, axes = new_figure(9.0, 4.6, 2, 2, sharex=True)
    for agent, row in zip(("rl2", "rl1"), axes, strict=True):
        for task, (goal, axis) in enumerate(zip(("left", "right"), row, strict=True)):
            path = _corridor_path(results.first_run(f"corridor-{agent}"), task)
            for number, episode in enumerate(path.episodes, 1):
                table.add(agent, goal, number, episode.step, episode.cell[:-1], episode.goal_left)
            points = _paint_path(axis, path)
            axis.set(title=f"{LABEL[agent]}, goal {goal}", ylim=(path.steps + 0.8, -0.8))
            axis.margins(x=0.02)
    for axis in axes[1]:
        axis.set_xlabel("cell, counted from the start")
    for axis in axes[:, 0]:
        axis.set_ylabel("time step in the trial")
    axes[0, 0].legend(fontsize=8, loc="lower right")
    figure.colorbar(points, ax=axes, label="exact belief that the goal is left", shrink=0.8)
    save(figure, out / "corridor-paths", table.columns)


def _corridor_path(run: RunFolder, task: int) -> CorridorPath:
    """One finished test trial on `task`, with the exact belief.

    Raises
    ------
    InputError
        If none of 50 test trials reaches this goal in time.
    """
    agent = load(run.path)
    tasks = agent.tasks
    totals, trace = agent.play(50, seed=run.read_config().settings.seed, trace=True)
    finished = np.flatnonzero((totals.task == task) & ~totals.cut)
    if len(finished) == 0:
        raise InputError(f"{run.path}: none of 50 test trials on task {task} finished, expected a trained agent")
    trial = slice(finished[0], finished[0] + 1)
    steps = int(totals.steps[finished[0]].sum())
    trace = {key: array[trial, :steps] for key, array in trace.items()}
    observation, action, reward, valid = (trace[key] for key in ("observation", "action", "reward", "valid"))
    joint, _ = belief_along(tasks, observation, action, reward, valid, ended=np.array([True]))
    goal_left = joint[0].sum(axis=-1)[:, 0]
    middle = tasks.num_states // 2
    goal = (0 if task == 0 else tasks.num_states - 1) - middle
    episodes = []
    for k in range(tasks.episodes):
        step = np.flatnonzero(trace["episode"][0] == k)
        cell = np.append(trace["observation"][0, step] - middle, goal)
        episodes.append(Episode(step, cell, goal_left[step]))
    return CorridorPath(tasks.num_states, goal, steps, episodes)


def _paint_path(axis: Axes, path: CorridorPath) -> Any:
    """Paints a path; returns its points, which the colour bar explains."""
    for number, (episode, (colour, dash)) in enumerate(zip(path.episodes, EPISODE_LOOKS, strict=True), 1):
        time = episode.step[0] + np.arange(len(episode.cell))
        axis.plot(episode.cell, time, color=colour, ls=dash, lw=1.3, label=f"episode {number}")
        points = axis.scatter(
            episode.cell[:-1],
            episode.step,
            s=26,
            zorder=3,
            edgecolors=colour,
            lw=0.8,
            c=episode.goal_left,
            cmap="cividis",
            vmin=0,
            vmax=1,
        )
    axis.plot(path.goal, path.steps, marker="*", ms=11, color="black", ls="none", label="goal")
    axis.axvspan(-path.cells // 2 + 0.5, -path.cells // 2 + 1.5, color="#EEEEEE", zorder=0)
    axis.axvspan(path.cells // 2 - 0.5, path.cells // 2 + 0.5, color="#EEEEEE", zorder=0)
    return points
