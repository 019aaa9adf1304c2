"""python -m tinymeta.reproduction: train everything that figures, claims and probes need; finished runs are skipped.

`EXPERIMENTS` is what the paper did and its controls, `PROBED` what only the probes look at (`tinymeta.inside`). All else reads these
rows, and never trains.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinymeta.configs import make_config
from tinymeta.errors import InputError, integer
from tinymeta.runs import RunFolder
from tinymeta.sweep import SweepError, cores, sweeps

SEEDS, QUICK_SEEDS = 20, 3


class Experiment(NamedTuple):
    """One row: a sweep over seeds in the folder runs/<name>."""

    env: str
    agent: str
    env_kwargs: dict
    settings: dict
    seeds: int = SEEDS

    def config(self, seed=0, snapshots=0):
        return make_config(self.env, self.agent, self.env_kwargs, seed=seed, snapshots=snapshots, **self.settings)


LONG = {"left": 10, "right": 11}
AGENTS = ("rl2", "rl1", "memoryless", "informed")
EXPERIMENTS = {
    **{f"bandit-{agent}": Experiment("bandit", agent, {}, {}) for agent in AGENTS},
    "bandit-rl2-zero": Experiment("bandit", "rl2", {}, {"init": "zero", "trials": 4000}),
    **{f"corridor-{agent}": Experiment("corridor", agent, {}, {}) for agent in AGENTS},
    **{f"corridor-10-11-{agent}": Experiment("corridor", agent, LONG, {"trials": 30_000}, 10) for agent in ("rl2", "rl1")},
}

# Rewards by chance ask for gradients of less variance: larger batches and returns that look ahead less far. Table 1 says nothing of these
# task sets. RL¹ is trained less long: told the task, it soon gains nothing any more.
CHANCE = {"num_envs": 16, "learning_rate": 3e-3, "gae_lambda": 0.3}
HARD = {"max_grad_norm": 5.0, "ent_coef": 0.1}
PROBED = {
    f"{name}-{agent}": Experiment(env, agent, kwargs, {**settings, "trials": trials}, 5)
    for name, env, kwargs, settings, *both in (
        ("bandit-0.1-0.9", "bandit", {"p": (0.1, 0.9)}, CHANCE, 40_000, 20_000),
        ("bandit-0.1-0.9-100", "bandit", {"p": (0.1, 0.9), "pulls": 100}, CHANCE, 16_000, 8_000),
        ("bandit-0.25-0.75-100", "bandit", {"p": (0.25, 0.75), "pulls": 100}, CHANCE, 16_000, 8_000),
        ("bandit-uniform-100", "bandit", {"p": "uniform", "pulls": 100}, CHANCE, 24_000, 8_000),
        ("informative", "bandit-informative", {}, {**HARD, "num_envs": 16, "learning_rate": 3e-3}, 60_000, 30_000),
        ("tiger", "tiger", {}, {**HARD, "num_envs": 4, "learning_rate": 1e-3, "ent_coef": 3.0}, 40_000, 40_000),
        ("gridworld", "gridworld", {}, {**HARD, "num_envs": 4, "learning_rate": 3e-3, "gae_lambda": 0.7}, 20_000, 10_000),
    )
    for agent, trials in zip(("rl2", "rl1"), both, strict=True)
}  # fmt: skip
SNAPSHOTS = 8  # kept by the runs whose probes are drawn over training
OVER_TRAINING = ("bandit-0.1-0.9-rl2", "corridor-rl2", "bandit-0.25-0.75-100-rl2")


class Results:
    """The finished runs of all experiments under one folder.

    Raises
    ------
    ValueError
        At the first use of a run that is missing or unfinished, naming it and the command that makes it.
    """

    def __init__(self, folder, seeds):
        self.folder, self.seeds = Path(folder), seeds

    def run(self, name, seed):
        """The `RunFolder` of one seed of an experiment."""
        folder = RunFolder(self.folder / name / f"seed-{seed}")
        if not folder.finished:
            raise InputError(f"run {folder.path} is missing or unfinished; expected it from: bash runs.sh")
        difference = folder.read_config().difference({**EXPERIMENTS, **PROBED}[name].config(seed))
        if difference is not None:
            raise InputError(f"run {folder.path} is another one: {difference[0]} = {difference[1]!r}, expected {difference[2]!r}")
        return folder

    def evaluations(self, name):
        """What each seed's result.json holds as its test of frozen weights, a list."""
        return [self.run(name, seed).read_result()["evaluation"] for seed in range(seeds_for(name, self.seeds))]

    def metrics(self, name):
        """{column of metrics.csv: array (seeds, intervals)}."""
        runs = [self.run(name, seed).read_metrics() for seed in range(seeds_for(name, self.seeds))]
        return {column: np.stack([run[column] for run in runs]) for column in runs[0]}


def seeds_for(name, seeds):
    """How many of `seeds` an experiment gets."""
    return min(seeds, {**EXPERIMENTS, **PROBED}[name].seeds)


def train_all(folder, seeds, workers=None, progress=True):
    """Train every run that is not finished yet, through one queue, those with the longest trials first."""
    results, wanted = Results(folder, seeds), {}
    for name, experiment in sorted({**EXPERIMENTS, **PROBED}.items(), key=lambda item: -_length(item[1])):
        count = seeds_for(name, seeds)
        if all(RunFolder(results.folder / name / f"seed-{seed}").finished for seed in range(count)):
            results.evaluations(name)  # they must be these experiments' own
            print(f"{name:28}{count:3} seeds  already finished", flush=True)
        else:
            config = experiment.config(snapshots=SNAPSHOTS if name in OVER_TRAINING else 0)
            wanted[name] = results.folder / name, config, count
    if not wanted:
        return
    done = sweeps(wanted, workers, resume=True, progress=progress)
    for name, runs in done.items():
        seconds, steps = (sum(run[key] for run in runs.values()) for key in ("train_seconds", "env_steps"))
        print(f"{name:28}{len(runs):3} seeds  {steps / 1e6:6.1f} million steps in {seconds:6.1f} s", flush=True)


def _length(experiment):
    """About how many steps a run takes, to begin with the longest."""
    settings = experiment.config().settings
    trial = {"corridor": 25 if not experiment.env_kwargs else 100, "tiger": 20, "gridworld": 60, "bandit-informative": 5}
    return settings.trials * trial.get(experiment.env, experiment.env_kwargs.get("pulls", 10))


def add_arguments(parser):
    """--runs and --quick, as claims and figures have them too."""
    parser.add_argument("--runs", default="runs", metavar="DIR", help="folder of the run folders")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds instead of {SEEDS}")


def add_workers(parser):
    """--workers, for commands that share their work out."""
    parser.add_argument("--workers", type=int, metavar="W", help="processes; as many as there are cores by default")


def seeds_of(args):
    return QUICK_SEEDS if args.quick else SEEDS


def workers_of(args):
    return cores() if args.workers is None else integer("workers", args.workers, 1, 4096)


def main(argv=None):
    from tinymeta import cli
    from tinymeta.training import Interrupted

    parser = cli.parser("reproduction", "Train every run that the paper's figures and claims need.")
    add_arguments(parser)
    add_workers(parser)
    args = parser.parse_args(argv)
    try:
        train_all(args.runs, seeds_of(args), workers_of(args))
    except SweepError as error:
        print(f"tinymeta: {error}", file=sys.stderr)
        return cli.FAILED
    except (Interrupted, KeyboardInterrupt):
        print("tinymeta: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return cli.INTERRUPTED
    return 0


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
