"""The gradients that train, against difference quotients of the loss, in float64.

Three trials are played with random weights, twice: whole, and under a step limit that cuts the longest. Between them
the two batches hold resets, masked rewards, trials that finish early and bootstrapped cuts. The targets G and
advantages Â, constants of the loss, are computed a second time here, trial by trial from the definition of the n-step
return, so that a forgotten bootstrap shows as well. The numerical derivative is the fourth-order central difference

    (8 (L(θ + ε) - L(θ - ε)) - (L(θ + 2ε) - L(θ - 2ε))) / 12ε,      ε = 10⁻³,

whose rounding error is near 10⁻¹³ times the loss. Each entry's error is
|analytic - numerical| / max(|analytic|, |numerical|, rms), with rms the root mean square of its parameter's numerical
gradient (plus 10⁻⁷ of the whole gradient's): entries far below it are smaller than the quotient's rounding.
"""

from typing import Any, NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import instance, integer
from tinymeta.base.jit import jit
from tinymeta.base.memory import require
from tinymeta.environments.outcomes import make_rules
from tinymeta.environments.table import TaskSet
from tinymeta.learning import update
from tinymeta.learning.rollout import rollout, uniforms_per_trial
from tinymeta.learning.rows import STEPS, USED, Activations, Rows, allocate, working_bytes
from tinymeta.learning.update import forward, loss_terms
from tinymeta.learning.wirings import Layout, make_layout
from tinymeta.network.losses import Loss
from tinymeta.network.parameters import num_parameters, to_dict

STEP = 1e-3  # ε of the difference quotients
TOLERANCE = 1e-7
NEGLIGIBLE = 1e-7  # of the whole gradient's rms: with one action the policy's gradient is nothing but rounding
HIDDEN_LIMIT = 256  # the work grows like the fourth power
LOSS = Loss(gamma=0.9, gae_lambda=0.8, vf_coef=0.05, ent_coef=0.01)


class Batch(NamedTuple):
    """A recorded batch of trials and the constants of its loss."""

    layout: Layout
    loss: Loss
    theta: np.ndarray  # (P,) float64
    rows: Rows
    act: Activations


class Entry(NamedTuple):
    """One parameter's comparison."""

    norm: float
    relative_error: float
    worst_index: tuple[int, ...]


@jit
def weighted_loss(rows, layout, loss, theta, act):
    """The loss of recorded trials as a function of theta; target and advantage are constants."""
    forward(rows, layout, theta, act)
    policy_loss, value_loss, entropy = loss_terms(rows, act)
    return policy_loss + loss.vf_coef * value_loss - loss.ent_coef * entropy


@jit
def difference_quotients(rows, layout, loss, theta, act, epsilon, quotients):
    """Fourth-order central differences of the loss in every parameter, with steps epsilon (P,).

    Overwrites quotients (P,); theta (P,) is left as it was.
    """
    for p in range(theta.shape[0]):
        kept = theta[p]
        total = 0.0
        for step, weight in ((1, 8.0), (-1, -8.0), (2, -1.0), (-2, 1.0)):
            theta[p] = kept + step * epsilon[p]
            total += weight * weighted_loss(rows, layout, loss, theta, act)
        theta[p] = kept
        quotients[p] = total / (12 * epsilon[p])


def play_batch(
    tasks: TaskSet,
    agent: str,
    hidden_size: int = 48,
    seed: int = 0,
    loss: Loss = LOSS,
    cut: bool = False,
    trials: int = 3,
    candidates: int = 64,
) -> Batch:
    """Play a float64 `Batch` with random weights and fill in its constants from first principles.

    Of `candidates` trials the shortest `trials` of different lengths are kept (filled up where all are equally long).
    With `cut`, the step limit is one less than the longest of them.
    """
    integer("hidden_size", hidden_size, 1, HIDDEN_LIMIT)
    seed = integer("seed", seed, 0, 2**63 - 1)
    trials = integer("trials", trials, 1, 1000)
    candidates = integer("candidates", candidates, trials, 10_000)
    layout = make_layout(instance("tasks", tasks, TaskSet), agent, hidden_size)
    size = working_bytes(layout, candidates, tasks.step_limit, 8)
    require(size, f"playing {candidates} trials of up to {tasks.step_limit} steps")
    theta = _random_weights(layout, seed)
    numbers = randomness.uniforms(seed, randomness.CHECKING, 0, candidates, uniforms_per_trial(tasks.step_limit))
    rows, _ = _play(tasks, layout, theta, numbers, tasks.step_limit)
    lengths = np.bincount(rows.trial[: rows.size[STEPS]], minlength=candidates)
    kept = np.unique(lengths, return_index=True)[1][:trials]
    others = [b for b in range(candidates) if b not in kept]
    kept = np.concatenate([kept, others])[:trials].astype(int)
    limit = max(1, int(np.max(lengths[kept])) - 1) if cut else tasks.step_limit
    rows, act = _play(tasks, layout, theta, numbers[kept], int(limit))
    act.target[:], act.advantage[:] = plain_targets(rows, act, loss)
    return Batch(layout, loss, theta, rows, act)


def _random_weights(layout: Layout, seed: int) -> np.ndarray:
    """Uniform weights: the LSTM's in ±2/√H, so that its gates leave their linear range, all others in ±½."""
    size = num_parameters(layout)
    signed = 2 * randomness.uniforms(seed, randomness.INITIALISATION, 0, 1, size)[0] - 1
    lstm_weights = 4 * layout.hidden_size * (layout.input_size + layout.hidden_size)
    return signed * np.where(np.arange(size) < lstm_weights, 2 / np.sqrt(layout.hidden_size), 0.5)


def _play(
    tasks: TaskSet, layout: Layout, theta: np.ndarray, numbers: np.ndarray, limit: int
) -> tuple[Rows, Activations]:
    rows, act = allocate(layout, len(numbers), limit, np.float64)
    uniforms = np.ascontiguousarray(numbers[:, : uniforms_per_trial(limit)])
    rollout(tasks.outcomes, make_rules(tasks, limit), layout, theta, uniforms, False, rows, act)
    return rows, act


def plain_targets(rows: Rows, act: Activations, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """G and Â (N,) from the definition: the λ-return is the λ-weighted mean of all n-step returns (math.md, Eq. 22).

    Deliberately slow, and written without a look at `lambda_returns`.
    """
    target = np.zeros_like(act.target)
    advantage = np.zeros_like(act.advantage)
    steps = rows.size[STEPS]
    lam = loss.gae_lambda
    for b in range(len(rows.task)):
        own = [n for n in range(steps) if rows.trial[n] == b]
        value = [act.heads[n, -1] for n in own]
        cut = [act.heads[n, -1] for n in range(steps, rows.size[USED]) if rows.trial[n] == b]
        value.append(0.0 if rows.ended[b] else cut[0])
        reward = [rows.reward[n] for n in own]
        T = len(own)
        for t, n in enumerate(own):
            n_step = [
                sum(loss.gamma**i * reward[t + i] for i in range(k)) + loss.gamma**k * value[t + k]
                for k in range(1, T - t + 1)
            ]
            weights = [(1 - lam) * lam ** (k - 1) for k in range(1, T - t)] + [lam ** (T - t - 1)]
            target[n] = np.dot(weights, n_step)
            advantage[n] = target[n] - value[t]
    return target, advantage


def analytic_gradient(batch: Batch, kernels: Any = update) -> np.ndarray:
    """dL/dθ (P,) as training computes it: its own targets, then backpropagation; `kernels` like `learning.update`."""
    forward(batch.rows, batch.layout, batch.theta, batch.act)
    kept = batch.act.target.copy(), batch.act.advantage.copy()
    gradient = np.empty_like(batch.theta)
    kernels.advantages(batch.rows, batch.loss, batch.act)
    vf_coef, ent_coef = batch.loss.vf_coef, batch.loss.ent_coef
    kernels.backward(batch.rows, batch.layout, vf_coef, ent_coef, batch.theta, batch.act, gradient)
    batch.act.target[:], batch.act.advantage[:] = kept
    return gradient


def numerical_gradient(batch: Batch, epsilon: float = STEP) -> np.ndarray:
    """dL/dθ (P,) by difference quotients; a step in the reward's weights is the smaller, the larger the rewards."""
    layout = batch.layout
    steps = np.full_like(batch.theta, epsilon)
    row = slice(layout.reward_column * 4 * layout.hidden_size, (layout.reward_column + 1) * 4 * layout.hidden_size)
    steps[row] /= max(1.0, np.abs(batch.rows.prev_reward).max())
    quotients = np.empty_like(batch.theta)
    difference_quotients(batch.rows, layout, batch.loss, batch.theta.copy(), batch.act, steps, quotients)
    return quotients


def compare(analytic: np.ndarray, numerical: np.ndarray, layout: Layout) -> dict[str, Entry]:
    """{parameter: Entry} of two gradients (P,), in PyTorch's names."""
    entries = {}
    floor = NEGLIGIBLE * np.sqrt(np.mean(numerical * numerical))
    expected = to_dict(numerical, layout)
    for name, a in to_dict(analytic, layout).items():
        n = expected[name]
        scale = np.maximum(np.maximum(np.abs(a), np.abs(n)), np.sqrt(np.mean(n * n)) + floor)
        error = np.abs(a - n) / np.where(scale > 0, scale, 1)
        worst = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), error.shape)
        entries[name] = Entry(float(np.linalg.norm(a)), float(error[worst]), tuple(int(i) for i in worst))
    return entries


def check(tasks: TaskSet, agent: str, hidden_size: int = 48, seed: int = 0, kernels: Any = update) -> dict[str, Entry]:
    """{parameter: Entry}, of each the worse of two batches: whole trials, and trials that a step limit cuts."""
    worst: dict[str, Entry] = {}
    for cut in (False, True):
        batch = play_batch(tasks, agent, hidden_size, seed, cut=cut)
        for name, entry in compare(analytic_gradient(batch, kernels), numerical_gradient(batch), batch.layout).items():
            if name not in worst or not entry.relative_error <= worst[name].relative_error:
                worst[name] = entry
    return worst
