"""Oracle: the whole loss written from the textbook, trial by trial, and differentiated by HIPS autograd.

Nothing here is shared with the kernels but the recorded rows and the documented weight layout: every parameter, wiring
and environment, every kind of policy, network and algorithm, through resets, cut trials and truncated episodes. Bugs
that are planted in the kernels must be seen.
"""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from own_worlds import reach
from plain import UNTOUCHED, plain_batch, plain_gradient, plain_kernels, plain_loss
from support import KINDS, PAIRS, every_agent, every_table, is_told, noisy_taskset, small

import tinymeta
from tinymeta.environments.world import World
from tinymeta.learning.gradient_check import TOLERANCE, Network, analytic_gradient, compare, play_batch, weighted_loss
from tinymeta.learning.ppo import PPO
from tinymeta.learning.rows import ENDED, FINAL, STEPS, USED
from tinymeta.network.losses import Loss
from tinymeta.network.parameters import to_dict, to_flat

H = 4
MONTE_CARLO = Loss(0.9, 1.0, 0.05, 0.01)


def inputs(batch, n):
    """x of row n, the vector that the kernels never store (Eq. 1)."""
    x = np.zeros(batch.layout.input_size)
    x[batch.layout.reward_column] = batch.rows.prev_reward[n]
    x[[column for column in batch.rows.columns[n] if column >= 0]] = 1
    x[batch.layout.input_size - batch.layout.num_numbers :] = batch.rows.numbers[n]
    return x


def sigmoid(a):
    return 1 / (1 + anp.exp(-a))


def body(p, owner, x, state):
    """(h, c) after the dense layers and the LSTM whose parameters' names begin with `owner`."""
    layer = 0
    while f"{owner}encoder.{layer}.weight" in p:
        x = anp.tanh(anp.dot(p[f"{owner}encoder.{layer}.weight"], x) + p[f"{owner}encoder.{layer}.bias"])
        layer += 1
    h, c = state
    H = len(h)
    a = anp.dot(p[f"{owner}lstm.weight_ih"], x) + anp.dot(p[f"{owner}lstm.weight_hh"], h) + p[f"{owner}lstm.bias"]
    c = sigmoid(a[H : 2 * H]) * c + sigmoid(a[:H]) * anp.tanh(a[2 * H : 3 * H])
    return sigmoid(a[3 * H :]) * anp.tanh(c), c


def outputs(p, batch):
    """{row: (what the policy's head says, value)} of all rows that any trial has, from its first row on."""
    rows = batch.rows
    N = len(rows.before)
    bodies = ["", "value."] if "value.lstm.bias" in p else [""]
    blank = [(anp.zeros(batch.layout.hidden_size),) * 2 for _ in bodies]
    state = {}
    found = {}
    for n in [*range(rows.size[USED]), *range(N - rows.size[FINAL], N)]:
        before = blank if rows.reset[n] else state[rows.before[n]]
        x = inputs(batch, n)
        state[n] = [body(p, owner, x, kept) for owner, kept in zip(bodies, before, strict=True)]
        policy = anp.dot(p["policy.weight"], state[n][0][0]) + p["policy.bias"]
        found[n] = policy, (anp.dot(p["value.weight"], state[n][-1][0]) + p["value.bias"])[0]
    return found


def monte_carlo(batch, value):
    """G (steps,): discounted sums of rewards, with a value at their end where a limit cut the trial or the episode."""
    rows = batch.rows
    steps = rows.size[STEPS]
    target = np.zeros(steps)
    for b in range(len(rows.task)):
        cut = [value[n] for n in range(steps, rows.size[USED]) if rows.trial[n] == b]
        following = cut[0] if cut else 0.0
        for n in reversed([n for n in range(steps) if rows.trial[n] == b]):
            if rows.after[n] >= 0:
                following = value[rows.after[n]]
            elif rows.after[n] == ENDED:
                following = 0.0
            following = target[n] = rows.reward[n] + batch.loss.gamma * following
    return target


def policy_terms(p, policy, rows, n):
    """(log π of the action, entropy): of choices by Eqs. 20 and 25, of vectors by Eqs. 45 and 46."""
    if "policy.log_std" not in p:
        log_pi = policy - anp.log(anp.sum(anp.exp(policy)))
        return log_pi[rows.action[n]], -anp.sum(anp.exp(log_pi) * log_pi)
    std = anp.exp(p["policy.log_std"])
    density = anp.exp(-((rows.vector[n] - policy) ** 2) / (2 * std**2)) / anp.sqrt(2 * np.pi * std**2)
    return anp.sum(anp.log(density)), anp.sum(0.5 * anp.log(2 * np.pi * np.e * std**2))


def textbook_loss(p, batch):
    """Eqs. 1-6, 18-26 and 39-53 for Monte-Carlo returns: the mean over steps of the loss of all trials."""
    rows, loss = batch.rows, batch.loss
    steps = rows.size[STEPS]
    found = outputs(p, batch)
    value = {n: constant(v) for n, (_, v) in found.items()}
    target = monte_carlo(batch, value)
    advantage = target - np.array([value[n] for n in range(steps)])
    if loss.normalize_advantage:
        advantage = (advantage - np.mean(advantage)) / (np.std(advantage) + 1e-8)
    total = 0.0
    for n in range(steps):
        log_pi, entropy = policy_terms(p, found[n][0], rows, n)
        if isinstance(loss, PPO):
            ratio = anp.exp(log_pi - loss.old[n])
            clipped = anp.clip(ratio, 1 - loss.clip_range, 1 + loss.clip_range)
            gain = anp.minimum(ratio * advantage[n], clipped * advantage[n])
        else:
            gain = log_pi * advantage[n]
        total = total - gain + loss.vf_coef * (target[n] - found[n][1]) ** 2 - loss.ent_coef * entropy
    return total / steps


def constant(value):
    """The number itself: no gradient passes."""
    while hasattr(value, "_value"):
        value = value._value
    return float(value)


def textbook_gradient(batch):
    slopes = grad(textbook_loss)(to_dict(batch.theta, batch.layout), batch)
    return to_flat(slopes, batch.layout, np.float64)


def error(batch, gradient, expected):
    return max(entry.relative_error for entry in compare(gradient, expected, batch.layout).values())


# ---------------------------------------------------------------- compiled, on tables


@pytest.mark.parametrize("cut", [False, True])
@every_table
@every_agent
def test_every_table_and_agent(env, agent, cut):
    batch = play_batch(small(env), agent, H, cut=cut, loss=MONTE_CARLO)
    assert error(batch, analytic_gradient(batch), textbook_gradient(batch)) <= TOLERANCE


@pytest.mark.parametrize("cut", [False, True])
@every_agent
def test_noisy_taskset(agent, cut):
    batch = play_batch(noisy_taskset(), agent, H, cut=cut, loss=Loss(0.9, 1.0, 0.5, 0.1))
    assert error(batch, analytic_gradient(batch), textbook_gradient(batch)) <= TOLERANCE


def test_the_two_losses_are_one():
    """The textbook's loss is the kernels' loss, not only its slope."""
    batch = play_batch(noisy_taskset(), "rl1", H, cut=True, loss=MONTE_CARLO)
    ours = weighted_loss(batch.rows, batch.layout, batch.loss, batch.theta, batch.act)
    assert textbook_loss(to_dict(batch.theta, batch.layout), batch) == pytest.approx(ours, rel=1e-12)


# ---------------------------------------------------------------- every kind, as plain Python

WORLDS = {
    "noisy": noisy_taskset,  # a table: resets, trials of many lengths, cuts
    "fixed length": lambda: noisy_taskset(episode_length=2, max_steps=None),
    "cartpole": lambda: tinymeta.make(
        "cartpole", gravity=(5, 20), max_steps=3, episodes=2
    ),  # a vector is seen, episodes are truncated
    "random-mdp": lambda: small("random-mdp"),  # no identity
    "reach": reach,  # actions are vectors, too
}
NETWORKS = {
    "papers": ((), False),
    "encoder": ((5, 4), False),
    "separate": ((), True),
    "both": ((5,), True),
}
LOSSES = {
    "a2c": ("a2c", Loss(0.9, 1.0, 0.5, 0.1)),
    "a2c, standardised": ("a2c", Loss(0.9, 1.0, 0.5, 0.1, True)),
    "ppo": ("ppo", Loss(0.9, 1.0, 0.5, 0.1)),
    "ppo, standardised": ("ppo", Loss(0.9, 1.0, 0.5, 0.1, True)),
}


VARIANTS = (  # agent, returns by episode, by how much trials are cut short
    ("rl2", False, 0),
    ("rl2", True, 2),
    ("memoryless", True, 0),
    ("plain", False, 1),
    ("rl1", True, 1),
)


def batches(world, network, loss):
    """Two batches, of agents and returns that go round, so that every two kinds of anything meet."""
    tasks = WORLDS[world]()
    algorithm, coefficients = LOSSES[loss]
    first = list(WORLDS).index(world) + 2 * list(NETWORKS).index(network) + list(LOSSES).index(loss)
    for agent, per_episode, cut in (VARIANTS[first % 5], VARIANTS[(first + 2) % 5]):
        kind = Network(*NETWORKS[network], algorithm, per_episode)
        agent = agent if tasks.num_tasks or not is_told(agent) else "rl2"
        yield plain_batch(tasks, agent, kind, coefficients, trials=3, limit=tasks.step_limit - cut)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("world", WORLDS)
def test_every_kind(world, network, loss):
    """The loss is the textbook's, all its slopes are, and along a random direction so is the difference quotient."""
    rng = np.random.default_rng(1)
    for batch in batches(world, network, loss):
        assert textbook_loss(to_dict(batch.theta, batch.layout), batch) == pytest.approx(
            plain_loss(batch, batch.theta), rel=1e-11
        )
        gradient = plain_gradient(batch)
        assert error(batch, gradient, textbook_gradient(batch)) <= TOLERANCE
        direction = rng.normal(size=len(gradient)) / np.sqrt(len(gradient))
        assert quotient(batch, direction) == pytest.approx(gradient @ direction, rel=TOLERANCE, abs=1e-10)


def quotient(batch, direction, epsilon=1e-4):
    """The fourth-order central difference of the loss along a direction."""
    loss = {k: plain_loss(batch, batch.theta + k * epsilon * direction) for k in (-2, -1, 1, 2)}
    return (8 * (loss[1] - loss[-1]) - (loss[2] - loss[-2])) / (12 * epsilon)


@pytest.mark.parametrize(("env", "agent"), [pair for pair in PAIRS if isinstance(KINDS[pair[0]], World)])
def test_every_world_and_agent(env, agent):
    batch = plain_batch(small(env), agent, Network((4,), True, "ppo", True), hidden_size=H)
    assert error(batch, plain_gradient(batch), textbook_gradient(batch)) <= TOLERANCE


# ---------------------------------------------------------------- planted bugs

PLANTED = {
    # dense.py
    "dense: no derivative of tanh": ("dy[n, j] *= one - y[n, j] * y[n, j]", "dy[n, j] *= one"),
    "dense: tanh' of a": ("dy[n, j] *= one - y[n, j] * y[n, j]", "dy[n, j] *= one - y[n, j]"),
    "dense: bias": ("dbias[j] += da[n, j]", "dbias[j] = da[n, j]"),
    "dense: dx is added to": ("dx[n, i] = zero", "dx[n, i] = dx[n, i] + 1"),
    "dense: no weights": ("add_outer(x, da, dweight, 0, steps)", "add_outer(x, da, dweight, 0, steps - 1)"),
    "dense: no dx": ("add_product_transposed(da, weight, dx, 0, steps)", "None"),
    # lstm.py: numbers
    "lstm: numbers' weights": ("add_outer(numbers, dgates, dweight_x[D - F :], 0, steps)",
                               "add_outer(numbers, dgates, dweight_x[:F], 0, steps)"),
    "lstm: numbers enter elsewhere": ("add_product(numbers, weight_x[D - F :], gates, start, stop)",
                                      "add_product(numbers, weight_x[D - F - 1 : D - 1], gates, start, stop)"),
    # gaussian.py
    "gaussian: z is not divided": ("dheads[n, i] = -scale * weight[n] * z * inverse",
                                   "dheads[n, i] = -scale * weight[n] * z"),
    "gaussian: sign of the mean's": ("dheads[n, i] = -scale", "dheads[n, i] = scale"),
    "gaussian: σ without its -1": ("weight[n] * (z * z - one)", "weight[n] * (z * z)"),
    "gaussian: entropy twice": ("dlog_std[i] -= number(ent_coef)", "dlog_std[i] -= number(2 * ent_coef)"),
    "gaussian: value": ("scale * twice_vf_coef * (heads[n, A] - target[n])", "scale * (heads[n, A] - target[n])"),
    "gaussian: density": ("total -= half * z * z + log_std[i]", "total -= half * z * z"),
    "gaussian: half": ("total -= half * z * z", "total -= z * z"),
    # deep.py
    "deep: value reads the policy's body": ("act.dheads, first, body.h, head_weight[first:last], steps, body.dh",
                                            "act.dheads, first, act.h, head_weight[first:last], steps, body.dh"),
    "deep: the first body's LSTM twice": ("dweight_x, dweight_h, dbias = lstm_views(drest, at, layout)", "pass"),
    "deep: the second body's weights": ("weight_x, weight_h, _ = lstm_views(rest, at, layout)", "pass"),
    "deep: dense layers of the first body": ("at += network.dense_size", "at = network.first + network.dense_size"),
    "deep: parameters begin too early": (
        "network.first\n    for k in range(bodies):\n        body = act.bodies[k]\n        at += network.dense_size",
        "0\n    for k in range(bodies):\n        body = act.bodies[k]\n        at += network.dense_size"),
    "deep: no heads of the second": ("first = 0 if k == 0 else layout.num_actions\n"
                                     "        last = layout.num_actions + (1 if k == bodies - 1 else 0)\n"
                                     "        outputs_backward", "first = 0\n"
                                     "        last = layout.num_actions + (1 if k == bodies - 1 else 0)\n"
                                     "        outputs_backward"),
    "deep: another layer's activations": ("y = body.layers[used : used + N * E].reshape((N, E))\n"
                                          "        dy =", "y = body.layers[: N * E].reshape((N, E))\n        dy ="),
    # ppo.py
    "ppo: never clipped": ("number(0) if held else number(free)", "number(free)"),
    "ppo: always clipped outside": ("clipped != ratio and bound < free", "clipped != ratio"),
    "ppo: no ratio": ("number(0) if held else number(free)", "number(0) if held else number(advantage[n])"),
    "ppo: sign of the difference": ("math.exp(likelihood[n] - former[n])", "math.exp(former[n] - likelihood[n])"),
    "ppo: range": ("1.0 - clip_range), 1.0 + clip_range", "1.0 - clip_range), 1.0 + 2 * clip_range"),
    # returns by episode
    "after: ends bootstrap": ("value[after[n]] if after[n] >= 0 else number(0)", "value[after[n]]"),
    "after: truncations do not": ("value[after[n]] if after[n] >= 0 else number(0)", "number(0)"),
    "after: overlooked": ("if after[n] != -1:", "if after[n] == -3:"),
    "after: value, not target": ("next_target[b] = next_value[b]\n", "pass\n"),
    "advantages: not standardised": ("if loss.normalize_advantage:", "if False:"),
    "advantages: sum, not mean": ("math.sqrt(squares / steps)", "math.sqrt(squares)"),
}  # fmt: skip


@pytest.fixture(scope="module")
def checked():
    """A batch with everything in it, and its true gradient."""
    batch = plain_batch(reach(), "rl1", Network((5, 4), True, "ppo", True), Loss(0.9, 1.0, 0.3, 0.1, True), limit=9)
    return batch, textbook_gradient(batch)


def test_the_batches_hold_what_they_promise(checked):
    """Truncated episodes inside a trial and at its end, true ends, cuts, clipped ratios and free ones."""
    batch, _ = checked
    rows, loss = batch.rows, batch.loss
    steps = rows.size[STEPS]
    after = rows.after[:steps]
    episode = rows.episode[:steps]
    assert (after == ENDED).any()
    assert ((after >= 0) & (episode < 2)).any()
    assert rows.size[USED] > steps
    assert (rows.reset[:steps] & (rows.before[:steps] >= 0)).any()
    plain_loss(batch, batch.theta)
    ratio = np.exp(loss.likelihood[:steps] - loss.old[:steps])
    clipped = loss.weight[:steps] == 0
    assert clipped.any()
    for outside in (ratio > 1.2, ratio < 0.8):
        assert (outside & clipped).any()
        assert (outside & ~clipped).any()  # clipping only ever takes a gain away
    assert not (clipped & (ratio > 0.8) & (ratio < 1.2)).any()


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_bugs_are_caught(checked, bug):
    """The comparison itself is tested: it passes without a bug, and with one the error is large."""
    batch, expected = checked
    assert error(batch, plain_gradient(batch, UNTOUCHED), expected) <= TOLERANCE
    assert error(batch, plain_gradient(batch, plain_kernels(PLANTED[bug])), expected) > 1e-4
