"""python -m tinymeta.reproduction: train everything that the paper's figures and claims need; finished runs are skipped.

`EXPERIMENTS` is the list; `tinymeta.claims` and `tinymeta.figures` read the same rows, and never train.
"""

import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinymeta.configs import make_config
from tinymeta.errors import InputError
from tinymeta.runs import RunFolder

SEEDS, QUICK_SEEDS = 20, 3


class Experiment(NamedTuple):
    """One row: a sweep over seeds in the folder runs/<name>."""

    env: str
    agent: str
    env_kwargs: dict
    settings: dict

    def config(self, seed=0):
        return make_config(self.env, self.agent, self.env_kwargs, seed=seed, **self.settings)


LONG = {"left": 10, "right": 11}
AGENTS = ("rl2", "rl1", "memoryless", "informed")
EXPERIMENTS = {
    **{f"bandit-{agent}": Experiment("bandit", agent, {}, {}) for agent in AGENTS},
    "bandit-rl2-zero": Experiment("bandit", "rl2", {}, {"init": "zero", "trials": 4000}),
    **{f"corridor-{agent}": Experiment("corridor", agent, {}, {}) for agent in AGENTS},
    **{f"corridor-10-11-{agent}": Experiment("corridor", agent, LONG, {}) for agent in ("rl2", "rl1")},
}


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
        difference = folder.read_config().difference(EXPERIMENTS[name].config(seed))
        if difference is not None:
            raise InputError(f"run {folder.path} is another one: {difference[0]} = {difference[1]!r}, expected {difference[2]!r}")
        return folder

    def evaluations(self, name):
        """What each seed's result.json holds as its test of frozen weights, a list."""
        return [self.run(name, seed).read_result()["evaluation"] for seed in range(self.seeds)]

    def metrics(self, name):
        """{column of metrics.csv: array (seeds, intervals)}."""
        runs = [self.run(name, seed).read_metrics() for seed in range(self.seeds)]
        return {column: np.stack([run[column] for run in runs]) for column in runs[0]}


def train_all(folder, seeds, workers=None, progress=True):
    """Train every experiment that is not finished yet; returns the seconds of each."""
    from tinymeta.sweep import sweep

    seconds = {}
    for name, experiment in EXPERIMENTS.items():
        started = time.perf_counter()
        results = Results(folder, seeds)
        finished = all(RunFolder(results.folder / name / f"seed-{seed}").finished for seed in range(seeds))
        if finished:
            results.evaluations(name)  # they must be these experiments' own
        if not finished:
            sweep(Path(folder) / name, experiment.config(), seeds, workers, resume=True, progress=progress)
        seconds[name] = time.perf_counter() - started
        note = "already finished" if finished else f"{seconds[name]:.1f} s"
        print(f"{name:24}{seeds} seeds  {note}", flush=True)
    return seconds


def add_arguments(parser):
    """--runs and --quick, as claims and figures have them too."""
    parser.add_argument("--runs", default="runs", metavar="DIR", help="folder of the run folders")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds instead of {SEEDS}")


def seeds_of(args):
    return QUICK_SEEDS if args.quick else SEEDS


def main(argv=None):
    from tinymeta import cli
    from tinymeta.sweep import SweepError
    from tinymeta.training import Interrupted

    parser = cli.parser("reproduction", "Train every run that the paper's figures and claims need.")
    add_arguments(parser)
    parser.add_argument("--workers", type=int, metavar="W")
    args = parser.parse_args(argv)
    try:
        train_all(args.runs, seeds_of(args), args.workers)
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
