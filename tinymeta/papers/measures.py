"""TODO papers.measures."""

import math

import numpy as np

from tinymeta.optimum.exact_values import exact_values
from tinymeta.runs.config import build

# ---------------------------------------------------------------- statistics of one experiment


def per_trial(results, name, what):
    """Means over each seed's test rollouts of "reward" or "steps" per trial, array (seeds,)."""
    return np.array([test[f"{what}_per_trial"]["mean"] for test in results.evaluations(name)])


def per_episode(results, name, what):
    """The same by episode, array (seeds, K)."""
    return np.array([test[f"{what}_per_episode"] for test in results.evaluations(name)])


SMOOTHING = 1000  # trials over which a learning curve is averaged before it is compared with a level


def optimum(results, name):
    """Exact values of the experiment's task set, see `tinymeta.baselines.exact_values`."""
    config = results.run(name, 0).read_config()
    return exact_values(build(config), config.settings.gamma)


def trials_to_level(results, name, column, level, above):
    """Trials of training until the smoothed learning curve first reaches `level`, array (seeds,); inf where it never does."""
    metrics = results.metrics(name)
    window = max(1, round(SMOOTHING / metrics["trials"][0, 0]))
    reached = []
    for trials, curve in zip(metrics["trials"], metrics[column], strict=True):
        smooth = np.convolve(curve, np.full(window, 1 / window), mode="valid")
        there = np.flatnonzero(smooth >= level if above else smooth <= level)
        reached.append(trials[window - 1 :][there[0]] if len(there) else math.inf)
    return np.array(reached)
