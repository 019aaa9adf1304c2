"""How cost grows: time per step against hidden size, batch, trial length, tasks and states, and the memory of a run.

    python benchmarks/growth.py            measures (two minutes on one core) and draws figures/growth.{png,svg,csv}

Each point trains rl2 in memory and takes the fastest of a few repetitions, since another process can only slow a run
down. Memory is what a process grows by when it makes a run and trains it, in a process of its own; the formula is
`training_bytes`, which rounds up.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np

from tinymeta.environments.registry import make
from tinymeta.learning.learner import Learner, training_bytes
from tinymeta.learning.settings import Settings
from tinymeta.papers.plotting import drawing, new_figure, save

REPETITIONS, SECONDS = 5, 0.4
BLUE, ORANGE = "#0072B2", "#D55E00"

# axis: (label, values, value -> (environment, its parameters, settings), "cost per step" that the kernels promise)
AXES = {
    "hidden_size": (
        "hidden units",
        (16, 32, 48, 64, 96, 128, 192, 256),
        lambda v: ("bandit", {}, {"hidden_size": v, "num_envs": 16}),
    ),
    "num_envs": ("trials per update", (1, 2, 4, 8, 16, 32, 64, 128, 256), lambda v: ("bandit", {}, {"num_envs": v})),
    "pulls": ("steps per trial", (10, 30, 100, 300, 1000, 3000), lambda v: ("bandit", {"pulls": v}, {"num_envs": 4})),
    "tasks": (
        "tasks",
        (2, 8, 32, 128, 512),
        lambda v: ("bandit", {"p": tuple(np.linspace(0, 1, v)), "pulls": 10}, {"num_envs": 16}),
    ),
    "states": (
        "states",
        (11, 31, 101, 301, 1001),
        lambda v: ("corridor", {"left": v // 2, "right": v // 2, "max_steps": 200}, {"num_envs": 16}),
    ),
}
MEMORY = [(16, 100), (64, 100), (64, 1000), (256, 1000), (1024, 500)]  # (trials per update, pulls)


def microseconds_per_step(env, parameters, settings):
    learner = Learner(make(env, **parameters), Settings(learning_rate=1e-4, **settings))
    updates, best = 1, np.inf
    while True:  # grow until a repetition is long enough to time
        began = time.perf_counter()
        learner.advance(updates)
        seconds = time.perf_counter() - began
        if seconds > SECONDS / 2:
            break
        updates *= 2
    for _ in range(REPETITIONS):
        before, began = learner.env_steps_done, time.perf_counter()
        learner.advance(updates)
        best = min(best, (time.perf_counter() - began) / (learner.env_steps_done - before))
    return 1e6 * best


def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def grow(batch, pulls):
    """Prints what this process grows by when it trains two updates of a run of this size, and what the formula says,
    in bytes.
    """
    Learner(make("bandit"), Settings()).advance(1)  # load the kernels first: they are not the run's
    before = resident_bytes()
    tasks, settings = make("bandit", pulls=pulls), Settings(num_envs=batch)
    Learner(tasks, settings).advance(2)
    print(json.dumps([resident_bytes() - before, training_bytes(tasks, settings)]))


def measure():
    """[(axis, value, measured, expected or nan)], times in µs per step and memory in MB."""
    table = []
    for axis, (_, values, point) in AXES.items():
        for value in values:
            table.append((axis, value, microseconds_per_step(*point(value)), np.nan))
            print(f"{axis:12} {value:6}  {table[-1][2]:9.3f} µs per step", flush=True)
    for batch, pulls in MEMORY:
        command = [sys.executable, __file__, "--memory", str(batch), str(pulls)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        table.append(("memory", batch * pulls, *(size / 2**20 for size in json.loads(done.stdout))))
        print(
            f"{'memory':12} {batch:4} x {pulls:4}  {table[-1][2]:9.1f} MB measured, "
            f"{table[-1][3]:9.1f} MB by the formula",
            flush=True,
        )
    return table


def draw(table, path):
    with drawing():
        figure, axes = new_figure(9, 5.2, 2, 3)
        for ax, (axis, (label, _, _)) in zip(axes.flat, AXES.items(), strict=False):
            x, y = np.array([(value, time) for name, value, time, _ in table if name == axis]).T
            ax.loglog(x, y, "o-", color=BLUE, markersize=4)
            if axis == "hidden_size":
                ax.loglog(x, y[2] * (x / x[2]) ** 2, ":", color=ORANGE)
                ax.annotate(
                    "∝ units²", (x[-2], y[2] * (x[-2] / x[2]) ** 2), (-52, 2), textcoords="offset points", color=ORANGE
                )
            ax.set(xlabel=label, ylabel="µs per step", xticks=[], yticks=[])
            ax.set_xticks(x, [f"{v:g}" for v in x], minor=False, rotation=45 if len(x) > 6 else 0)
            ax.minorticks_off()
            low, high = min(y.min() / 1.5, 0.5), max(y.max() * 1.5, 3)
            ax.set_ylim(low, high)
            ticks = [t for t in (0.2, 0.5, 1, 2, 5, 10, 20, 50) if low <= t <= high]
            ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
        ax = axes.flat[-1]
        x, measured, formula = np.array([row[1:] for row in table if row[0] == "memory"]).T
        ax.loglog(x, measured, "o", color=BLUE, markersize=4, label="measured")
        ax.loglog(x, formula, ":", color=ORANGE, label="formula")
        ax.set(xlabel="steps per update", ylabel="memory of a run [MB]")
        ax.legend()
        columns = {name: [row[i] for row in table] for i, name in enumerate(("axis", "value", "measured", "formula"))}
        save(figure, path, columns)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="figures/growth", metavar="PATH", help="without an ending")
    parser.add_argument("--memory", nargs=2, type=int, metavar=("B", "T"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory:
        grow(*args.memory)
        return 0
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    draw(measure(), args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
