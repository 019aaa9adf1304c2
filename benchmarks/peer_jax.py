"""The same training in JAX as its users write it: the whole loop under jit and lax.scan, gradients by autodiff, seeds
under vmap.

A bandit trial always takes ten steps, so the rollout itself is differentiated: one unrolled scan, whose activations
the backward pass reuses. Corridor trials end when they end. A while_loop, which cannot be differentiated in reverse,
plays them; then the loss is computed on the recorded inputs by the shortest of a few scans that covers them
(lax.switch). `peer_jax_by_hand.py` is what a specialist gets.
"""

import argparse
import json
import os
import resource
import sys
import time
from functools import partial

os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false"
)  # arrays of this size are slower on several threads

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

H, A, VF_COEF = 48, 2, 0.05
LENGTHS = (16, 24, 40, 100)  # of the scans that a corridor's loss is computed with


def bandit_step(task, place, action):
    return place, (action != task).astype(jnp.float32), True


def corridor_step(task, place, action):
    moved = jnp.clip(place + 2 * action - 1, 0, 10)
    goal = moved == 10 * task
    return jnp.where(goal, 5, moved), jnp.where(goal, 10.0, 0.0), goal


ENVIRONMENTS = {
    "bandit": {
        "step": bandit_step,
        "cells": 0,
        "start": 0,
        "episodes": 10,
        "limit": 10,
        "lr": 1e-3,
        "gamma": 0.8,
        "ent": 0.001,
        "clip": 1.0,
    },
    "corridor": {
        "step": corridor_step,
        "cells": 11,
        "start": 5,
        "episodes": 2,
        "limit": 100,
        "lr": 1e-4,
        "gamma": 0.9,
        "ent": 0.01,
        "clip": 5.0,
    },
}


def init(key, inputs):
    keys, s = jax.random.split(key, 4), H**-0.5
    xavier = jax.nn.initializers.xavier_uniform()
    return {
        "W": jax.random.uniform(keys[0], (H + inputs, 4 * H), minval=-s, maxval=s),
        "b": jnp.zeros(4 * H),
        "policy": xavier(keys[1], (H, A)),
        "policy_b": jnp.zeros(A),
        "value": xavier(keys[2], (H, 1)),
        "value_b": jnp.zeros(1),
    }


def network(p, state, x):
    """One LSTM step and both heads: ((h, c), log π (B, A), value (B,))."""
    h, c = state
    i, f, g, o = jnp.split(jnp.concatenate([h, x], 1) @ p["W"] + p["b"], 4, 1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), jax.nn.log_softmax(h @ p["policy"] + p["policy_b"]), (h @ p["value"] + p["value_b"])[:, 0]


def encode(env, place, reward, action):
    """One-hot place, reward, one-hot action; action -1 is none."""
    return jnp.concatenate([jax.nn.one_hot(place, env["cells"]), reward[:, None], jax.nn.one_hot(action, A)], 1)


def begin(env, u):
    B = len(u)
    none = jnp.zeros(B, jnp.int32)
    return {
        "state": (jnp.zeros((B, H)), jnp.zeros((B, H))),
        "task": (u >= 0.5).astype(jnp.int32),
        "place": none + env["start"],
        "episode": none,
        "reward": jnp.zeros(B),
        "action": none - 1,
        "alive": jnp.ones(B),
    }


def step(env, p, now, u):
    """All trials take a step; finished ones earn nothing."""
    x = encode(env, now["place"], now["reward"], now["action"])
    state, logp, value = network(p, now["state"], x)
    action = (u >= jnp.exp(logp[:, 0])).astype(jnp.int32)
    place, reward, ended = env["step"](now["task"], now["place"], action)
    reward, episode = reward * now["alive"], now["episode"] + ended
    new = {
        "state": state,
        "task": now["task"],
        "place": place,
        "episode": episode,
        "reward": reward,
        "action": action,
        "alive": now["alive"] * (episode < env["episodes"]),
    }
    return new, {"x": x, "action": action, "reward": reward, "alive": now["alive"], "logp": logp, "value": value}


def a2c(env, seen, last_value):
    """The loss of a batch from what `step` recorded, arrays (T, B, …)."""

    def back(G, row):
        G = row["reward"] + env["gamma"] * G
        return G, G

    _, G = lax.scan(back, lax.stop_gradient(last_value), {"reward": seen["reward"]}, reverse=True)
    advantage, logp, alive = G - seen["value"], seen["logp"], seen["alive"]
    taken = jnp.take_along_axis(logp, seen["action"][..., None], 2)[..., 0]
    entropy = -(jnp.exp(logp) * logp).sum(2)
    losses = -taken * lax.stop_gradient(advantage) + VF_COEF * advantage**2 - env["ent"] * entropy
    return (losses * alive).sum() / alive.sum()


def fixed_length(env, p, u):
    """Gradient, reward and steps of a batch of trials that all take `limit` steps; uniforms u (1 + limit, B)."""

    def loss(p):
        _, seen = lax.scan(partial(step, env, p), begin(env, u[0]), u[1:], unroll=True)
        return a2c(env, seen, jnp.zeros(u.shape[1])), (seen["reward"].sum(), seen["alive"].sum())

    g, (reward, steps) = jax.grad(loss, has_aux=True)(p)
    return g, reward, steps


def variable_length(env, p, u):
    """The same for trials that end when they end."""
    T, B = env["limit"], u.shape[1]
    tape = jax.tree.map(
        lambda x: jnp.zeros((T, *x.shape), x.dtype), jax.eval_shape(partial(step, env, p), begin(env, u[0]), u[1])[1]
    )
    tape = {k: tape[k] for k in ("x", "action", "reward", "alive")}

    def play(s):
        t, now, tape = s
        now, row = step(env, p, now, u[t + 1])
        return t + 1, now, {k: tape[k].at[t].set(row[k]) for k in tape}

    t, now, tape = lax.while_loop(lambda s: (s[0] < T) & (s[1]["alive"].sum() > 0), play, (0, begin(env, u[0]), tape))
    last = now["alive"] * network(p, now["state"], encode(env, now["place"], now["reward"], now["action"]))[2]

    def gradient_of(length):
        def loss(p, tape, last):
            seen = {k: v[:length] for k, v in tape.items()}

            def forward(state, x):
                state, logp, value = network(p, state, x)
                return state, (logp, value)

            zero = jnp.zeros((B, H))
            _, (logp, value) = lax.scan(forward, (zero, zero), seen["x"])
            return a2c(env, seen | {"logp": logp, "value": value}, last)

        return lambda: jax.grad(loss)(p, tape, last)

    lengths = jnp.array(LENGTHS)
    alive = jnp.where(jnp.arange(T)[:, None] < t, tape["alive"], 0)
    tape = tape | {"alive": alive, "reward": jnp.where(jnp.arange(T)[:, None] < t, tape["reward"], 0)}
    g = lax.switch(jnp.searchsorted(lengths, t), [gradient_of(n) for n in LENGTHS])
    return g, tape["reward"].sum(), alive.sum()


def train(env, B, updates, key):
    """Reward and steps of every update, (updates,) each."""
    init_key, luck_key = jax.random.split(key)
    p = init(init_key, env["cells"] + 1 + A)
    optimizer = optax.chain(optax.clip_by_global_norm(env["clip"]), optax.adam(env["lr"]))
    gradient = fixed_length if env["limit"] == env["episodes"] else variable_length

    def update(carry, n):
        p, moments = carry
        u = jax.random.uniform(jax.random.fold_in(luck_key, n), (env["limit"] + 1, B))
        g, reward, steps = gradient(env, p, u)
        change, moments = optimizer.update(g, moments)
        return (optax.apply_updates(p, change), moments), (reward, steps)

    return lax.scan(update, (p, optimizer.init(p)), jnp.arange(updates))[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", choices=ENVIRONMENTS, default="bandit")
    parser.add_argument("--num-envs", type=int, default=1)
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--cache", metavar="DIR", help="keep compiled code here")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.cache:
        jax.config.update("jax_compilation_cache_dir", args.cache)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    run = partial(train, ENVIRONMENTS[args.env], args.num_envs, max(1, args.trials // args.num_envs))
    keys = jax.vmap(jax.random.key)(jnp.arange(args.first_seed, args.first_seed + args.seeds))
    run, keys = (jax.vmap(run), keys) if args.seeds > 1 else (run, keys[0])
    began = time.perf_counter()
    compiled = jax.jit(run).lower(keys).compile()
    compile_seconds, began = time.perf_counter() - began, time.perf_counter()
    reward, steps = (np.atleast_2d(np.asarray(part)) for part in jax.block_until_ready(compiled(keys)))
    seconds, last = time.perf_counter() - began, max(1, reward.shape[1] // 10)
    print(
        json.dumps(
            {
                "name": "JAX",
                "env": args.env,
                "num_envs": args.num_envs,
                "seeds": args.seeds,
                "trials": reward.shape[1] * args.num_envs,
                "env_steps": int(steps.sum()),
                "compile_seconds": compile_seconds,
                "train_seconds": seconds,
                "reward_per_trial": (reward[:, -last:].mean(1) / args.num_envs).tolist(),
                "steps_per_trial": (steps[:, -last:].mean(1) / args.num_envs).tolist(),
                "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
