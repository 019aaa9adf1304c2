"""TODO probes.many."""

import functools
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tinymeta.base.errors import InputError
from tinymeta.base.processes import one_thread_each
from tinymeta.environments.registry import make
from tinymeta.probes.probing import TRIALS, machines, probe
from tinymeta.runs.config import parse_kwargs
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.loading import exact_for, load

# ---------------------------------------------------------------- many runs


def run_folders(paths):
    """Every run folder among `paths` and right below them, in order."""
    found = []
    for path in map(Path, paths):
        inside = sorted(
            (p for p in path.glob("seed-*") if p.is_dir()), key=lambda p: int(p.name[5:]) if p.name[5:].isdigit() else 0
        )
        found += [path] if RunFolder(path).exists else inside
        if not RunFolder(path).exists and not inside:
            raise InputError(f"{path} is no run folder and holds none, expected a config.json or seed-<k> in it")
    return found


def probe_run(path, trials=TRIALS, seed=0):
    """`probe` of a run folder, with its path and settings."""
    folder = RunFolder(path)
    config = folder.read_config()
    settings, agent = config.settings, load(path)
    test = folder.read_result()["evaluation"] if folder.finished else exact_for(config)
    values = json.dumps({name: test[name] for name in ("bayes_optimal", "informed")})
    known = _known_machines(
        config.env, json.dumps(config.env_kwargs), settings.gamma, agent.layout.identity_from, values
    )
    luck = seed + settings.seed  # each run its own, so that an interval over runs holds the error of sampling, too
    result = probe(agent, settings.gamma, settings.seed, settings.init, trials, luck, known)
    return {"run": str(path), "env_kwargs": config.env_kwargs, "train_seed": settings.seed, **result}


@functools.lru_cache(maxsize=4)
def _known_machines(env, env_kwargs, gamma, identity_from, values):
    """Runs that differ in their seed alone share their optimum."""
    return machines(make(env, **parse_kwargs(env_kwargs)), gamma, identity_from, json.loads(values))


def probe_all(paths, trials=TRIALS, seed=0, workers=1):
    """[`probe_run`] of all folders, in parallel where there are several workers."""
    if workers == 1 or len(paths) == 1:
        return [probe_run(path, trials, seed) for path in paths]
    with one_thread_each(), ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(probe_run, paths, [trials] * len(paths), [seed] * len(paths)))
