"""Train one run into a run folder: interval by interval, with checkpoints, signals heeded between intervals, a test at the end."""

import json
import signal
import threading
import time

from tqdm import tqdm

from tinymeta.errors import InputError
from tinymeta.evaluate import evaluate
from tinymeta.learner import Learner
from tinymeta.policies import Agent
from tinymeta.runs import RunFolder, build, write_whole


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
        See `tinymeta.runs.make_config`.
    resume : bool
        Continue an unfinished run from its checkpoint; a finished one is left as it is.
    overwrite : bool
        Begin anew where a run already exists.
    progress : bool
        Show a progress bar on stderr.

    Raises
    ------
    ValueError
        If the folder holds a run and neither `resume` nor `overwrite` is given, or a resumed run was made with other settings.
    DivergenceError
        If a loss, gradient or parameter is not finite. The last checkpoint stays as it is.
    Interrupted
        After SIGINT or SIGTERM, with the checkpoint written.
    """
    folder, tasks = RunFolder(path), build(config)
    check_place(folder, config, resume, overwrite)
    if folder.finished and not overwrite:
        return folder.read_result()
    learner = Learner(tasks, config.settings)
    if folder.exists and resume and not overwrite:
        timing = folder.read_timing()
        if folder.checkpoint_path.exists():
            folder.restore(learner)
        else:
            folder.create(config)
    else:
        timing = {"train_seconds": 0.0, "compile_seconds": 0.0}
        folder.create(config)
    timing["compile_seconds"] += learner.compile_seconds
    _loop(folder, config, learner, timing, progress)
    agent = Agent(tasks, config.settings.agent, learner.theta, config.settings.hidden_size)
    result = {
        "env": config.env, "agent": config.settings.agent, "train_seed": config.settings.seed, **timing,
        "env_steps": learner.env_steps_done, "trials": learner.trials_done, "updates": learner.updates_done,
        "evaluation": evaluate(agent, config.settings.gamma, seed=config.settings.seed),  # each seed has a test luck of its own
    }  # fmt: skip
    write_whole(folder.result_path, (json.dumps(result, indent=2, allow_nan=False) + "\n").encode())
    return result


def _loop(folder, config, learner, timing, progress):
    """Advance interval by interval; checkpoint every few intervals, at the end, and when a signal asks to stop."""
    settings = config.settings
    with _Signals() as signals, _bar(settings, learner, progress) as bar:
        last = time.perf_counter()
        while learner.updates_done < settings.updates:
            interval = config.log_interval - learner.updates_done % config.log_interval
            statistics = learner.advance(min(interval, settings.updates - learner.updates_done))
            row = folder.append_metrics(learner, statistics)
            bar.update(int(learner.trials_done) - bar.n)
            bar.set_postfix(
                {"reward/trial": f"{row['reward_per_trial']:.2f}", "steps/trial": f"{row['steps_per_trial']:.1f}"}, refresh=False
            )
            due = learner.updates_done // config.log_interval % config.checkpoint_interval == 0
            if due or signals.received or learner.updates_done == settings.updates:
                now = time.perf_counter()
                timing["train_seconds"] += now - last
                last = now
                folder.write_checkpoint(learner)
                write_whole(folder.timing_path, (json.dumps(timing) + "\n").encode())
            if signals.received and learner.updates_done < settings.updates:
                raise Interrupted(signals.received)


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
    difference = folder.read_config().difference(config)
    if difference is not None:
        name, then, asked = difference
        raise InputError(
            f"{folder.config_path}: the run was made with {name} = {then!r}, and --resume was asked to go on with {asked!r}"
        )
