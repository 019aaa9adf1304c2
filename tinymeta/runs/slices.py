"""A slice of a run: what a worker of a cluster does; see `tinymeta.runs.cluster`."""

import dataclasses
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tinymeta.base.errors import InputError
from tinymeta.base.extras import extra_module
from tinymeta.runs.config import SAME_BITS, Config, versions
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.interrupts import Paused
from tinymeta.runs.jobs import Result
from tinymeta.runs.parcel import Parcel, pack, unpack
from tinymeta.runs.training import train


class Outcome(NamedTuple):
    """What a slice came to."""

    parcel: Parcel  # the run's files; empty if the worker is of another kind than the one that the run was begun on
    trials: int  # how far the run is
    seconds: float  # that the slice took, all in all
    result: Result | None  # if the run is finished


def train_slice(config: Config, parcel: Mapping[str, bytes], seconds: float) -> Outcome:
    """Train a run for some seconds, from the files in the parcel, or from its beginning where that is empty."""
    began = time.monotonic()
    here = versions()
    if parcel and differing(config.versions, here):
        return Outcome({}, 0, 0.0, None)
    if config.versions["tinymeta"] != here["tinymeta"]:
        raise InputError(f"a worker has tinymeta {here['tinymeta']}, expected {config.versions['tinymeta']}")
    config = dataclasses.replace(config, versions=here)
    with tempfile.TemporaryDirectory(prefix="tinymeta-", dir=_scratch()) as place:
        folder = RunFolder(Path(place) / "run")
        if parcel:
            unpack(parcel, folder)
        result = None
        try:
            result = train(folder.path, config, resume=True, pause=lambda: time.monotonic() - began >= seconds)
            trials = result["trials"]
        except Paused as pause:
            trials = pause.trials
        return Outcome(pack(folder), trials, time.monotonic() - began, result)


def differing(made: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Names of the versions on which a run's bits depend, and that are not the same."""
    return [name for name in SAME_BITS if made.get(name) != here.get(name)]


def _scratch() -> str | None:
    """The worker's own folder for files, which its administrator has chosen; the system's where this is no worker."""
    try:
        return extra_module("distributed", "cluster", "--cluster").get_worker().local_directory
    except ValueError:
        return None
