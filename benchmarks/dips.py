"""python benchmarks/dips.py [--first-seed S] [--seeds N] [--out DIR]: what makes dips rarer, factor by factor.

Trains the bandit's RL² with one setting changed at a time and counts the runs that lose the policy after they had it
(`tinymeta.papers.alver_precup_2021.dips`). Finished runs are not trained again. Some ten minutes on two cores.
"""

import argparse
import math

import numpy as np

from tinymeta.base.intervals import estimate, share
from tinymeta.papers.alver_precup_2021.dip_results import LEVEL
from tinymeta.papers.alver_precup_2021.dips import LOST, converged_row, first_dip
from tinymeta.papers.experiments import SEEDS, Experiment
from tinymeta.papers.measures import per_trial, trials_to_level
from tinymeta.papers.results import Results, train_all

TRIALS = {"trials": 150_000}
FACTORS = {
    "Table 1": {},
    "--optimizer rmsprop": {"optimizer": "rmsprop"},
    "--max-grad-norm 0.05": {"max_grad_norm": 0.05},
    "--max-grad-norm 0.01": {"max_grad_norm": 0.01},
    "--max-grad-norm 0.002": {"max_grad_norm": 0.002},
    "--final-learning-rate 0": {"final_learning_rate": 0.0},
    "--num-envs 16": {"num_envs": 16},
    "--num-envs 16 --trials 600000": {"num_envs": 16, "trials": 600_000},
}
FOLDERS = {name: name.replace("--", "").replace(" ", "-") for name in FACTORS}


def row(results, name):
    """Cells of the table: runs with a dip and their interval, time lost, learning time, test reward."""
    curves = results.metrics(name)["reward_per_trial"]
    dips = share(sum(first_dip(curve) is not None for curve in curves), len(curves))
    lost = np.array([lost_share(curve) for curve in curves])
    reached = trials_to_level(results, name, "reward_per_trial", LEVEL, True)
    reward = estimate(per_trial(results, name, "reward"))
    learned = f"{estimate(reached).mean:.0f}" if np.isfinite(reached).all() else "never in some"
    count = f"{round(dips.mean * dips.n)} of {dips.n}"
    cells = (f"{dips.low:.2f} to {dips.high:.2f}", f"{100 * lost.mean():.2f}", learned)
    return " | ".join((count, *cells, f"{reward.mean:.3f} [{reward.low:.3f}, {reward.high:.3f}]"))


def lost_share(curve):
    """Share of the rows after convergence that are below `LOST`, the policy being lost."""
    converged = converged_row(curve)
    return math.nan if converged is None else float((curve[converged:] < LOST).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--out", default="runs-dips")
    args = parser.parse_args()
    experiments = {
        FOLDERS[name]: Experiment("bandit", "rl2", {}, {**TRIALS, **changed}, args.seeds)
        for name, changed in FACTORS.items()
    }
    results = Results(args.out, experiments, args.seeds, args.first_seed)
    train_all(results)
    print("| bandit rl2 --trials 150000 | runs with a dip | 95 % | time lost, % | trials to 95 % | test reward |")
    print("|---|---|---|---|---|---|")
    for name, folder in FOLDERS.items():
        print(f"| `{name}` | {row(results, folder)} |")


if __name__ == "__main__":
    main()
