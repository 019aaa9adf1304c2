"""An untrained and a trained agent on the same trials, with the exact belief as a bar: GIFs made through Matplotlib."""

import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import PillowWriter

from tinymeta.base.files import write_whole
from tinymeta.optimum.belief import belief_along
from tinymeta.probes.recording import untrained
from tinymeta.runs.loading import load

FRAMES, MILLISECONDS, DPI = 40, 350, 90


def animate(results, env, out, seed=0, trials=3):
    """animation-<env>.gif: RL² before and after training, on the same luck."""
    trained = load(results.run(f"{env}-rl2", seed).path)
    tasks = trained.tasks
    films = []
    for title, agent in (("untrained", untrained(trained, seed)), ("trained", trained)):
        totals, trace = agent.play(trials, seed=seed + 1, trace=True)
        joint, _ = belief_along(
            tasks, *(trace[k] for k in ("observation", "action", "reward", "valid")), ended=~totals.cut
        )
        steps = [(b, t) for b in range(trials) for t in range(int(trace["valid"][b].sum()))]
        films.append((title, trace, joint.sum(axis=-1), steps))
    figure, axes = plt.subplots(2, 2, figsize=(6.4, 3.2), width_ratios=[3.2, 1], layout="constrained")
    prepare, show = (_corridor, _show_corridor) if env == "corridor" else (_bandit, _show_bandit)
    bars, moving = [], []  # what changes from frame to frame
    for scene, bar in axes:
        prepare(scene, tasks)
        bars.append(bar.bar(range(tasks.num_tasks), np.zeros(tasks.num_tasks), color="#0072B2"))
        bar.set(ylim=(0, 1), xticks=range(tasks.num_tasks), xticklabels=_task_names(env))
        bar.set_title("exact belief", fontsize=9)
        bar.tick_params(labelsize=8)

    def draw(frame):
        while moving:
            moving.pop().remove()
        for (title, trace, belief, steps), (scene, _), heights in zip(films, axes, bars, strict=True):
            b, t = steps[min(frame, len(steps) - 1)]
            moving.extend(show(scene, tasks, trace, b, t))
            scene.set_title(
                f"{title} RL²: trial {b + 1}, episode {trace['episode'][b, t] + 1}, step {t + 1}", fontsize=9
            )
            for patch, height in zip(heights, belief[b, t], strict=True):
                patch.set_height(height)

    draw(0)
    figure.canvas.draw()
    figure.set_layout_engine("none")  # every frame keeps the first one's places
    path = Path(out) / f"animation-{env}.gif"
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    writer = _BufferWriter(buffer, fps=1000 / MILLISECONDS)
    with plt.rc_context({"savefig.bbox": None}), writer.saving(figure, "unused.gif", DPI):  # all frames have one size
        for frame in range(min(FRAMES, max(len(steps) for *_, steps in films))):
            draw(frame)
            writer.grab_frame()
    plt.close(figure)
    write_whole(path, buffer.getvalue())


class _BufferWriter(PillowWriter):
    """Matplotlib's GIF writer, into a buffer: the file is then written whole."""

    def __init__(self, buffer, **options):
        super().__init__(**options)
        self._buffer = buffer

    def finish(self):
        first, *rest = self._frames
        first.save(self._buffer, format="GIF", save_all=True, append_images=rest, duration=int(1000 / self.fps), loop=0)


def _task_names(env):
    return ["right\narm", "left\narm"] if env == "bandit" else ["goal\nleft", "goal\nright"]


def _bandit(axis, tasks):
    """Room for a mark per pull, in the row of the arm."""
    axis.set(xlim=(-0.5, 10), ylim=(-1.2, 2.2), yticks=[0, 1], yticklabels=["right arm", "left arm"], xticks=[])
    axis.set_xlabel("pull", fontsize=8)
    axis.tick_params(labelsize=8)


def _show_bandit(axis, tasks, trace, b, t):
    """The pulls so far, a circle where the arm paid, a cross where it did not."""
    past = np.arange(t + 1)
    arm = 1 - trace["action"][b, : t + 1]
    won = trace["reward"][b, : t + 1] > 0
    paid = axis.scatter(past[won], arm[won], marker="o", s=60, color="#009E73")
    return paid, axis.scatter(past[~won], arm[~won], marker="x", s=50, color="#D55E00")


def _corridor(axis, tasks):
    """The row of cells."""
    axis.set(xlim=(-0.6, tasks.num_states - 0.4), ylim=(-0.8, 0.8), yticks=[], xticks=[])
    for cell in range(tasks.num_states):
        axis.add_patch(_cell(cell, "white"))


def _cell(cell, colour):
    return plt.Rectangle((cell - 0.5, -0.5), 1, 1, facecolor=colour, edgecolor="grey")


def _show_corridor(axis, tasks, trace, b, t):
    """The goal, the agent, and which way it is about to go."""
    goal, here = 0 if trace["task"][b, t] == 0 else tasks.num_states - 1, trace["observation"][b, t]
    ahead = here + (0.8 if trace["action"][b, t] else -0.8)
    return (
        axis.add_patch(_cell(goal, "#FFF7E6")),
        axis.text(goal, 0, "G", ha="center", va="center", fontsize=10, color="#009E73"),
        *axis.plot(here, 0, "o", ms=11, color="#0072B2"),
        axis.annotate("", (ahead, 0.35), (here, 0.35), arrowprops={"arrowstyle": "-|>"}),
    )
