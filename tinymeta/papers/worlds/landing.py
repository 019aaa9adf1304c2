"""Landings as a GIF: the trained agent in calm air and in strong wind, side by side, as Gymnasium renders them."""

import io
from pathlib import Path

import numpy as np
from PIL import Image  # comes with Matplotlib, which writes pictures through it

from tinymeta.base.files import write_whole
from tinymeta.learning.agent import Agent
from tinymeta.papers.results import Results
from tinymeta.runs.loading import load

EVERY = 5  # steps between frames
SHRINK = 2  # of Gymnasium's 400 × 600 points
STEPS_PER_SECOND = 50
SEED = 7
STEPS = 600


def draw_landing(results: Results, out: Path, winds: tuple[float, ...]) -> None:
    """animation-landing.gif: one landing in each wind by the first seed's agent, most probable actions."""
    agent = load(results.first_run("lunarlander-plain").path)
    tasks = [agent.tasks.task_names.index(f"wind={wind:g}") for wind in winds]
    films = [_landing(agent, task) for task in tasks]
    length = max(map(len, films))
    films = [film + [film[-1]] * (length - len(film)) for film in films]
    pictures = [Image.fromarray(np.hstack(frames)) for frames in zip(*films, strict=True)]
    first, *rest = [picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=64) for picture in pictures]
    buffer = io.BytesIO()
    milliseconds = 1000 * EVERY // STEPS_PER_SECOND
    first.save(buffer, format="GIF", save_all=True, append_images=rest, duration=milliseconds, loop=0, optimize=True)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "animation-landing.gif", buffer.getvalue())


def _landing(agent: Agent, task: int) -> list[np.ndarray]:
    """Every fifth picture of one episode, arrays (200, 300, 3)."""
    environment = agent.tasks.environment(task, render_mode="rgb_array")
    seen, _ = environment.reset(seed=SEED)
    agent.reset()
    frames = []
    reward = action = None
    for step in range(STEPS):
        action, _ = agent.act(np.asarray(seen, float), reward, action, greedy=True)
        seen, paid, terminated, truncated, _ = environment.step(np.clip(action, -1, 1).astype(np.float32))
        reward = float(paid)
        if step % EVERY == 0 or terminated:
            frames.append(environment.render()[::SHRINK, ::SHRINK])
        if terminated or truncated:
            break
    environment.close()
    return frames
