"""Many seeds of one run, in parallel, through the standard `concurrent.futures.Executor` interface.

The default executor is a pool of processes on this machine, each with one thread for numba and BLAS; a cluster's
executor can be handed in unchanged. A seed that fails, or whose process is killed, is reported and does not take the
others along: each local process is an executor of its own that has one seed at a time, so it is known whose process
died. Such a seed is resumed once, because the machine may have been short of memory for a moment; if its process dies
again it is reported.

After SIGINT or SIGTERM the running seeds write their checkpoints and stop. On Windows, where a process cannot be
asked to, they are ended, and go on from the checkpoints that they had.
"""

import collections
import contextlib
import dataclasses
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    as_completed,
    wait,
)
from pathlib import Path
from typing import Any, NamedTuple

from tinymeta.base.errors import integer
from tinymeta.base.files import AnyPath
from tinymeta.base.locks import FolderLock
from tinymeta.base.processes import cores, one_thread_each
from tinymeta.runs.config import Config
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.interrupts import Interrupted, raising_signals
from tinymeta.runs.progress import Report, progress_bar
from tinymeta.runs.training import check_folder, train

ATTEMPTS = 2  # how often a seed is begun whose process dies

Result = dict[str, Any]  # what a result.json holds
Key = tuple[str, int]  # a sweep's name and a seed


class Job(NamedTuple):
    """The arguments of `train`."""

    path: str
    config: Config
    resume: bool
    overwrite: bool


class SweepError(RuntimeError):
    """Some seeds did not finish.

    Attributes
    ----------
    failures : {seed: what happened}
    results : {seed: result of one that finished}
        Of several sweeps the keys are (name, seed).
    """

    def __init__(self, failures: Mapping[Any, str], results: Mapping[Any, Result]) -> None:
        lines = [f"{_named(key)}: {reason}" for key, reason in sorted(failures.items())]
        count = len(failures) + len(results)
        super().__init__(f"{len(failures)} of {count} seeds did not finish: {'; '.join(lines)}")
        self.failures = failures
        self.results = results


def _named(key: Key | int) -> str:
    return f"{key[0]}, seed {key[1]}" if isinstance(key, tuple) else f"seed {key}"


def sweep(
    path: AnyPath,
    config: Config,
    seeds: int,
    workers: int | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
    say_new: Callable[[], None] | None = None,
) -> dict[int, Result]:
    """Train seeds S…S+seeds-1 of `config`, whose own seed is S, into path/seed-<k>.

    Parameters
    ----------
    path, config, seeds
        The config's seed is the first one.
    workers : int, optional
        Processes; as many as there are cores by default.
    executor : concurrent.futures.Executor, optional
        Where to run instead of a local pool; it is not shut down. Its workers must see `path` under the same name.
    resume, overwrite : bool
        See `tinymeta.runs.training.train`.
    progress : bool
        Show one progress line on stderr, in finished seeds.
    say_new : callable, optional
        Called if `resume` was asked for and no seed has a run yet.

    Returns
    -------
    {seed: what its result.json holds}

    Raises
    ------
    SweepError
        If some seeds failed; all others have finished.
    ValueError
        If a folder holds a run that may not be touched, or another sweep runs in `path`; then nothing has started.
    Interrupted
        After SIGINT or SIGTERM; running seeds have written their checkpoints.
    """
    workers = _checked(workers)
    jobs = _jobs("", path, config, seeds, resume, overwrite)
    if resume and say_new is not None and not any(RunFolder(job.path).exists for job in jobs.values()):
        say_new()
    description = f"{config.env} {config.settings.agent}, {seeds} seeds"
    results, failures = _run([path], jobs, workers, executor, description, progress)
    if failures:
        raise SweepError(_seeds(failures), _seeds(results))
    return dict(sorted(_seeds(results).items()))


def sweeps(
    wanted: Mapping[str, tuple[AnyPath, Config, int]],
    workers: int | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> dict[str, dict[int, Result]]:
    """Several sweeps through one queue, {name: (path, config, seeds)}; see `sweep`. Returns {name: {seed: result}}.

    Begun in the order given: the longest first leave no core idle at the end.
    """
    workers = _checked(workers)
    jobs: dict[Key, Job] = {}
    for name, (path, config, seeds) in wanted.items():
        jobs |= _jobs(name, path, config, seeds, resume, overwrite)
    folders = [path for path, _, _ in wanted.values()]
    results, failures = _run(folders, jobs, workers, executor, f"{len(wanted)} sweeps", progress)
    if failures:
        raise SweepError(failures, results)
    return {name: {seed: result for (of, seed), result in sorted(results.items()) if of == name} for name in wanted}


def _checked(workers: int | None) -> int:
    return integer("workers", cores() if workers is None else workers, 1, 4096)


def _seeds(values: Mapping[Key, Any]) -> dict[int, Any]:
    """The values of the one sweep there is, by seed."""
    return {seed: value for (_, seed), value in values.items()}


def _jobs(name: str, path: AnyPath, config: Config, seeds: int, resume: bool, overwrite: bool) -> dict[Key, Job]:
    """A job per seed, in folders where it may run."""
    jobs = {}
    first = config.settings.seed
    for seed in range(first, first + integer("seeds", seeds, 1, 100_000)):
        own = dataclasses.replace(config, settings=dataclasses.replace(config.settings, seed=seed))
        folder = Path(path) / f"seed-{seed}"
        check_folder(RunFolder(folder), own, resume, overwrite)
        jobs[name, seed] = Job(str(folder), own, resume, overwrite)
    return jobs


def _run(
    folders: Iterable[AnyPath],
    jobs: Mapping[Key, Job],
    workers: int,
    executor: Executor | None,
    description: str,
    progress: bool,
) -> tuple[dict[Key, Result], dict[Key, str]]:
    """Do all jobs while the folders are locked; ({key: result}, {key: what happened to it})."""
    with contextlib.ExitStack() as held:
        for folder in folders:
            held.enter_context(FolderLock(folder))
        report = held.enter_context(progress_bar(len(jobs), "seed", description, show=progress))
        harvest = _Harvest(report)
        if executor is None:
            _run_here(min(workers, len(jobs)), jobs, harvest)
        else:
            _run_elsewhere(executor, jobs, harvest)
    return harvest.results, harvest.failures


class _Harvest:
    """Results and failures as they come in."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.results: dict[Key, Result] = {}
        self.failures: dict[Key, str] = {}

    def collect(self, key: Key, future: "Future[Result]") -> bool:
        """Take a finished future's result or failure; False if it has neither, being lost with its process."""
        try:
            result = future.result()
        except (BrokenExecutor, CancelledError):
            return False
        except Interrupted:
            raise
        except Exception as error:  # whatever ended one seed must not end the others; it is reported with its name
            self.fail(key, f"{type(error).__name__}: {error}")
        else:
            self.results[key] = result
            reward = result["evaluation"]["reward_per_trial"]["mean"]
            self._tell({"reward/trial": f"{reward:.2f}"})
        return True

    def fail(self, key: Key, reason: str) -> None:
        self.failures[key] = reason
        self._tell({})

    def _tell(self, notes: Mapping[str, str]) -> None:
        self._report(len(self.results) + len(self.failures), notes)


def _run_elsewhere(executor: Executor, jobs: Mapping[Key, Job], harvest: _Harvest) -> None:
    """Submit every job to somebody's executor and collect what comes; what it loses is reported."""
    key_of = {executor.submit(train, *job): key for key, job in jobs.items()}
    for future in as_completed(key_of):
        if not harvest.collect(key_of[future], future):
            harvest.fail(key_of[future], "its process died")


def _run_here(workers: int, jobs: Mapping[Key, Job], harvest: _Harvest) -> None:
    """Share the jobs out among `workers` processes of this machine."""
    others = set(multiprocessing.active_children())
    with one_thread_each(), raising_signals(), contextlib.ExitStack() as processes:
        try:
            _Pool(workers, jobs, harvest, processes).run()
        except BaseException:
            for process in set(multiprocessing.active_children()) - others:
                if process.pid is not None:
                    os.kill(process.pid, signal.SIGTERM)  # a running seed writes its checkpoint, then stops
            raise


class _Pool:
    """Processes with one seed at a time; one that died is replaced, and its seed begun again."""

    def __init__(
        self, workers: int, jobs: Mapping[Key, Job], harvest: _Harvest, processes: contextlib.ExitStack
    ) -> None:
        self._workers = workers
        self._jobs = jobs
        self._harvest = harvest
        self._processes = processes
        self._waiting = collections.deque((key, 1) for key in jobs)  # (key, attempt)
        self._idle: list[ProcessPoolExecutor] = []
        self._running: dict[Future[Result], tuple[Key, int, ProcessPoolExecutor]] = {}

    def run(self) -> None:
        while self._waiting or self._running:
            while self._waiting and len(self._running) < self._workers:
                self._begin_next()
            for future in wait(self._running, return_when=FIRST_COMPLETED).done:
                self._end(future)

    def _begin_next(self) -> None:
        process = self._idle.pop() if self._idle else self._processes.enter_context(_new_process())
        key, attempt = self._waiting[0]
        job = self._jobs[key]
        if attempt > 1:
            job = job._replace(resume=True, overwrite=False)
        with contextlib.suppress(BrokenExecutor):  # it died between two seeds; the next one will do
            self._running[process.submit(train, *job)] = key, attempt, process
            self._waiting.popleft()

    def _end(self, future: "Future[Result]") -> None:
        key, attempt, process = self._running.pop(future)
        if self._harvest.collect(key, future):
            self._idle.append(process)
        elif attempt < ATTEMPTS:
            self._waiting.append((key, attempt + 1))
        else:
            self._harvest.fail(key, f"its process died {ATTEMPTS} times")


def _new_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_ignore_interrupts)


def _ignore_interrupts() -> None:
    """In a worker between seeds an interrupt is the parent's to handle. While a seed trains, `train` takes
    signals."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
