"""What worlds cost: training on environments that are not tables beside JAX, RecurrentPPO, tables and bare simulators.

    python benchmarks/worlds.py                  all parts (half an hour on 2 cores)
    python benchmarks/worlds.py --part cartpole  one of them

cartpole   three episodes of at most 200 steps, so that trials stay short, `rl2` with 48 units, A2C, returns over the
           whole trial: ours beside `peer_jax_cartpole.py`, which does the same with whole trials and a cheaper thing
           with segments. Only steps of running trials count, for all, so masked steps are JAX's cost. Beside the
           speed stands the reward per trial over the last tenth of as many steps, of one seed: it shows that an entry
           learns, not which learns better. Value and entropy coefficient were chosen by what learned with ours.
clients    the same environment through `tinymeta.gym` trained by sb3-contrib's RecurrentPPO (`peer_sb3_cartpole.py`),
           ours with PPO of as many epochs, and with A2C. Speed only: it is too slow to be trained to the end here.
tables     random-mdp beside a table of twenty processes from the same distribution (same states, actions,
           observations and steps), 50 arms with any p beside a table of twenty instances of 50 arms.
lander     `lander.py`.
compile    seconds to prepare the kernels of each new kind with an empty cache, and in the next process.

Every entry is a process of its own; entries run in turn, again and again. A ratio is the median over the turns of the
first entry's steps per second over this entry's of the same turn, by the clock on the wall, with its range; beside
it that of the medians of steps per CPU second. JAX uses more than one core where there is one to spare, and ours does
not: on a busy machine the wall's ratio is too high, and the CPU's is no ratio of waiting times. Caches are warm, except
in `compile`.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from throughput import HIDDEN, ONE_THREAD

HERE = Path(__file__).parent
TRIAL = {"episodes": 3, "max_steps": 200}
SHARED = {
    "learning_rate": 1e-3, "gamma": 0.99, "gae_lambda": 0.95, "vf_coef": 0.005, "ent_coef": 0.01, "max_grad_norm": 0.5,
}  # fmt: skip
A2C = {**SHARED, "algorithm": "a2c", "returns": "trial", "hidden_size": HIDDEN}
PPO = {"algorithm": "ppo", "hidden_size": HIDDEN}  # the rest by the registry
ARMS = {"arms": 50, "pulls": 100}
ARMS_AS_TABLE = {"arms": 50, "pulls": 1, "episodes": 100, "instances": 20}
KINDS = {
    "bandit, A2C (a table)": ("--env", "bandit"),
    "cartpole, A2C": ("--env", "cartpole", "--settings", json.dumps({"algorithm": "a2c"})),
    "cartpole, PPO": ("--env", "cartpole"),
    "random-mdp": ("--env", "random-mdp"),
    "one's own, Gaussian, A2C": (
        "--env-module", f"{HERE.parent / 'docs' / 'ball.py'}:ball", "--settings", json.dumps({"algorithm": "a2c"}),
    ),
    "one's own, Gaussian, PPO": ("--env-module", f"{HERE.parent / 'docs' / 'ball.py'}:ball"),
    "cartpole, PPO, encoder": ("--env", "cartpole", "--settings", json.dumps({"encoder": [64, 64]})),
}  # fmt: skip


class Entry(NamedTuple):
    """One process: `steps` is what a turn trains for, python what runs it."""

    program: str
    arguments: tuple
    steps: int
    python: str = sys.executable
    threads: dict = ONE_THREAD


def run(entry, cache, steps=None):
    """The JSON of one process."""
    command = [entry.python, str(HERE / entry.program), *entry.arguments]
    command += ["--steps", str(entry.steps if steps is None else steps), "--json"]
    environment = {**os.environ, **entry.threads, "TINYMETA_CACHE_DIR": cache}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {done.returncode}")
    return json.loads(done.stdout)


def own(num_envs, env, kwargs, settings, steps):
    given = ("--env", env, "--env-kwargs", json.dumps(kwargs), "--settings", json.dumps(settings))
    return Entry("own_world.py", (*given, "--num-envs", str(num_envs)), steps)


def reward_at_end(result):
    """Reward per trial over the last tenth of the steps; each step of this environment pays 1."""
    steps, trials = result["curve"][-1]
    before = [point for point in result["curve"] if point[0] <= 0.9 * steps] or [[0, 0]]
    return (steps - before[-1][0]) / max(1, trials - before[-1][1])


def paid_by_step(result):
    return result.get("env", "cartpole") == "cartpole" and "curve" in result


def summary(results, first):
    """Medians and ranges of one entry's results beside the first entry's."""
    speed = [r["env_steps"] / r["train_seconds"] for r in results]
    others = [r["env_steps"] / r["train_seconds"] for r in first]
    ratios = [mine / other for mine, other in zip(others, speed, strict=True)]

    def per_cpu_second(rows):
        return statistics.median(r["env_steps"] / r["train_cpu_seconds"] for r in rows)

    return {
        "steps_per_second": statistics.median(speed),
        "slowest": min(speed),
        "fastest": max(speed),
        "first_is_faster_by": statistics.median(ratios),
        "at_least": min(ratios),
        "at_most": max(ratios),
        "per_cpu_second": per_cpu_second(results),
        "first_is_faster_by_cpu": per_cpu_second(first) / per_cpu_second(results),
        "reward_per_trial": reward_at_end(results[0]) if paid_by_step(results[0]) else None,
        "env_steps": results[0]["env_steps"],
        "compile_seconds": statistics.median(r["compile_seconds"] for r in results),
    }


def compare(title, entries, turns, cache):
    """One table; entries in turn. Their kernels are in the cache when the turns begin."""
    for entry in entries.values():
        run(entry, cache, steps=1)
    results = {name: [] for name in entries}
    for turn in range(turns):
        for name in list(entries) if turn % 2 == 0 else reversed(entries):
            results[name].append(run(entries[name], cache))
    first = next(iter(results.values()))
    table = {"title": title, "entries": {name: summary(each, first) for name, each in results.items()}}
    print(f"\n{title}\n{'':34}{'env steps/s':>12}{'range':>20}{'the first is faster by':>26}{'by CPU':>8}{'reward':>8}")
    for name, s in table["entries"].items():
        spread = f"{s['slowest']:,.0f}–{s['fastest']:,.0f}"
        ratio = f"{s['first_is_faster_by']:.2f} ({s['at_least']:.2f}–{s['at_most']:.2f})"
        reward = f"{s['reward_per_trial']:8.0f}" if s["reward_per_trial"] else ""
        print(
            f"{name:34}{s['steps_per_second']:12,.0f}{spread:>20}{ratio:>26}{s['first_is_faster_by_cpu']:8.2f}{reward}",
            flush=True,
        )
    return table


def cartpole(args, cache):
    tables = []
    for num_envs in (16, 64):
        entries = {"tinymeta": own(num_envs, "cartpole", TRIAL, A2C, args.steps // 2)}
        for way in ("masked", "segments"):
            given = ("--way", way, "--num-envs", str(num_envs), "--settings", json.dumps(SHARED))
            given += ("--hidden-size", str(HIDDEN), "--cache", cache)
            entries[f"JAX, {way}"] = Entry("peer_jax_cartpole.py", given, args.steps // 2, args.jax_python, {})
        tables.append(compare(f"cartpole, A2C, {num_envs} per update", entries, args.turns, cache))
    return tables


def clients(args, cache):
    tables = []
    for epochs in (10, 1):
        given = ("--env-kwargs", json.dumps(TRIAL), "--num-envs", "16", "--n-epochs", str(epochs))
        settings = {**PPO, "n_epochs": epochs}
        entries = {
            f"tinymeta, PPO, epochs: {epochs}": own(16, "cartpole", TRIAL, settings, args.steps // 5),
            f"RecurrentPPO, epochs: {epochs}": Entry("peer_sb3_cartpole.py", given, 4096, args.sb3_python),
            "tinymeta, A2C": own(16, "cartpole", TRIAL, A2C, args.steps // 2),
        }
        tables.append(compare(f"cartpole, RecurrentPPO's epochs: {epochs}", entries, args.turns, cache))
    return tables


def tables(args, cache):
    found = []
    for num_envs in (16, 64):
        for world, table in (
            (("random-mdp", {}), ("frozen-random-mdps", {})),
            (("bandit-independent", ARMS), ("bandit-fixed", ARMS_AS_TABLE)),
        ):
            entries = {
                f"{table[0]}, a table": own(num_envs, *table, {"hidden_size": HIDDEN}, args.steps // 2),
                f"{world[0]}, a world": own(num_envs, *world, {"hidden_size": HIDDEN}, args.steps // 2),
            }
            found.append(compare(f"{world[0]}, {num_envs} per update", entries, args.turns, cache))
    return found


def lander(args, cache):
    command = [sys.executable, str(HERE / "lander.py"), "--json"]
    environment = {**os.environ, "TINYMETA_CACHE_DIR": cache}
    print("\nLunarLander, training beside bare environments", flush=True)
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout)
    low, high = result["summary"]["of_replay_range"]
    print(f"{result['summary']['of_replay']:.2f} ({low:.2f}–{high:.2f}) of the same trials, bare, "
          f"{result['summary']['of_random']:.2f} of random actions")  # fmt: skip
    return result


def compile_seconds(args, cache):
    """{kind: seconds with an empty cache, CPU seconds, seconds of the next process}."""
    print(f"\n{'seconds to prepare the kernels':34}{'cold':>8}{'CPU':>8}{'next':>8}")
    found = {}
    for kind, given in KINDS.items():
        with tempfile.TemporaryDirectory() as empty:
            entry = Entry("own_world.py", given, 0)
            cold, again = run(entry, empty), run(entry, empty)
        found[kind] = {
            "cold": cold["compile_seconds"],
            "cold_cpu": cold["compile_cpu_seconds"],
            "next": again["compile_seconds"],
        }
        clocks = "{cold:8.1f}{cold_cpu:8.1f}{next:8.2f}".format(**found[kind])
        print(f"{kind:34}{clocks}", flush=True)
    return found


PARTS = {"cartpole": cartpole, "clients": clients, "tables": tables, "lander": lander, "compile": compile_seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append", help="all if left out")
    parser.add_argument("--turns", type=int, default=5, metavar="N")
    parser.add_argument("--steps", type=int, default=2_000_000, help="a measure of how long a turn is")
    parser.add_argument("--jax-python", default=sys.executable, metavar="PATH", help="a Python that has jax and optax")
    parser.add_argument("--sb3-python", default=sys.executable, metavar="PATH", help="one that has sb3-contrib")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured")
    args = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as cache:
        for part in args.part or PARTS:
            found[part] = PARTS[part](args, cache)
    if args.json:
        machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        machine["load"] = os.getloadavg()
        Path(args.json).write_text(json.dumps({"machine": machine, **found}, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
