"""tinymeta's own entry in `worlds.py`: trains one run in memory for a number of steps and prints one JSON object."""

import argparse
import json
import resource
import sys
import time

import tinymeta
from tinymeta.environments.registry import bring
from tinymeta.learning.learner import STATISTICS, Learner
from tinymeta.runs.config import make_config, parse_kwargs


def frozen_random_mdps(tasks=20, states=10, actions=5, horizon=10, episodes=10, seed=0):
    """A table as large as random-mdp's trials: processes from the same distribution, drawn once, with mean rewards."""
    import numpy as np

    generator = np.random.default_rng(seed)
    mean = generator.normal(1, 1, (tasks, states, actions, 1))
    return tinymeta.TaskSet(
        generator.dirichlet(np.ones(states), (tasks, states, actions)),
        np.broadcast_to(mean, (tasks, states, actions, states)),
        observation=np.tile(np.eye(states), (tasks, 1, 1)),
        initial=np.tile(np.arange(states) == 0, (tasks, 1)).astype(float),
        terminal=np.zeros((tasks, states), bool),
        episodes=episodes,
        episode_length=horizon,
        name="frozen-random-mdps",
    )


def train(learner, steps):
    """((wall seconds, CPU seconds), env steps, [(env steps, trials)]), after the first update."""
    learner.advance(1)
    first = learner.env_steps_done
    done = 0
    trials = 0
    curve = []
    chunk = max(1, min(10, learner.settings.updates))
    began = time.perf_counter()
    cpu_began = time.process_time()
    while done < steps:
        statistics = learner.advance(chunk)
        done = learner.env_steps_done - first
        trials += int(statistics[:, STATISTICS.index("trials")].sum())
        curve.append((done, trials))
    return (time.perf_counter() - began, time.process_time() - cpu_began), done, curve


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="cartpole", help="a registered one, or frozen-random-mdps")
    parser.add_argument("--env-module", metavar="FILE.py:FUNCTION")
    parser.add_argument("--env-kwargs", default="{}", help="JSON")
    parser.add_argument("--agent", default="rl2")
    parser.add_argument("--settings", default="{}", help="JSON")
    parser.add_argument("--num-envs", type=int, default=16)
    parser.add_argument("--steps", type=int, default=300_000, help="0: only prepare the kernels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    settings = {"num_envs": args.num_envs, "seed": args.seed, **json.loads(args.settings)}
    kwargs = parse_kwargs(args.env_kwargs)
    if args.env == "frozen-random-mdps":
        tasks = frozen_random_mdps(**kwargs)
        config = make_config("random-mdp", args.agent, {}, **settings)
    else:
        env = bring(args.env_module) if args.env_module else args.env
        tasks = tinymeta.make(env, **kwargs)
        config = make_config(env, args.agent, kwargs, **settings)
    cpu = time.process_time()
    learner = Learner(tasks, config.settings)
    cpu = time.process_time() - cpu
    seconds, steps, curve = train(learner, args.steps) if args.steps else ((0.0, 0.0), 0, [])
    result = {
        "name": "tinymeta",
        "env": tasks.name,
        "num_envs": args.num_envs,
        "env_steps": steps,
        "compile_seconds": learner.compile_seconds,
        "compile_cpu_seconds": cpu,
        "train_seconds": seconds[0],
        "train_cpu_seconds": seconds[1],
        "curve": curve,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
