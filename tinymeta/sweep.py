"""Many seeds of one run, in parallel, through the standard `concurrent.futures.Executor` interface.

The default executor is a pool of processes on this machine, each with one thread for numba and BLAS; a cluster's executor can be
handed in unchanged. A seed that fails, or whose process is killed, is reported and does not take the others along.
"""

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, ProcessPoolExecutor, wait
from pathlib import Path

from tqdm import tqdm

from tinymeta.errors import integer
from tinymeta.runs import RunFolder
from tinymeta.training import Interrupted, check_place, train

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ATTEMPTS = 2  # how often a seed is begun whose process died: it may have died of another seed's death


class SweepError(RuntimeError):
    """Some seeds did not finish; `failures` is {seed: what happened}, `results` those of the others."""

    def __init__(self, failures, results):
        lines = [f"seed {seed}: {reason}" for seed, reason in sorted(failures.items())]
        super().__init__(f"{len(failures)} of {len(failures) + len(results)} seeds did not finish: {'; '.join(lines)}")
        self.failures, self.results = failures, results


def sweep(path, config, seeds, workers=None, executor=None, resume=False, overwrite=False, progress=False):
    """Train seeds 0…seeds-1 of `config` into path/seed-<k>.

    Parameters
    ----------
    path : str or Path
    config : Config
        Its seed is replaced.
    seeds : int
    workers : int, optional
        Processes; as many as there are cores by default.
    executor : concurrent.futures.Executor, optional
        Where to run instead of a local pool; it is not shut down. Its workers must see `path` under the same name.
    resume, overwrite : bool
        See `tinymeta.training.train`.
    progress : bool
        Show one progress line on stderr, in finished seeds.

    Returns
    -------
    {seed: what its result.json holds}

    Raises
    ------
    SweepError
        If some seeds failed; all others have finished.
    ValueError
        If a folder holds a run that may not be touched; then nothing has started.
    Interrupted
        After SIGINT or SIGTERM; running seeds have written their checkpoints.
    """
    seeds = integer("seeds", seeds, 1, 100_000)
    workers = integer("workers", _cores() if workers is None else workers, 1, 4096)
    folders = {seed: Path(path) / f"seed-{seed}" for seed in range(seeds)}
    jobs = {}
    for seed, folder in folders.items():
        settings = dataclasses.replace(config.settings, seed=seed)
        jobs[seed] = (str(folder), dataclasses.replace(config, settings=settings), resume, overwrite)
        check_place(RunFolder(folder), jobs[seed][1], resume, overwrite)
    results, failures = {}, {}
    description = f"{config.env} {config.settings.agent}, {seeds} seeds"
    with tqdm(total=seeds, unit="seed", desc=description, disable=None if progress else True) as bar:
        if executor is not None:
            _run_all(executor, jobs, results, failures, bar)
            failures.update(dict.fromkeys(jobs.keys() - results.keys() - failures.keys(), "its process died"))
        for attempt in range(ATTEMPTS if executor is None else 0):
            waiting = {seed: job for seed, job in jobs.items() if seed not in results and seed not in failures}
            if attempt > 0:
                waiting = {seed: (path, job, True, False) for seed, (path, job, _, _) in waiting.items()}
            if waiting:
                _run_in_pool(min(workers, len(waiting)), waiting, results, failures, bar, last=attempt + 1 == ATTEMPTS)
    if failures:
        raise SweepError(failures, results)
    return dict(sorted(results.items()))


def _cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run_in_pool(workers, jobs, results, failures, bar, last):
    """One pool of processes for all jobs; if a process dies the pool is lost, and what is open is left to the next."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))  # inherited by the workers, read when they import NumPy
    try:
        context, others = multiprocessing.get_context("spawn"), set(multiprocessing.active_children())
        with _raising_signals(), ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupts) as pool:
            try:
                _run_all(pool, jobs, results, failures, bar)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in set(multiprocessing.active_children()) - others:
                    os.kill(process.pid, signal.SIGTERM)  # a running seed writes its checkpoint, then stops
                raise
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    if last:
        failures.update({seed: "its process died" for seed in jobs if seed not in results and seed not in failures})


@contextlib.contextmanager
def _raising_signals():
    """SIGINT and SIGTERM become `Interrupted` here, so that the pool is closed on the way out."""

    def stop(number, frame):
        raise Interrupted(number)

    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)} if main else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_interrupts():
    """In a worker between seeds: an interrupt is the parent's to handle. While a seed trains, `train` takes signals itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run_all(executor, jobs, results, failures, bar):
    """Submit every job and collect what comes; a job that is lost with its process is left without result or failure."""
    seed_of = {executor.submit(train, *job): seed for seed, job in jobs.items()}
    open_futures = set(seed_of)
    while open_futures:
        finished, open_futures = wait(open_futures, return_when=FIRST_COMPLETED)
        for future in finished:
            seed = seed_of[future]
            try:
                results[seed] = future.result()
            except (BrokenExecutor, CancelledError):
                continue
            except Interrupted:
                raise
            except Exception as error:  # whatever ended one seed must not end the others; it is reported with its name
                failures[seed] = f"{type(error).__name__}: {error}"
            bar.update(1)
            if seed in results:
                bar.set_postfix({"reward/trial": f"{results[seed]['evaluation']['reward_per_trial']['mean']:.2f}"}, refresh=False)
