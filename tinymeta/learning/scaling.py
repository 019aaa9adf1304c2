"""What a network sees of real-valued observations and rewards: shifted and scaled by what was met so far.

A world's observations may be metres and angles, its rewards hundreds. `Scaling` holds the running mean and variance of
each number of the observation (Welford 1962; joined batch by batch as Chan et al. 1979 do), and the variance of the
discounted return, by whose square root rewards are divided. What is applied changes only between updates: within one,
every row is scaled alike. With both options off nothing is ever changed, and neither is anything of a table's.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tinymeta.base.dispatch import by_class
from tinymeta.base.jit import jit
from tinymeta.learning.rows import STEPS, Scaling
from tinymeta.learning.sizes import unscaled
from tinymeta.learning.wirings import Layout

LARGEST = 10.0  # scaled numbers are cut to ±10
TINY = 1e-8  # added to variances
KEPT = ("counters", "mean", "squares")  # what a checkpoint holds of `Running`
COUNT, RETURN_MEAN, RETURN_SQUARES = range(3)  # entries of Running.counters


class Fixed(NamedTuple):
    """Nothing is learned of the numbers: they enter as they are."""

    size: int


class Running(NamedTuple):
    """What was met so far."""

    observations: bool  # to be scaled?
    rewards: bool
    gamma: float
    counters: np.ndarray  # (3,) float64: steps met; of their returns, the mean and the sum of squared deviations
    mean: np.ndarray  # (O,) float64
    squares: np.ndarray  # (O,) float64, sums of squared deviations
    returned: np.ndarray  # (B,) float64, scratch


def running(layout: Layout, settings: Any) -> Any:
    """What a training run keeps of its numbers, at its beginning: `Running`, or `Fixed` where nothing is scaled."""
    size = layout.num_features
    if not settings.norm_obs and not settings.norm_reward:
        return Fixed(size)
    scratch = np.zeros(settings.num_envs)
    arrays = np.zeros(3), np.zeros(size), np.zeros(size), scratch
    return Running(settings.norm_obs, settings.norm_reward, settings.gamma, *arrays)


@by_class(Fixed)
def update_scaling(running, rows):
    """Take in an update's rows: updates running, and rows.scaling for the next update."""


@update_scaling.of(Running)
def update_running(running, rows):
    """Means and variances with this update's rows, joined by Chan's formula."""
    steps = rows.size[STEPS]
    counters = running.counters
    before = counters[COUNT]
    total = before + steps
    for f in range(running.mean.shape[0]):
        mean = 0.0
        for n in range(steps):
            mean += rows.features[n, f]
        mean /= steps
        squares = 0.0
        for n in range(steps):
            squares += (rows.features[n, f] - mean) * (rows.features[n, f] - mean)
        apart = mean - running.mean[f]
        running.mean[f] += apart * steps / total
        running.squares[f] += squares + apart * apart * before * steps / total
    returned = running.returned
    for pass_ in range(2):  # the mean first, then the squared deviations from it
        if pass_ == 0:
            mean = 0.0
        squares = 0.0
        for b in range(returned.shape[0]):
            returned[b] = 0
        for n in range(steps):
            b = rows.trial[n]
            if rows.before[n] >= 0 and rows.episode[rows.before[n]] != rows.episode[n]:
                returned[b] = 0
            returned[b] = running.gamma * returned[b] + rows.paid[n]
            if pass_ == 0:
                mean += returned[b] / steps
            else:
                squares += (returned[b] - mean) * (returned[b] - mean)
    apart = mean - counters[RETURN_MEAN]
    counters[RETURN_MEAN] += apart * steps / total
    counters[RETURN_SQUARES] += squares + apart * apart * before * steps / total
    counters[COUNT] = total
    apply_scaling(running, rows.scaling)


@jit
def apply_scaling(running, scaling):
    """Overwrites scaling with what running says."""
    count = max(running.counters[COUNT], 1.0)
    for f in range(running.mean.shape[0]):
        if running.observations and running.counters[COUNT] > 0:
            scaling.shift[f] = running.mean[f]
            scaling.scale[f] = 1.0 / math.sqrt(running.squares[f] / count + TINY)
    if running.rewards and running.counters[COUNT] > 0:
        scaling.reward[0] = 1.0 / math.sqrt(running.counters[RETURN_SQUARES] / count + TINY)


def scaling_of(running: Any, size: int) -> Scaling:
    """The `Scaling` that a run applies now."""
    scaling = unscaled(size)
    if isinstance(running, Running):
        apply_scaling(running, scaling)
    return scaling


def to_arrays(running: Any) -> dict[str, np.ndarray]:
    """{name: array} as a checkpoint keeps it; empty where nothing is scaled."""
    return {f"scaling.{name}": getattr(running, name).copy() for name in KEPT} if isinstance(running, Running) else {}


def restore(running: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Overwrites running with what a checkpoint kept."""
    if isinstance(running, Running):
        for name in KEPT:
            getattr(running, name)[:] = arrays[f"scaling.{name}"]
