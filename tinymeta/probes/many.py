"""Probing many runs: which run folders there are, what runs of one task set share, and several processes."""

import functools
import json
import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tinymeta.base.errors import InputError
from tinymeta.base.processes import one_thread_each
from tinymeta.environments.registry import make
from tinymeta.probes.probing import RECORDED_TRIALS, Machines, machines, probe
from tinymeta.runs.config import parse_kwargs
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.loading import exact_for, load


def run_folders(paths: Iterable[str | Path]) -> list[Path]:
    """Every run folder among `paths` and right below them, in order.

    Raises
    ------
    InputError
        If one of them is no run folder and holds none.
    """
    found = []
    for path in map(Path, paths):
        if RunFolder(path).exists:
            found.append(path)
            continue
        seeds = sorted((folder for folder in path.glob("seed-*") if folder.is_dir()), key=_seed_of)
        if not seeds:
            raise InputError(f"{path} is no run folder and holds none, expected a config.json or seed-<k> in it")
        found += seeds
    return found


def _seed_of(folder: Path) -> int:
    number = folder.name.removeprefix("seed-")
    return int(number) if number.isdigit() else 0


def probe_run(path: str | Path, trials: int = RECORDED_TRIALS, seed: int = 0) -> dict[str, Any]:
    """`probe` of a run folder, with its path, parameters and training seed."""
    folder = RunFolder(path)
    config = folder.read_config()
    settings = config.settings
    agent = load(path)
    test = folder.read_result()["evaluation"] if folder.finished else exact_for(config)
    values = json.dumps({name: test[name] for name in ("bayes_optimal", "informed")})
    kwargs = json.dumps(config.env_kwargs)
    known = _known_machines(config.env, kwargs, settings.gamma, agent.layout.identity_from, values)
    own_seed = seed + settings.seed  # each run its own, so that an interval over runs holds the error of sampling, too
    result = probe(agent, settings.gamma, settings.seed, settings.init, trials, own_seed, known)
    return {"run": str(path), "env_kwargs": config.env_kwargs, "train_seed": settings.seed, **result}


@functools.lru_cache(maxsize=4)
def _known_machines(env: str, env_kwargs: str, gamma: float, identity_from: int, values: str) -> Machines:
    """Runs that differ in their seed alone share their optimum."""
    return machines(make(env, **parse_kwargs(env_kwargs)), gamma, identity_from, json.loads(values))


def probe_runs(
    paths: list[Path], trials: int = RECORDED_TRIALS, seed: int = 0, workers: int = 1
) -> list[dict[str, Any]]:
    """[`probe_run`] of all folders, in parallel where there are several workers."""
    if workers == 1 or len(paths) == 1:
        return [probe_run(path, trials, seed) for path in paths]
    with one_thread_each(), ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(probe_run, paths, [trials] * len(paths), [seed] * len(paths)))
