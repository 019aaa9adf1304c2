"""Statistics of one experiment over its seeds, from finished runs: what the claims of several papers are made of."""

import math

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.optimum.exact_values import Numbers, exact_values
from tinymeta.papers.results import Results
from tinymeta.runs.config import build

SMOOTHING = 1000  # trials over which a learning curve is averaged before it is compared with a level


def per_trial(results: Results, name: str, what: str) -> np.ndarray:
    """Means over each seed's test rollouts of "reward" or "steps" per trial, array (seeds,)."""
    return np.array([test[f"{what}_per_trial"]["mean"] for test in results.evaluations(name)])


def per_episode(results: Results, name: str, what: str) -> np.ndarray:
    """The same by episode, array (seeds, K)."""
    return np.array([test[f"{what}_per_episode"] for test in results.evaluations(name)])


def first_actions(results: Results, name: str) -> np.ndarray:
    """P(action) at a trial's first step of each seed, array (seeds, A)."""
    tests = results.evaluations(name)
    if any("first_action" not in test for test in tests):
        raise InputError(f"runs of {name} were tested by an older version, expected them from: bash runs.sh")
    return np.array([test["first_action"] for test in tests])


def optimum(results: Results, name: str) -> dict[str, Numbers]:
    """Exact values of the experiment's task set, see `tinymeta.optimum.exact_values.exact_values`."""
    config = results.first_run(name).read_config()
    return exact_values(build(config), config.settings.gamma)


def trials_to_level(results: Results, name: str, column: str, level: float, above: bool) -> np.ndarray:
    """Trials of training until the smoothed learning curve reaches `level`, array (seeds,); inf where it never does.

    Parameters
    ----------
    results : Results
    name : str
        Experiment.
    column : str
        Of metrics.csv.
    level : float
    above : bool
        The curve has to rise to the level; otherwise it has to fall to it.
    """
    metrics = results.metrics(name)
    window = max(1, round(SMOOTHING / metrics["trials"][0, 0]))
    reached = []
    for trials, curve in zip(metrics["trials"], metrics[column], strict=True):
        smooth = np.convolve(curve, np.full(window, 1 / window), mode="valid")
        there = np.flatnonzero(smooth >= level if above else smooth <= level)
        reached.append(trials[window - 1 :][there[0]] if len(there) else math.inf)
    return np.array(reached)
