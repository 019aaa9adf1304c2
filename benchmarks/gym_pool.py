"""Steps per second of LunarLander (four winds, random actions): bare loops, our pool, Gymnasium's vector environments.

The bare rate is that of one process per worker, each with environments of `gymnasium.make` and a loop around each.
Rounds measure all ways in turn, because other work on the machine comes and goes; the table gives each way's median,
and the median and the best ratio to the bare rate of the same round.

    python benchmarks/gym_pool.py --copies 16,64
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import gymnasium
import numpy as np

from tinymeta.base.processes import cores
from tinymeta.environments.lunarlander import lunarlander


def make(world, copy):
    keywords = world.family.keywords[copy % world.num_tasks]
    return lambda: gymnasium.make("LunarLander-v3", disable_env_checker=True, **keywords)


def loop(steps, seed, ready=lambda: None):
    """Steps per second in plain loops over one environment of each wind, one after the other, after `ready()`."""
    world = lunarlander()
    environments = [make(world, task)() for task in range(world.num_tasks)]
    actions = np.random.default_rng(seed).uniform(-1, 1, (steps // len(environments), 2)).astype(np.float32)
    for environment in environments:
        environment.reset(seed=seed)
    ready()
    began = time.perf_counter()
    for environment in environments:
        for action in actions:
            _, _, terminated, truncated, _ = environment.step(action)
            if terminated or truncated:
                environment.reset()
    return len(environments) * len(actions) / (time.perf_counter() - began)


def bare(steps, workers):
    """The sum over processes that begin together."""
    program = [sys.executable, __file__, "--one", str(steps // workers)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen([*program, str(seed)], **pipes) for seed in range(workers)]
    for process in running:
        process.stdout.readline()
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    return sum(float(process.communicate()[0]) for process in running)


def one(steps, seed):
    def ready():
        print("ready", flush=True)
        sys.stdin.readline()

    print(loop(steps, seed, ready))


def pool(steps, workers, copies):
    """All copies at once."""
    world = lunarlander(episodes=steps)  # episodes begin within a step, as in the vector environments
    slots = np.arange(copies)
    actions = np.random.default_rng(0).uniform(-1, 1, (steps // copies, copies, 2))
    with world.pool(copies, workers) as copied:
        copied.begin(slots, slots % 4, slots)
        began = time.perf_counter()
        for action in actions:
            copied.step(slots, action)
        return actions.shape[0] * copies / (time.perf_counter() - began)


def vector(steps, copies, kind):
    world = lunarlander()
    environments = kind([make(world, copy) for copy in range(copies)])
    actions = np.random.default_rng(0).uniform(-1, 1, (steps // copies, copies, 2)).astype(np.float32)
    environments.reset(seed=0)
    began = time.perf_counter()
    for action in actions:
        environments.step(action)
    rate = actions.shape[0] * copies / (time.perf_counter() - began)
    environments.close()
    return rate


def measure(copies, workers, steps, rounds):
    ways = {
        f"{workers} bare loops": lambda: bare(steps, workers),
        "our pool": lambda: pool(steps, workers, copies),
        "AsyncVectorEnv": lambda: vector(steps, copies, gymnasium.vector.AsyncVectorEnv),
        "SyncVectorEnv": lambda: vector(steps, copies, gymnasium.vector.SyncVectorEnv),
    }
    rates = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(way())
    first = next(iter(rates.values()))
    return {
        name: {
            "steps_per_second": statistics.median(each),
            "ratio": statistics.median(mine / other for mine, other in zip(each, first, strict=True)),
            "best_ratio": max(mine / other for mine, other in zip(each, first, strict=True)),
        }
        for name, each in rates.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--copies", default="16,64")
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--steps", type=int, default=40_000, help="of each way in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=2, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one)
        return
    results = {}
    for copies in map(int, arguments.copies.split(",")):
        results[copies] = measure(copies, arguments.workers, arguments.steps, arguments.rounds)
        if not arguments.json:
            print(f"{copies} copies, {arguments.workers} workers, load {os.getloadavg()[0]:.1f}")
            for name, row in results[copies].items():
                rate = f"{row['steps_per_second']:>10,.0f} steps/s"
                print(f"  {name:<16}{rate}  {row['ratio']:6.2f} (best {row['best_ratio']:.2f})")
    if arguments.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
