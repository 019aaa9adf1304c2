"""A2C by segments: a gradient step for every few steps of a trial, by truncated backpropagation through time
(docs/math.md, Eq. 54).

A batch of whole trials is played first; returns and advantages are those of the whole trials. Then each trial, one
after the other, is cut into segments of `bptt_steps` steps, and each makes a gradient step. A segment begins with the
state in which the network, as it then is, left the one before; that state is a constant of its loss, so gradients end
at a segment's beginning (Williams & Peng 1990). Long trials, of a thousand steps and more, are learned from in this
way with little memory and many small steps: Conti's agents take one for every 16 steps.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from tinymeta.base.dispatch import by_class
from tinymeta.base.jit import jit
from tinymeta.learning.a2c import BAD_LOSS, FINE, count_rows, descend
from tinymeta.learning.networks import Deep, Direct
from tinymeta.learning.ppo import take_row
from tinymeta.learning.rows import STEPS, TIMES, USED, Activations, Rows
from tinymeta.learning.sizes import allocate
from tinymeta.learning.update import advantages, backward, forward, loss_terms
from tinymeta.learning.updates import learn
from tinymeta.learning.wirings import Layout
from tinymeta.network.optim import global_norm

POLICY_LOSS, VALUE_LOSS, ENTROPY, TOTAL, NORM = range(3, 8)  # columns of an update's statistics


class Segmented(NamedTuple):
    """The coefficients of the loss, and what an update works in."""

    gamma: float
    gae_lambda: float
    vf_coef: float
    ent_coef: float
    normalize_advantage: bool
    bptt_steps: int  # L
    taken: np.ndarray  # (1,) float64, gradient steps so far
    first: np.ndarray  # (B,) int64, the row of each trial's first step
    next: np.ndarray  # (N,) int64, row of the same trial one step later, -1 at its last step
    rows: Rows  # of a segment: L rows, and behind them that of the step before
    act: Activations


def make_segmented(settings: Any, layout: Layout, num_rows: int, dtype: Any) -> Segmented:
    """A `Segmented` for a run's settings, with its working arrays for a batch of `num_rows` rows."""
    rows, act = allocate(layout, 1, settings.bptt_steps, dtype)
    return Segmented(
        settings.gamma, settings.gae_lambda, settings.vf_coef, settings.ent_coef, settings.normalize_advantage,
        settings.bptt_steps, np.zeros(1), np.zeros(settings.num_envs, np.int64), np.zeros(num_rows, np.int64),
        rows, act,
    )  # fmt: skip


@by_class(Direct)
def carry_state(network, act, last, carried):
    """The state of row `last` is what follows begins with: it goes to row `carried`, whose gradients nobody reads."""
    for k in range(act.h.shape[1]):
        act.h[carried, k] = act.h[last, k]
        act.c[carried, k] = act.c[last, k]
        act.dh[carried, k] = 0
        act.dc[carried, k] = 0


@carry_state.of(Deep)
def deep_carry_state(network, act, last, carried):
    """The same of each body."""
    for k in range(len(act.bodies)):
        body = act.bodies[k]
        for i in range(body.h.shape[1]):
            body.h[carried, i] = body.h[last, i]
            body.c[carried, i] = body.c[last, i]
            body.dh[carried, i] = 0
            body.dc[carried, i] = 0


@jit
def link_rows(rows, first, following):
    """Overwrites first (B,) and following (N,): where each trial begins, and how it goes on."""
    for n in range(rows.size[STEPS]):
        following[n] = -1
        if rows.before[n] >= 0:
            following[rows.before[n]] = n
        else:
            first[rows.trial[n]] = n


@jit
def take_segment(rows, act, loss, n, recurrent):
    """Copy up to L steps of one trial from row n on into loss.rows and loss.act, with their targets.

    Returns the row that follows, or -1. Without a recurrent state all are of one time, see `ppo.take_trials`.
    """
    part = loss.rows
    m = 0
    while n >= 0 and m < loss.bptt_steps:
        part.begin[m] = m
        part.before[m] = m - 1 if m > 0 else part.before.shape[0] - 1
        take_row(rows, act, n, part, loss.act, m)
        m += 1
        n = loss.next[n]
    times = m if recurrent else 1
    part.begin[times] = m
    part.begin[times + 1] = m
    part.size[TIMES] = times
    part.size[STEPS] = m
    part.size[USED] = m
    return n


@learn.of(Segmented)
def learn_segments(loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates, update, shuffling,
                   act, statistics):  # fmt: skip
    """A gradient step for each segment of each trial; statistics are means, of losses over the steps."""
    advantages(rows, loss, act)
    link_rows(rows, loss.first, loss.next)
    ent_coef = rates[1]
    for k in range(POLICY_LOSS, NORM + 1):
        statistics[k] = 0.0
    count_rows(rows, statistics)
    carried = loss.rows.before.shape[0] - 1
    made = 0
    for b in range(loss.first.shape[0]):
        n = loss.first[b]
        while n >= 0:
            n = take_segment(rows, act, loss, n, layout.recurrent)
            steps = loss.rows.size[STEPS]
            forward(loss.rows, layout, theta, loss.act)
            policy_loss, value_loss, entropy = loss_terms(loss.rows, layout, theta, loss.act)
            total = policy_loss + loss.vf_coef * value_loss - ent_coef * entropy
            if not abs(total) < math.inf:  # see `learn_a2c`
                return BAD_LOSS
            backward(loss.rows, layout, loss.vf_coef, ent_coef, theta, loss.act, dtheta)
            carry_state(layout.network, loss.act, steps - 1, carried)
            norm = global_norm(dtheta)
            loss.taken[0] += 1
            status = descend(norm, max_grad_norm, is_adam, theta, first, second, dtheta, rates[0], loss.taken[0])
            if status != FINE:
                return status
            share = steps / rows.size[STEPS]
            statistics[POLICY_LOSS] += policy_loss * share
            statistics[VALUE_LOSS] += value_loss * share
            statistics[ENTROPY] += entropy * share
            statistics[TOTAL] += total * share
            statistics[NORM] += norm
            made += 1
    statistics[NORM] /= made
    return FINE
