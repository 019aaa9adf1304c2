"""The finished runs of a paper's experiments, and how those that are missing are trained."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError, choice, integer
from tinymeta.papers.experiments import MOST, Experiment
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.sweep import sweeps


class LeftOutError(InputError):
    """An experiment was asked for that is left out: its environment cannot be made here, or it is not finished."""


class Results:
    """The finished runs of `experiments` under one folder, from seed `first_seed` on.

    Each has the seeds that it asks for, or `seeds` if that is fewer. Nothing is read before it is asked for.

    Parameters
    ----------
    folder : str or Path
        Holds <name>/seed-<k>.
    experiments : {name: Experiment}
    seeds, first_seed : int
    left_out : collection of str
        Names of experiments without which everything else goes on.
    command : str
        What makes the runs, as it stands in messages.
    """

    def __init__(
        self,
        folder: str | Path,
        experiments: dict[str, Experiment],
        seeds: int = MOST,
        first_seed: int = 0,
        left_out: Collection[str] = (),
        command: str = "bash runs.sh",
    ):
        self.command = command
        self.left_out = frozenset(left_out)
        self.folder = Path(folder)
        self.experiments = {name: each for name, each in experiments.items() if name not in self.left_out}
        self.seeds = integer("seeds", seeds, 1, MOST)
        self.first_seed = integer("first_seed", first_seed, 0, 2**63 - 1 - self.seeds)

    def seeds_of(self, name: str) -> range:
        """The seeds of an experiment."""
        experiment = self._experiment(name)
        return range(self.first_seed, self.first_seed + min(self.seeds, experiment.seeds))

    def _experiment(self, name: str) -> Experiment:
        if name in self.left_out:
            raise LeftOutError(f"experiment {name} is left out, expected one that is not")
        return self.experiments[choice("experiment", name, self.experiments)]

    def path(self, name: str, seed: int) -> Path:
        """Where a run is, or will be."""
        return self.folder / name / f"seed-{seed}"

    def run(self, name: str, seed: int) -> RunFolder:
        """The folder of one finished run.

        Raises
        ------
        InputError
            If it is missing, unfinished, or another one than the experiment's; names it and the command that makes it.
        """
        experiment = self._experiment(name)
        folder = RunFolder(self.path(name, seed))
        if not folder.finished:
            raise InputError(f"run {folder.path} is missing or unfinished; expected it from: {self.command}")
        difference = folder.read_config().difference(experiment.config(seed))
        if difference is not None:
            setting, found, expected = difference
            raise InputError(f"run {folder.path} is another one: {setting} = {found!r}, expected {expected!r}")
        return folder

    def asked_for(self, name: str) -> bool:
        """Whether the paper has this experiment, left out or not."""
        return name in self.experiments or name in self.left_out

    def finished(self, name: str) -> bool:
        """Whether all runs of an experiment are."""
        return all(RunFolder(self.path(name, seed)).finished for seed in self.seeds_of(name))

    def runs(self, name: str) -> list[RunFolder]:
        """All runs of an experiment, in the order of their seeds."""
        return [self.run(name, seed) for seed in self.seeds_of(name)]

    def first_run(self, name: str) -> RunFolder:
        """The run that stands for its experiment where one is shown: the first seed's."""
        return self.run(name, self.first_seed)

    def evaluations(self, name: str) -> list[dict[str, Any]]:
        """What each seed's result.json holds as its test of frozen weights."""
        return [run.read_result()["evaluation"] for run in self.runs(name)]

    def metrics(self, name: str) -> dict[str, np.ndarray]:
        """{column of metrics.csv: array (seeds, intervals)}."""
        columns = [run.read_metrics() for run in self.runs(name)]
        return {name: np.stack([seed[name] for seed in columns]) for name in columns[0]}


def train_all(results: Results, workers: int | None = None, progress: bool = True, cluster: str | None = None) -> None:
    """Train every run that is not finished yet, through one queue, experiments with the longest runs first.

    Parameters
    ----------
    results : Results
    workers, progress, cluster
        See `tinymeta.runs.sweep.sweep`.

    Raises
    ------
    SweepError
        If some seeds failed; all others have finished.
    InputError
        If a finished run is another one than the experiment's.
    """
    wanted = {}
    for name, experiment in sorted(results.experiments.items(), key=lambda item: -item[1].longest()):
        seeds = results.seeds_of(name)
        if results.finished(name):
            results.runs(name)  # they must be this experiment's own
            print(f"{name:28}{len(seeds):3} seeds  already finished", flush=True)
        else:
            wanted[name] = results.folder / name, experiment.config(seeds.start), len(seeds)
    if not wanted:
        return
    done = sweeps(wanted, workers, resume=True, progress=progress, cluster=cluster)
    for name, runs in done.items():
        seconds = sum(run["train_seconds"] for run in runs.values())
        steps = sum(run["env_steps"] for run in runs.values())
        print(f"{name:28}{len(runs):3} seeds  {steps / 1e6:6.1f} million steps in {seconds:6.1f} s", flush=True)
