"""TODO papers.results."""

from pathlib import Path

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.papers.experiments import _length
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.sweep import sweeps


class Results:
    """The finished runs of all experiments under one folder.

    Raises
    ------
    ValueError
        At the first use of a run that is missing or unfinished, naming it and the command that makes it.
    """

    def __init__(self, folder, experiments, seeds):
        self.folder, self.experiments, self.seeds = Path(folder), experiments, seeds

    def seeds_for(self, name):
        """How many seeds an experiment has here."""
        return min(self.seeds, self.experiments[name].seeds)

    def run(self, name, seed):
        """The `RunFolder` of one seed of an experiment."""
        folder = RunFolder(self.folder / name / f"seed-{seed}")
        if not folder.finished:
            raise InputError(f"run {folder.path} is missing or unfinished; expected it from: bash runs.sh")
        difference = folder.read_config().difference(self.experiments[name].config(seed))
        if difference is not None:
            raise InputError(
                f"run {folder.path} is another one: {difference[0]} = {difference[1]!r}, expected {difference[2]!r}"
            )
        return folder

    def evaluations(self, name):
        """What each seed's result.json holds as its test of frozen weights, a list."""
        return [self.run(name, seed).read_result()["evaluation"] for seed in range(self.seeds_for(name))]

    def metrics(self, name):
        """{column of metrics.csv: array (seeds, intervals)}."""
        runs = [self.run(name, seed).read_metrics() for seed in range(self.seeds_for(name))]
        return {column: np.stack([run[column] for run in runs]) for column in runs[0]}


def train_all(results, workers=None, progress=True):
    """Train every run that is not finished yet, through one queue, those with the longest trials first."""
    wanted = {}
    for name, experiment in sorted(results.experiments.items(), key=lambda item: -_length(item[1])):
        count = results.seeds_for(name)
        if all(RunFolder(results.folder / name / f"seed-{seed}").finished for seed in range(count)):
            results.evaluations(name)  # they must be these experiments' own
            print(f"{name:28}{count:3} seeds  already finished", flush=True)
        else:
            config = experiment.config()
            wanted[name] = results.folder / name, config, count
    if not wanted:
        return
    done = sweeps(wanted, workers, resume=True, progress=progress)
    for name, runs in done.items():
        seconds, steps = (sum(run[key] for run in runs.values()) for key in ("train_seconds", "env_steps"))
        print(f"{name:28}{len(runs):3} seeds  {steps / 1e6:6.1f} million steps in {seconds:6.1f} s", flush=True)
