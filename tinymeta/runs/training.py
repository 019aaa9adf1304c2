"""Train one run into a run folder: piece by piece, checkpoints on the way, signals heeded in between, a test at the
end.

A piece is some updates, at most up to the next event: the end of an interval (a row of metrics.csv, every few of them
a checkpoint), a snapshot, the end of the run. How updates are grouped into pieces changes no bit, so neither do
signals, crashes and --resume.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.base.files import AnyPath
from tinymeta.environments.kinds import AnyWorld
from tinymeta.learning.evaluation import evaluate
from tinymeta.learning.learner import STATISTICS, Learner, check_memory
from tinymeta.runs.config import TRIALS_PER_ROW, Config, build
from tinymeta.runs.event_log import EventLog, check_tensorboard
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.interrupts import Interrupted, Paused, SignalNote
from tinymeta.runs.loading import exact_for
from tinymeta.runs.progress import progress_bar
from tinymeta.runs.result import SECONDS

NO_STATISTICS = np.empty((0, len(STATISTICS)))


def train(
    path: AnyPath,
    config: Config,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
    say_new: Callable[[], None] | None = None,
    tensorboard: bool = False,
    pause: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Train the run that `config` describes in folder `path`; returns what result.json holds.

    Parameters
    ----------
    path, config
        See `tinymeta.runs.config.make_config`.
    resume, overwrite : bool
        Continue a run from its newest sound checkpoint, also a finished one that `config` asks more trials of. One
        that has done what is asked is left as it is; where there is none it is begun. Or begin anew.
    progress : bool
        Show a progress bar on a terminal's stderr.
    say_new : callable, optional
        Called if `resume` was asked for, and a run is begun because there was none.
    tensorboard : bool
        Write an event file too, see `tinymeta.runs.event_log`; nothing else depends on it.
    pause : callable, optional
        Asked now and then whether the run is to pause.

    Raises
    ------
    ValueError
        If the folder holds a run and neither `resume` nor `overwrite` is given, a resumed run was made with other
        settings or versions or is damaged, the folder is in use, or sizes do not fit into memory; nothing was changed.
    WriteError, DivergenceError
        If the folder cannot be written to, or a number is not finite. The last checkpoint stays as it is.
    Interrupted, Paused
        After SIGINT or SIGTERM, or `pause`, with the checkpoint written.
    """
    folder = RunFolder(path)
    tasks = _checked_tasks(config, tensorboard)
    check_folder(folder, config, resume, overwrite)
    if resume and folder.finished_as(config):
        return leave_finished(folder, tensorboard)
    with folder.lock():
        check_folder(folder, config, resume, overwrite)  # again: another process may have been here until now
        if resume and not folder.exists and say_new is not None:
            say_new()
        run = _Run(folder, config, tasks, resume, tensorboard)
        run.train(progress, pause)
        return run.finish()


def _checked_tasks(config: Config, tensorboard: bool) -> AnyWorld:
    """The run's task set, if there is what it takes to train on it."""
    if tensorboard:
        check_tensorboard()
    tasks = build(config)
    check_memory(tasks, config.settings)
    return tasks


def leave_finished(folder: RunFolder, tensorboard: bool) -> dict[str, Any]:
    """What result.json holds of a run that has done what is asked; with `tensorboard` its rows become events."""
    result = folder.read_result()
    if tensorboard:
        with folder.lock():
            EventLog(folder.path, result["train_seconds"])
    return result


def check_folder(folder: RunFolder, config: Config, resume: bool, overwrite: bool) -> None:
    """Refuse to begin or go on in a folder where `train` must not; see there."""
    if overwrite or not folder.exists:
        return
    if not resume:
        state = "a finished" if folder.finished else "an unfinished"
        expected = "expected an empty place, --resume to continue it or --overwrite to drop it"
        raise InputError(f"{folder.path} holds {state} run; {expected}")
    folder.check_resumable(config)


class _Run:
    """A run in progress: its learner, and what its folder does not know yet.

    Attributes
    ----------
    open_interval : array of shape (n, 8)
        Statistics of the updates since the last whole interval.
    timing : dict
        Seconds up to the last checkpoint.
    """

    def __init__(self, folder: RunFolder, config: Config, tasks: AnyWorld, resume: bool, tensorboard: bool) -> None:
        settings = config.settings
        state = None
        self.timing = dict.fromkeys(SECONDS, 0.0)
        if resume and folder.exists:
            self.timing = folder.read_timing()
            state = folder.restore(config, settings.layout(tasks))
        if state is None:
            folder.create(config)
        self.folder = folder
        self.config = config
        self.learner = Learner(tasks, settings)
        self.timing["compile_seconds"] += self.learner.compile_seconds
        self.open_interval = NO_STATISTICS
        if state is not None:
            self.learner.restore(*state[:5], state.kept)
            self.open_interval = state.open_interval
        self._log = EventLog(folder.path, self.timing["train_seconds"]) if tensorboard else None

    @property
    def finished(self) -> bool:
        return self.learner.updates_done == self.config.settings.updates

    def train(self, progress: bool, pause: Callable[[], bool] | None) -> None:
        """Advance to the end, a signal or a pause."""
        settings = self.config.settings
        description = f"{self.learner.tasks.name} {settings.agent} seed {settings.seed}"
        trials = settings.updates * settings.num_envs
        done = self.learner.trials_done
        with SignalNote() as signals, progress_bar(trials, "trial", description, done, True, progress) as report:
            self._since = time.perf_counter()
            while not self.finished:
                report(*self._advance())
                to_pause = pause is not None and pause()
                if self._checkpoint_is_due() or signals.received or to_pause:
                    self._write_checkpoint()
                if signals.received and not self.finished:
                    raise Interrupted(signals.received)
                if to_pause and not self.finished:
                    raise Paused(self.learner.trials_done)
        self._close()

    def _advance(self) -> tuple[int, dict[str, str]]:
        """Do one piece; returns the trials done and, at a row's end, what it says."""
        notes = {}
        statistics = self.learner.advance(self._piece())
        self.open_interval = np.concatenate([self.open_interval, statistics])
        if self._row_ended():
            row = self._append_row()
            self.open_interval = NO_STATISTICS
            notes = {"reward/trial": f"{row['reward_per_trial']:.2f}", "steps/trial": f"{row['steps_per_trial']:.1f}"}
        if self.learner.updates_done in self.config.snapshot_updates:
            self.folder.write_snapshot(self.learner, self.config, self.open_interval)
        return self.learner.trials_done, notes

    def _piece(self) -> int:
        """Updates until something is to be done, or the signals are to be looked at."""
        done = self.learner.updates_done
        total = self.config.settings.updates
        look = max(1, TRIALS_PER_ROW // self.config.settings.num_envs)
        row = self.config.log_interval - done % self.config.log_interval
        snapshot = next((update for update in self.config.snapshot_updates if update > done), total) - done
        return min(look, row, snapshot, total - done)

    def _row_ended(self) -> bool:
        return self.learner.updates_done % self.config.log_interval == 0

    def _checkpoint_is_due(self) -> bool:
        rows = self.learner.updates_done // self.config.log_interval
        return self.finished or (self._row_ended() and rows % self.config.checkpoint_interval == 0)

    def _write_checkpoint(self) -> None:
        now = time.perf_counter()
        self.timing["train_seconds"] += now - self._since
        self._since = now
        self.folder.write_checkpoint(self.learner, self.config, self.open_interval)
        self.folder.write_timing({**self.timing, "env_steps": self.learner.env_steps_done})

    def _close(self) -> None:
        """Where the run's length is no multiple of the interval, the updates since the last one make a shorter last
        row.

        It is written after the last checkpoint, which has them as well: so a run that is continued with more trials
        drops that row and completes the interval.
        """
        if len(self.open_interval):
            self._append_row()
        self.folder.sync_metrics()

    def _append_row(self) -> dict[str, float]:
        row = self.folder.append_metrics(self.learner, self.open_interval)
        if self._log is not None:
            self._log.add(row)
        return row

    def finish(self) -> dict[str, Any]:
        """Write result.json; returns what it holds."""
        self.learner.close()
        result = self._result()
        self.folder.write_result(result)
        return result

    def _result(self) -> dict[str, Any]:
        """The counters, the seconds, and the test of the frozen weights."""
        learner = self.learner
        settings = self.config.settings
        agent = learner.agent()
        exact = exact_for(self.config)
        test = evaluate(agent, settings.gamma, self.config.test_trials, settings.seed, baselines=exact)
        return {
            "env": self.config.env,
            "agent": settings.agent,
            "train_seed": settings.seed,
            **self.timing,
            "env_steps": learner.env_steps_done,
            "trials": learner.trials_done,
            "updates": learner.updates_done,
            "evaluation": test,
        }
