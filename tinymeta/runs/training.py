"""Train one run into a run folder: interval by interval, with checkpoints, signals heeded between intervals, a test at the end."""

from tqdm import tqdm
import numpy as np
import signal
import threading
import time

from tinymeta.base.errors import InputError
from tinymeta.learning.agent import Agent
from tinymeta.learning.evaluation import evaluate
from tinymeta.learning.learner import Learner, STATISTICS, check_memory
from tinymeta.learning.wirings import make_layout
from tinymeta.runs.config import TRIALS_PER_ROW, build
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.loading import exact_for
from tinymeta.runs.result import SECONDS


NO_STATISTICS = np.empty((0, len(STATISTICS)))

class Interrupted(Exception):
    """A signal asked the run to stop, and its checkpoint is written."""

    def __init__(self, number):
        super().__init__(number)  # alone, so that the exception can cross to another process
        self.exit_code = 128 + number

    def __str__(self):
        return signal.Signals(self.args[0]).name

class _Signals:
    """Within it SIGINT and SIGTERM only leave a note, so that no write is cut in two; a second SIGINT acts at once."""

    def __enter__(self):
        self.received, self._before = None, {}
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def _note(self, number, frame):
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number

    def __exit__(self, *exception):
        for number, handler in self._before.items():
            signal.signal(number, handler)

def train(path, config, resume=False, overwrite=False, progress=False):
    """Train the run that `config` describes in folder `path`; returns what result.json holds.

    Parameters
    ----------
    path : str or Path
    config : Config
        See `tinymeta.configs.make_config`.
    resume : bool
        Continue a run from its newest sound checkpoint, also a finished one that `config` asks more trials of. One that has done what
        is asked is left as it is.
    overwrite : bool
        Begin anew where a run already exists.
    progress : bool
        Show a progress bar on stderr.

    Raises
    ------
    ValueError
        If the folder holds a run and neither `resume` nor `overwrite` is given, a resumed run was made with other settings or
        versions or is damaged, another process writes there, or the sizes do not fit into memory. Then nothing was changed.
    WriteError
        If the folder cannot be written to or the disk is full. The last checkpoint stays as it is.
    DivergenceError
        If a loss, gradient or parameter is not finite. The last checkpoint stays as it is.
    Interrupted
        After SIGINT or SIGTERM, with the checkpoint written.
    """
    folder, tasks, settings = RunFolder(path), build(config), config.settings
    check_memory(tasks, settings)
    check_place(folder, config, resume, overwrite)
    if resume and folder.finished_as(config):
        return folder.read_result()
    with folder.lock():
        check_place(folder, config, resume, overwrite)  # again: another process may have been here until now
        timing, state = dict.fromkeys(SECONDS, 0.0), None
        if resume and folder.exists:
            timing = folder.read_timing()
            state = folder.restore(config, make_layout(tasks, settings.agent, settings.hidden_size))
        if state is None:
            folder.create(config)
        learner = Learner(tasks, settings)
        timing["compile_seconds"] += learner.compile_seconds
        if state is not None:
            learner.restore(state.theta, state.first, state.second, state.updates, state.env_steps)
        _loop(folder, config, learner, timing, NO_STATISTICS if state is None else state.open_interval, progress)
        agent = Agent(tasks, settings.agent, learner.theta, settings.hidden_size)
        result = {
            "env": config.env, "agent": settings.agent, "train_seed": settings.seed, **timing,
            "env_steps": learner.env_steps_done, "trials": learner.trials_done, "updates": learner.updates_done,
            "evaluation": evaluate(agent, settings.gamma, seed=settings.seed, baselines=exact_for(config)),  # a luck of its own
        }  # fmt: skip
        folder.write_result(result)
    return result

def _loop(folder, config, learner, timing, opened, progress):
    """Advance piece by piece; a row of metrics.csv every interval, a checkpoint every few rows, at the end, and when a signal asks.

    `opened` (n, 8) are the statistics of the updates since the last whole interval. Where the run's length is no multiple of the
    interval they make a shorter last row. It is written after the last checkpoint, which has them as well: so a run that is
    continued with more trials drops that row and completes the interval.
    """
    settings = config.settings
    piece = max(1, TRIALS_PER_ROW // settings.num_envs)  # updates between two looks at the signals
    with _Signals() as signals, _bar(settings, learner, progress) as bar:
        last = time.perf_counter()
        while learner.updates_done < settings.updates:
            interval = config.log_interval - learner.updates_done % config.log_interval
            until = next((u for u in config.snapshot_updates if u > learner.updates_done), settings.updates)
            updates = min(interval, piece, until - learner.updates_done, settings.updates - learner.updates_done)
            opened = np.concatenate([opened, learner.advance(updates)])
            row_ended, finished = learner.updates_done % config.log_interval == 0, learner.updates_done == settings.updates
            bar.update(int(learner.trials_done) - bar.n)
            if row_ended:
                row = folder.append_metrics(learner, opened)
                opened = NO_STATISTICS
                bar.set_postfix(
                    {"reward/trial": f"{row['reward_per_trial']:.2f}", "steps/trial": f"{row['steps_per_trial']:.1f}"},
                    refresh=False,
                )
            if learner.updates_done in config.snapshot_updates:
                folder.write_snapshot(learner, config, opened)
            due = row_ended and learner.updates_done // config.log_interval % config.checkpoint_interval == 0
            if due or finished or signals.received:
                now = time.perf_counter()
                timing["train_seconds"] += now - last
                last = now
                folder.write_checkpoint(learner, config, opened)
                folder.write_timing(timing)
            if signals.received and not finished:
                raise Interrupted(signals.received)
        if len(opened):
            folder.append_metrics(learner, opened)
        folder.sync_metrics()

def _bar(settings, learner, progress):
    """A tqdm bar in trials; `disable=None` keeps it silent where stderr is no terminal."""
    return tqdm(total=settings.updates * settings.num_envs, initial=learner.trials_done, unit="trial", unit_scale=True,
                desc=f"{learner.tasks.name} {settings.agent} seed {settings.seed}", disable=None if progress else True)  # fmt: skip

def check_place(folder, config, resume, overwrite):
    """Refuse to begin or go on in a folder where `train` must not; see there."""
    if overwrite or not folder.exists:
        return
    if not resume:
        state = "a finished" if folder.finished else "an unfinished"
        raise InputError(
            f"{folder.path} holds {state} run; expected an empty place, --resume to continue it or --overwrite to drop it"
        )
    folder.check_resumable(config)
