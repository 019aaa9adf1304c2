"""Learning curves of any runs and sweeps: what metrics.csv says along trials, steps or seconds, over the seeds.

A run is a curve of its own; a sweep's folder (seed-0, seed-1, …) is one curve, the mean over its seeds with Student's
95 % interval. Unfinished runs are taken as far as they are. At each point the mean is over the seeds that have got
there, so their number can fall along a curve (`Curve.n`). Against steps or seconds equal runs end at different
places: there a finished run keeps its last value.

Curves are told apart by exactly the settings in which they differ (`labels`).

metrics.csv holds no seconds, since equal runs write equal files. A row's second is estimated: the run's training
seconds (result.json; before the end timing.json), shared out by environment steps.
"""

import inspect
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinymeta.base.errors import InputError, choice, shown
from tinymeta.base.files import AnyPath, checked_path, read_json
from tinymeta.base.intervals import t_quantile
from tinymeta.environments.registry import ENVIRONMENTS
from tinymeta.runs.config import WITHOUT_EFFECT, Config, listed
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.metrics import METRICS
from tinymeta.runs.result import seconds_per_step

AXES = ("trials", "env_steps", "seconds")
SHOWN = tuple(name for name in METRICS if name not in ("update", "trials", "env_steps"))  # what a curve can be of
GRID = 400  # points of a mean over runs whose rows lie at different places
WHO = ("env", "agent")  # settings that need no name beside their value
WITHIN_A_SWEEP = (*WITHOUT_EFFECT, "seed", "trials")  # settings in which a sweep's runs may differ


class Source(NamedTuple):
    """The runs behind one curve: one run, or the seeds of a sweep that have begun."""

    path: Path
    runs: list[RunFolder]  # by seed
    configs: list[Config]


class Curve(NamedTuple):
    """A metric along an axis, over n runs, at G points."""

    label: str
    seeds: list[int]  # (n,)
    runs: list[tuple[np.ndarray, np.ndarray]]  # each seed's own (x, y)
    x: np.ndarray  # (G,)
    mean: np.ndarray  # (G,)
    low: np.ndarray  # (G,) the 95 % interval; the mean itself where there is one run
    high: np.ndarray  # (G,)
    n: np.ndarray  # (G,) runs that the mean is over


# ---------------------------------------------------------------- which runs


def find(path: AnyPath) -> Source:
    """The run, or the runs of the sweep, in a folder.

    Raises
    ------
    InputError
        If there is none, or a sweep's runs differ in more than their seed and length.
    """
    folder = checked_path("run or sweep", path)
    runs = [RunFolder(folder)]
    if not runs[0].config_path.exists():
        seeds = {int(match[1]): p for p in folder.glob("seed-*") if (match := re.fullmatch(r"seed-(\d+)", p.name))}
        runs = [run for _, p in sorted(seeds.items()) if (run := RunFolder(p)).config_path.exists()]
    if not runs:
        expected = "expected a folder with a config.json, or one with seed-0, seed-1, … as train --seeds makes it"
        raise InputError(f"{folder} holds no run and no sweep; {expected}")
    configs = [run.read_config() for run in runs]
    for run, config in zip(runs[1:], configs[1:], strict=True):
        if difference := configs[0].difference(config, WITHIN_A_SWEEP):
            name, first, here = difference
            other = f"{run.path} has {name} = {shown(here)} and {runs[0].path} {shown(first)}"
            raise InputError(f"{other}; expected the seeds of one sweep")
    return Source(folder, runs, configs)


# ---------------------------------------------------------------- numbers


def curves(sources: Sequence[Source], metric: str, axis: str) -> list[Curve]:
    """The `Curve` of each source.

    Parameters
    ----------
    sources : sequence of Source
        See `find`.
    metric : str
        One of `SHOWN`.
    axis : str
        One of `AXES`.

    Raises
    ------
    InputError
        For an unknown name, a damaged file, or a source without a row.
    """
    choice("metric", metric, SHOWN)
    choice("x", axis, AXES)
    return [_curve(label, source, metric, axis) for label, source in zip(labels(sources), sources, strict=True)]


def _curve(label: str, source: Source, metric: str, axis: str) -> Curve:
    seeds = []
    runs = []
    keeps = []
    for run, config in zip(source.runs, source.configs, strict=True):
        columns = run.read_metrics() if run.metrics_path.exists() else {metric: np.empty(0)}
        if len(columns[metric]):  # a run that has just begun has no row yet
            seeds.append(config.settings.seed)
            runs.append((_along(run, columns, axis), columns[metric]))
            keeps.append(run.finished and axis != "trials")
    if not runs:
        raise InputError(f"{source.path} has no row of metrics.csv yet, expected at least one")
    x = _common_points([x for x, _ in runs])
    values = np.array([_at(x, *run, keep) for run, keep in zip(runs, keeps, strict=True)])
    return Curve(label, seeds, runs, x, *_mean_of_those_there(values))


def _along(run: RunFolder, columns: Mapping[str, np.ndarray], axis: str) -> np.ndarray:
    """A run's rows along the axis, array (rows,)."""
    if axis != "seconds":
        return columns[axis]
    if run.finished:
        return columns["env_steps"] * seconds_per_step(run.read_result(), run.result_path)
    if not run.timing_path.exists():
        lacking = f"{run.path} is unfinished and has no timing.json"
        raise InputError(f"{lacking}; seconds are known from the first checkpoint on, expected --x trials or env_steps")
    return columns["env_steps"] * seconds_per_step(read_json(run.timing_path), run.timing_path)


def _common_points(runs: Sequence[np.ndarray]) -> np.ndarray:
    """Where a mean over runs is taken: at their rows where these are the same, else at `GRID` points.

    Those begin where all runs have begun.
    """
    longest = max(runs, key=len)
    if all(np.array_equal(x, longest[: len(x)]) for x in runs):
        return longest
    return np.linspace(max(x[0] for x in runs), max(x[-1] for x in runs), GRID)


def _at(points: np.ndarray, x: np.ndarray, y: np.ndarray, keep: bool) -> np.ndarray:
    """A run's values at the points: between rows by straight lines; after its end nan, or its last value."""
    return np.interp(points, x, y, left=np.nan, right=y[-1] if keep else np.nan)


def _mean_of_those_there(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(mean, low, high, n) over the first axis of `values` (n, G), of which nan are left out."""
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    mean = np.where(there, values, 0).sum(axis=0) / count
    squares = np.where(there, (values - mean) ** 2, 0).sum(axis=0)
    several = np.maximum(count, 2)  # where there is one the squares are 0, and so is the interval
    quantile = {n: t_quantile(0.975, n - 1) for n in range(2, len(values) + 1)}
    half = np.array([quantile.get(n, 0.0) for n in count]) * np.sqrt(squares / (several - 1) / several)
    return mean, mean - half, mean + half, count


# ---------------------------------------------------------------- names


def labels(sources: Sequence[Source]) -> list[str]:
    """A name for each source: the settings in which they differ; alone, its environment, agent and seeds."""
    settings = [{**_task_settings(source), **_other_settings(source)} for source in sources]
    if len(sources) == 1:
        return [_named(settings[0], ("env", "agent", "seed"))]
    texts = _told_apart(settings)
    repeated = {text for text in texts if texts.count(text) > 1}
    return [
        f"{text} {source.path}".lstrip() if text in repeated else text
        for text, source in zip(texts, sources, strict=True)
    ]


def task_labels(sources: Sequence[Source]) -> list[str]:
    """The same of what the exact optimum depends on alone: environment, its parameters, discount."""
    return _told_apart([_task_settings(source) for source in sources])


def _told_apart(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for own in settings for name in own)
    differing = [name for name in names if len({repr(own[name]) for own in settings if name in own}) > 1]
    return [_named(own, differing) for own in settings]


def _task_settings(source: Source) -> dict[str, Any]:
    """{setting: value} of a source's task set; the environment's own parameters stand for themselves."""
    flat = source.configs[0].flat()
    kwargs = {**_default_kwargs(flat["env"]), **flat["env_kwargs"]}
    own = {name if name not in flat else f"env_kwargs.{name}": value for name, value in kwargs.items()}
    return {"env": flat["env"], **own, "gamma": flat["gamma"]}


def _other_settings(source: Source) -> dict[str, Any]:
    """{setting: value} of all else that may tell curves apart."""
    flat = source.configs[0].flat()
    apart = (*WITHOUT_EFFECT, "env", "env_kwargs", "gamma", "seed")
    own = {name: value for name, value in flat.items() if name not in apart}
    return {**own, "seed": tuple(config.settings.seed for config in source.configs)}


def _default_kwargs(env: str) -> dict[str, Any]:
    """What a registered environment's builder takes where nothing is said."""
    if env not in ENVIRONMENTS:
        return {}
    parameters = inspect.signature(ENVIRONMENTS[env].build).parameters.values()
    return listed({p.name: p.default for p in parameters if p.default is not p.empty})


def _named(own: Mapping[str, Any], names: Sequence[str]) -> str:
    here = [name for name in names if name in own]
    who = " ".join(own[name] for name in here if name in WHO)
    return ", ".join([*([who] if who else []), *(_phrase(name, own[name]) for name in here if name not in WHO)])


def _phrase(name: str, value: Any) -> str:
    return _seeds(value) if name == "seed" else f"{name} {_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(_text(part) for part in value)
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"seeds {seeds[0]}–{seeds[-1]}"
    return f"seeds {', '.join(map(str, seeds))}"
