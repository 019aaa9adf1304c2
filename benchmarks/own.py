"""tinymeta's own entry in the comparison: the same command line and the same JSON as the peers.

A single run trains in memory (`Learner`), a sweep is the public `sweep` into run folders, checkpoints, metrics and
tests included.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time

from tinymeta.learning.learner import STATISTICS, Learner
from tinymeta.runs.config import build, make_config
from tinymeta.runs.sweep import sweep


def seconds_since_start():
    """Wall-clock seconds since this process began."""
    with open("/proc/self/stat") as stat:
        ticks = int(stat.read().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def single(config):
    """Train one run in memory: (env steps, compile seconds, train seconds, reward and steps per trial over the last
    10 %)."""
    learner = Learner(build(config), config.settings)
    learner.advance(1)
    began = time.perf_counter()
    before = learner.env_steps_done
    statistics = learner.advance(config.settings.updates - 1)
    seconds = time.perf_counter() - began
    last = dict(zip(STATISTICS, statistics[-max(1, len(statistics) // 10) :].T, strict=True))
    means = [last[name].sum() / last["trials"].sum() for name in ("reward", "env_steps")]
    return learner.env_steps_done - before, learner.compile_seconds, seconds, [means[0]], [means[1]]


def many(config, seeds):
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        results = sweep(folder, config, seeds)
        seconds = time.perf_counter() - began
    tests = [result["evaluation"] for result in results.values()]
    rewards, steps = ([test[name]["mean"] for test in tests] for name in ("reward_per_trial", "steps_per_trial"))
    return (
        sum(r["env_steps"] for r in results.values()),
        max(r["compile_seconds"] for r in results.values()),
        seconds,
        rewards,
        steps,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", choices=("bandit", "corridor"), default="bandit")
    parser.add_argument("--num-envs", type=int, default=1)
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    config = make_config(args.env, "rl2", num_envs=args.num_envs, trials=args.trials, seed=args.first_seed)
    steps, compile_seconds, seconds, reward, length = many(config, args.seeds) if args.seeds > 1 else single(config)
    usage = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    result = {
        "name": "tinymeta",
        "env": args.env,
        "num_envs": args.num_envs,
        "seeds": args.seeds,
        "trials": args.trials,
        "env_steps": int(steps),
        "compile_seconds": compile_seconds,
        "train_seconds": seconds,
        "process_seconds": seconds_since_start(),
        "reward_per_trial": reward,
        "steps_per_trial": length,
        "peak_memory_mb": max(usage),
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
