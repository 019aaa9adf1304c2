"""What a checkpoint holds besides weights, moments and counters: of runs that scale numbers, or that make several
gradient steps an update.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinymeta.learning.rows import Scaling
from tinymeta.learning.scaling import KEPT, restore, running, scaling_of
from tinymeta.learning.settings import Settings
from tinymeta.learning.wirings import Layout

TAKEN = {"ppo": "ppo.taken", "a2c": "a2c.taken"}  # gradient steps so far, where an update makes several


def kept_shapes(settings: Settings, layout: Layout) -> dict[str, tuple[int, ...]]:
    """{name: shape} of what a run of these settings keeps, all float64."""
    several = settings.algorithm == "ppo" or settings.bptt_steps > 0
    shapes: dict[str, tuple[int, ...]] = {TAKEN[settings.algorithm]: (1,)} if several else {}
    if settings.norm_obs or settings.norm_reward:
        sizes = (3, layout.num_features, layout.num_features)
        shapes |= {f"scaling.{name}": (size,) for name, size in zip(KEPT, sizes, strict=True)}
    return shapes


def kept_scaling(settings: Settings, layout: Layout, kept: Mapping[str, np.ndarray]) -> Scaling:
    """The `Scaling` that a checkpoint's arrays mean."""
    made: Any = running(layout, settings)
    restore(made, kept)
    return scaling_of(made, layout.num_features)
