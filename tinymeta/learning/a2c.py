"""One update from a batch of recorded trials: advantages, backpropagation through time, clipping, the optimiser.

`learn` is chosen by the class of the loss: `Loss` is A2C, one gradient step; PPO is in `tinymeta.learning.ppo`.
"""

import math

from tinymeta.base.dispatch import by_class
from tinymeta.base.jit import jit
from tinymeta.learning.update import advantages, backward, loss_terms
from tinymeta.network.losses import Loss
from tinymeta.network.optim import adam, clip_factor, global_norm, rmsprop

FINE, BAD_LOSS, BAD_GRADIENT, BAD_PARAMETER = range(4)  # how an update ended
QUANTITY = {BAD_LOSS: "the loss", BAD_GRADIENT: "the gradient", BAD_PARAMETER: "a parameter"}
POLICY_LOSS, VALUE_LOSS, ENTROPY, TOTAL, NORM = range(3, 8)  # columns of an update's statistics


@by_class
def learn(loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates, update, shuffling, act,
          statistics):  # fmt: skip
    """Update theta and the moments from recorded rows; `update` counts from 0.

    rates (2,) are learning rate and entropy coefficient, the latter in place of the one in `loss`; shuffling are the
    uniform numbers that PPO shuffles trials with. Overwrites dtheta and statistics (8,) but for its first three
    entries. Returns FINE or what was not finite.
    """


@learn.of(Loss)
def learn_a2c(loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates, update, shuffling, act,
              statistics):  # fmt: skip
    """A2C: one gradient step."""
    advantages(rows, loss, act)
    policy_loss, value_loss, entropy = loss_terms(rows, layout, theta, act)
    ent_coef = rates[1]
    total = policy_loss + loss.vf_coef * value_loss - ent_coef * entropy
    if not abs(total) < math.inf:  # `isfinite` subtracts a sum from itself, which reassociation makes 0
        return BAD_LOSS
    backward(rows, layout, loss.vf_coef, ent_coef, theta, act, dtheta)
    statistics[POLICY_LOSS] = policy_loss
    statistics[VALUE_LOSS] = value_loss
    statistics[ENTROPY] = entropy
    statistics[TOTAL] = total
    norm = global_norm(dtheta)
    statistics[NORM] = norm
    return descend(norm, max_grad_norm, is_adam, theta, first, second, dtheta, rates[0], update + 1)


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
