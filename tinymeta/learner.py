"""A2C in one compiled loop: play a batch of trials, backpropagate through them, clip, step the optimiser; then the next batch.

`Learner` holds everything that changes during training (parameters, optimiser moments, counters). It advances in chunks of
updates, and its numbers are a pure function of (settings, seed, update): how updates are grouped into chunks changes nothing.
"""

import math
import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinymeta import luck
from tinymeta._jit import jit
from tinymeta.actor_critic import Loss, advantages, backward, loss_forward
from tinymeta.agents import INITS, WIRINGS, initial_parameters, make_layout, num_parameters
from tinymeta.errors import NotFiniteError, choice, integer, real
from tinymeta.memory import require, working_bytes
from tinymeta.optim import OPTIMIZERS, adam, clip_factor, global_norm, rmsprop
from tinymeta.primitives import zeros
from tinymeta.rollout import allocate, rollout
from tinymeta.taskset import make_rules

DTYPES = {"float32": np.float32, "float64": np.float64}
STATISTICS = ("trials", "env_steps", "reward", "policy_loss", "value_loss", "entropy", "loss", "grad_norm")  # per update
CHUNK_NUMBERS = 100_000  # uniforms drawn at once, a bound on memory


@dataclass(frozen=True)
class Settings:
    """All that a training run depends on besides its task set. Defaults are the bandit's column of the paper's Table 1."""

    agent: str = "rl2"
    seed: int = 0
    trials: int = 40_000
    num_envs: int = 4  # trials per update
    learning_rate: float = 1e-3
    gamma: float = 0.8
    gae_lambda: float = 1.0
    ent_coef: float = 0.001
    vf_coef: float = 0.05
    max_grad_norm: float = 1.0
    optimizer: str = "adam"
    hidden_size: int = 48
    init: str = "default"
    dtype: str = "float32"

    def __post_init__(self):
        checked = {
            "agent": choice("agent", self.agent, WIRINGS), "optimizer": choice("optimizer", self.optimizer, OPTIMIZERS),
            "init": choice("init", self.init, INITS), "dtype": choice("dtype", self.dtype, DTYPES),
            "seed": integer("seed", self.seed, low=0, high=2**63 - 1), "trials": integer("trials", self.trials, low=1, high=10**12),
            "num_envs": integer("num_envs", self.num_envs, low=1, high=100_000),
            "hidden_size": integer("hidden_size", self.hidden_size, low=1, high=4096),
            "learning_rate": real("learning_rate", self.learning_rate, above=0), "gamma": real("gamma", self.gamma, low=0, high=1),
            "gae_lambda": real("gae_lambda", self.gae_lambda, low=0, high=1), "ent_coef": real("ent_coef", self.ent_coef, low=0),
            "vf_coef": real("vf_coef", self.vf_coef, low=0), "max_grad_norm": real("max_grad_norm", self.max_grad_norm, above=0),
        }  # fmt: skip
        for name, value in checked.items():  # as plain Python numbers, which JSON can hold
            object.__setattr__(self, name, value)

    @property
    def updates(self):
        """Updates that play at least `trials` trials."""
        return -(-self.trials // self.num_envs)


class Optimizer(NamedTuple):
    """What the kernel needs to know of the optimiser."""

    is_adam: bool
    learning_rate: float
    max_grad_norm: float


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
def run_updates(outcomes, rules, layout, loss, optimizer, theta, first, second, dtheta, uniforms, done, rows, act, statistics):
    """One update per row of uniforms (U, B·(2 + 2T)), after `done` earlier ones. Updates theta and the moments in place.

    Writes statistics (U, 8). Returns (updates finished, FINE or what was not finite).
    """
    B = rows.task.shape[0]
    for u in range(uniforms.shape[0]):
        rollout(outcomes, rules, layout, theta, uniforms[u].reshape((B, uniforms.shape[1] // B)), False, rows, act)
        advantages(rows, loss, act)
        policy, value, entropy = loss_forward(rows, act)
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
        steps = rows.size[1]
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
    layout, itemsize = make_layout(tasks, settings.agent, settings.hidden_size), np.dtype(DTYPES[settings.dtype]).itemsize
    B, T, H = settings.num_envs, tasks.step_limit, settings.hidden_size
    size = working_bytes(layout, B, T, itemsize) + 6 * 8 * num_parameters(layout) + 4 * 8 * max(CHUNK_NUMBERS, B * (2 + 2 * T))
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
        numbers = luck.uniforms(settings.seed, luck.INITIALISATION, 0, 1, size)[0]
        self.theta, self.first, self.second, self._dtheta = (zeros(size, dtype) for _ in range(4))
        self.theta[:] = initial_parameters(self.layout, settings.init, numbers, dtype)
        self.updates_done = self.env_steps_done = 0
        self._loss = Loss(float(settings.gamma), float(settings.gae_lambda), float(settings.vf_coef), float(settings.ent_coef))
        self._optimizer = Optimizer(settings.optimizer == "adam", float(settings.learning_rate), float(settings.max_grad_norm))
        self._rows, self._act = allocate(self.layout, settings.num_envs, self.rules.step_limit, dtype)
        self._width = settings.num_envs * (2 + 2 * self.rules.step_limit)
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
            numbers = luck.uniforms(self.settings.seed, luck.TRAINING, self.updates_done, count, self._width)
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
