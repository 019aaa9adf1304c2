"""Empty rows and activations for a task set or world, and how much memory they and a training run take."""

from typing import Any

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.base.memory import require
from tinymeta.learning.bodies import make_bodies
from tinymeta.learning.networks import Deep
from tinymeta.learning.rollout import uniforms_per_trial
from tinymeta.learning.rows import GOES_ON, Activations, Rows, Scaling
from tinymeta.learning.settings import DTYPES, Settings
from tinymeta.learning.wirings import Layout
from tinymeta.network.heads import Categorical
from tinymeta.network.parameters import num_parameters
from tinymeta.network.products import zeros

CHUNK_NUMBERS = 100_000  # uniforms drawn at once, a bound on memory


def unscaled(size: int) -> Scaling:
    """The `Scaling` of `size` numbers that changes nothing."""
    return Scaling(np.zeros(size), np.ones(size), np.ones(1))


def allocate(
    layout: Layout, batch: int, step_limit: int, dtype: Any, world_size: int = 0, final_rows: int = 0
) -> tuple[Rows, Activations]:
    """Empty `Rows` and `Activations` for `batch` trials of at most `step_limit` steps.

    `world_size` is W; `final_rows` rows are kept for what episodes would have seen after a limit cut them.
    """
    N = batch * (step_limit + 1) + final_rows
    A = layout.num_actions
    chosen = isinstance(layout.head, Categorical)
    per_row = ("before", "trial", "episode", "action", "observation", "state_before")
    per_trial = ("task", "state", "elapsed")
    reward = np.zeros(N, dtype)
    rows = Rows(
        size=np.zeros(4, np.int64),
        begin=np.zeros(step_limit + 2, np.int64),
        after=np.full(N, GOES_ON),
        columns=np.zeros((N, 3), np.int64),
        **{name: np.zeros(N, np.int64) for name in per_row},
        **{name: np.zeros(batch, np.int64) for name in per_trial},
        reset=np.zeros(N, bool),
        ended=np.zeros(batch, bool),
        prev_reward=np.zeros(N, dtype),
        numbers=zeros((N, layout.num_numbers), dtype),
        vector=np.zeros((N, 0 if chosen else A), dtype),
        reward=reward,
        paid=np.zeros(N, dtype) if world_size else reward,
        features=np.zeros((N, layout.num_features), dtype),
        world=np.zeros((batch, world_size)),
        seen=np.zeros((batch, layout.num_features)),
        scaling=unscaled(layout.num_features),
    )
    widths = dict.fromkeys(("h_prev", "c_prev", "c", "tanh_c", "h", "dh", "dc", "dh_prev"), layout.hidden_size)
    widths |= {"gates": 4 * layout.hidden_size, "dgates": 4 * layout.hidden_size}
    widths |= {"heads": A + 1, "dheads": A + 1}
    widths |= dict.fromkeys(("probabilities", "log_probabilities"), A if chosen else 0)
    act = Activations(
        **{name: zeros((N, width), dtype) for name, width in widths.items()},
        **{name: np.zeros(N, dtype) for name in ("target", "advantage")},
        **{name: np.zeros(batch, dtype) for name in ("next_value", "next_target")},
        bodies=(),
    )
    return rows, act._replace(bodies=make_bodies(layout, act))


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
    """Refuse a training run whose arrays do not fit into memory, or that would scale a table's numbers.

    Raises
    ------
    ValueError
        Names the sizes and how many bytes they would take, or the setting.
    """
    for name in ("norm_obs", "norm_reward"):
        if getattr(settings, name) and not tasks.state_size:
            raise InputError(f"{name} with {tasks.name!r}, whose numbers are a table's; expected a world without one")
    sizes = f"num_envs = {settings.num_envs}, hidden_size = {settings.hidden_size}"
    what = f"training with {sizes} and trials of up to {tasks.step_limit} steps"
    require(training_bytes(tasks, settings), what)
