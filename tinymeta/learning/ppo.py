"""Proximal policy optimisation (Schulman et al. 2017, Eq. 7) on whole trials (docs/math.md, Eqs. 51-53).

One batch of trials serves for several epochs. In each the trials, shuffled, are split into minibatches, `batch_size`
steps or more in each on average: when learning is over, trials may be ten times as long as in the beginning. On each
the network runs forward anew and is backpropagated through, whole trials at a time, so that a recurrent state is never
one of former weights. With ρ = π(a) / π_old(a) the policy's term is

    -mean min(ρ Â, clip(ρ, 1 - ε, 1 + ε) Â),

whose slope in log π is -ρ Â where the first is the smaller one, and 0 where clipping holds. Value and entropy enter as
in A2C. Targets and advantages are those of the rollout, for all epochs.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from tinymeta.base.jit import jit
from tinymeta.learning.a2c import BAD_LOSS, FINE, count_rows, descend
from tinymeta.learning.policies import log_likelihood
from tinymeta.learning.rows import STEPS, TIMES, USED, Activations, Rows
from tinymeta.learning.sizes import allocate
from tinymeta.learning.update import advantages, backward_weighted, forward, loss_terms
from tinymeta.learning.updates import learn
from tinymeta.learning.wirings import Layout
from tinymeta.network.flat import split
from tinymeta.network.optim import global_norm

POLICY_LOSS, VALUE_LOSS, ENTROPY, TOTAL, NORM = range(3, 8)  # columns of an update's statistics


class PPO(NamedTuple):
    """The coefficients of the loss, and what an update works in."""

    gamma: float
    gae_lambda: float
    vf_coef: float
    ent_coef: float
    normalize_advantage: bool
    clip_range: float  # ε
    n_epochs: int
    num_minibatches: int
    batch_size: int
    taken: np.ndarray  # (1,) float64, gradient steps so far
    order: np.ndarray  # (B,) int64, the trials in the order of this epoch
    chosen: np.ndarray  # (B,) int64, a trial's place in the minibatch, -1 if it is not in it
    place: np.ndarray  # (N,) int64, a row's row in the minibatch
    old: np.ndarray  # (N,) log π of the actions when they were taken
    rows: Rows  # of a minibatch
    act: Activations
    likelihood: np.ndarray  # (N,) log π now, of a minibatch
    former: np.ndarray  # (N,) log π then, of a minibatch
    weight: np.ndarray  # (N,) slope of the policy's term in -log π, of a minibatch


def make_ppo(settings: Any, layout: Layout, num_rows: int, step_limit: int, dtype: Any) -> PPO:
    """A `PPO` for a run's settings, with its working arrays for a batch of `num_rows` rows."""
    B = settings.num_envs
    N = num_rows
    rows, act = allocate(layout, B if settings.batch_size > 1 else -(-B // settings.num_minibatches), step_limit, dtype)
    n = len(rows.before)
    return PPO(
        settings.gamma, settings.gae_lambda, settings.vf_coef, settings.ent_coef, settings.normalize_advantage,
        settings.clip_range, settings.n_epochs, settings.num_minibatches, settings.batch_size, np.zeros(1),
        np.zeros(B, np.int64), np.zeros(B, np.int64), np.zeros(N, np.int64), np.zeros(N, dtype),
        rows, act, np.zeros(n, dtype), np.zeros(n, dtype), np.zeros(n, dtype),
    )  # fmt: skip


@jit
def clipped_terms(likelihood, former, advantage, clip_range, steps, weight):
    """The policy's term, Eq. 51; overwrites weight (N,) with minus the slope of each step's part in log π, Eq. 52.

    likelihood, former, advantage (N,): log π now, log π when the action was taken, Â.
    """
    number = weight.dtype.type
    total = 0.0
    for n in range(steps):
        ratio = math.exp(likelihood[n] - former[n])
        clipped = min(max(ratio, 1.0 - clip_range), 1.0 + clip_range)
        free = ratio * advantage[n]
        bound = clipped * advantage[n]
        held = clipped != ratio and bound < free  # inside the range the two products differ by rounding alone
        total -= bound if held else free
        weight[n] = number(0) if held else number(free)
    return total / steps


@jit
def take_row(rows, act, n, part, part_act, m):
    """Copy what entered the network in row n, what was done there, and its targets, to row m of `part`."""
    part.reset[m] = rows.reset[n]
    part.prev_reward[m] = rows.prev_reward[n]
    part.action[m] = rows.action[n]
    for i in range(3):
        part.columns[m, i] = rows.columns[n, i]
    for i in range(rows.numbers.shape[1]):
        part.numbers[m, i] = rows.numbers[n, i]
    for i in range(rows.vector.shape[1]):
        part.vector[m, i] = rows.vector[n, i]
    part_act.target[m] = act.target[n]
    part_act.advantage[m] = act.advantage[n]


@jit
def take_trials(rows, act, loss, first, last, recurrent):
    """Copy the rows of the trials loss.order[first:last], with their targets, into loss.rows and loss.act.

    Without a recurrent state no row needs another one, and all go through the network as if they were of one time.
    """
    part = loss.rows
    for b in range(loss.chosen.shape[0]):
        loss.chosen[b] = -1
    for i in range(first, last):
        loss.chosen[loss.order[i]] = i - first
    m = 0
    times = 0
    for t in range(rows.size[TIMES]):
        part.begin[t] = m
        for n in range(rows.begin[t], rows.begin[t + 1]):
            trial = loss.chosen[rows.trial[n]]
            if trial < 0:
                continue
            loss.place[n] = m
            part.before[m] = loss.place[rows.before[n]] if rows.before[n] >= 0 else -1
            part.trial[m] = trial
            take_row(rows, act, n, part, loss.act, m)
            loss.former[m] = loss.old[n]
            m += 1
            times = t + 1
    if not recurrent:
        times = 1
    part.begin[times] = m
    part.begin[times + 1] = m
    part.size[TIMES] = times
    part.size[STEPS] = m
    part.size[USED] = m


@jit
def shuffle(order, uniforms):
    """Overwrites order (B,) with a permutation of 0…B-1 by B uniform numbers (Fisher & Yates; Durstenfeld 1964)."""
    B = order.shape[0]
    for i in range(B):
        order[i] = i
    for i in range(B - 1, 0, -1):
        j = int(uniforms[i] * (i + 1))
        order[i], order[j] = order[j], order[i]


@learn.of(PPO)
def learn_ppo(loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates, update, shuffling, act,
              statistics):  # fmt: skip
    """PPO: in each epoch num_minibatches gradient steps, fewer while trials are short; statistics are their means."""
    advantages(rows, loss, act)
    log_likelihood(layout.head, rows, act, split(theta, layout)[5], loss.old)
    B = loss.order.shape[0]
    M = min(loss.num_minibatches, max(1, rows.size[STEPS] // loss.batch_size))
    ent_coef = rates[1]
    gradient_steps = loss.n_epochs * M
    for k in range(POLICY_LOSS, NORM + 1):
        statistics[k] = 0.0
    count_rows(rows, statistics)
    for epoch in range(loss.n_epochs):
        shuffle(loss.order, shuffling[epoch * B : (epoch + 1) * B])
        for m in range(M):
            take_trials(rows, act, loss, m * B // M, (m + 1) * B // M, layout.recurrent)
            forward(loss.rows, layout, theta, loss.act)
            log_likelihood(layout.head, loss.rows, loss.act, split(theta, layout)[5], loss.likelihood)
            _, value_loss, entropy = loss_terms(loss.rows, layout, theta, loss.act)
            policy_loss = clipped_terms(
                loss.likelihood, loss.former, loss.act.advantage, loss.clip_range, loss.rows.size[STEPS], loss.weight
            )
            total = policy_loss + loss.vf_coef * value_loss - ent_coef * entropy
            if not abs(total) < math.inf:  # see `learn_a2c`
                return BAD_LOSS
            backward_weighted(loss.rows, layout, loss.weight, loss.vf_coef, ent_coef, theta, loss.act, dtheta)
            norm = global_norm(dtheta)
            loss.taken[0] += 1
            status = descend(norm, max_grad_norm, is_adam, theta, first, second, dtheta, rates[0], loss.taken[0])
            if status != FINE:
                return status
            statistics[POLICY_LOSS] += policy_loss / gradient_steps
            statistics[VALUE_LOSS] += value_loss / gradient_steps
            statistics[ENTROPY] += entropy / gradient_steps
            statistics[TOTAL] += total / gradient_steps
            statistics[NORM] += norm / gradient_steps
    return FINE
