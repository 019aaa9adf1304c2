"""A2C in one compiled loop: play a batch of trials, backpropagate through them, clip, step the optimiser; then the
next.

`Learner` holds everything that changes during training (parameters, optimiser moments, counters). It advances in chunks
of updates, and its numbers are a pure function of (settings, seed, update): how updates are grouped into chunks changes
nothing.
"""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import NotFiniteError
from tinymeta.base.jit import jit
from tinymeta.environments.table import TaskSet
from tinymeta.learning.a2c import FINE, QUANTITY, STATISTICS, learn_a2c
from tinymeta.learning.agent import Agent
from tinymeta.learning.algorithms import make_loss
from tinymeta.learning.kept import TAKEN
from tinymeta.learning.players import player_for
from tinymeta.learning.rollout import rollout, uniforms_per_trial
from tinymeta.learning.scaling import restore, running, scaling_of, to_arrays
from tinymeta.learning.schedules import anneal
from tinymeta.learning.settings import DTYPES, Settings
from tinymeta.learning.sizes import CHUNK_NUMBERS, check_memory, rows_for
from tinymeta.learning.updates import updates_by_player
from tinymeta.network.losses import Loss
from tinymeta.network.parameters import initial_parameters, num_parameters
from tinymeta.network.products import zeros

NOTHING: Mapping[str, np.ndarray] = MappingProxyType({})


class DivergenceError(NotFiniteError):
    """Training met a number that is not finite; `update` and `quantity` say where."""

    def __init__(self, update: int, quantity: str):
        super().__init__(f"{quantity} is not finite at update {update}")
        self.update = update
        self.quantity = quantity

    def __reduce__(self) -> tuple:  # so that it can cross to another process
        return type(self), (self.update, self.quantity)


@jit
def run_updates(world, rules, layout, loss, max_grad_norm, is_adam, theta, first, second, dtheta, uniforms, rates, done,
                rows, act, statistics):  # fmt: skip
    """One update per row of uniforms (U, B·…), after `done` earlier ones. Updates theta and the moments.

    rates (U, 2) hold learning rate and entropy coefficient; the latter takes the place of the one in `loss`.

    Overwrites dtheta, rows, act and statistics (U, 8). Returns (updates finished, FINE or what was not finite).
    """
    B = rows.task.shape[0]
    for u in range(uniforms.shape[0]):
        rollout(world, rules, layout, theta, uniforms[u].reshape((B, uniforms.shape[1] // B)), False, rows, act)
        status = learn_a2c(
            loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates[u], done + u, act,
            statistics[u],
        )  # fmt: skip
        if status != FINE:
            return u, status
    return uniforms.shape[0], FINE


class Learner:
    """A training run in memory: ``Learner(tasks, settings).advance(updates)``.

    Attributes
    ----------
    theta, first, second : arrays of shape (P,)
        Flat parameters and the optimiser's moments (`first` stays zero under RMSProp).
    rows, act : Rows, Activations
        The last update's.
    updates_done, env_steps_done : int
    compile_seconds : float
        What preparing the kernels cost: compilation, or loading them from the cache.
    """

    def __init__(self, tasks: Any, settings: Settings):
        check_memory(tasks, settings)
        self.tasks = tasks
        self.settings = settings
        self.layout = settings.layout(tasks)
        per_episode = settings.returns == "episode"
        self.rules = tasks.rules(per_episode=per_episode)
        dtype = DTYPES[settings.dtype]
        size = num_parameters(self.layout)
        uniforms = randomness.uniforms(settings.seed, randomness.INITIALISATION, 0, 1, size)[0]
        self.theta = zeros(size, dtype)
        self.first = zeros(size, dtype)
        self.second = zeros(size, dtype)
        self._dtheta = zeros(size, dtype)
        self.theta[:] = initial_parameters(self.layout, settings.init, uniforms, dtype)
        self.updates_done = 0
        self.env_steps_done = 0
        self.running = running(self.layout, settings)
        self.rows, self.act = rows_for(tasks, self.layout, settings.num_envs, tasks.step_limit, dtype, per_episode)
        self._loss = make_loss(settings, self.layout, len(self.rows.before), tasks.step_limit, dtype)
        self._shuffled = settings.n_epochs * settings.num_envs if settings.algorithm == "ppo" else 0
        self._width = settings.num_envs * uniforms_per_trial(tasks.step_limit, tasks.draws)
        together = isinstance(tasks, TaskSet) and isinstance(self._loss, Loss)  # one kernel plays and learns
        self._player = None if together else player_for(tasks, self.layout, settings.num_envs)
        started = time.perf_counter()
        self.run(np.empty((0, self._width)))
        self.compile_seconds = time.perf_counter() - started

    def advance(self, updates: int) -> np.ndarray:
        """Make `updates` updates; returns their statistics, array (updates, 8) in the order of `STATISTICS`.

        Raises
        ------
        DivergenceError
            At the first loss, gradient or parameter that is not finite. The learner must then not be used any further.
        """
        parts = [np.empty((0, len(STATISTICS)))]
        chunk = max(1, CHUNK_NUMBERS // self._width)
        seed = self.settings.seed
        for at in range(0, updates, chunk):
            count = min(chunk, updates - at)
            uniforms = randomness.uniforms(seed, randomness.TRAINING, self.updates_done, count, self._width)
            parts.append(self.run(uniforms))
        statistics = np.concatenate(parts)
        self.env_steps_done += int(statistics[:, STATISTICS.index("env_steps")].sum())
        return statistics

    def restore(
        self,
        theta: np.ndarray,
        first: np.ndarray,
        second: np.ndarray,
        updates: int,
        env_steps: int,
        kept: Mapping[str, np.ndarray] = NOTHING,
    ) -> None:
        """Go on from where another learner of the same task set and settings stood."""
        if kept:
            restore(self.running, kept)
        for own, applied in zip(self.rows.scaling, scaling_of(self.running, self.layout.num_features), strict=True):
            own[:] = applied
        if not isinstance(self._loss, Loss):
            self._loss.taken[:] = kept.get(TAKEN[self.settings.algorithm], 0)
        self.theta[:] = theta
        self.first[:] = first
        self.second[:] = second
        self.updates_done = updates
        self.env_steps_done = env_steps

    def close(self) -> None:
        """Give back what playing holds, such as the processes of a pool; nothing is played any more."""
        if self._player is not None:
            self._player.close()

    def kept(self) -> dict[str, np.ndarray]:
        """What a checkpoint holds besides, see `tinymeta.learning.kept`."""
        loss = self._loss
        taken = {} if isinstance(loss, Loss) else {TAKEN[self.settings.algorithm]: loss.taken.copy()}
        return {**taken, **to_arrays(self.running)}

    def agent(self) -> Agent:
        """The agent as it is now, with weights of its own."""
        scaling = scaling_of(self.running, self.layout.num_features)
        return Agent.of_run(self.tasks, self.settings, self.theta.copy(), scaling)

    @property
    def trials_done(self) -> int:
        """Trials that were played so far."""
        return self.updates_done * self.settings.num_envs

    def _rates(self, count: int) -> np.ndarray:
        """Learning rate and entropy coefficient of the next `count` updates, array (count, 2)."""
        s = self.settings
        when = s.schedule, s.updates, self.updates_done, count
        rate = anneal(s.learning_rate, s.final_learning_rate, *when)
        return np.stack([rate, anneal(s.ent_coef, s.final_ent_coef, *when)], axis=1)

    def run(self, uniforms: np.ndarray, max_grad_norm: float | None = None) -> np.ndarray:
        """The next updates with these numbers, one a row; returns their statistics, array (updates, 8).

        `max_grad_norm` takes the place of the settings'. Raises like `advance`.
        """
        s = self.settings
        count = len(uniforms)
        statistics = np.empty((count, len(STATISTICS)))
        limit = max_grad_norm or s.max_grad_norm
        rates = self._rates(count)
        if self._player is None:
            finished, status = run_updates(
                self.tasks.data, self.rules, self.layout, self._loss, limit, s.optimizer == "adam", self.theta,
                self.first, self.second, self._dtheta, uniforms, rates, self.updates_done, self.rows, self.act,
                statistics,
            )  # fmt: skip
        else:
            shuffling = randomness.uniforms(s.seed, randomness.SHUFFLING, self.updates_done, count, self._shuffled)
            finished, status = updates_by_player(
                self._player, self.rules, self.layout, self._loss, limit, s.optimizer == "adam", self.theta,
                self.first, self.second, self._dtheta, uniforms, shuffling, rates, self.updates_done, self.rows,
                self.act, self.running, statistics,
            )  # fmt: skip
        self.updates_done += finished
        if status != FINE:
            raise DivergenceError(self.updates_done + 1, QUANTITY[status])
        return statistics
