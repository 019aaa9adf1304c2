"""Who plays a batch of trials in a task set or world: a compiled rollout, or a pool of environments in Python."""

from typing import Any, Protocol

import numpy as np

from tinymeta.base.dispatch import compiled_for
from tinymeta.environments.gymnasium_world import PythonWorld
from tinymeta.environments.kinds import AnyWorld
from tinymeta.learning.python_worlds import PoolPlayer
from tinymeta.learning.rollout import rollout, uniforms_per_trial
from tinymeta.learning.rows import Activations, Rows
from tinymeta.learning.wirings import Layout


class Player(Protocol):
    """Plays batches of trials until it is closed."""

    def rollout(
        self, rules: Any, theta: np.ndarray, uniforms: np.ndarray, greedy: bool, rows: Rows, act: Activations
    ) -> None:
        """Play B trials, uniforms (B, …), and record all they did; overwrites rows and act."""

    def prepare(self, rules: Any, theta: np.ndarray, rows: Rows, act: Activations) -> None:
        """Compile or load the kernels."""

    def close(self) -> None:
        """Give back what it holds."""


class CompiledPlayer:
    """The world's `begin` and `step` pasted into one kernel."""

    def __init__(self, tasks: AnyWorld, layout: Layout):
        self.tasks = tasks
        self.layout = layout
        kind: Any = tasks.data.__class__
        self._kernel = compiled_for(rollout, kind)

    def rollout(
        self, rules: Any, theta: np.ndarray, uniforms: np.ndarray, greedy: bool, rows: Rows, act: Activations
    ) -> None:
        """See `Player`."""
        self._kernel(self.tasks.data, rules, self.layout, theta, uniforms, greedy, rows, act)

    def prepare(self, rules: Any, theta: np.ndarray, rows: Rows, act: Activations) -> None:
        """See `Player`; no trial is played."""
        width = uniforms_per_trial(rules.step_limit, self.tasks.draws)
        self.rollout(rules, theta, np.zeros((0, width)), False, rows, act)

    def close(self) -> None:
        """There is nothing to give back."""


def player_for(tasks: AnyWorld, layout: Layout, count: int) -> Player:
    """A player of up to `count` trials at a time."""
    if isinstance(tasks, PythonWorld):
        return PoolPlayer(tasks, layout, count)
    return CompiledPlayer(tasks, layout)
