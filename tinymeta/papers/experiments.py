"""TODO papers.experiments."""

from typing import NamedTuple

from tinymeta.base.errors import integer
from tinymeta.base.processes import cores
from tinymeta.runs.config import make_config

SEEDS, QUICK_SEEDS = 20, 3


class Experiment(NamedTuple):
    """One row: a sweep over seeds in the folder runs/<name>."""

    env: str
    agent: str
    env_kwargs: dict
    settings: dict
    seeds: int = SEEDS
    snapshots: int = 0  # networks kept along each run, see `tinymeta.runs.config.Config`

    def config(self, seed=0):
        return make_config(self.env, self.agent, self.env_kwargs, seed=seed, snapshots=self.snapshots, **self.settings)


def _length(experiment):
    """About how many steps a run takes, to begin with the longest."""
    settings = experiment.config().settings
    trial = {
        "corridor": 25 if not experiment.env_kwargs else 100,
        "tiger": 20,
        "gridworld": 60,
        "bandit-informative": 5,
    }
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
