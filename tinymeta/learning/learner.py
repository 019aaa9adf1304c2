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
from tinymeta.base.dispatch import compiled_for
from tinymeta.base.errors import NotFiniteError
from tinymeta.base.jit import jit
from tinymeta.environments.gymnasium_world import PythonWorld
from tinymeta.learning.a2c import FINE, QUANTITY, learn
from tinymeta.learning.agent import Agent
from tinymeta.learning.algorithms import make_loss
from tinymeta.learning.kept import TAKEN
from tinymeta.learning.ppo import PPO
from tinymeta.learning.python_worlds import Player
from tinymeta.learning.rollout import rollout, uniforms_per_trial
from tinymeta.learning.rows import STEPS
from tinymeta.learning.scaling import restore, running, scaling_of, to_arrays, update_scaling
from tinymeta.learning.schedules import anneal
from tinymeta.learning.settings import DTYPES, Settings
from tinymeta.learning.sizes import CHUNK_NUMBERS, check_memory, rows_for
from tinymeta.network.parameters import initial_parameters, num_parameters
from tinymeta.network.products import zeros

STATISTICS = ("trials", "env_steps", "reward", "policy_loss", "value_loss", "entropy", "loss", "grad_norm")


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
def run_updates(world, rules, layout, loss, max_grad_norm, is_adam, theta, first, second, dtheta, uniforms, shuffling,
                rates, done, rows, act, running, statistics):  # fmt: skip
    """One update per row of uniforms (U, B·…), after `done` earlier ones. Updates theta, the moments and running.

    rates (U, 2) hold learning rate and entropy coefficient, shuffling (U, …) what PPO shuffles trials with.

    Overwrites dtheta, rows, act and statistics (U, 8). Returns (updates finished, FINE or what was not finite).
    """
    B = rows.task.shape[0]
    for u in range(uniforms.shape[0]):
        rollout(world, rules, layout, theta, uniforms[u].reshape((B, uniforms.shape[1] // B)), False, rows, act)
        status = learn_from_rows(
            loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates[u], done + u, shuffling[u],
            act, running, statistics[u],
        )  # fmt: skip
        if status != FINE:
            return u, status
    return uniforms.shape[0], FINE


@jit
def learn_from_rows(loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates, update, shuffling,
                    act, running, statistics):  # fmt: skip
    """What `run_updates` does after a rollout; of no steps nothing is learned."""
    if rows.size[STEPS] == 0:
        return FINE
    status = learn(
        loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates, update, shuffling, act,
        statistics,
    )  # fmt: skip
    if status == FINE:
        update_scaling(running, rows)
        count_rows(rows, statistics)
    return status


def run_python_updates(
    player: Player, rules: Any, layout: Any, loss: Any, max_grad_norm: float, is_adam: bool, theta: np.ndarray,
    first: np.ndarray, second: np.ndarray, dtheta: np.ndarray, uniforms: np.ndarray, shuffling: np.ndarray,
    rates: np.ndarray, done: int, rows: Any, act: Any, running: Any, statistics: np.ndarray,
) -> tuple[int, int]:  # fmt: skip
    """`run_updates` where Python steps the world."""
    B = rows.task.shape[0]
    if len(uniforms) == 0:
        player.prepare(rules, theta, rows, act)
        rows.size[:] = 0
        nothing = np.zeros(2), 0, np.zeros(len(loss.order) * loss.n_epochs if isinstance(loss, PPO) else 0)
        learn_from_rows(
            loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, *nothing, act, running,
            np.zeros(len(STATISTICS)),
        )  # fmt: skip
    for u in range(len(uniforms)):
        player.rollout(rules, theta, uniforms[u].reshape(B, -1), False, rows, act)
        status = learn_from_rows(
            loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates[u], done + u, shuffling[u],
            act, running, statistics[u],
        )  # fmt: skip
        if status != FINE:
            return u, status
    return len(uniforms), FINE


@jit
def count_rows(rows, statistics):
    """Overwrites the first three of an update's statistics: trials, steps and what they were paid."""
    reward = 0.0
    for n in range(rows.size[STEPS]):
        reward += rows.paid[n]
    statistics[0] = rows.task.shape[0]
    statistics[1] = rows.size[STEPS]
    statistics[2] = reward


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
        self._kernel = compiled_for(run_updates, tasks.data.__class__)
        self._player: Player | None = None
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
        if isinstance(self._loss, PPO):
            self._loss.taken[:] = kept.get(TAKEN, 0)
        self.theta[:] = theta
        self.first[:] = first
        self.second[:] = second
        self.updates_done = updates
        self.env_steps_done = env_steps

    def player(self) -> Player:
        """The pool of a world that Python steps, opened when it is first needed."""
        if self._player is None:
            self._player = Player(self.tasks, self.layout, self.settings.num_envs)
        return self._player

    def kept(self) -> dict[str, np.ndarray]:
        """What a checkpoint holds besides, see `tinymeta.learning.kept`."""
        taken = {TAKEN: self._loss.taken.copy()} if isinstance(self._loss, PPO) else {}
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
        shuffling = randomness.uniforms(s.seed, randomness.SHUFFLING, self.updates_done, count, self._shuffled)
        world: Any = self.tasks.data
        kernel = self._kernel
        if isinstance(self.tasks, PythonWorld):
            world = self.player()
            kernel = run_python_updates
        finished, status = kernel(
            world, self.rules, self.layout, self._loss, max_grad_norm or s.max_grad_norm,
            s.optimizer == "adam", self.theta, self.first, self.second, self._dtheta, uniforms, shuffling,
            self._rates(count), self.updates_done, self.rows, self.act, self.running, statistics,
        )  # fmt: skip
        self.updates_done += finished
        if status != FINE:
            raise DivergenceError(self.updates_done + 1, QUANTITY[status])
        return statistics
