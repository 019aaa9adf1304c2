"""RL² on the pole on a cart in JAX, as its users write it: environment and training under jit and lax.scan, the
gradient by autodiff through the scan.

Network, inputs, losses, optimiser, environment, truncation and returns are those of ``cartpole rl2`` with A2C and
returns over the whole trial: K episodes of at most `--max-steps` steps, the reset inside the step, a trial whose last
episode is truncated bootstraps from the input that would have come next, one that falls does not. There are two ways:

    masked     an update plays B whole trials. Their lengths differ and a scan's does not, so it takes the longest
               there can be, and steps of finished trials count for nothing, neither in the loss nor in the speed.
               A scan as long as the batch's longest trial, in steps of 50, would be at most 1.6 times (16 trials at
               once, over ours' first 1.5 million steps) and 1.4 times (64, 3 million) shorter, and finding that
               length first costs a forward pass more.
    segments   an update plays 128 steps of B environments in which trial follows trial; the network's state is carried
               from one update to the next, the gradient is not. No step is lost but the one after a truncated
               trial, at which its value is read. Gradients are cut every 128 steps: this is another, cheaper algorithm.

Several updates run in one dispatch, whose arguments are donated. The scan is not unrolled: by two or four steps it was
slower per CPU second in nearly all turns, by eight a single try was slower still, and sixteen had not compiled after
minutes. Eigen's threads, fast-math and 512-bit vectors were tried with 64 segments, unrolled by two: no gain.
"""

import argparse
import json
import os
import resource
import sys
import time
from functools import partial
from typing import NamedTuple

os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false"
)  # arrays of this size are slower on several threads

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

A, D = 2, 7  # actions; inputs: four numbers, the previous reward, the previous action
GRAVITY, LENGTH, FORCE, MASS, CART = 9.8, 0.5, 10.0, 0.1, 1.0
TIME_STEP, LARGEST_POSITION, LARGEST_ANGLE, LARGEST_START = 0.02, 2.4, 12 * 2 * np.pi / 360, 0.05
SEGMENT = 128


class Options(NamedTuple):
    """What is compiled in."""

    num_envs: int
    episodes: int
    max_steps: int
    hidden_size: int
    learning_rate: float
    gamma: float
    gae_lambda: float
    vf_coef: float
    ent_coef: float
    max_grad_norm: float
    unroll: int
    segments: bool

    length = property(lambda self: SEGMENT if self.segments else self.episodes * self.max_steps)


class Lanes(NamedTuple):
    """B environments and the network in each of them."""

    h: jax.Array  # (B, H)
    c: jax.Array  # (B, H)
    pole: jax.Array  # (B, 4)
    reward: jax.Array  # (B,), previous
    action: jax.Array  # (B, A), previous, one-hot; 0 at a trial's first step
    elapsed: jax.Array  # (B,), steps of the episode
    episode: jax.Array  # (B,)
    over: jax.Array  # (B,) bool, the trial has ended
    cut: jax.Array  # (B,) bool, by truncation in the step before: this one reads its value


def init(key, H):
    keys, s = jax.random.split(key, 4), H**-0.5
    xavier = jax.nn.initializers.xavier_uniform()
    return {
        "W": jax.random.uniform(keys[0], (H + D, 4 * H), minval=-s, maxval=s),
        "b": jnp.zeros(4 * H),
        "policy": xavier(keys[1], (H, A)),
        "policy_b": jnp.zeros(A),
        "value": xavier(keys[2], (H, 1)),
        "value_b": jnp.zeros(1),
    }


def network(p, lanes):
    """One LSTM step and both heads: (h, c, log π (B, A), value (B,))."""
    x = jnp.concatenate([lanes.h, lanes.reward[:, None], lanes.action, lanes.pole], 1)
    i, f, g, o = jnp.split(x @ p["W"] + p["b"], 4, 1)
    c = jax.nn.sigmoid(f) * lanes.c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return h, c, jax.nn.log_softmax(h @ p["policy"] + p["policy_b"]), (h @ p["value"] + p["value_b"])[:, 0]


def push(pole, action):
    """CartPole-v1's step (B, 4)."""
    _, speed, angle, turn = pole.T
    force = jnp.where(action == 1, FORCE, -FORCE)
    sine, cosine, total = jnp.sin(angle), jnp.cos(angle), CART + MASS
    push = (force + MASS * LENGTH * turn**2 * sine) / total
    turning = (GRAVITY * sine - cosine * push) / (LENGTH * (4 / 3 - MASS * cosine**2 / total))
    acceleration = push - MASS * LENGTH * turning * cosine / total
    return pole + TIME_STEP * jnp.stack([speed, acceleration, turn, turning], 1)


def begin(u, H):
    """Lanes at the beginning of a trial, by uniforms u (4, B)."""
    B = u.shape[1]
    zero, no = jnp.zeros(B, jnp.int32), jnp.zeros(B, bool)
    return Lanes(
        jnp.zeros((B, H)), jnp.zeros((B, H)), LARGEST_START * (2 * u.T - 1), jnp.zeros(B), jnp.zeros((B, A)),
        zero, zero, no, no,
    )  # fmt: skip


def step(o, p, lanes, u):
    """All lanes take a step, by uniforms u (5, B); those whose trial is over earn nothing."""
    h, c, logp, value = network(p, lanes)
    action = (u[0] >= jnp.exp(logp[:, 0])).astype(jnp.int32)
    start = LARGEST_START * (2 * u[1:].T - 1)
    pole = push(lanes.pole, action)
    fell = (jnp.abs(pole[:, 0]) > LARGEST_POSITION) | (jnp.abs(pole[:, 2]) > LARGEST_ANGLE)
    ended = fell | (lanes.elapsed + 1 == o.max_steps)
    last = lanes.episode + 1 == o.episodes
    alive = ~lanes.over
    record = {
        "logp": logp,
        "value": value,
        "action": action,
        "alive": alive,
        "cut": lanes.cut,
        "goes_on": ~(fell & last),
    }
    taken = jax.nn.one_hot(action, A)
    now = Lanes(
        h, c, jnp.where((ended & ~last)[:, None], start, pole), alive.astype(jnp.float32), taken,
        jnp.where(ended, 0, lanes.elapsed + 1), lanes.episode + ended, lanes.over | (ended & last),
        alive & ended & last & ~fell,
    )  # fmt: skip
    if o.segments:  # where a trial is over and its value read, the next one begins
        new = now.over & ~now.cut
        fresh = begin(u[1:], o.hidden_size)
        now = jax.tree.map(lambda a, b: jnp.where(new.reshape(-1, *(1,) * (a.ndim - 1)), a, b), fresh, now)
    return now, record


def a2c(o, seen, last_value):
    """The loss of what `step` recorded, arrays (T, B, …); last_value (B,) is that of the next input."""
    value = lax.stop_gradient(seen["value"])

    def back(after, row):
        G, V = after
        target = 1.0 + o.gamma * row["goes_on"] * (V + o.gae_lambda * (G - V))
        target = jnp.where(row["alive"], target, jnp.where(row["cut"], row["value"], 0.0))
        return (target, jnp.where(row["alive"] | row["cut"], row["value"], 0.0)), target

    rows = {"value": value} | {key: seen[key] for key in ("alive", "cut", "goes_on")}
    _, target = lax.scan(back, (last_value, last_value), rows, reverse=True)
    alive, logp = seen["alive"].astype(jnp.float32), seen["logp"]
    taken = jnp.take_along_axis(logp, seen["action"][..., None], 2)[..., 0]
    entropy = -(jnp.exp(logp) * logp).sum(2)
    losses = -taken * (target - value) + o.vf_coef * (target - seen["value"]) ** 2 - o.ent_coef * entropy
    return (losses * alive).sum() / alive.sum()


def gradient(o, p, lanes, u):
    """Gradient, lanes, steps and trials that ended, of uniforms u (T, 5, B)."""

    def loss(p):
        after, seen = lax.scan(partial(step, o, p), lanes, u, unroll=o.unroll)
        value = network(p, after)[3]
        last = lax.stop_gradient(jnp.where(after.over & ~after.cut, 0.0, value))
        return a2c(o, seen, last), (after, seen["alive"].sum(), (seen["cut"] | ~seen["goes_on"] & seen["alive"]).sum())

    g, (after, steps, trials) = jax.grad(loss, has_aux=True)(p)
    return g, after, steps, trials + (0 if o.segments else after.cut.sum())


def make(o, updates):
    """(carry from a key, `updates` updates of a carry)."""
    optimizer = optax.chain(optax.clip_by_global_norm(o.max_grad_norm), optax.adam(o.learning_rate))

    def first(key):
        init_key, play_key, begin_key = jax.random.split(key, 3)
        p = init(init_key, o.hidden_size)
        u = jax.random.uniform(begin_key, (4, o.num_envs))
        return p, optimizer.init(p), begin(u, o.hidden_size), play_key

    def update(carry, _):
        p, moments, lanes, key = carry
        key, play_key, begin_key = jax.random.split(key, 3)
        u = jax.random.uniform(play_key, (o.length, 5, o.num_envs))
        if not o.segments:
            lanes = begin(jax.random.uniform(begin_key, (4, o.num_envs)), o.hidden_size)
        g, lanes, steps, trials = gradient(o, p, lanes, u)
        change, moments = optimizer.update(g, moments)
        return (optax.apply_updates(p, change), moments, lanes, key), (steps, trials)

    return first, lambda carry: lax.scan(update, carry, length=updates)


def train(o, updates, steps, seed):
    """(compile seconds, (wall seconds, CPU seconds), env steps, [(env steps, trials)] after each dispatch)."""
    began = time.perf_counter()
    first, dispatch = make(o, updates)
    carry = jax.jit(first)(jax.random.key(seed))
    compiled = jax.jit(dispatch, donate_argnums=0).lower(carry).compile()
    jax.block_until_ready(carry)
    compile_seconds = time.perf_counter() - began
    done, trials, curve = 0, 0, []
    began, cpu_began = time.perf_counter(), time.process_time()
    while done < steps:
        carry, counts = compiled(carry)
        taken, ended = (int(np.asarray(count).sum()) for count in counts)
        done, trials = done + taken, trials + ended
        curve.append((done, trials))
    return compile_seconds, (time.perf_counter() - began, time.process_time() - cpu_began), done, curve


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--way", choices=("masked", "segments"), default="segments")
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--steps", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=3)
    parser.add_argument("--max-steps", type=int, default=200)
    parser.add_argument("--hidden-size", type=int, default=48)
    parser.add_argument("--settings", default="{}", help="JSON of learning_rate, gamma, … as in tinymeta's Settings")
    parser.add_argument("--unroll", type=int, help="steps of the scan that are compiled as one")
    parser.add_argument("--updates", type=int, default=10, help="per dispatch")
    parser.add_argument("--cache", metavar="DIR", help="keep compiled code here")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.cache:
        jax.config.update("jax_compilation_cache_dir", args.cache)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    options = Options(
        args.num_envs, args.episodes, args.max_steps, args.hidden_size, unroll=args.unroll or 1,
        segments=args.way == "segments", **json.loads(args.settings),
    )  # fmt: skip
    compile_seconds, seconds, steps, curve = train(options, args.updates, args.steps, args.seed)
    result = {
        "name": f"JAX, {args.way}",
        "num_envs": args.num_envs,
        "env_steps": steps,
        "compile_seconds": compile_seconds,
        "train_seconds": seconds[0],
        "train_cpu_seconds": seconds[1],
        "curve": curve,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
