"""The same training in JAX: the whole loop under jit and lax.scan, seeds under vmap, every gradient written by hand.

Autodiff through lax.scan was slower than this hand-derived backward pass, which walks the recorded steps once with a dynamic trip count:
in the corridor, steps after the last trial's end cost nothing. Inputs, bias and state go through one matrix product; the four gates
through one tanh. All uniforms of 100-500 updates are drawn at once. XLA's single-threaded Eigen, the full vector width and its LLVM
matrix products were the fastest flags found for arrays of this size.
"""

import argparse
import json
import os
import resource
import sys
import time
from functools import partial

FLAGS = (
    "--xla_cpu_multi_thread_eigen=false --xla_cpu_prefer_vector_width=512 --xla_backend_extra_options="
    "xla_cpu_small_while_loop_byte_threshold=1000000000000,xla_force_enable_experimental_llvm_ir_gemm="
)
os.environ.setdefault("XLA_FLAGS", FLAGS)

import jax  # noqa: E402 the flags must be set before
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402

H, A, VF_COEF, CHUNK = 48, 2, 0.05, 10
GATES = np.repeat(np.float32([0.5, 0.5, 1, 0.5]), H)  # σ(a) = ½ + ½ tanh(a/2) for i, f, o; tanh for g


def bandit_step(task, place, action):
    return place, (action != task).astype(jnp.float32), True


def corridor_step(task, place, action):
    moved = jnp.clip(place + 2 * action - 1, 0, 10)
    goal = moved == 10 * task
    return jnp.where(goal, 5, moved), jnp.where(goal, 10.0, 0.0), goal


ENVIRONMENTS = {
    "bandit": {"step": bandit_step, "cells": 0, "start": 0, "episodes": 10, "limit": 10, "lr": 1e-3, "gamma": 0.8, "ent": 0.001,
               "clip": 1.0},
    "corridor": {"step": corridor_step, "cells": 11, "start": 5, "episodes": 2, "limit": 200, "lr": 1e-4, "gamma": 0.9, "ent": 0.01,
                 "clip": 5.0},
}  # fmt: skip


def init(key, inputs):
    """W holds the state's rows, the inputs' and the bias."""
    keys, s = jax.random.split(key), H**-0.5
    W = jax.random.uniform(keys[0], (H + inputs + 1, 4 * H), minval=-s, maxval=s).at[-1].set(0)
    fan = np.sqrt(6 / (H + np.array([A, A, 1], np.float32)))[:, None]
    return {"W": W, "head": jax.random.uniform(keys[1], (A + 1, H), minval=-1, maxval=1) * fan, "bias": jnp.zeros(A + 1)}


def encode(env, place, reward, action):
    """One-hot place, reward, one-hot action and a one for the bias."""
    P = env["cells"]
    column = jnp.arange(P + A + 2)
    acted = (column == P + 1 + action[:, None]) & (action[:, None] >= 0)
    hot = (column == place[:, None]) & (column < P) | acted | (column == P + A + 1)
    return jnp.where(column == P, reward[:, None], hot.astype(jnp.float32))


def cell(W, z, c):
    act = jnp.tanh((z @ W) * GATES) * GATES + (1 - GATES)
    i, f, g, o = jnp.split(act, 4, 1)
    c = f * c + i * g
    tanh_c = jnp.tanh(c)
    return act, c, tanh_c, o * tanh_c


def play(env, B, p, u, tape):
    """Trials until all have ended; every step is written on the tape."""
    W, head, bias, K, T = p["W"], p["head"], p["bias"], env["episodes"], env["limit"]
    varies = T > K
    zero = jnp.zeros(B, jnp.int32)
    lanes = {"h": jnp.zeros((B, H)), "c": jnp.zeros((B, H)), "task": (u[0] >= 0.5).astype(jnp.int32), "place": zero + env["start"],
             "episode": zero, "reward": jnp.zeros(B), "action": zero - 1, "alive": jnp.ones(B)}  # fmt: skip

    def step(s):
        t, steps, total, now, tape = s
        z = jnp.concatenate([now["h"], encode(env, now["place"], now["reward"], now["action"])], 1)
        act, c, tanh_c, h = cell(W, z, now["c"])
        out = h @ head.T + bias
        logp = out[:, :A] - jax.nn.logsumexp(out[:, :A], 1, keepdims=True)
        action = (u[t + 1] >= jnp.exp(logp[:, 0])).astype(jnp.int32)
        place, reward, ended = env["step"](now["task"], now["place"], action)
        alive = now["alive"]
        reward = reward * alive if varies else reward
        episode = now["episode"] + ended
        row = {"z": z, "act": act, "c": now["c"], "tanh_c": tanh_c, "h": h, "logp": logp, "value": out[:, A], "action": action,
               "reward": reward, "alive": alive}  # fmt: skip
        tape = {k: lax.dynamic_update_slice_in_dim(v, row[k], t * B, 0) if k in row else v for k, v in tape.items()}
        steps += alive.sum().astype(jnp.int32)
        alive = alive * (episode < K) if varies else alive
        new = {
            "h": h,
            "c": c,
            "task": now["task"],
            "place": place,
            "episode": episode,
            "reward": reward,
            "action": action,
            "alive": alive,
        }
        return t + 1, steps, total + reward.sum(), new, tape

    s = (jnp.int32(0), jnp.int32(0), jnp.float32(0), lanes, tape)
    if varies:
        s = lax.while_loop(lambda s: (s[0] < T) & (s[3]["alive"].sum() > 0), step, s)
    else:
        s = lax.fori_loop(0, T, lambda _, s: step(s), s)
    t, steps, total, lanes, tape = s

    def bootstrap(now):
        z = jnp.concatenate([now["h"], encode(env, now["place"], now["reward"], now["action"])], 1)
        return now["alive"] * (cell(W, z, now["c"])[3] @ head[A] + bias[A])

    G = lax.cond((t >= T) & (lanes["alive"].sum() > 0), bootstrap, lambda _: jnp.zeros(B), lanes) if varies else jnp.zeros(B)
    return t, steps, total, G, tape


def gradient(env, B, p, u, tape):
    W, head, T = p["W"], p["head"], env["limit"]
    varies = env["episodes"] < T
    times, steps, total, G, tape = play(env, B, p, u, tape)
    scale_of_step = 1 / steps.astype(jnp.float32)
    back_weight = lax.optimization_barrier(W[:H].T) if B > 1 else W[:H].T

    def back(s):
        t, dh, dc, G, ghead, gbias, tape = s
        row = {k: lax.dynamic_slice_in_dim(v, (t - 1) * B, B, 0) for k, v in tape.items()}
        act, tanh_c, logp = row["act"], row["tanh_c"], row["logp"]
        G = row["reward"] + env["gamma"] * G
        advantage, pi = G - row["value"], jnp.exp(logp)
        entropy = -(pi * logp).sum(1, keepdims=True)
        scale = scale_of_step * (row["alive"] if varies else jnp.ones(B))
        chosen = jnp.arange(A) == row["action"][:, None]
        dlogits = scale[:, None] * (pi * (advantage[:, None] + env["ent"] * (logp + entropy)) - chosen * advantage[:, None])
        dout = jnp.concatenate([dlogits, (-2 * VF_COEF * scale * advantage)[:, None]], 1)
        dh = dh + dout @ head
        i, f, g, o = jnp.split(act, 4, 1)
        dc = dc + dh * o * (1 - tanh_c * tanh_c)
        x = tape["dpre"]
        parts = dc * g * i * (1 - i), dc * row["c"] * f * (1 - f), dc * i * (1 - g * g), dh * tanh_c * o * (1 - o)
        for q, part in enumerate(parts):
            x = lax.dynamic_update_slice(x, part, ((t - 1) * B, q * H))
        dpre = lax.dynamic_slice_in_dim(x, (t - 1) * B, B, 0)
        return t - 1, dpre @ back_weight, dc * f, G, ghead + dout.T @ row["h"], gbias + dout.sum(0), tape | {"dpre": x}

    s = (times, jnp.zeros((B, H)), jnp.zeros((B, H)), G, jnp.zeros((A + 1, H)), jnp.zeros(A + 1), tape)
    s = lax.while_loop(lambda s: s[0] > 0, back, s) if varies else lax.fori_loop(0, T, lambda _, s: back(s), s)
    _, _, _, _, ghead, gbias, tape = s
    if not varies:
        return {"W": tape["z"].T @ tape["dpre"], "head": ghead, "bias": gbias}, total, steps, tape
    rows, end = CHUNK * B, times * B

    def add(s):
        n, gW = s
        z, d = (lax.dynamic_slice_in_dim(tape[k], n, rows, 0) for k in ("z", "dpre"))
        return n + rows, gW + z.T @ jnp.where((n + jnp.arange(rows) < end)[:, None], d, 0.0)

    _, gW = lax.while_loop(lambda s: s[0] < end, add, (jnp.int32(0), jnp.zeros_like(W)))
    return {"W": gW, "head": ghead, "bias": gbias}, total, steps, tape


def new_tape(env, B):
    N, inputs = -(-env["limit"] // CHUNK) * CHUNK * B, env["cells"] + 1 + A
    widths = {"z": H + inputs + 1, "act": 4 * H, "c": H, "tanh_c": H, "h": H, "logp": A, "dpre": 4 * H}
    tape = {name: jnp.zeros((N, width)) for name, width in widths.items()}
    return tape | {"value": jnp.zeros(N), "action": jnp.zeros(N, jnp.int32), "reward": jnp.zeros(N), "alive": jnp.zeros(N)}


def adam(env, p, m, v, g, t):
    columns = lax.optimization_barrier((g["W"] * g["W"]).sum(0))
    norm = jnp.sqrt(columns.sum() + (g["head"] ** 2).sum() + (g["bias"] ** 2).sum())
    s = jnp.where(norm > env["clip"], env["clip"] / norm, 1.0)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * (s * g), m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * (s * g) ** 2, v, g)
    rate, root = env["lr"] / (1 - 0.9**t), lax.rsqrt(1 - 0.999**t)
    return jax.tree.map(lambda p, m, v: p - rate * m / (root * jnp.sqrt(v) + 1e-8), p, m, v), m, v


def train(env, B, chunks, chunk, key):
    """Reward and steps of `chunks` · `chunk` updates, (updates,) each."""
    first, rest = jax.random.split(key)
    p = init(first, env["cells"] + 1 + A)
    zero = jax.tree.map(jnp.zeros_like, p)

    def update(carry, u):
        p, m, v, t, tape = carry
        g, total, steps, tape = gradient(env, B, p, u, tape)
        p, m, v = adam(env, p, m, v, g, (t + 1).astype(jnp.float32))
        return (p, m, v, t + 1, tape), (total, steps)

    def many(carry, key):
        return lax.scan(update, carry, jax.random.uniform(key, (chunk, env["limit"] + 1, B)))

    _, out = lax.scan(many, (p, zero, zero, jnp.int32(0), new_tape(env, B)), jax.random.split(rest, chunks))
    return jax.tree.map(jnp.ravel, out)


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
    updates = max(1, args.trials // args.num_envs)
    chunk = min(updates, 500 if args.num_envs < 10 else 100)
    run = partial(train, ENVIRONMENTS[args.env], args.num_envs, updates // chunk, chunk)
    keys = jax.vmap(jax.random.key)(jnp.arange(args.first_seed, args.first_seed + args.seeds))
    run, keys = (jax.vmap(run), keys) if args.seeds > 1 else (run, keys[0])
    began = time.perf_counter()
    compiled = jax.jit(run).lower(keys).compile()
    compile_seconds, began = time.perf_counter() - began, time.perf_counter()
    reward, steps = (np.atleast_2d(np.asarray(part)) for part in jax.block_until_ready(compiled(keys)))
    seconds, last = time.perf_counter() - began, max(1, reward.shape[1] // 10)
    print(json.dumps({
        "name": "JAX", "env": args.env, "num_envs": args.num_envs, "seeds": args.seeds, "trials": reward.shape[1] * args.num_envs,
        "env_steps": int(steps.sum()), "compile_seconds": compile_seconds, "train_seconds": seconds,
        "process_seconds": time.process_time(), "reward_per_trial": (reward[:, -last:].mean(1) / args.num_envs).tolist(),
        "steps_per_trial": (steps[:, -last:].mean(1) / args.num_envs).tolist(),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
