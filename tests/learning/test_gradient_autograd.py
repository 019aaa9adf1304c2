"""Oracle: the whole loss written from the textbook, trial by trial, and differentiated by HIPS autograd.

Nothing here is shared with the kernels but the recorded rows and the documented weight layout: every parameter, wiring
and environment, through resets and cut trials.
"""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from support import every_agent, every_env, noisy_taskset, small

from tinymeta.learning.gradient_check import TOLERANCE, analytic_gradient, compare, play_batch, weighted_loss
from tinymeta.learning.rows import STEPS, USED
from tinymeta.network.losses import Loss
from tinymeta.network.parameters import to_dict, to_flat

H = 4


def inputs(batch, n):
    """x of row n, the vector that the kernels never store (Eq. 1)."""
    x = np.zeros(batch.layout.input_size)
    x[batch.layout.reward_column] = batch.rows.prev_reward[n]
    x[[column for column in batch.rows.columns[n] if column >= 0]] = 1
    return x


def sigmoid(a):
    return 1 / (1 + anp.exp(-a))


def textbook_loss(p, batch):
    """Eqs. 1-6 and 18-26 for Monte-Carlo returns: the mean over steps of the A2C loss of all trials."""
    rows, loss, total = batch.rows, batch.loss, 0.0
    for b in range(len(rows.task)):
        h = c = anp.zeros(H)
        terms = []
        bootstrap = 0.0
        for n in [n for n in range(rows.size[USED]) if rows.trial[n] == b]:
            if rows.reset[n]:
                h = c = anp.zeros(H)
            a = anp.dot(p["lstm.weight_ih"], inputs(batch, n)) + anp.dot(p["lstm.weight_hh"], h) + p["lstm.bias"]
            c = sigmoid(a[H : 2 * H]) * c + sigmoid(a[:H]) * anp.tanh(a[2 * H : 3 * H])
            h = sigmoid(a[3 * H :]) * anp.tanh(c)
            logits = anp.dot(p["policy.weight"], h) + p["policy.bias"]
            value = (anp.dot(p["value.weight"], h) + p["value.bias"])[0]
            if n >= rows.size[STEPS]:
                bootstrap = constant(value)
            else:
                terms.append((logits - anp.log(anp.sum(anp.exp(logits))), value, rows.action[n], rows.reward[n]))
        target = bootstrap
        for log_pi, value, action, reward in reversed(terms):
            target = reward + loss.gamma * target
            total = total - log_pi[action] * (target - constant(value)) + loss.vf_coef * (target - value) ** 2
            total = total + loss.ent_coef * anp.sum(anp.exp(log_pi) * log_pi)
    return total / rows.size[STEPS]


def constant(value):
    """The number itself: no gradient passes."""
    while hasattr(value, "_value"):
        value = value._value
    return float(value)


def errors(batch):
    slopes = grad(textbook_loss)(to_dict(batch.theta, batch.layout), batch)
    expected = to_flat(slopes, batch.layout, np.float64)
    return {name: e.relative_error for name, e in compare(analytic_gradient(batch), expected, batch.layout).items()}


@pytest.mark.parametrize("cut", [False, True])
@every_env
@every_agent
def test_every_environment_and_agent(env, agent, cut):
    batch = play_batch(small(env), agent, H, cut=cut, loss=Loss(0.9, 1.0, 0.05, 0.01))
    assert max(errors(batch).values()) <= TOLERANCE


@pytest.mark.parametrize("cut", [False, True])
@every_agent
def test_noisy_taskset(agent, cut):
    batch = play_batch(noisy_taskset(), agent, H, cut=cut, loss=Loss(0.9, 1.0, 0.5, 0.1))
    assert max(errors(batch).values()) <= TOLERANCE


def test_the_two_losses_are_one():
    """The textbook's loss is the kernels' loss, not only its slope."""
    batch = play_batch(noisy_taskset(), "rl1", H, cut=True, loss=Loss(0.9, 1.0, 0.05, 0.01))
    ours = weighted_loss(batch.rows, batch.layout, batch.loss, batch.theta, batch.act)
    assert textbook_loss(to_dict(batch.theta, batch.layout), batch) == pytest.approx(ours, rel=1e-12)
