"""How much memory rows, activations and a training run take, and rows that fit a task set or world."""

from typing import Any

import numpy as np

from tinymeta.base.memory import require
from tinymeta.learning.rollout import uniforms_per_trial
from tinymeta.learning.rows import Activations, Rows, allocate
from tinymeta.learning.settings import DTYPES, Settings
from tinymeta.learning.wirings import Deep, Layout
from tinymeta.network.heads import Categorical
from tinymeta.network.parameters import num_parameters

CHUNK_NUMBERS = 100_000  # uniforms drawn at once, a bound on memory


def rows_for(
    tasks: Any, layout: Layout, batch: int, step_limit: int, dtype: Any, per_episode: bool = False
) -> tuple[Rows, Activations]:
    """Empty rows and activations for `batch` trials of a task set or world."""
    return allocate(layout, batch, step_limit, dtype, tasks.state_size, final_rows(tasks, batch, per_episode))


def final_rows(tasks: Any, batch: int, per_episode: bool) -> int:
    """Rows for what truncated episodes would have seen next: none in tables, whose episodes are never truncated."""
    return batch * (tasks.episodes if per_episode else 1) if tasks.state_size else 0


def working_bytes(layout: Layout, batch: int, step_limit: int, itemsize: int) -> int:
    """Bytes of `allocate`, rounded up.

    Per row: some integers, eight arrays of width H, the gates and their gradients of width 4H, the heads' arrays, the
    numbers that enter; and of a deep network its other LSTM and its dense layers.
    """
    widths = 16 * layout.hidden_size + 2 * (layout.num_actions + 1) + 5
    widths += 2 * layout.num_actions if isinstance(layout.head, Categorical) else layout.num_actions
    widths += layout.num_numbers + layout.num_features
    network = layout.network
    if isinstance(network, Deep):
        bodies = 2 if network.separate else 1
        widths += 16 * layout.hidden_size * (bodies - 1) + 2 * bodies * int(network.widths.sum())
    return batch * (step_limit + 2) * (13 * 8 + itemsize * widths)


def training_bytes(tasks: Any, settings: Settings) -> int:
    """Bytes that a training run holds, rounded up: rows and activations, parameters and moments, a chunk's uniforms."""
    layout = settings.layout(tasks)
    rows = working_bytes(layout, settings.num_envs, tasks.step_limit, np.dtype(DTYPES[settings.dtype]).itemsize)
    if settings.algorithm == "ppo":
        rows += rows // settings.num_minibatches + rows
    uniforms = max(CHUNK_NUMBERS, settings.num_envs * uniforms_per_trial(tasks.step_limit, tasks.draws))
    state = settings.num_envs * 8 * (tasks.state_size + tasks.observation_size)
    return rows + 6 * 8 * num_parameters(layout) + 4 * 8 * uniforms + state


def check_memory(tasks: Any, settings: Settings) -> None:
    """Refuse a training run whose arrays do not fit into memory.

    Raises
    ------
    ValueError
        Names the sizes and how many bytes they would take.
    """
    sizes = f"num_envs = {settings.num_envs}, hidden_size = {settings.hidden_size}"
    what = f"training with {sizes} and trials of up to {tasks.step_limit} steps"
    require(training_bytes(tasks, settings), what)
