"""The paper's drawings: Figure 1 from the code's own configuration, and Figure 2 left, the paths of trained agents in the corridor."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyBboxPatch

from tinymeta.base.errors import InputError
from tinymeta.learning.wirings import make_layout
from tinymeta.optimum.belief import belief_along
from tinymeta.papers.plotting import LABEL, save
from tinymeta.runs.config import build
from tinymeta.runs.loading import load

FIRST, SECOND = "#C0392B", "#1E8449"  # the paper's red and green; dashes tell them apart in grey

BOX = {"boxstyle": "round,pad=0.02,rounding_size=0.04", "lw": 1.0}


def _box(axis, x, y, text, width=0.34, height=0.13, face="#EEF3F8"):
    axis.add_patch(
        FancyBboxPatch((x - width / 2, y - height / 2), width, height, facecolor=face, edgecolor="black", **BOX)
    )
    axis.text(x, y, text, ha="center", va="center", fontsize=8)


def _arrow(axis, start, end, text="", offset=(0.02, 0), style="arc3", **options):
    axis.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "lw": 1, "color": "black", "connectionstyle": style})
    if text:
        middle = (np.array(start) + end) / 2 + offset
        axis.text(*middle, text, fontsize=8, ha=options.get("ha", "left"), va="center")


def input_parts(layout):
    """[(what, columns)] of the network's input, read from an agent's layout."""
    parts = []
    if layout.observation_column >= 0:
        parts.append(("position", layout.reward_column - layout.observation_column))
    parts += [("reward", 1), ("action", layout.num_actions)]
    if layout.identity_column >= 0:
        parts.append(("task", layout.input_size - layout.identity_column))
    return parts


def draw_architecture(results, out):
    """Figure 1: the RL² network, an agent in a partially observable environment, and RL² seen as such an agent."""
    config = results.run("corridor-rl2", 0).read_config()
    tasks = build(config)
    layout = make_layout(tasks, config.settings.agent, config.settings.hidden_size)
    figure, axes = plt.subplots(1, 3, figsize=(11.0, 3.4), layout="constrained")
    for axis, title in zip(
        axes, ("RL²: the network (corridor)", "an agent in a POMDP", "RL²: the LSTM as state estimator"), strict=True
    ):
        axis.set(xlim=(0, 1), ylim=(0, 1), title=title)
        axis.set_axis_off()
    left, middle, right = axes
    parts = input_parts(layout)
    for i, (what, size) in enumerate(parts):
        x = (i + 0.5) / len(parts)
        _box(left, x, 0.1, f"{what}\n{size}", width=0.8 / len(parts), height=0.15, face="#FFF7E6")
        _arrow(left, (x, 0.19), (0.5 + (x - 0.5) * 0.4, 0.41))
    left.text(0.02, 0.29, f"{layout.input_size} inputs", fontsize=8)
    _box(left, 0.5, 0.5, f"LSTM, {layout.hidden_size} units", width=0.5, height=0.15)
    _arrow(left, (0.77, 0.46), (0.77, 0.56), "h, c to\nthe next\nstep", (0.08, 0.0), "arc3,rad=1.6")
    _box(left, 0.27, 0.85, f"policy π, {layout.num_actions} actions", width=0.46)
    _box(left, 0.77, 0.85, "value V, 1", width=0.32)
    _arrow(left, (0.45, 0.59), (0.3, 0.77))
    _arrow(left, (0.55, 0.59), (0.73, 0.77))
    views = (
        ("state estimator", "policy", "belief $b_t$"),
        (f"LSTM, {layout.hidden_size} units", "policy layer", "state $h_t$"),
    )
    for axis, (estimator, policy, belief) in zip((middle, right), views, strict=True):
        axis.add_patch(
            FancyBboxPatch(
                (0.12, 0.4), 0.76, 0.42, facecolor="none", edgecolor="grey", ls="--", boxstyle="round,pad=0.03"
            )
        )
        axis.text(0.5, 0.92, "agent", ha="center", fontsize=8, color="dimgrey")
        _box(axis, 0.27, 0.56, estimator, width=0.28, height=0.16)
        _box(axis, 0.77, 0.56, policy, width=0.18, height=0.16)
        _arrow(axis, (0.43, 0.56), (0.66, 0.56), belief, (0, 0.06), ha="center")
        _arrow(axis, (0.2, 0.65), (0.34, 0.65), "", style="arc3,rad=-1.5")
        axis.text(0.27, 0.79, "from step to step", ha="center", fontsize=7)
        _box(axis, 0.53, 0.12, f"environment: {tasks.num_tasks} tasks", width=0.6, height=0.15, face="#EAF5EA")
        _arrow(axis, (0.27, 0.2), (0.27, 0.47), "$o_t, r_t$", (0.02, -0.06))
        _arrow(axis, (0.77, 0.47), (0.77, 0.2), "$a_t$", (0.02, -0.06))
    save(figure, Path(out) / "architecture")


def trained_trial(results, name, task, seed=0):
    """One test trial on `task` by a trained agent, with the exact belief: (agent, trace of one row, belief in each task (T, M))."""
    agent = load(results.run(name, seed).path)
    totals, trace = agent.play(50, seed=seed, trace=True)
    finished = np.flatnonzero((totals.task == task) & ~totals.cut)
    if len(finished) == 0:
        raise InputError(
            f"{results.run(name, seed).path}: none of 50 test trials on task {task} finished, expected a trained agent"
        )
    row = finished[0]
    trace = {key: array[row : row + 1, : totals.steps[row].sum()] for key, array in trace.items()}
    evidence = (trace[key] for key in ("observation", "action", "reward", "valid"))
    joint, _ = belief_along(agent.tasks, *evidence, ended=np.array([True]))
    return agent, {key: array[0] for key, array in trace.items()}, joint[0].sum(axis=-1)


def draw_corridor_paths(results, out):
    """Figure 2 left: where trained agents go in the first and the second episode, for both goals, coloured by the exact belief."""
    figure, axes = plt.subplots(2, 2, figsize=(9.0, 4.6), sharex=True, layout="constrained")
    numbers = {name: [] for name in ("agent", "goal", "episode", "step", "cell", "belief_goal_left")}
    for row, name in enumerate(("rl2", "rl1")):
        for task, goal in enumerate(("left", "right")):
            axis = axes[row, task]
            agent, trace, belief = trained_trial(results, f"corridor-{name}", task)
            cells = agent.tasks.num_states
            end = 0 if task == 0 else cells - 1
            for episode, colour, dash in ((0, FIRST, "-"), (1, SECOND, (0, (4, 1)))):
                mine = np.flatnonzero(trace["episode"] == episode)
                cell = np.append(trace["observation"][mine], end) - cells // 2
                axis.plot(
                    cell, mine[0] + np.arange(len(cell)), color=colour, ls=dash, lw=1.3, label=f"episode {episode + 1}"
                )
                known = {"c": belief[mine, 0], "cmap": "cividis", "vmin": 0, "vmax": 1}
                points = axis.scatter(cell[:-1], mine, s=26, zorder=3, edgecolors=colour, lw=0.8, **known)
                size = len(mine)
                drawn = [name] * size, [goal] * size, [episode + 1] * size, mine, cell[:-1], belief[mine, 0]
                for column, values in zip(numbers, drawn, strict=True):
                    numbers[column].extend(values)
            axis.plot(end - cells // 2, len(trace["action"]), marker="*", ms=11, color="black", ls="none", label="goal")
            axis.axvspan(-cells // 2 + 0.5, -cells // 2 + 1.5, color="#EEEEEE", zorder=0)
            axis.axvspan(cells // 2 - 0.5, cells // 2 + 0.5, color="#EEEEEE", zorder=0)
            axis.set(title=f"{LABEL[name]}, goal {goal}", ylim=(len(trace["action"]) + 0.8, -0.8))
            if row == 1:
                axis.set_xlabel("cell, counted from the start")
            if task == 0:
                axis.set_ylabel("time step in the trial")
            axis.margins(x=0.02)
    axes[0, 0].legend(fontsize=8, loc="lower right")
    figure.colorbar(points, ax=axes, label="exact belief that the goal is left", shrink=0.8)
    save(figure, Path(out) / "corridor-paths", numbers)
