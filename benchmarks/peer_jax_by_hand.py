"""The same training in JAX at the limit of what was found: backward pass by hand, the whole loop one LLVM function.

It gives up what JAX is used for, autodiff, and rests on XLA flags without documentation; the comparison with
`peer_jax.py`, which does neither, shows what that is worth. A batch of B trials is played in a loop that stops when
all have ended. Each step appends one row per lane (a place for a running trial) to the tape; the backward pass reads
the rows in reverse. What made it fast:

- The backward pass reuses the rollout's activations and multiplies out the weights' gradient once, not at every step.
- With `xla_cpu_small_while_loop_byte_threshold` XLA compiles the *whole* training loop into one LLVM function, in
  place of a thunk per operation. Library calls must go for that, and `xla_force_enable_experimental_llvm_ir_gemm`
  emits tiled matrix products, not naive ones.
- W is transposed once per update for the backward pass (not for B = 1, where that costs more than it brings).
- Corridor: a while loop ends with the last trial of the batch, and whenever half of the lanes are done the running
  trials are packed into half as many.
- Seeds: shard_map over one CPU device per thread, one seed after the other on each. vmap over seeds is no better, for
  one run already fills a core's vector units, and it would wait for the slowest seed at every update.
"""

import argparse
import json
import os
import resource
import sys
import time
from functools import partial
from typing import NamedTuple

ONE_KERNEL = "xla_cpu_small_while_loop_byte_threshold=1000000000000,xla_force_enable_experimental_llvm_ir_gemm="
XLA_FLAGS = (
    "--xla_cpu_multi_thread_eigen=false --xla_cpu_prefer_vector_width=512 --xla_cpu_enable_fast_math=true"
    f" --xla_cpu_experimental_ynn_fusion_type= --xla_backend_extra_options={ONE_KERNEL}"
)
os.environ.setdefault("XLA_FLAGS", XLA_FLAGS)

import jax  # noqa: E402, the flags must be set first
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402

H, A, VF_COEF = 48, 2, 0.05
SCALE = np.repeat(np.float32([0.5, 0.5, 1, 0.5]), H)  # σ(a) = ½ + ½ tanh(a/2): gates i, f, g, o are one tanh
COMPILER_BARRIER = lax.optimization_barrier


class Environment(NamedTuple):
    """Table 1 and what a step does: step(task, cell, action) -> (cell, reward, episode ended)."""

    step: object
    cells: int  # of the one-hot position; 0: no observation
    start: int
    episodes: int
    limit: int
    learning_rate: float
    gamma: float
    ent_coef: float
    max_grad_norm: float

    inputs = property(lambda self: self.cells + 1 + A)  # D: one-hot position, previous reward, one-hot previous action
    fixed = property(lambda self: self.limit == self.episodes)  # all trials take `limit` steps


def bandit_step(task, cell, action):
    return cell, jnp.where(action != task, 1.0, 0.0), True


def corridor_step(task, cell, action):
    moved = jnp.clip(cell + 2 * action - 1, 0, 10)
    ended = moved == 10 * task
    return jnp.where(ended, 5, moved), jnp.where(ended, 10.0, 0.0), ended


ENVIRONMENTS = {
    "bandit": Environment(bandit_step, 0, 0, 10, 10, 1e-3, 0.8, 0.001, 1.0),
    "corridor": Environment(corridor_step, 11, 5, 2, 100, 1e-4, 0.9, 0.01, 5.0),
}


def initial_parameters(key, env):
    """W (D + 1 + H, 4H) with rows h, x, bias; heads (A + 1, H), the value last, with bias."""
    lstm, head = jax.random.split(key)
    W = jax.random.uniform(lstm, (H + env.inputs + 1, 4 * H), minval=-1, maxval=1) / np.sqrt(H)
    xavier = np.sqrt(6 / (H + np.array([A] * A + [1]))).astype(np.float32)[:, None]
    heads = jax.random.uniform(head, (A + 1, H), minval=-1, maxval=1) * xavier
    return {"W": W.at[-1].set(0), "heads": heads, "bias": jnp.zeros(A + 1)}


def new_tape(env, B):
    """Room for B trials of `limit` steps, in whole chunks of the weight gradient."""
    chunk = chunk_rows(env, B)
    N = -(-env.limit * B // chunk) * chunk
    widths = {"z": H + env.inputs + 1, "gates": 4 * H, "c": H, "tanh_c": H, "h": H, "logp": A, "dgates": 4 * H}
    tape = {name: jnp.zeros((N, width)) for name, width in widths.items()}
    return tape | {name: jnp.zeros(N) for name in ("value", "reward", "alive")} | {"action": jnp.zeros(N, jnp.int32)}


def chunk_rows(env, B):
    return env.limit * B if env.fixed else max(20, 10 * B)


def network_input(env, lanes):
    """z = [h, one-hot cell, previous reward, one-hot previous action, 1]."""
    column = jnp.arange(env.inputs + 1)
    hot = (column == lanes["cell"][:, None]) & (column < env.cells) | (column == env.inputs)
    hot |= (column == env.cells + 1 + lanes["action"][:, None]) & (lanes["action"] >= 0)[:, None]
    x = jnp.where(column == env.cells, lanes["reward"][:, None], jnp.where(hot, 1.0, 0.0))
    return jnp.concatenate([lanes["h"], x], 1)


def lstm(W, z, c):
    gates = jnp.tanh((z @ W) * SCALE) * SCALE + (1 - SCALE)
    i, f, g, o = jnp.split(gates, 4, 1)
    c = f * c + i * g
    tanh_c = jnp.tanh(c)
    return gates, c, tanh_c, o * tanh_c


def play_step(env, parameters, u, state):
    """One step of all lanes: (rows used, time, steps counted, reward, lanes, tape) after it. A finished lane earns
    nothing.
    """
    n, t, steps, total, lanes, tape = state
    alive = lanes["alive"]
    z = network_input(env, lanes)
    gates, c, tanh_c, h = lstm(parameters["W"], z, lanes["c"])
    out = h @ parameters["heads"].T + parameters["bias"]
    logp = jax.nn.log_softmax(out[:, :A])
    action = (u[t + 1, : len(alive)] >= jnp.exp(logp[:, 0])).astype(jnp.int32)
    cell, reward, ended = env.step(lanes["task"], lanes["cell"], action)
    reward = reward if env.fixed else reward * alive
    row = {"z": z, "gates": gates, "c": lanes["c"], "tanh_c": tanh_c, "h": h, "logp": logp}
    row |= {"value": out[:, A], "action": action, "reward": reward} | ({} if env.fixed else {"alive": alive})
    tape = tape | {name: lax.dynamic_update_slice_in_dim(tape[name], row[name], n, 0) for name in row}
    episode = lanes["episode"] + ended
    lanes = lanes | {"h": h, "c": c, "cell": cell, "episode": episode, "reward": reward, "action": action}
    lanes["alive"] = alive if env.fixed else jnp.where(episode < env.episodes, alive, 0)
    return n + len(alive), t + 1, steps + (len(alive) if env.fixed else alive.sum()), total + reward.sum(), lanes, tape


def back_step(env, parameters, backwards, per_step, state):
    """The mirror of `play_step`; A2C's loss and its gradient on one row per lane, then back through the cell."""
    n, dh, dc, G, dheads, dbias, tape = state
    n = n - len(G)
    row = {name: lax.dynamic_slice_in_dim(tape[name], n, len(G), 0) for name in tape if name != "dgates"}
    scale = per_step * (1.0 if env.fixed else row["alive"][:, None])
    G = row["reward"] + env.gamma * G
    advantage, logp, p = (G - row["value"])[:, None], row["logp"], jnp.exp(row["logp"])
    entropy = -(p * logp).sum(1, keepdims=True)
    chosen = jnp.arange(A) == row["action"][:, None]
    dlogits = scale * (p * (advantage + env.ent_coef * (logp + entropy)) - chosen * advantage)
    dout = jnp.concatenate([dlogits, -2 * VF_COEF * scale * advantage], 1)
    dh = dh + dout @ parameters["heads"]
    i, f, g, o = jnp.split(row["gates"], 4, 1)
    dc = dc + dh * o * (1 - row["tanh_c"] ** 2)
    di, df, dg, do = (
        dc * g * i * (1 - i),
        dc * row["c"] * f * (1 - f),
        dc * i * (1 - g * g),
        dh * row["tanh_c"] * o * (1 - o),
    )
    for k, part in enumerate((di, df, dg, do)):  # four writes: a concatenation is copied element by element
        tape = tape | {"dgates": lax.dynamic_update_slice(tape["dgates"], part, (n, k * H))}
    dgates = lax.dynamic_slice_in_dim(tape["dgates"], n, len(G), 0)
    return n, dgates @ backwards, dc * f, G, dheads + dout.T @ row["h"], dbias + dout.sum(0), tape


def gradient(env, parameters, u, tape):
    """Play a batch with uniforms u (1 + limit, B), row 0 for the tasks: (gradient, reward, steps, tape)."""
    B, W = u.shape[1], parameters["W"]
    none, zeros, zero = jnp.zeros(B, jnp.int32), jnp.zeros(B), jnp.zeros(())
    lanes = {
        "h": jnp.zeros((B, H)),
        "c": jnp.zeros((B, H)),
        "task": (u[0] >= 0.5).astype(jnp.int32),
        "cell": none + env.start,
    }
    lanes |= {"episode": none, "reward": zeros, "action": none - 1, "alive": zeros + 1}
    state = (jnp.int32(0), jnp.int32(0), zero, zero, lanes, tape)
    play = partial(play_step, env, parameters, u)
    widths = [B]
    while not env.fixed and widths[-1] >= 4:
        widths.append(widths[-1] // 2)
    phases = []  # (first row, value behind a cut, matrix that packs the lanes for the next phase)
    for width, narrower in zip(widths, [*widths[1:], 0], strict=True):
        start, cut, pack = state[0], jnp.zeros(width), None
        if env.fixed:
            state = lax.fori_loop(0, env.limit, lambda _, state: play(state), state)
        else:
            state = lax.while_loop(
                lambda s, least=narrower: (s[1] < env.limit) & (s[4]["alive"].sum() > least), play, state
            )
            n, t, steps, total, lanes, tape = state

            def bootstrap(lanes):
                h = lstm(W, network_input(env, lanes), lanes["c"])[-1]
                return lanes["alive"] * (h @ parameters["heads"][A] + parameters["bias"][A])

            cut = lax.cond((t == env.limit) & (lanes["alive"].sum() > 0), bootstrap, lambda _, cut=cut: cut, lanes)
            if narrower:
                lanes["alive"] = jnp.where(t < env.limit, lanes["alive"], 0)
                rank = jnp.cumsum(lanes["alive"]) * lanes["alive"]
                pack = jnp.where(rank == jnp.arange(1, narrower + 1)[:, None], 1.0, 0.0)  # (narrower, width)
                lanes = {name: (pack @ value.astype(pack.dtype)).astype(value.dtype) for name, value in lanes.items()}
                state = (n, t, steps, total, lanes, tape)
        phases.append((start, cut, pack))

    end, _, steps, total, _, tape = state
    backwards = COMPILER_BARRIER(W[:H].T) if B > 1 else W[:H].T  # (4H, H), in memory or not
    back = partial(back_step, env, parameters, backwards, 1 / steps)
    dh = dc = jnp.zeros((widths[-1], H))
    state = (end, dh, dc, jnp.zeros(widths[-1]), jnp.zeros((A + 1, H)), jnp.zeros(A + 1), tape)
    for start, cut, pack in reversed(phases):
        n, dh, dc, G, *rest = state
        if pack is not None:
            dh, dc, G = pack.T @ dh, pack.T @ dc, pack.T @ G
        state = (n, dh, dc, G + cut, *rest)
        if env.fixed:
            state = lax.fori_loop(0, env.limit, lambda _, state: back(state), state)
        else:
            state = lax.while_loop(lambda s, start=start: s[0] > start, back, state)
    *_, dheads, dbias, tape = state

    if env.fixed:
        return {"W": tape["z"].T @ tape["dgates"], "heads": dheads, "bias": dbias}, total, steps, tape
    R = chunk_rows(env, B)

    def add_chunk(state):
        n, dW = state
        z, dgates = (lax.dynamic_slice_in_dim(tape[name], n, R, 0) for name in ("z", "dgates"))
        return n + R, dW + z.T @ jnp.where((n + jnp.arange(R) < end)[:, None], dgates, 0)

    dW = lax.while_loop(lambda s: s[0] < end, add_chunk, (jnp.int32(0), jnp.zeros_like(W)))[1]
    return {"W": dW, "heads": dheads, "bias": dbias}, total, steps, tape


def adam(env, parameters, first, second, gradient, t):
    columns = COMPILER_BARRIER((gradient["W"] ** 2).sum(0))  # keeps the sum vectorised
    norm = jnp.sqrt(columns.sum() + (gradient["heads"] ** 2).sum() + (gradient["bias"] ** 2).sum())
    factor = jnp.where(norm > env.max_grad_norm, env.max_grad_norm / norm, 1)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * (factor * g), first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * (factor * g) ** 2, second, gradient)
    rate, root = env.learning_rate / (1 - 0.9**t), lax.rsqrt(1 - 0.999**t)
    step = partial(jax.tree.map, lambda p, m, v: p - rate * m / (root * jnp.sqrt(v) + 1e-8))
    return step(parameters, first, second), first, second


def train(env, B, updates, seed):
    """A whole run: rewards and steps of each update."""
    key, init_key = jax.random.split(jax.random.key(seed))

    def update(carry, t):
        parameters, first, second, tape = carry
        u = jax.random.uniform(jax.random.fold_in(key, t), (1 + env.limit, B))
        dparameters, total, steps, tape = gradient(env, parameters, u, tape)
        return (*adam(env, parameters, first, second, dparameters, t.astype(jnp.float32)), tape), (total, steps)

    parameters = initial_parameters(init_key, env)
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    return lax.scan(update, (parameters, zeros, zeros, new_tape(env, B)), jnp.arange(1, updates + 1))[1]


def run(args):
    """Compile, train, report."""
    updates = -(-args.trials // args.num_envs)
    devices = min(args.threads, args.seeds)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
    jax.config.update("jax_num_cpu_devices", devices)
    if args.cache:
        jax.config.update("jax_compilation_cache_dir", args.cache)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    padded = -(-args.seeds // devices) * devices  # devices get equally many
    seeds = args.first_seed + np.arange(padded, dtype=np.uint32)
    mesh, spec = jax.make_mesh((devices,), ("seeds",)), jax.sharding.PartitionSpec("seeds")
    seeds = jax.device_put(seeds, jax.sharding.NamedSharding(mesh, spec))
    one = partial(train, ENVIRONMENTS[args.env], args.num_envs, updates)
    every = jax.shard_map(partial(lax.map, one), mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)
    began = time.perf_counter()
    compiled = jax.jit(every).lower(seeds).compile()
    started = time.perf_counter()
    rewards, steps = (np.asarray(x)[: args.seeds] for x in jax.block_until_ready(compiled(seeds)))
    finished = time.perf_counter()
    last = -max(1, updates // 10)
    return {
        "name": "JAX by hand",
        "env": args.env,
        "num_envs": args.num_envs,
        "seeds": args.seeds,
        "trials": updates * args.num_envs,
        "env_steps": int(steps.sum(dtype=np.float64)),
        "compile_seconds": started - began,
        "train_seconds": finished - started,
        "reward_per_trial": (rewards[:, last:].mean(1) / args.num_envs).tolist(),
        "steps_per_trial": (steps[:, last:].mean(1) / args.num_envs).tolist(),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", choices=ENVIRONMENTS, required=True)
    parser.add_argument("--num-envs", type=int, default=1, help="trials per update")
    parser.add_argument("--trials", type=int, default=40_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="cores to use; 1 for one seed, else all")
    parser.add_argument("--cache", help="folder of the persistent compilation cache")
    parser.add_argument("--json", action="store_true", help="the only output there is")
    args = parser.parse_args()
    args.threads = args.threads or (1 if args.seeds == 1 else len(os.sched_getaffinity(0)))
    print(json.dumps(run(args)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
