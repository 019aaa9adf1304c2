"""One A2C update from a batch of recorded trials: advantages, backpropagation through time, clipping, the optimiser."""

import math

from tinymeta.base.jit import jit
from tinymeta.learning.rows import STEPS
from tinymeta.learning.update import advantages, backward, loss_terms
from tinymeta.network.optim import adam, clip_factor, global_norm, rmsprop

FINE, BAD_LOSS, BAD_GRADIENT, BAD_PARAMETER = range(4)  # how an update ended
QUANTITY = {BAD_LOSS: "the loss", BAD_GRADIENT: "the gradient", BAD_PARAMETER: "a parameter"}
STATISTICS = ("trials", "env_steps", "reward", "policy_loss", "value_loss", "entropy", "loss", "grad_norm")


@jit
def learn_a2c(loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates, update, act,
              statistics):  # fmt: skip
    """One gradient step from recorded rows; `update` counts from 0. Updates theta and the moments.

    rates (2,) are learning rate and entropy coefficient, the latter in place of the one in `loss`. Overwrites dtheta
    and statistics (8,). Returns FINE or what was not finite.
    """
    advantages(rows, loss, act)
    policy_loss, value_loss, entropy = loss_terms(rows, layout, theta, act)
    ent_coef = rates[1]
    total = policy_loss + loss.vf_coef * value_loss - ent_coef * entropy
    if not abs(total) < math.inf:  # `isfinite` subtracts a sum from itself, which reassociation makes 0
        return BAD_LOSS
    backward(rows, layout, loss.vf_coef, ent_coef, theta, act, dtheta)
    count_rows(rows, statistics)
    statistics[3] = policy_loss
    statistics[4] = value_loss
    statistics[5] = entropy
    statistics[6] = total
    statistics[7] = global_norm(dtheta)
    return descend(statistics[7], max_grad_norm, is_adam, theta, first, second, dtheta, rates[0], update + 1)


@jit
def descend(norm, max_grad_norm, is_adam, theta, first, second, dtheta, learning_rate, step):
    """Clip the gradient of this norm and let the optimiser take its step, counted from 1."""
    if not norm < math.inf:
        return BAD_GRADIENT
    factor = clip_factor(norm, max_grad_norm)
    if is_adam:
        finite = adam(theta, dtheta, factor, first, second, learning_rate, step)
    else:
        finite = rmsprop(theta, dtheta, factor, second, learning_rate)
    return FINE if finite else BAD_PARAMETER


@jit
def count_rows(rows, statistics):
    """Overwrites the first three of an update's statistics: trials, steps and what they were paid."""
    reward = 0.0
    for n in range(rows.size[STEPS]):
        reward += rows.paid[n]
    statistics[0] = rows.task.shape[0]
    statistics[1] = rows.size[STEPS]
    statistics[2] = reward
