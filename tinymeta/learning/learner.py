"""A2C in one compiled loop: play a batch of trials, backpropagate through them, clip, step the optimiser; then the
next batch.

`Learner` holds everything that changes during training (parameters, optimiser moments, counters). It advances in
chunks of updates, and its numbers are a pure function of (settings, seed, update): how updates are grouped into chunks
changes nothing.
"""

import math
import time

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import NotFiniteError
from tinymeta.base.jit import jit
from tinymeta.base.memory import require
from tinymeta.environments.outcomes import make_rules
from tinymeta.learning.rollout import rollout, uniforms_per_trial
from tinymeta.learning.rows import STEPS, allocate, working_bytes
from tinymeta.learning.settings import DTYPES, Optimizer
from tinymeta.learning.update import advantages, backward, loss_terms
from tinymeta.learning.wirings import make_layout
from tinymeta.network.losses import Loss
from tinymeta.network.optim import adam, clip_factor, global_norm, rmsprop
from tinymeta.network.parameters import initial_parameters, num_parameters
from tinymeta.network.products import zeros

STATISTICS = (
    "trials",
    "env_steps",
    "reward",
    "policy_loss",
    "value_loss",
    "entropy",
    "loss",
    "grad_norm",
)  # per update

CHUNK_NUMBERS = 100_000  # uniforms drawn at once, a bound on memory


class DivergenceError(NotFiniteError):
    """Training met a number that is not finite; `update` and `quantity` say where."""

    def __init__(self, update, quantity):
        super().__init__(f"{quantity} is not finite at update {update}")
        self.update, self.quantity = update, quantity

    def __reduce__(self):  # so that it can cross to another process
        return type(self), (self.update, self.quantity)


FINE, BAD_LOSS, BAD_GRADIENT, BAD_PARAMETER = range(4)

QUANTITY = {BAD_LOSS: "the loss", BAD_GRADIENT: "the gradient", BAD_PARAMETER: "a parameter"}


@jit
def run_updates(
    outcomes, rules, layout, loss, optimizer, theta, first, second, dtheta, uniforms, done, rows, act, statistics
):
    """One update per row of uniforms (U, B·(2 + 2T)), after `done` earlier ones. Updates theta and the moments in
    place.

    Writes statistics (U, 8). Returns (updates finished, FINE or what was not finite).
    """
    B = rows.task.shape[0]
    for u in range(uniforms.shape[0]):
        rollout(outcomes, rules, layout, theta, uniforms[u].reshape((B, uniforms.shape[1] // B)), False, rows, act)
        advantages(rows, loss, act)
        policy, value, entropy = loss_terms(rows, act)
        total = policy + loss.vf_coef * value - loss.ent_coef * entropy
        if not math.isfinite(total):
            return u, BAD_LOSS
        backward(rows, layout, loss, theta, act, dtheta)
        norm = global_norm(dtheta)
        if not math.isfinite(norm):
            return u, BAD_GRADIENT
        factor = clip_factor(norm, optimizer.max_grad_norm)
        if optimizer.is_adam:
            finite = adam(theta, dtheta, factor, first, second, optimizer.learning_rate, done + u + 1)
        else:
            finite = rmsprop(theta, dtheta, factor, second, optimizer.learning_rate)
        if not finite:
            return u, BAD_PARAMETER
        steps = rows.size[STEPS]
        reward = 0.0
        for n in range(steps):
            reward += rows.reward[n]
        row = statistics[u]
        row[0], row[1], row[2], row[3] = B, steps, reward, policy
        row[4], row[5], row[6], row[7] = value, entropy, total, norm
    return uniforms.shape[0], FINE


def check_memory(tasks, settings):
    """Refuse a training run whose arrays do not fit into memory.

    Raises
    ------
    ValueError
        Names the sizes and how many bytes they would take.
    """
    layout, itemsize = (
        make_layout(tasks, settings.agent, settings.hidden_size),
        np.dtype(DTYPES[settings.dtype]).itemsize,
    )
    B, T, H = settings.num_envs, tasks.step_limit, settings.hidden_size
    size = (
        working_bytes(layout, B, T, itemsize)
        + 6 * 8 * num_parameters(layout)
        + 4 * 8 * max(CHUNK_NUMBERS, B * uniforms_per_trial(T))
    )
    require(size, f"training with num_envs = {B}, hidden_size = {H} and trials of up to {T} steps")


class Learner:
    """A training run in memory: ``Learner(tasks, settings).advance(updates)``.

    Attributes
    ----------
    theta, first, second : arrays of shape (P,)
        Flat parameters and the optimiser's moments (`first` stays zero under RMSProp).
    updates_done, env_steps_done : int
    compile_seconds : float
        What preparing the kernels cost: compilation, or loading them from the cache.
    """

    def __init__(self, tasks, settings):
        check_memory(tasks, settings)
        self.tasks, self.settings = tasks, settings
        dtype = DTYPES[settings.dtype]
        self.layout = make_layout(tasks, settings.agent, settings.hidden_size)
        self.rules = make_rules(tasks)
        size = num_parameters(self.layout)
        numbers = randomness.uniforms(settings.seed, randomness.INITIALISATION, 0, 1, size)[0]
        self.theta, self.first, self.second, self._dtheta = (zeros(size, dtype) for _ in range(4))
        self.theta[:] = initial_parameters(self.layout, settings.init, numbers, dtype)
        self.updates_done = self.env_steps_done = 0
        self._loss = Loss(
            float(settings.gamma), float(settings.gae_lambda), float(settings.vf_coef), float(settings.ent_coef)
        )
        self._optimizer = Optimizer(
            settings.optimizer == "adam", float(settings.learning_rate), float(settings.max_grad_norm)
        )
        self._rows, self._act = allocate(self.layout, settings.num_envs, self.rules.step_limit, dtype)
        self._width = settings.num_envs * uniforms_per_trial(self.rules.step_limit)
        started = time.perf_counter()
        self._run(np.empty((0, self._width)), np.empty((0, len(STATISTICS))))
        self.compile_seconds = time.perf_counter() - started

    def advance(self, updates):
        """Make `updates` updates; returns their statistics, array (updates, 8) in the order of `STATISTICS`.

        Raises
        ------
        DivergenceError
            At the first loss, gradient or parameter that is not finite. The learner must then not be used any further.
        """
        statistics = np.empty((updates, len(STATISTICS)))
        chunk = max(1, CHUNK_NUMBERS // self._width)
        for at in range(0, updates, chunk):
            count = min(chunk, updates - at)
            numbers = randomness.uniforms(
                self.settings.seed, randomness.TRAINING, self.updates_done, count, self._width
            )
            self._run(numbers, statistics[at : at + count])
        self.env_steps_done += int(statistics[:, STATISTICS.index("env_steps")].sum())
        return statistics

    def restore(self, theta, first, second, updates, env_steps):
        """Go on from where another learner of the same task set and settings stood."""
        self.theta[:], self.first[:], self.second[:] = theta, first, second
        self.updates_done, self.env_steps_done = updates, env_steps

    @property
    def trials_done(self):
        return self.updates_done * self.settings.num_envs

    def _run(self, numbers, statistics):
        finished, status = run_updates(
            self.tasks.outcomes, self.rules, self.layout, self._loss, self._optimizer, self.theta, self.first, self.second,
            self._dtheta, numbers, self.updates_done, self._rows, self._act, statistics,
        )  # fmt: skip
        self.updates_done += finished
        if status != FINE:
            raise DivergenceError(self.updates_done + 1, QUANTITY[status])
