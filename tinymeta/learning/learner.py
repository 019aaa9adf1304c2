"""A2C in one compiled loop: play a batch of trials, backpropagate through them, clip, step the optimiser; then the
next.

`Learner` holds everything that changes during training (parameters, optimiser moments, counters). It advances in chunks
of updates, and its numbers are a pure function of (settings, seed, update): how updates are grouped into chunks changes
nothing.
"""

import math
import time

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import NotFiniteError
from tinymeta.base.jit import jit
from tinymeta.base.memory import require
from tinymeta.environments.outcomes import make_rules
from tinymeta.environments.table import TaskSet
from tinymeta.learning.rollout import rollout, uniforms_per_trial
from tinymeta.learning.rows import STEPS, allocate, working_bytes
from tinymeta.learning.schedules import anneal
from tinymeta.learning.settings import DTYPES, Settings
from tinymeta.learning.update import advantages, backward, loss_terms
from tinymeta.learning.wirings import make_layout
from tinymeta.network.losses import Loss
from tinymeta.network.optim import adam, clip_factor, global_norm, rmsprop
from tinymeta.network.parameters import initial_parameters, num_parameters
from tinymeta.network.products import zeros

STATISTICS = ("trials", "env_steps", "reward", "policy_loss", "value_loss", "entropy", "loss", "grad_norm")
CHUNK_NUMBERS = 100_000  # uniforms drawn at once, a bound on memory
FINE, BAD_LOSS, BAD_GRADIENT, BAD_PARAMETER = range(4)  # how a chunk of updates ended
QUANTITY = {BAD_LOSS: "the loss", BAD_GRADIENT: "the gradient", BAD_PARAMETER: "a parameter"}


class DivergenceError(NotFiniteError):
    """Training met a number that is not finite; `update` and `quantity` say where."""

    def __init__(self, update: int, quantity: str):
        super().__init__(f"{quantity} is not finite at update {update}")
        self.update = update
        self.quantity = quantity

    def __reduce__(self) -> tuple:  # so that it can cross to another process
        return type(self), (self.update, self.quantity)


@jit
def run_updates(outcomes, rules, layout, loss, max_grad_norm, is_adam, theta, first, second, dtheta,
                uniforms, annealed, done, rows, act, statistics):  # fmt: skip
    """One update per row of uniforms (U, B·(2 + 2T)), after `done` earlier ones. Updates theta and the moments.

    annealed (U, 2) holds learning rate and entropy coefficient; the latter takes the place of the one in `loss`.

    Overwrites dtheta, rows, act and statistics (U, 8). Returns (updates finished, FINE or what was not finite).
    """
    B = rows.task.shape[0]
    for u in range(uniforms.shape[0]):
        rollout(outcomes, rules, layout, theta, uniforms[u].reshape((B, uniforms.shape[1] // B)), False, rows, act)
        advantages(rows, loss, act)
        policy_loss, value_loss, entropy = loss_terms(rows, act)
        learning_rate = annealed[u, 0]
        ent_coef = annealed[u, 1]
        total = policy_loss + loss.vf_coef * value_loss - ent_coef * entropy
        if not math.isfinite(total):
            return u, BAD_LOSS
        backward(rows, layout, loss.vf_coef, ent_coef, theta, act, dtheta)
        norm = global_norm(dtheta)
        if not math.isfinite(norm):
            return u, BAD_GRADIENT
        factor = clip_factor(norm, max_grad_norm)
        if is_adam:
            finite = adam(theta, dtheta, factor, first, second, learning_rate, done + u + 1)
        else:
            finite = rmsprop(theta, dtheta, factor, second, learning_rate)
        if not finite:
            return u, BAD_PARAMETER
        reward = 0.0
        for n in range(rows.size[STEPS]):
            reward += rows.reward[n]
        statistics[u, 0] = B
        statistics[u, 1] = rows.size[STEPS]
        statistics[u, 2] = reward
        statistics[u, 3] = policy_loss
        statistics[u, 4] = value_loss
        statistics[u, 5] = entropy
        statistics[u, 6] = total
        statistics[u, 7] = norm
    return uniforms.shape[0], FINE


def training_bytes(tasks: TaskSet, settings: Settings) -> int:
    """Bytes that a training run holds, rounded up: rows and activations, parameters and moments, a chunk's uniforms."""
    layout = make_layout(tasks, settings.agent, settings.hidden_size)
    rows = working_bytes(layout, settings.num_envs, tasks.step_limit, np.dtype(DTYPES[settings.dtype]).itemsize)
    uniforms = max(CHUNK_NUMBERS, settings.num_envs * uniforms_per_trial(tasks.step_limit))
    return rows + 6 * 8 * num_parameters(layout) + 4 * 8 * uniforms


def check_memory(tasks: TaskSet, settings: Settings) -> None:
    """Refuse a training run whose arrays do not fit into memory.

    Raises
    ------
    ValueError
        Names the sizes and how many bytes they would take.
    """
    sizes = f"num_envs = {settings.num_envs}, hidden_size = {settings.hidden_size}"
    what = f"training with {sizes} and trials of up to {tasks.step_limit} steps"
    require(training_bytes(tasks, settings), what)


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

    def __init__(self, tasks: TaskSet, settings: Settings):
        check_memory(tasks, settings)
        self.tasks = tasks
        self.settings = settings
        self.layout = make_layout(tasks, settings.agent, settings.hidden_size)
        self.rules = make_rules(tasks)
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
        self._loss = Loss(settings.gamma, settings.gae_lambda, settings.vf_coef, settings.ent_coef)
        self.rows, self.act = allocate(self.layout, settings.num_envs, self.rules.step_limit, dtype)
        self._width = settings.num_envs * uniforms_per_trial(self.rules.step_limit)
        started = time.perf_counter()
        self._run(np.empty((0, self._width)), np.empty((0, 2)), np.empty((0, len(STATISTICS))))
        self.compile_seconds = time.perf_counter() - started

    def advance(self, updates: int) -> np.ndarray:
        """Make `updates` updates; returns their statistics, array (updates, 8) in the order of `STATISTICS`.

        Raises
        ------
        DivergenceError
            At the first loss, gradient or parameter that is not finite. The learner must then not be used any further.
        """
        statistics = np.empty((updates, len(STATISTICS)))
        chunk = max(1, CHUNK_NUMBERS // self._width)
        seed = self.settings.seed
        for at in range(0, updates, chunk):
            count = min(chunk, updates - at)
            uniforms = randomness.uniforms(seed, randomness.TRAINING, self.updates_done, count, self._width)
            self._run(uniforms, self._annealed(count), statistics[at : at + count])
        self.env_steps_done += int(statistics[:, STATISTICS.index("env_steps")].sum())
        return statistics

    def restore(self, theta: np.ndarray, first: np.ndarray, second: np.ndarray, updates: int, env_steps: int) -> None:
        """Go on from where another learner of the same task set and settings stood."""
        self.theta[:] = theta
        self.first[:] = first
        self.second[:] = second
        self.updates_done = updates
        self.env_steps_done = env_steps

    @property
    def trials_done(self) -> int:
        """Trials that were played so far."""
        return self.updates_done * self.settings.num_envs

    def _annealed(self, count: int) -> np.ndarray:
        """Learning rate and entropy coefficient of the next `count` updates, array (count, 2)."""
        s = self.settings
        when = s.schedule, s.updates, self.updates_done, count
        rate = anneal(s.learning_rate, s.final_learning_rate, *when)
        return np.stack([rate, anneal(s.ent_coef, s.final_ent_coef, *when)], axis=1)

    def _run(self, uniforms: np.ndarray, annealed: np.ndarray, statistics: np.ndarray) -> None:
        is_adam = self.settings.optimizer == "adam"
        finished, status = run_updates(
            self.tasks.outcomes, self.rules, self.layout, self._loss, self.settings.max_grad_norm, is_adam, self.theta,
            self.first, self.second, self._dtheta, uniforms, annealed, self.updates_done, self.rows, self.act,
            statistics,
        )  # fmt: skip
        self.updates_done += finished
        if status != FINE:
            raise DivergenceError(self.updates_done + 1, QUANTITY[status])
