"""Many seeds of one run, in parallel, through the standard `concurrent.futures.Executor` interface.

The default executor is a pool of processes on this machine, each with one thread for numba and BLAS; another one can
be handed in unchanged, or the work be given to a Dask cluster (`tinymeta.runs.cluster`). A seed that fails, or whose
process is killed, is reported and does not take the others along: each local process is an executor of its own that
has one seed at a time, so it is known whose process died. Such a seed is resumed once, because the machine may have
been short of memory for a moment; if its process dies again it is reported.

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
from tinymeta.runs.cluster import as_begun, connected, run_on_cluster
from tinymeta.runs.config import Config
from tinymeta.runs.event_log import check_tensorboard
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.interrupts import raising_signals
from tinymeta.runs.jobs import Harvest, Job, Key, Result, SweepError
from tinymeta.runs.progress import progress_bar
from tinymeta.runs.training import check_folder, train

ATTEMPTS = 2  # how often a seed is begun whose process dies


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
    tensorboard: bool = False,
    cluster: str | None = None,
) -> dict[int, Result]:
    """Train seeds S…S+seeds-1 of `config`, whose own seed is S, into path/seed-<k>.

    Parameters
    ----------
    path, config, seeds, workers
        The config's seed is the first one. There are as many workers as cores if nothing is said.
    executor : concurrent.futures.Executor, optional
        Where to run instead; it is not shut down. Its workers must see `path` under the same name.
    resume, overwrite, say_new, tensorboard
        See `tinymeta.runs.training.train`; here `say_new` is called if no seed has a run yet.
    progress : bool
        Show one progress line on stderr, in finished seeds.
    cluster : str, optional
        Where to run instead: the address of a Dask scheduler, or "local"; see `tinymeta.runs.cluster`.

    Returns
    -------
    {seed: what its result.json holds}

    Raises
    ------
    SweepError
        If some seeds failed; all others have finished.
    ValueError
        If a folder holds a run that may not be touched, another sweep runs there, or no cluster answers; nothing began.
    Interrupted
        After SIGINT or SIGTERM; running seeds have written their checkpoints.
    """
    place = _Place(_checked(workers), executor, cluster)
    jobs = _jobs("", path, config, seeds, place, resume, overwrite, tensorboard)
    if not resume or any(RunFolder(job.path).exists for job in jobs.values()):
        say_new = None
    what = f"{config.env} {config.settings.agent}, {seeds} seeds"
    results, failures = _run([path], jobs, place, what, progress, say_new)
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
    cluster: str | None = None,
) -> dict[str, dict[int, Result]]:
    """Several sweeps through one queue, {name: (path, config, seeds)}; see `sweep`. Returns {name: {seed: result}}.

    Begun in the order given: the longest first leave no core idle at the end.
    """
    place = _Place(_checked(workers), executor, cluster)
    jobs: dict[Key, Job] = {}
    for name, (path, config, seeds) in wanted.items():
        jobs |= _jobs(name, path, config, seeds, place, resume, overwrite)
    folders = [path for path, _, _ in wanted.values()]
    results, failures = _run(folders, jobs, place, f"{len(wanted)} sweeps", progress)
    if failures:
        raise SweepError(failures, results)
    return {name: {seed: result for (of, seed), result in sorted(results.items()) if of == name} for name in wanted}


class _Place(NamedTuple):
    """Where a sweep's runs are trained."""

    workers: int
    executor: Executor | None
    cluster: str | None


def _checked(workers: int | None) -> int:
    return integer("workers", cores() if workers is None else workers, 1, 4096)


def _seeds(values: Mapping[Key, Any]) -> dict[int, Any]:
    """The values of the one sweep there is, by seed."""
    return {seed: value for (_, seed), value in values.items()}


def _jobs(
    name: str,
    path: AnyPath,
    config: Config,
    seeds: int,
    place: _Place,
    resume: bool,
    overwrite: bool,
    tensorboard: bool = False,
) -> dict[Key, Job]:
    """A job per seed, in folders where it may run."""
    if tensorboard:
        check_tensorboard()
    jobs = {}
    first = config.settings.seed
    for seed in range(first, first + integer("seeds", seeds, 1, 100_000)):
        own = dataclasses.replace(config, settings=dataclasses.replace(config.settings, seed=seed))
        folder = Path(path) / f"seed-{seed}"
        job = Job(str(folder), own, resume, overwrite, tensorboard)
        jobs[name, seed] = job if place.cluster is None else as_begun(job)
        check_folder(RunFolder(folder), jobs[name, seed].config, resume, overwrite)
    return jobs


def _run(
    folders: Iterable[AnyPath],
    jobs: Mapping[Key, Job],
    place: _Place,
    description: str,
    progress: bool,
    say_new: Callable[[], None] | None = None,
) -> tuple[dict[Key, Result], dict[Key, str]]:
    """Do all jobs while the folders are locked; ({key: result}, {key: what happened to it})."""
    with contextlib.ExitStack() as held:
        workers = min(place.workers, len(jobs))
        client = None
        if place.cluster is not None:
            client = held.enter_context(connected(place.cluster, workers))
        for folder in folders:
            held.enter_context(FolderLock(folder))
        if say_new is not None:
            say_new()
        remaining = client is None  # a cluster's is worked out
        report = held.enter_context(progress_bar(len(jobs), "seed", description, show=progress, remaining=remaining))
        harvest = Harvest(report)
        if client is not None:
            run_on_cluster(client, jobs, harvest)
        elif place.executor is None:
            _run_here(workers, jobs, harvest)
        else:
            _run_elsewhere(place.executor, jobs, harvest)
    return harvest.results, harvest.failures


def _run_elsewhere(executor: Executor, jobs: Mapping[Key, Job], harvest: Harvest) -> None:
    """Submit every job to somebody's executor and collect what comes; what it loses is reported."""
    key_of = {executor.submit(train, *job.arguments, **job.options): key for key, job in jobs.items()}
    for future in as_completed(key_of):
        if not harvest.collect(key_of[future], future):
            harvest.fail(key_of[future], "its process died")


def _run_here(workers: int, jobs: Mapping[Key, Job], harvest: Harvest) -> None:
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
        self, workers: int, jobs: Mapping[Key, Job], harvest: Harvest, processes: contextlib.ExitStack
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
            self._running[process.submit(train, *job.arguments, **job.options)] = key, attempt, process
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
