"""Training on LunarLander beside the bare environments on the same cores, update by update in one run.

    python benchmarks/lander.py            (needs pip install 'tinymeta[gym]')

What a step of the simulator costs depends on what the lander does: contacts with the ground and new episodes cost more
than flight. So bare environments (Gymnasium's own), one process per core with a loop around them, run twice beside
every few updates of training: with *random* actions, which crash after some ninety steps, and as a *replay* of the
trials of those updates, with the same winds, seeds and actions, hence the same episodes. Training is ``lunarlander
plain`` with the registry's defaults, all of it: choosing actions, stepping, PPO's epochs.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import gymnasium
import numpy as np

import tinymeta
from tinymeta.base import randomness
from tinymeta.base.processes import cores
from tinymeta.learning.learner import Learner
from tinymeta.learning.python_worlds import SEEDS
from tinymeta.learning.rollout import uniforms_per_trial
from tinymeta.learning.rows import STEPS
from tinymeta.runs.config import make_config

made = {}  # environments of this process by task


def environment(task):
    if task not in made:
        keywords = tinymeta.make("lunarlander").family.keywords[task]
        made[task] = gymnasium.make("LunarLander-v3", disable_env_checker=True, **keywords)
    return made[task]


def replay(trials):
    """(steps, seconds, trials that ended where they had ended) of trials (task, seed, actions)."""
    steps = same = 0
    for task in range(4):
        environment(task)
    began = time.perf_counter()
    for task, seed, actions in trials:
        played = environment(task)
        played.reset(seed=seed)
        over = False
        for t, action in enumerate(actions):
            _, _, terminated, truncated, _ = played.step(action)
            if terminated or truncated:
                over = t + 1 == len(actions)
                break
        steps += t + 1
        same += over
    return steps, time.perf_counter() - began, same


def random_actions(steps, seed):
    """(steps, seconds) with uniform actions, a quarter of the steps in each wind."""
    actions = np.random.default_rng(seed).uniform(-1, 1, (steps // 4, 2)).astype(np.float32)
    for task in range(4):
        environment(task).reset(seed=seed)
    began = time.perf_counter()
    for task in range(4):
        played = environment(task)
        for action in actions:
            _, _, terminated, truncated, _ = played.step(action)
            if terminated or truncated:
                played.reset()
    return 4 * len(actions), time.perf_counter() - began


def trials_of(learner, update):
    """[(task, seed, actions)] of the learner's last update, which was number `update` from 0."""
    width = uniforms_per_trial(learner.tasks.step_limit, learner.tasks.draws)
    B = learner.settings.num_envs
    uniforms = randomness.uniforms(learner.settings.seed, randomness.TRAINING, update, 1, B * width).reshape(B, width)
    rows = learner.rows
    trial = rows.trial[: rows.size[STEPS]]
    actions = np.clip(rows.vector[: rows.size[STEPS]], -1, 1)
    return [(int(rows.task[b]), int(uniforms[b, 1] * SEEDS), actions[trial == b].astype(np.float32)) for b in range(B)]


def measure(updates, every, seed):
    """One row for every `every` updates."""
    config = make_config("lunarlander", "plain", seed=seed)
    learner = Learner(tinymeta.make("lunarlander"), config.settings)
    workers = cores()
    spawning = multiprocessing.get_context("spawn")
    processes = [ProcessPoolExecutor(1, spawning) for _ in range(workers)]
    for process in processes:
        process.submit(random_actions, 400, 0).result()
    table = []
    for first in range(0, updates, every):
        seconds = 0.0
        trials = []
        for update in range(first, first + every):
            began = time.perf_counter()
            learner.advance(1)
            seconds += time.perf_counter() - began
            trials += trials_of(learner, update)
        trials.sort(key=lambda trial: len(trial[2]))
        steps = sum(len(actions) for _, _, actions in trials)
        shares = [trials[i::workers] for i in range(workers)]
        replayed = [job.result() for job in [p.submit(replay, s) for p, s in zip(processes, shares, strict=True)]]
        jobs = [p.submit(random_actions, steps // workers, first + i) for i, p in enumerate(processes)]
        rates = {
            "training": steps / seconds,
            "replay": sum(done / clock for done, clock, _ in replayed),
            "random": sum(done / clock for done, clock in [job.result() for job in jobs]),
        }
        table.append(
            {
                "updates": first + every,
                "steps_per_trial": steps / len(trials),
                **rates,
                "same_end": sum(same for _, _, same in replayed) / len(trials),
                "load": os.getloadavg()[0],
            }
        )
        print_row(table[-1])
    for process in processes:
        process.shutdown()
    learner.close()
    return table


def print_row(r):
    print(
        f"{r['updates']:8}{r['steps_per_trial']:16.0f}{r['training']:12,.0f}{r['random']:10,.0f}{r['replay']:10,.0f}"
        f"{r['training'] / r['random']:12.2f}{r['training'] / r['replay']:12.2f}{r['same_end']:12.2f}{r['load']:7.1f}",
        file=sys.stderr,
        flush=True,
    )


def summary(table):
    """Medians after the first row; ratios are of the same row."""
    later = table[1:] or table
    result = {name: statistics.median(r[name] for r in later) for name in ("training", "random", "replay")}
    for name in ("random", "replay"):
        ratios = [r["training"] / r[name] for r in later]
        result |= {f"of_{name}": statistics.median(ratios), f"of_{name}_range": [min(ratios), max(ratios)]}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=100, help="all of the registry's defaults")
    parser.add_argument("--every", type=int, default=5, metavar="N", help="updates between two bare measurements")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    print(
        f"{'':24}{'env steps/s':>12}{'':20}{'of the bare':>16}\n"
        f"{'updates':>8}{'steps per trial':>16}{'training':>12}{'random':>10}{'replay':>10}{'random':>12}{'replay':>12}"
        f"{'same end':>12}{'load':>7}",
        file=sys.stderr,
    )
    table = measure(args.updates, args.every, args.seed)
    result = summary(table)
    if args.json:
        print(json.dumps({"rows": table, "summary": result}))
    else:
        low, high = result["of_replay_range"]
        print(f"medians: {result['of_replay']:.2f} ({low:.2f}–{high:.2f}) of the replay, {result['of_random']:.2f} of "
              "random actions")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
