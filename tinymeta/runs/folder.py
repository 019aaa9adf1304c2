"""Run folders: what a training run was asked to do, how it went, and the weights it ended with.

    config.json      all settings, versions, seed; see `tinymeta.runs.config`
    metrics.csv      one row an interval of updates; see `tinymeta.runs.metrics`
    checkpoint.npz   weights, optimiser moments, counters; see `tinymeta.runs.checkpoint`
    checkpoint.previous.npz   the one before, for the case that the newest is damaged
    snapshots/       with --snapshots N: update-<k>.npz, checkpoints from along the way
    tensorboard/     with --tensorboard: an event file; see `tinymeta.runs.event_log`
    timing.json      seconds so far; kept apart, so that checkpoints of equal runs are equal files
    result.json      written last; a run that has it is finished; see `tinymeta.runs.result`
    lock             while a process trains here: its pid and host

metrics.csv is appended to, and cut back to the checkpoint on resuming. Every other file is replaced whole (temporary
file, fsync, rename), so that a crash leaves the old one or the new one. Files are read as a stranger's: bounded, by
name, without unpickling. docs/reliability.md lists what is promised.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.base.files import AnyPath, checked_path, parse_json, read_json, sync_folder, write_whole, writing
from tinymeta.base.locks import FolderLock
from tinymeta.learning.agent import Agent
from tinymeta.learning.kept import kept_scaling
from tinymeta.learning.learner import Learner
from tinymeta.learning.wirings import Layout
from tinymeta.runs import checkpoint as checkpoints
from tinymeta.runs import metrics
from tinymeta.runs.checkpoint import Checkpoint, DamagedError
from tinymeta.runs.config import CHANGEABLE, Config, build, parse_config
from tinymeta.runs.event_log import EVENT_FILES
from tinymeta.runs.result import RESULT_LIMIT, SECONDS, check_result, check_seconds


class _Found(NamedTuple):
    """The newest sound checkpoint of a run."""

    path: Path
    state: Checkpoint
    config: Config  # that it was made with
    damages: list[str]  # what was wrong with newer ones


class RunFolder:
    """The files of one run; see the module's docstring. Nothing is read or written before it is asked for.

    Parameters
    ----------
    path : str or Path
        Need not exist.
    """

    def __init__(self, path: AnyPath) -> None:
        self.path = checked_path("run folder", path)
        self.config_path = self.path / "config.json"
        self.metrics_path = self.path / "metrics.csv"
        self.checkpoint_path = self.path / "checkpoint.npz"
        self.previous_path = self.path / "checkpoint.previous.npz"
        self.snapshots_path = self.path / "snapshots"
        self.timing_path = self.path / "timing.json"
        self.result_path = self.path / "result.json"

    @property
    def _files(self) -> list[Path]:
        """In the order in which they are removed: what says most about the run goes first."""
        progress = [self.result_path, self.previous_path, self.checkpoint_path, self.timing_path]
        return [*progress, self.metrics_path, self.config_path]

    @property
    def _leftovers(self) -> list[Path]:
        """What a crash in the middle of a write may leave."""
        return [path.with_name(path.name + ".tmp") for path in self._files]

    @property
    def exists(self) -> bool:
        """Whether a run was begun here."""
        return any(path.exists() for path in self._files)

    @property
    def finished(self) -> bool:
        """Whether the run here has come to its end."""
        return self.result_path.exists()

    @property
    def last_checkpoint(self) -> Path | None:
        """The newest checkpoint. A crash between two renames leaves only the previous one."""
        return next((path for path in (self.checkpoint_path, self.previous_path) if path.exists()), None)

    def lock(self) -> FolderLock:
        """The right to write here; see `tinymeta.base.locks`."""
        return FolderLock(self.path)

    def create(self, config: Config) -> None:
        """Make the folder for a new run, dropping an earlier run's files."""
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            others = (*self.snapshots_path.glob("update-*"), *self.path.glob(EVENT_FILES))
            for path in (*self._files, *self._leftovers, *others):
                path.unlink(missing_ok=True)
        self.write_config(config)
        metrics.create(self.metrics_path)

    # ---------------------------------------------------------------- settings

    def read_config(self) -> Config:
        """The run's `Config`; see `parse_config`."""
        try:
            flat = read_json(self.config_path)
        except FileNotFoundError:
            raise InputError(f"{self.path} is no run folder, expected one with a config.json") from None
        return parse_config(flat, self.config_path)

    def write_config(self, config: Config) -> None:
        """Say what this run was asked to do."""
        write_whole(self.config_path, config.to_json().encode())

    # ---------------------------------------------------------------- checkpoints

    def write_checkpoint(self, learner: Learner, config: Config, open_interval: np.ndarray) -> None:
        """Write what is needed to go on, after making sure that metrics.csv is on the disk. The one before is kept.

        `open_interval` (n, 8) are the statistics of the updates that no row of metrics.csv tells of yet.
        """
        metrics.sync(self.metrics_path)
        write_whole(self.checkpoint_path, self._state(learner, config, open_interval), self.previous_path)

    def write_snapshot(self, learner: Learner, config: Config, open_interval: np.ndarray) -> None:
        """Keep the network as it is now."""
        with writing(self.snapshots_path):
            self.snapshots_path.mkdir(exist_ok=True)
        path = self.snapshots_path / f"update-{learner.updates_done}.npz"
        write_whole(path, self._state(learner, config, open_interval))

    def _state(self, learner: Learner, config: Config, open_interval: np.ndarray) -> bytes:
        state = Checkpoint(
            theta=learner.theta,
            first=learner.first,
            second=learner.second,
            updates=learner.updates_done,
            env_steps=learner.env_steps_done,
            metrics_bytes=self.metrics_path.stat().st_size,
            open_interval=open_interval,
            config=config.to_json().encode(),
            kept=learner.kept(),
        )
        return checkpoints.write(state, learner.layout)

    def read_checkpoint(self, path: Path, config: Config, layout: Layout) -> tuple[Checkpoint, Config]:
        """The `Checkpoint` in one of the run's files, and the `Config` it was made with.

        Raises
        ------
        FileNotFoundError
        DamagedError
            If it is not what was written; see `tinymeta.runs.checkpoint.read`.
        ValueError
            If it is of another format, or was made with other settings than `config`.
        """
        state = checkpoints.read(path, layout, config.settings, config.log_interval)
        made = parse_config(parse_json(state.config, path), path)
        difference = made.difference(config, CHANGEABLE)
        if difference is not None:
            name, there, here = difference
            raise InputError(f"{path} was made with {name} = {there!r}, expected the run's own {here!r}")
        return state, made

    def load_snapshots(self) -> list[tuple[int, Agent]]:
        """(updates, Agent) of all snapshots, in the order of training."""
        config = self.read_config()
        settings = config.settings
        tasks = build(config)
        layout = settings.layout(tasks)
        agents = []
        for path in self.snapshots_path.glob("update-*.npz"):
            state, _ = self.read_checkpoint(path, config, layout)
            scaling = kept_scaling(settings, layout, state.kept)
            agents.append((state.updates, Agent.of_run(tasks, settings, state.theta, scaling)))
        return sorted(agents, key=lambda pair: pair[0])

    # ---------------------------------------------------------------- going on

    def check_resumable(self, config: Config) -> None:
        """Refuse if --resume must not go on here as `config` asks, as far as can be told without reading weights."""
        self.read_config().check_resumable(config, self.config_path)
        if self.finished:
            self._check_progress(self.read_result()["updates"], config)

    def finished_as(self, config: Config) -> bool:
        """Whether there is nothing left to do for `config`."""
        return self.finished and self.read_result()["updates"] == config.settings.updates

    def restore(self, config: Config, layout: Layout) -> Checkpoint | None:
        """Make the folder ready to go on as `config` asks; the `Checkpoint` to go on from, None if there is none yet.

        Rows of metrics.csv past the checkpoint are dropped. A damaged checkpoint is told on stderr and replaced by
        the previous one.

        Raises
        ------
        ValueError
            If no sound checkpoint is left, or the run cannot be continued so; then nothing was changed.
        """
        found = self._newest_sound_checkpoint(config, layout)
        if found is None:
            return None
        found.config.check_resumable(config, found.path)
        self._check_progress(found.state.updates, config)
        self._check_metrics(found)
        for damage in found.damages:
            going_on = f"going on from {found.path.name}, update {found.state.updates}"
            print(f"tinymeta: warning: {damage}; {going_on}", file=sys.stderr)
        self._go_back_to(found)
        self.write_config(config)
        return found.state

    def _newest_sound_checkpoint(self, config: Config, layout: Layout) -> _Found | None:
        damages = []
        for path in (self.checkpoint_path, self.previous_path):
            try:
                state, made = self.read_checkpoint(path, config, layout)
            except FileNotFoundError:  # none yet, or a crash between the two renames of a write
                continue
            except DamagedError as error:
                damages.append(str(error))
            else:
                return _Found(path, state, made, damages)
        if not damages and not self.finished:
            return None
        reason = "; ".join(damages) or f"{self.path} is finished and has no checkpoint"
        raise InputError(f"{reason}; no sound checkpoint is left, expected one, or --overwrite to begin anew")

    def _check_progress(self, updates: int, config: Config) -> None:
        if updates > config.settings.updates:
            done = f"the run in {self.path} has done {updates * config.settings.num_envs}"
            least = f"expected at least {updates * config.settings.num_envs}"
            raise InputError(f"trials = {config.settings.trials}, but {done}; {least}")

    def _check_metrics(self, found: _Found) -> None:
        size = self.metrics_path.stat().st_size if self.metrics_path.exists() else 0
        least = found.state.metrics_bytes
        if size < least:
            expected = f"expected at least the {least} of {found.path.name}"
            raise InputError(f"{self.metrics_path} has {size} bytes, {expected}")

    def _go_back_to(self, found: _Found) -> None:
        """Drop what is newer than a checkpoint, and make it the newest one."""
        with writing(self.path):
            for leftover in (self.result_path, *self._leftovers):
                leftover.unlink(missing_ok=True)
            if found.path == self.previous_path:  # it must not be replaced by what is damaged
                os.replace(self.previous_path, self.checkpoint_path)
            os.truncate(self.metrics_path, found.state.metrics_bytes)
            sync_folder(self.path)

    # ---------------------------------------------------------------- metrics, seconds, result

    def append_metrics(self, learner: Learner, statistics: np.ndarray) -> dict[str, float]:
        """Add one row to metrics.csv from the statistics (n, 8) of an interval's updates; returns the row."""
        row = metrics.metrics_row(learner, statistics)
        metrics.append(self.metrics_path, row)
        return row

    def sync_metrics(self) -> None:
        """Bring metrics.csv to the disk."""
        metrics.sync(self.metrics_path)

    def read_metrics(self) -> dict[str, np.ndarray]:
        """{column: array}, one entry per interval; see `tinymeta.runs.metrics.read`."""
        try:
            return metrics.read(self.metrics_path)
        except FileNotFoundError:
            raise InputError(f"{self.path} has no metrics.csv, expected a training run") from None

    def read_result(self) -> dict[str, Any]:
        """What result.json holds; see `tinymeta.runs.result`."""
        try:
            return check_result(read_json(self.result_path, RESULT_LIMIT), self.result_path)
        except FileNotFoundError:
            raise InputError(f"{self.path} has no result.json, expected a finished run") from None

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Finish the run."""
        write_whole(self.result_path, (json.dumps(result, indent=2, allow_nan=False) + "\n").encode())

    def read_timing(self) -> dict[str, float]:
        """{"train_seconds", "compile_seconds"} so far."""
        if not self.timing_path.exists():
            return dict.fromkeys(SECONDS, 0.0)
        return check_seconds(read_json(self.timing_path), self.timing_path)

    def write_timing(self, timing: Mapping[str, float]) -> None:
        """Keep the seconds so far."""
        write_whole(self.timing_path, (json.dumps(timing) + "\n").encode())
