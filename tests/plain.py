"""The kernels as plain Python: nothing is compiled, so every kind of world, policy, network and algorithm is cheap to
test, and a bug can be planted in any of them.
"""

import functools
import importlib
import pathlib
import sys
import types
from unittest import mock

import numpy as np

from tinymeta.learning.gradient_check import Batch, Network
from tinymeta.learning.ppo import PPO, make_ppo
from tinymeta.learning.rollout import uniforms_per_trial
from tinymeta.learning.rows import STEPS
from tinymeta.learning.settings import Settings
from tinymeta.learning.sizes import rows_for
from tinymeta.learning.wirings import make_layout
from tinymeta.network.flat import split
from tinymeta.network.losses import Loss
from tinymeta.network.parameters import num_parameters

KERNEL_MODULES = (
    "base.normal", "network.flat", "network.lstm", "network.heads", "network.losses", "network.dense",
    "network.gaussian", "learning.rows", "learning.policies", "learning.gaussian_policy", "learning.update",
    "learning.deep", "learning.a2c", "learning.scaling", "learning.updates", "learning.ppo", "learning.segments",
    "learning.rollout", "learning.worlds",
)  # fmt: skip


def by_class(declared):
    """In the place of `tinymeta.base.dispatch.by_class`: a table of its own, by the names of classes."""
    return functools.partial(declare, kind=declared) if isinstance(declared, type) else declare(declared)


def declare(function, kind=None):
    implementations = {} if kind is None else {kind.__name__: function}

    def of(kind):
        def register(implementation):
            implementations[kind.__name__] = implementation
            return implementation

        return register

    @functools.wraps(function)
    def call(*args):
        name = type(args[0]).__name__
        return implementations[name if name in implementations else "object"](*args)

    call.of = of
    return call


def plain_kernels(*edits):
    """A namespace with all functions of `KERNEL_MODULES` as plain Python, with planted bugs.

    Each (old, new) of `edits` is applied to the sources. It must apply exactly once, so that a test cannot go on
    planting a bug that no longer is one. The modules are executed under their own names beside the real ones, which
    never see what is registered here.
    """
    names = [f"tinymeta.{name}" for name in KERNEL_MODULES]
    sources = [pathlib.Path(importlib.import_module(name).__file__).read_text(encoding="utf-8") for name in names]
    for old, new in edits:
        assert sum(source.count(old) for source in sources) == 1, old
        sources = [source.replace(old, new) for source in sources]
    dispatch = types.ModuleType("tinymeta.base.dispatch")
    dispatch.by_class = by_class
    together = types.SimpleNamespace()
    with mock.patch.dict(sys.modules, {dispatch.__name__: dispatch}):
        for name, source in zip(names, sources, strict=True):
            module = types.ModuleType(name)
            exec(compile(source.replace("@jit\n", ""), name, "exec"), module.__dict__)
            sys.modules[name] = module  # what follows imports from it
            functions = {key: f for key, f in vars(module).items() if isinstance(f, types.FunctionType)}
            vars(together).update(functions)
    return together


UNTOUCHED = plain_kernels()
PAPERS = Network()


def plain_batch(
    tasks, agent, network=PAPERS, loss=None, hidden_size=3, trials=4, seed=0, limit=None, kernels=UNTOUCHED
):
    """A float64 `Batch` that `kernels` played with random weights; PPO's actions were taken under other weights."""
    loss = loss or Loss(0.9, 1.0, 0.5, 0.1)
    layout = make_layout(tasks, agent, hidden_size, network.encoder, network.separate_value)
    rng = np.random.default_rng(seed)
    theta = rng.uniform(-1, 1, num_parameters(layout))
    limit = limit or tasks.step_limit
    rows, act = rows_for(tasks, layout, trials, limit, np.float64, network.per_episode)
    uniforms = rng.random((trials, uniforms_per_trial(limit, tasks.draws)))
    kernels.rollout(tasks.data, tasks.rules(limit, network.per_episode), layout, theta, uniforms, False, rows, act)
    kernels.advantages(rows, loss, act)
    if network.algorithm == "ppo":
        loss = ppo_of(loss, layout, rows, trials)
        kernels.log_likelihood(layout.head, rows, act, split.py_func(theta, layout)[5], loss.old)
        loss.old[:] += rng.uniform(-0.5, 0.5, len(loss.old))
    return Batch(layout, loss, theta, rows, act)


def ppo_of(loss, layout, rows, trials, minibatches=1, n_epochs=1, clip_range=0.2):
    """PPO with the coefficients of an A2C loss."""
    settings = Settings(algorithm="ppo", num_envs=trials, num_minibatches=minibatches, n_epochs=n_epochs,
                        clip_range=clip_range, dtype="float64", **loss._asdict())  # fmt: skip
    return make_ppo(settings, layout, len(rows.before), len(rows.begin) - 2, np.float64)


def plain_loss(batch, theta, kernels=UNTOUCHED):
    """The loss at theta, with the batch's targets and advantages held fixed; leaves PPO's slopes in loss.weight."""
    loss, rows, act, layout = batch.loss, batch.rows, batch.act, batch.layout
    kernels.forward(rows, layout, theta, act)
    policy, value, entropy = kernels.loss_terms(rows, layout, theta, act)
    if isinstance(loss, PPO):
        kernels.log_likelihood(layout.head, rows, act, split.py_func(theta, layout)[5], loss.likelihood)
        policy = kernels.clipped_terms(
            loss.likelihood, loss.old, act.advantage, loss.clip_range, rows.size[STEPS], loss.weight
        )
    return policy + loss.vf_coef * value - loss.ent_coef * entropy


def plain_gradient(batch, kernels=UNTOUCHED):
    """dL/dtheta as training computes it, targets and advantages included."""
    loss, rows, act = batch.loss, batch.rows, batch.act
    gradient = np.empty_like(batch.theta)
    kernels.forward(rows, batch.layout, batch.theta, act)
    kernels.advantages(rows, loss, act)
    plain_loss(batch, batch.theta, kernels)
    weight = loss.weight if isinstance(loss, PPO) else act.advantage
    kernels.backward_weighted(rows, batch.layout, weight, loss.vf_coef, loss.ent_coef, batch.theta, act, gradient)
    return gradient
