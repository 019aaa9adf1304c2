"""Run folders: what a training run was asked to do, how it went, and the weights it ended with.

    config.json      all settings, versions, seed
    metrics.csv      one row an interval of updates; a pure function of the settings, bit for bit
    checkpoint.npz   weights (PyTorch's names and shapes), optimiser moments, counters; see `tinymeta.checkpoints`
    checkpoint.previous.npz   the one before, for the case that the newest is damaged
    snapshots/       with --snapshots N: update-<k>.npz, checkpoints from along the way
    timing.json      seconds so far; kept apart, so that checkpoints of equal runs are equal files
    result.json      written last; a run that has it is finished
    lock             while a process trains here: its pid and host

metrics.csv is appended to, and cut back to the checkpoint on resuming. Every other file is replaced whole (temporary file, fsync,
rename), so that a crash leaves the old one or the new one. Files are read as a stranger's: bounded, by name, without unpickling.
docs/reliability.md lists what is promised.
"""

import json
import math
import numpy as np
import os
import sys

from tinymeta.base.errors import InputError, real
from tinymeta.base.files import checked_path, parse_json, read_bounded, read_json, sync_folder, write_whole, writing
from tinymeta.base.locks import FolderLock
from tinymeta.learning.agent import Agent
from tinymeta.learning.settings import DTYPES
from tinymeta.learning.wirings import make_layout
from tinymeta.runs.checkpoint import Checkpoint, DamagedError
from tinymeta.runs.config import MAY_CHANGE, build, parse_config
from tinymeta.runs.metrics import METRICS, _number, metrics_row
from tinymeta.runs.result import SECONDS, check_result
from tinymeta.runs import checkpoint as checkpoints


METRICS_LIMIT, RESULT_LIMIT = 2**28, 2**26  # bytes of a metrics.csv and a result.json that are read

class RunFolder:
    """The files of one run; see the module's docstring."""

    def __init__(self, path):
        self.path = checked_path("run folder", path)
        self.config_path, self.metrics_path = self.path / "config.json", self.path / "metrics.csv"
        self.checkpoint_path, self.previous_path = self.path / "checkpoint.npz", self.path / "checkpoint.previous.npz"
        self.result_path, self.timing_path = self.path / "result.json", self.path / "timing.json"
        self.snapshots_path = self.path / "snapshots"

    @property
    def _files(self):
        return (
            self.result_path, self.previous_path, self.checkpoint_path, self.timing_path, self.metrics_path, self.config_path,
        )  # fmt: skip

    @property
    def _leftovers(self):
        """What a crash in the middle of a write may leave."""
        return [path.with_name(path.name + ".tmp") for path in self._files]

    @property
    def exists(self):
        return any(path.exists() for path in self._files)

    @property
    def finished(self):
        return self.result_path.exists()

    @property
    def last_checkpoint(self):
        """Path of the newest checkpoint, or None. A crash between two renames leaves only the previous one."""
        return next((path for path in (self.checkpoint_path, self.previous_path) if path.exists()), None)

    def lock(self):
        """The right to write here; see `tinymeta.files.FolderLock`."""
        return FolderLock(self.path)

    def create(self, config):
        """Make the folder for a new run, dropping an earlier run's files."""
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            for path in (*self._files, *self._leftovers, *self.snapshots_path.glob("update-*")):
                path.unlink(missing_ok=True)
        write_whole(self.config_path, config.to_json().encode())
        write_whole(self.metrics_path, (",".join(METRICS) + "\n").encode())

    def read_config(self):
        """The run's `Config`; see `parse_config`."""
        try:
            flat = read_json(self.config_path)
        except FileNotFoundError:
            raise InputError(f"{self.path} is no run folder, expected one with a config.json") from None
        return parse_config(flat, self.config_path)

    def write_checkpoint(self, learner, config, open_interval):
        """Write what is needed to go on, after making sure that metrics.csv is on the disk. The checkpoint before is kept.

        `open_interval` (n, 8) are the statistics of the updates that no row of metrics.csv tells of yet.
        """
        self.sync_metrics()
        write_whole(self.checkpoint_path, self._state(learner, config, open_interval), self.previous_path)

    def _state(self, learner, config, open_interval):
        state = Checkpoint(learner.theta, learner.first, learner.second, learner.updates_done, learner.env_steps_done,
                           self.metrics_path.stat().st_size, open_interval, config.to_json().encode())  # fmt: skip
        return checkpoints.write(state, learner.layout)

    def write_snapshot(self, learner, config, open_interval):
        """Keep the network as it is now."""
        with writing(self.snapshots_path):
            self.snapshots_path.mkdir(exist_ok=True)
        write_whole(self.snapshots_path / f"update-{learner.updates_done}.npz", self._state(learner, config, open_interval))

    def load_snapshots(self):
        """[(updates, Agent)] of all snapshots, in the order of training."""
        config = self.read_config()
        tasks, settings = build(config), config.settings
        layout, agents = make_layout(tasks, settings.agent, settings.hidden_size), []
        for path in self.snapshots_path.glob("update-*.npz"):
            state, _ = self.read_checkpoint(path, config, layout)
            agents.append((state.updates, Agent(tasks, settings.agent, state.theta, settings.hidden_size)))
        return sorted(agents, key=lambda pair: pair[0])

    def read_checkpoint(self, path, config, layout):
        """The `Checkpoint` in one of the two files, and the `Config` it was made with.

        Raises
        ------
        FileNotFoundError
        DamagedError
            If it is not what was written; see `tinymeta.checkpoints.read`.
        ValueError
            If it is of another format, or was made with other settings than `config`.
        """
        state = checkpoints.read(path, layout, DTYPES[config.settings.dtype], config.log_interval)
        made = parse_config(parse_json(state.config, path), path)
        difference = made.difference(config, MAY_CHANGE)
        if difference is not None:
            name, there, here = difference
            raise InputError(f"{path} was made with {name} = {there!r}, expected the run's own {here!r}")
        return state, made

    def restore(self, config, layout):
        """Make the folder ready to go on as `config` asks; returns the `Checkpoint` to go on from, None if there is none yet.

        Rows of metrics.csv past the checkpoint are dropped. A damaged checkpoint is told on stderr and replaced by the previous one.

        Raises
        ------
        ValueError
            If no sound checkpoint is left, or the run cannot be continued so; then nothing was changed.
        """
        damages = []
        for path in (self.checkpoint_path, self.previous_path):
            try:
                state, made = self.read_checkpoint(path, config, layout)
                break
            except FileNotFoundError:  # no checkpoint yet, or a crash between the two renames of a write
                continue
            except DamagedError as error:
                damages.append(str(error))
        else:
            if not damages and not self.finished:
                return None
            what = "; ".join(damages) or f"{self.path} is finished and has no checkpoint"
            raise InputError(f"{what}; no sound checkpoint is left, expected one, or --overwrite to begin anew")
        made.check_resumable(config, path)
        self._check_progress(state.updates, config)
        size = self.metrics_path.stat().st_size if self.metrics_path.exists() else 0
        if size < state.metrics_bytes:
            raise InputError(f"{self.metrics_path} has {size} bytes, expected at least the {state.metrics_bytes} of {path.name}")
        for damage in damages:
            print(f"tinymeta: warning: {damage}; going on from {path.name}, update {state.updates}", file=sys.stderr)
        with writing(self.path):
            for leftover in (self.result_path, *self._leftovers):
                leftover.unlink(missing_ok=True)
            if path == self.previous_path:  # it is the newest now, and must not be replaced by what is damaged
                os.replace(self.previous_path, self.checkpoint_path)
            os.truncate(self.metrics_path, state.metrics_bytes)
            sync_folder(self.path)
        write_whole(self.config_path, config.to_json().encode())
        return state

    def check_resumable(self, config):
        """Refuse if --resume must not go on here as `config` asks, as far as can be told without reading weights."""
        self.read_config().check_resumable(config, self.config_path)
        if self.finished:
            self._check_progress(self.read_result()["updates"], config)

    def _check_progress(self, updates, config):
        if updates > config.settings.updates:
            done = updates * config.settings.num_envs
            raise InputError(
                f"trials = {config.settings.trials}, but the run in {self.path} has done {done}; expected at least {done}"
            )

    def finished_as(self, config):
        """True if there is nothing left to do for `config`."""
        return self.finished and self.read_result()["updates"] == config.settings.updates

    def append_metrics(self, learner, statistics):
        """Add one row to metrics.csv from the statistics of an interval's updates; returns the row as a dict."""
        row = metrics_row(learner, statistics)
        with writing(self.metrics_path), open(self.metrics_path, "a", encoding="utf-8") as file:
            file.write(",".join(repr(value) for value in row.values()) + "\n")
        return row

    def sync_metrics(self):
        with writing(self.metrics_path), open(self.metrics_path, "rb") as file:
            os.fsync(file.fileno())

    def read_metrics(self):
        """{column: array}, one entry per interval.

        Raises
        ------
        ValueError
            If the file is missing or a line is not what `append_metrics` writes; names the line.
        """
        try:
            lines = read_bounded(self.metrics_path, METRICS_LIMIT).decode("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            raise InputError(f"{self.path} has no metrics.csv, expected a training run") from None
        if not lines or lines[0] != ",".join(METRICS):
            raise InputError(f"{self.metrics_path} does not begin with the columns {', '.join(METRICS)}")
        rows = []
        for number, line in enumerate(lines[1:], 2):
            cells = line.split(",")
            if len(cells) != len(METRICS):
                raise InputError(f"{self.metrics_path}, line {number}: {len(cells)} columns, expected {len(METRICS)}")
            try:
                rows.append([float(cell) for cell in cells])
            except ValueError:
                rows.append([math.nan])
            if not math.isfinite(sum(rows[-1])):
                for name, cell in zip(METRICS, cells, strict=True):
                    _number(f"{self.metrics_path}, line {number}: {name}", cell)  # the one to blame is named
        return dict(zip(METRICS, np.array(rows).reshape(-1, len(METRICS)).T, strict=True))

    def read_result(self):
        """What result.json holds; see `check_result`."""
        try:
            return check_result(read_json(self.result_path, RESULT_LIMIT), self.result_path)
        except FileNotFoundError:
            raise InputError(f"{self.path} has no result.json, expected a finished run") from None

    def write_result(self, result):
        write_whole(self.result_path, (json.dumps(result, indent=2, allow_nan=False) + "\n").encode())

    def read_timing(self):
        """{"train_seconds", "compile_seconds"} so far."""
        if not self.timing_path.exists():
            return dict.fromkeys(SECONDS, 0.0)
        stored = read_json(self.timing_path)
        return {name: real(f"{self.timing_path}: {name}", stored.get(name), low=0) for name in SECONDS}

    def write_timing(self, timing):
        write_whole(self.timing_path, (json.dumps(timing) + "\n").encode())
