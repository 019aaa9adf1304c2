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

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.dispatch import by_class
from tinymeta.base.errors import integer
from tinymeta.base.jit import jit
from tinymeta.base.memory import require
from tinymeta.environments.kinds import AnyWorld, world_or_table
from tinymeta.learning import update
from tinymeta.learning.players import player_for
from tinymeta.learning.policies import log_likelihood
from tinymeta.learning.ppo import PPO, clipped_terms, make_ppo
from tinymeta.learning.rollout import uniforms_per_trial
from tinymeta.learning.rows import GOES_ON, STEPS, USED, Activations, Rows
from tinymeta.learning.settings import Settings
from tinymeta.learning.sizes import rows_for, working_bytes
from tinymeta.learning.traces import dense_inputs
from tinymeta.learning.update import forward, loss_terms
from tinymeta.learning.wirings import Layout, make_layout
from tinymeta.network.flat import split
from tinymeta.network.losses import Loss
from tinymeta.network.parameters import num_parameters, parameter_shapes, to_dict, to_flat

STEP = 1e-3  # ε of the difference quotients
TOLERANCE = 1e-7
NEGLIGIBLE = 1e-7  # of the whole gradient's rms: with one action the policy's gradient is nothing but rounding
HIDDEN_LIMIT = 256  # the work grows like the fourth power
LOSS = Loss(gamma=0.9, gae_lambda=0.8, vf_coef=0.05, ent_coef=0.01)


class Network(NamedTuple):
    """What is checked besides the papers' network and algorithm, see `tinymeta.learning.settings.Settings`."""

    encoder: tuple[int, ...] = ()
    separate_value: bool = False
    algorithm: str = "a2c"
    per_episode: bool = False  # returns restart at an episode's end


class Batch(NamedTuple):
    """A recorded batch of trials and the constants of its loss."""

    layout: Layout
    loss: Loss | PPO
    theta: np.ndarray  # (P,) float64
    rows: Rows
    act: Activations


class Entry(NamedTuple):
    """One parameter's comparison."""

    norm: float
    relative_error: float
    worst_index: tuple[int, ...]


@by_class(Loss)
def policy_term(loss, rows, layout, theta, act, policy_loss):
    """The policy's term of an algorithm's loss, given that of A2C."""
    return policy_loss


@policy_term.of(PPO)
def ppo_policy_term(loss, rows, layout, theta, act, policy_loss):
    """The clipped one; its slopes are left in loss.weight."""
    log_likelihood(layout.head, rows, act, split(theta, layout)[5], loss.likelihood)
    return clipped_terms(loss.likelihood, loss.old, act.advantage, loss.clip_range, rows.size[STEPS], loss.weight)


@jit
def weighted_loss(rows, layout, loss, theta, act):
    """The loss of recorded trials as a function of theta; target and advantage are constants."""
    forward(rows, layout, theta, act)
    policy_loss, value_loss, entropy = loss_terms(rows, layout, theta, act)
    policy_loss = policy_term(loss, rows, layout, theta, act, policy_loss)
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
    tasks: AnyWorld,
    agent: str,
    hidden_size: int = 48,
    seed: int = 0,
    loss: Loss = LOSS,
    cut: bool = False,
    trials: int = 3,
    candidates: int = 64,
    network: Network = Network(),  # noqa: B008 - immutable
) -> Batch:
    """Play a float64 `Batch` with random weights and fill in its constants from first principles.

    Of `candidates` trials the shortest `trials` of different lengths are kept (filled up where all are equally long).
    With `cut`, the step limit is one less than the longest of them.
    """
    integer("hidden_size", hidden_size, 1, HIDDEN_LIMIT)
    seed = integer("seed", seed, 0, 2**63 - 1)
    trials = integer("trials", trials, 1, 1000)
    candidates = integer("candidates", candidates, trials, 10_000)
    layout = make_layout(world_or_table(tasks), agent, hidden_size, network.encoder, network.separate_value)
    size = working_bytes(layout, candidates, tasks.step_limit, 8)
    require(size, f"playing {candidates} trials of up to {tasks.step_limit} steps")
    theta = _random_weights(layout, seed)
    width = uniforms_per_trial(tasks.step_limit, tasks.draws)
    numbers = randomness.uniforms(seed, randomness.CHECKING, 0, candidates, width)
    rows, _ = _play(tasks, layout, theta, numbers, tasks.step_limit, network.per_episode)
    lengths = np.bincount(rows.trial[: rows.size[STEPS]], minlength=candidates)
    kept = np.unique(lengths, return_index=True)[1][:trials]
    others = [b for b in range(candidates) if b not in kept]
    kept = np.concatenate([kept, others])[:trials].astype(int)
    limit = max(1, int(np.max(lengths[kept])) - 1) if cut else tasks.step_limit
    rows, act = _play(tasks, layout, theta, numbers[kept], int(limit), network.per_episode)
    act.target[:], act.advantage[:] = plain_targets(rows, act, loss)
    return Batch(layout, _algorithm(network, loss, rows, layout, act, theta), theta, rows, act)


def _algorithm(
    network: Network, loss: Loss, rows: Rows, layout: Layout, act: Activations, theta: np.ndarray
) -> Loss | PPO:
    """The loss, or PPO's with actions that were taken under other weights, so that some ratios are clipped."""
    if network.algorithm == "a2c":
        return loss
    settings = Settings(
        algorithm="ppo", num_envs=len(rows.task), num_minibatches=1, **loss._asdict() | {"dtype": "float64"}
    )
    ppo = make_ppo(settings, layout, len(rows.before), len(rows.begin) - 2, np.float64)
    log_likelihood(layout.head, rows, act, split.py_func(theta, layout)[5], ppo.old)
    ppo.old[:] += np.random.default_rng(0).uniform(-0.5, 0.5, len(ppo.old))
    return ppo


def _random_weights(layout: Layout, seed: int) -> np.ndarray:
    """Uniform weights: the LSTM's in ±2/√H, so that its gates leave their linear range, all others in ±½."""
    size = num_parameters(layout)
    signed = 2 * randomness.uniforms(seed, randomness.INITIALISATION, 0, 1, size)[0] - 1
    lstm_weights = 4 * layout.hidden_size * (layout.lstm_inputs + layout.hidden_size)
    return signed * np.where(np.arange(size) < lstm_weights, 2 / np.sqrt(layout.hidden_size), 0.5)


def _play(
    tasks: AnyWorld, layout: Layout, theta: np.ndarray, numbers: np.ndarray, limit: int, per_episode: bool
) -> tuple[Rows, Activations]:
    rows, act = rows_for(tasks, layout, len(numbers), limit, np.float64, per_episode)
    uniforms = np.ascontiguousarray(numbers[:, : uniforms_per_trial(limit, tasks.draws)])
    player = player_for(tasks, layout, len(numbers))
    player.rollout(tasks.rules(limit, per_episode), theta, uniforms, False, rows, act)
    player.close()
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
        for own, after in _stretches(rows, act, b):
            value = [*(act.heads[n, -1] for n in own), after]
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
    if loss.normalize_advantage:
        taken = advantage[:steps]
        advantage[:steps] = (taken - taken.mean()) / (taken.std() + 1e-8)
    return target, advantage


def _stretches(rows: Rows, act: Activations, b: int) -> Iterator[tuple[list[int], float]]:
    """(rows, value after the last one) of the parts of trial b over which returns run."""
    steps = rows.size[STEPS]
    part: list[int] = []
    for n in range(steps):
        if rows.trial[n] == b:
            part.append(n)
            if rows.after[n] != GOES_ON:
                yield part, act.heads[rows.after[n], -1] if rows.after[n] >= 0 else 0.0
                part = []
    if part:
        cut = [act.heads[n, -1] for n in range(steps, rows.size[USED]) if rows.trial[n] == b]
        yield part, 0.0 if rows.ended[b] else cut[0]


def analytic_gradient(batch: Batch, kernels: Any = update) -> np.ndarray:
    """dL/dθ (P,) as training computes it: its own targets, then backpropagation; `kernels` like `learning.update`."""
    forward(batch.rows, batch.layout, batch.theta, batch.act)
    kept = batch.act.target.copy(), batch.act.advantage.copy()
    gradient = np.empty_like(batch.theta)
    kernels.advantages(batch.rows, batch.loss, batch.act)
    vf_coef, ent_coef = batch.loss.vf_coef, batch.loss.ent_coef
    if isinstance(batch.loss, PPO):
        weighted_loss(batch.rows, batch.layout, batch.loss, batch.theta, batch.act)
        kernels.backward_weighted(
            batch.rows, batch.layout, batch.loss.weight, vf_coef, ent_coef, batch.theta, batch.act, gradient
        )
    else:
        kernels.backward(batch.rows, batch.layout, vf_coef, ent_coef, batch.theta, batch.act, gradient)
    batch.act.target[:], batch.act.advantage[:] = kept
    return gradient


def numerical_gradient(batch: Batch, epsilon: float = STEP) -> np.ndarray:
    """dL/dθ (P,) by difference quotients; a step in an input's weights is the smaller, the larger that input is."""
    layout = batch.layout
    largest = np.abs(dense_inputs(batch.rows, batch.rows.size[STEPS], layout, np.float64)).max(axis=0)
    steps = {name: np.full(shape, epsilon) for name, shape in parameter_shapes(layout).items()}
    first = "encoder.0.weight" if len(getattr(layout.network, "widths", ())) else "lstm.weight_ih"
    for name in (first, f"value.{first}"):
        if name in steps:
            steps[name] /= np.maximum(1.0, largest)
    quotients = np.empty_like(batch.theta)
    flat = to_flat(steps, layout, np.float64)
    difference_quotients(batch.rows, layout, batch.loss, batch.theta.copy(), batch.act, flat, quotients)
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


def check(
    tasks: AnyWorld,
    agent: str,
    hidden_size: int = 48,
    seed: int = 0,
    kernels: Any = update,
    network: Network = Network(),  # noqa: B008 - immutable
) -> dict[str, Entry]:
    """{parameter: Entry}, of each the worse of two batches: whole trials, and trials that a step limit cuts."""
    worst: dict[str, Entry] = {}
    for cut in (False, True):
        batch = play_batch(tasks, agent, hidden_size, seed, cut=cut, network=network)
        for name, entry in compare(analytic_gradient(batch, kernels), numerical_gradient(batch), batch.layout).items():
            if name not in worst or not entry.relative_error <= worst[name].relative_error:
                worst[name] = entry
    return worst
