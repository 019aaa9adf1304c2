"""Returns and the advantage actor-critic loss (docs/math.md, Eqs. 21-29).

Returns run over the whole trial. With λ = 1 they are the Monte-Carlo returns
G_t = r_t + γ G_{t+1}; in general the λ-returns

    G_t = r_t + γ ((1 - λ) V_{t+1} + λ G_{t+1}),        Â_t = G_t - V_t,

so that Â is GAE(γ, λ) (Schulman et al. 2016, Eq. 16). After a trial's end V and G are 0. Where a step limit cut the
trial both are V of the input that would have come next: a time limit is not a terminal state. Where returns are asked
for by episode, they restart at each episode's end in the same way. The loss, averaged over the steps taken, is

    L = mean[ -log π(a) Â  +  c_v (G - V)²  -  c_e H(π) ]    with Â and G held constant.
"""

import math
from typing import NamedTuple

from tinymeta.base.jit import jit


class Loss(NamedTuple):
    """The coefficients of the loss, in the order of Table 1 where it names them."""

    gamma: float  # discount, over the whole trial
    gae_lambda: float
    vf_coef: float
    ent_coef: float
    normalize_advantage: bool = False


@jit
def lambda_returns(reward, value, trial, after, steps, used, gamma, gae_lambda, next_value, next_target, target):
    """λ-returns G of the first `steps` rows, Eq. 21. Overwrites target (N,) and the scratch next_value, next_target
    (B,).

    reward, value (N,), trial (N,) int: the trial of each row; rows are ordered by time. Rows steps…used belong to no
    step: they are the inputs that trials cut by a step limit would have seen next, and their values bootstrap. after
    (N,) int: -1 where the return runs on to the trial's next row, else the row whose value bootstraps, -2 for none.
    """
    number = target.dtype.type
    gamma = number(gamma)
    gae_lambda = number(gae_lambda)
    for b in range(next_value.shape[0]):
        next_value[b] = 0
        next_target[b] = 0
    for n in range(steps, used):
        next_value[trial[n]] = value[n]
        next_target[trial[n]] = value[n]
    for n in range(steps - 1, -1, -1):
        b = trial[n]
        if after[n] != -1:
            next_value[b] = value[after[n]] if after[n] >= 0 else number(0)
            next_target[b] = next_value[b]
        target[n] = reward[n] + gamma * (next_value[b] + gae_lambda * (next_target[b] - next_value[b]))
        next_value[b] = value[n]
        next_target[b] = target[n]


@jit
def standardise(advantage, steps):
    """Turns the first `steps` entries into ones of mean 0 and standard deviation 1 (the latter plus 1e-8), Eq. 50."""
    mean = 0.0
    for n in range(steps):
        mean += advantage[n]
    mean /= steps
    squares = 0.0
    for n in range(steps):
        squares += (advantage[n] - mean) * (advantage[n] - mean)
    inverse = 1.0 / (math.sqrt(squares / steps) + 1e-8)
    for n in range(steps):
        advantage[n] = (advantage[n] - mean) * inverse


@jit
def a2c_loss(probabilities, log_probabilities, value, action, advantage, target, steps):
    """The three terms of the loss before their coefficients, Eqs. 23-26: (policy, value, entropy), means over the
    steps.

    probabilities, log_probabilities (N, A); value, action, advantage Â, target G (N,). Â and G are constants of the
    loss.
    """
    A = probabilities.shape[1]
    policy_loss = 0.0
    value_loss = 0.0
    entropy = 0.0
    for n in range(steps):
        error = target[n] - value[n]
        policy_loss -= log_probabilities[n, action[n]] * advantage[n]
        value_loss += error * error
        for a in range(A):
            entropy -= probabilities[n, a] * log_probabilities[n, a]
    return policy_loss / steps, value_loss / steps, entropy / steps


@jit
def a2c_loss_backward(
    probabilities, log_probabilities, value, action, advantage, target, vf_coef, ent_coef, steps, dheads
):
    """The mirror of `a2c_loss`, Eqs. 27-29: overwrites dheads (N, A + 1) with dL/dlogits and, last, dL/dV."""
    A = probabilities.shape[1]
    number = target.dtype.type
    scale = number(1.0 / steps)
    ent_coef = number(ent_coef)
    twice_vf_coef = number(2.0 * vf_coef)
    for n in range(steps):
        entropy = number(0)
        for a in range(A):
            entropy -= probabilities[n, a] * log_probabilities[n, a]
        for a in range(A):
            bonus = ent_coef * (log_probabilities[n, a] + entropy)
            dheads[n, a] = scale * probabilities[n, a] * (advantage[n] + bonus)
        dheads[n, action[n]] -= scale * advantage[n]
        dheads[n, A] = scale * twice_vf_coef * (value[n] - target[n])
