"""An untrained and a trained agent on the same trials, with the exact belief as a bar: GIFs made through Matplotlib."""

import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter

from tinymeta import luck
from tinymeta.agents import initial_parameters, num_parameters
from tinymeta.belief import belief_along
from tinymeta.policies import Agent
from tinymeta.runs import load, write_whole

FRAMES, MILLISECONDS = 40, 350


def untrained_twin(agent, seed):
    """The network that an agent's training began with."""
    numbers = luck.uniforms(seed, luck.INITIALISATION, 0, 1, num_parameters(agent.layout))[0]
    return Agent(
        agent.tasks, agent.name, initial_parameters(agent.layout, "default", numbers, agent.theta.dtype), agent.layout.hidden_size
    )


def animate(results, env, out, seed=0, trials=3):
    """animation-<env>.gif: RL² before and after training, on the same luck."""
    trained = load(results.run(f"{env}-rl2", seed).path)
    tasks = trained.tasks
    films = []
    for title, agent in (("untrained", untrained_twin(trained, seed)), ("trained", trained)):
        totals, trace = agent.play(trials, seed=seed + 1, trace=True)
        joint, _ = belief_along(tasks, *(trace[k] for k in ("observation", "action", "reward", "valid")), ended=~totals.cut)
        steps = [(b, t) for b in range(trials) for t in range(int(trace["valid"][b].sum()))]
        films.append((title, trace, joint.sum(axis=-1), steps))
    figure, axes = plt.subplots(2, 2, figsize=(6.4, 3.2), width_ratios=[3.2, 1], layout="constrained")
    show = _show_corridor if env == "corridor" else _show_bandit

    def draw(frame):
        for (title, trace, belief, steps), (scene, bar) in zip(films, axes, strict=True):
            b, t = steps[min(frame, len(steps) - 1)]
            scene.clear()
            bar.clear()
            show(scene, tasks, trace, b, t)
            scene.set_title(f"{title} RL²: trial {b + 1}, episode {trace['episode'][b, t] + 1}, step {t + 1}", fontsize=9)
            bar.bar(range(tasks.num_tasks), belief[b, t], color="#0072B2")
            bar.set(ylim=(0, 1), xticks=range(tasks.num_tasks), xticklabels=_task_names(env), title="exact belief")
            bar.title.set_fontsize(9)
            bar.tick_params(labelsize=8)

    draw(0)
    figure.canvas.draw()
    figure.set_layout_engine("none")  # every frame keeps the first one's places
    frames = min(FRAMES, max(len(steps) for *_, steps in films))
    film = FuncAnimation(figure, draw, frames=frames, interval=MILLISECONDS)
    path = Path(out) / f"animation-{env}.gif"
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    _write_gif(film, buffer)
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


def _write_gif(film, buffer):
    film.save("unused.gif", writer=_BufferWriter(buffer, fps=1000 / MILLISECONDS), dpi=90)


def _task_names(env):
    return ["right\narm", "left\narm"] if env == "bandit" else ["goal\nleft", "goal\nright"]


def _show_bandit(axis, tasks, trace, b, t):
    """Two arms; the pulled one is framed and shows what it paid; earlier pulls as a row of marks below."""
    axis.set(xlim=(-0.5, 10), ylim=(-1.2, 2.2), yticks=[0, 1], yticklabels=["right arm", "left arm"], xticks=[])
    past = np.arange(t + 1)
    arm = 1 - trace["action"][b, : t + 1]
    won = trace["reward"][b, : t + 1] > 0
    axis.scatter(past[won], arm[won], marker="o", s=60, color="#009E73", label="paid 1")
    axis.scatter(past[~won], arm[~won], marker="x", s=50, color="#D55E00", label="paid 0")
    axis.set_xlabel("pull", fontsize=8)
    axis.tick_params(labelsize=8)


def _show_corridor(axis, tasks, trace, b, t):
    """The row of cells with the goal, the agent, and which way it is about to go."""
    cells = tasks.num_states
    goal = 0 if trace["task"][b, t] == 0 else cells - 1
    axis.set(xlim=(-0.6, cells - 0.4), ylim=(-0.8, 0.8), yticks=[], xticks=[])
    for cell in range(cells):
        axis.add_patch(plt.Rectangle((cell - 0.5, -0.5), 1, 1, facecolor="#FFF7E6" if cell == goal else "white", edgecolor="grey"))
    axis.text(goal, 0, "G", ha="center", va="center", fontsize=10, color="#009E73")
    here = trace["observation"][b, t]
    axis.plot(here, 0, "o", ms=11, color="#0072B2")
    axis.annotate("", (here + (0.8 if trace["action"][b, t] else -0.8), 0.35), (here, 0.35), arrowprops={"arrowstyle": "-|>"})
