"""Films of a trained agent in an environment of Gymnasium's, as a GIF; as Gymnasium renders it."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image  # comes with Matplotlib, which writes pictures through it

from tinymeta.base.files import write_whole
from tinymeta.learning.agent import Agent

EVERY = 5  # steps between frames
SHRINK = 2  # of Gymnasium's 400 × 600 points
STEPS_PER_SECOND = 50
SEED = 7
STEPS = 600
COLOURS = 64

Film = list[np.ndarray]


def film(agent: Agent, task: int) -> Film:
    """Every fifth picture of an episode, arrays (200, 300, 3); most probable actions."""
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


def write_films(rows: Sequence[Sequence[Film]], path: Path) -> None:
    """A GIF of films beside and below each other, each of which stops at its last picture; over and over again."""
    length = max(len(one) for row in rows for one in row)
    lasting = [[one + [one[-1]] * (length - len(one)) for one in row] for row in rows]
    together = [np.vstack([np.hstack([one[i] for one in row]) for row in lasting]) for i in range(length)]
    pictures = [
        Image.fromarray(picture).convert("P", palette=Image.Palette.ADAPTIVE, colors=COLOURS) for picture in together
    ]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, format="GIF", save_all=True, append_images=pictures[1:], duration=1000 * EVERY // STEPS_PER_SECOND,
        loop=0, optimize=True,
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())
