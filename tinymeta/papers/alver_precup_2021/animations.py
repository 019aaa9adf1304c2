"""An untrained and a trained agent on the same trials, with the exact belief as a bar: GIFs made through Matplotlib."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.animation import PillowWriter
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tinymeta.base.files import write_whole
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.optimum.belief import belief_along
from tinymeta.papers.plotting import drawing, new_figure
from tinymeta.papers.results import Results
from tinymeta.probes.recording import untrained
from tinymeta.runs.loading import load

FILMED_TRIALS = 3
FRAMES = 40
MILLISECONDS = 350
DPI = 90


class Film(NamedTuple):
    """An agent's trials, step by step."""

    title: str
    trace: dict[str, np.ndarray]  # arrays (N, T, …)
    belief: np.ndarray  # (N, T, M), exact
    steps: list[tuple[int, int]]  # (trial, step) of each frame


class Scene(NamedTuple):
    """How trials of an environment are shown."""

    task_names: tuple[str, ...]
    prepare: Callable[[Axes, TaskSet], None]  # what stays
    show: Callable[[Axes, TaskSet, dict, int, int], Sequence[Artist]]  # what is of one step


def draw_animation(results: Results, out: Path, env: str) -> None:
    """animation-<env>.gif: RL² before and after training, on the same trials."""
    run = results.first_run(f"{env}-rl2")
    seed = run.read_config().settings.seed
    trained = load(run.path)
    films = [_film("untrained", untrained(trained, seed), seed), _film("trained", trained, seed)]
    figure, paint = _stage(films, SCENES[env], trained.tasks)
    paint(0)
    figure.canvas.draw()
    figure.set_layout_engine("none")  # every frame keeps the first one's places
    buffer = io.BytesIO()
    writer = _BufferWriter(buffer, fps=1000 / MILLISECONDS)
    frames = min(FRAMES, max(len(film.steps) for film in films))
    with drawing(**{"savefig.bbox": None}), writer.saving(figure, "unused.gif", DPI):  # all frames have one size
        for frame in range(frames):
            paint(frame)
            writer.grab_frame()
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / f"animation-{env}.gif", buffer.getvalue())


def _film(title: str, agent: Agent, seed: int) -> Film:
    totals, trace = agent.play(FILMED_TRIALS, seed=seed + 1, trace=True)
    observation, action, reward, valid = (trace[key] for key in ("observation", "action", "reward", "valid"))
    joint, _ = belief_along(agent.tasks, observation, action, reward, valid, ended=~totals.cut)
    steps = [(trial, step) for trial in range(FILMED_TRIALS) for step in range(int(trace["valid"][trial].sum()))]
    return Film(title, trace, joint.sum(axis=-1), steps)


def _stage(films: list[Film], scene: Scene, tasks: TaskSet) -> tuple[Figure, Callable[[int], None]]:
    """The figure, a row per film, and the function that paints a frame on it."""
    figure, axes = new_figure(6.4, 3.2, 2, 2, width_ratios=[3.2, 1])
    bars = []
    for stage, axis in axes:
        scene.prepare(stage, tasks)
        bars.append(axis.bar(range(tasks.num_tasks), np.zeros(tasks.num_tasks), color="#0072B2"))
        axis.set(ylim=(0, 1), xticks=range(tasks.num_tasks), xticklabels=scene.task_names)
        axis.set_title("exact belief", fontsize=9)
        axis.tick_params(labelsize=8)
    moving: list[Artist] = []  # what changes from frame to frame

    def paint(frame: int) -> None:
        while moving:
            moving.pop().remove()
        for film, (stage, _), heights in zip(films, axes, bars, strict=True):
            trial, step = film.steps[min(frame, len(film.steps) - 1)]
            moving.extend(scene.show(stage, tasks, film.trace, trial, step))
            episode = film.trace["episode"][trial, step] + 1
            stage.set_title(f"{film.title} RL²: trial {trial + 1}, episode {episode}, step {step + 1}", fontsize=9)
            for patch, height in zip(heights, film.belief[trial, step], strict=True):
                patch.set_height(height)

    return figure, paint


class _BufferWriter(PillowWriter):
    """Matplotlib's GIF writer, into a buffer: the file is then written whole."""

    _frames: list  # PillowWriter's, one image a frame

    def __init__(self, buffer: io.BytesIO, **options: Any) -> None:
        super().__init__(**options)
        self._buffer = buffer

    def finish(self) -> None:
        first, *rest = self._frames
        first.save(self._buffer, format="GIF", save_all=True, append_images=rest, duration=int(1000 / self.fps), loop=0)


def _prepare_bandit(axis: Axes, tasks: TaskSet) -> None:
    """A row for each arm, with space for a mark per pull."""
    axis.set(xlim=(-0.5, 10), ylim=(-1.2, 2.2), yticks=[0, 1], yticklabels=["right arm", "left arm"], xticks=[])
    axis.set_xlabel("pull", fontsize=8)
    axis.tick_params(labelsize=8)


def _show_bandit(axis: Axes, tasks: TaskSet, trace: dict, trial: int, step: int) -> Sequence[Artist]:
    """The pulls so far, a circle where the arm paid, a cross where it did not."""
    pull = np.arange(step + 1)
    arm = 1 - trace["action"][trial, : step + 1]
    won = trace["reward"][trial, : step + 1] > 0
    return (
        axis.scatter(pull[won], arm[won], marker="o", s=60, color="#009E73"),
        axis.scatter(pull[~won], arm[~won], marker="x", s=50, color="#D55E00"),
    )


def _prepare_corridor(axis: Axes, tasks: TaskSet) -> None:
    """The row of cells."""
    axis.set(xlim=(-0.6, tasks.num_states - 0.4), ylim=(-0.8, 0.8), yticks=[], xticks=[])
    for cell in range(tasks.num_states):
        axis.add_patch(_cell(cell, "white"))


def _cell(cell: int, colour: str) -> Rectangle:
    return Rectangle((cell - 0.5, -0.5), 1, 1, facecolor=colour, edgecolor="grey")


def _show_corridor(axis: Axes, tasks: TaskSet, trace: dict, trial: int, step: int) -> Sequence[Artist]:
    """The goal, the agent, and which way it is about to go."""
    goal = 0 if trace["task"][trial, step] == 0 else tasks.num_states - 1
    here = trace["observation"][trial, step]
    ahead = here + (0.8 if trace["action"][trial, step] else -0.8)
    return (
        axis.add_patch(_cell(goal, "#FFF7E6")),
        axis.text(goal, 0, "G", ha="center", va="center", fontsize=10, color="#009E73"),
        *axis.plot(here, 0, "o", ms=11, color="#0072B2"),
        axis.annotate("", (ahead, 0.35), (here, 0.35), arrowprops={"arrowstyle": "-|>"}),
    )


SCENES = {
    "bandit": Scene(("right\narm", "left\narm"), _prepare_bandit, _show_bandit),
    "corridor": Scene(("goal\nleft", "goal\nright"), _prepare_corridor, _show_corridor),
}
