"""Many seeds of one run, in parallel, through the standard `concurrent.futures.Executor` interface.

The default executor is a pool of processes on this machine, each with one thread for numba and BLAS; a cluster's executor can be
handed in unchanged. A seed that fails, or whose process is killed, is reported and does not take the others along: each local
process is an executor of its own that has one seed at a time, so it is known whose process died. Such a seed is resumed once, because
the machine may have been short of memory for a moment; if its process dies again it is reported.
"""

from concurrent.futures import BrokenExecutor
from concurrent.futures import CancelledError
from concurrent.futures import FIRST_COMPLETED
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import as_completed
from concurrent.futures import wait
from pathlib import Path
from tqdm import tqdm
import collections
import contextlib
import dataclasses
import multiprocessing
import os
import signal
import threading

from tinymeta.base.errors import integer
from tinymeta.base.locks import FolderLock
from tinymeta.base.processes import cores, one_thread_each
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.training import Interrupted, check_place, train


ATTEMPTS = 2  # how often a seed is begun whose process dies

class SweepError(RuntimeError):
    """Some seeds did not finish; `failures` is {seed: what happened}, `results` those of the others. Of several sweeps (name, seed)."""

    def __init__(self, failures, results):
        lines = [f"{_named(key)}: {reason}" for key, reason in sorted(failures.items())]
        super().__init__(f"{len(failures)} of {len(failures) + len(results)} seeds did not finish: {'; '.join(lines)}")
        self.failures, self.results = failures, results

def _named(key):
    return f"{key[0]}, seed {key[1]}" if isinstance(key, tuple) else f"seed {key}"

def sweep(path, config, seeds, workers=None, executor=None, resume=False, overwrite=False, progress=False):
    """Train seeds S…S+seeds-1 of `config`, whose own seed is S, into path/seed-<k>.

    Parameters
    ----------
    path : str or Path
    config : Config
        Its seed is the first one.
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
        If a folder holds a run that may not be touched, or another sweep runs in `path`; then nothing has started.
    Interrupted
        After SIGINT or SIGTERM; running seeds have written their checkpoints.
    """
    results = sweeps({"": (path, config, seeds)}, workers, executor, resume, overwrite, progress)
    return dict(sorted(results[""].items()))

def sweeps(wanted, workers=None, executor=None, resume=False, overwrite=False, progress=False):
    """Several sweeps through one queue, {name: (path, config, seeds)}; see `sweep`. Returns {name: {seed: result}}.

    Begun in the order given: the longest first leave no core idle at the end.
    """
    workers = integer("workers", cores() if workers is None else workers, 1, 4096)
    jobs, only = {}, len(wanted) == 1
    for name, (path, config, seeds) in wanted.items():
        first = config.settings.seed
        for seed in range(first, first + integer("seeds", seeds, 1, 100_000)):
            own = dataclasses.replace(config, settings=dataclasses.replace(config.settings, seed=seed))
            folder = Path(path) / f"seed-{seed}"
            jobs[seed if only else (name, seed)] = str(folder), own, resume, overwrite
            check_place(RunFolder(folder), own, resume, overwrite)
    results, failures = {}, {}
    description = f"{config.env} {config.settings.agent}, {seeds} seeds" if only else f"{len(wanted)} sweeps"
    with contextlib.ExitStack() as held:
        for path, _, _ in wanted.values():
            held.enter_context(FolderLock(path))
        bar = held.enter_context(tqdm(total=len(jobs), unit="seed", desc=description, disable=None if progress else True))
        if executor is None:
            _run_here(min(workers, len(jobs)), jobs, results, failures, bar)
        else:
            _run_elsewhere(executor, jobs, results, failures, bar)
    if failures:
        raise SweepError(failures, results)
    return {
        name: {seed: results[seed if only else (name, seed)] for seed in range(first, first + seeds)}
        for name, first, seeds in ((name, config.settings.seed, seeds) for name, (_, config, seeds) in wanted.items())
    }

def _run_here(workers, jobs, results, failures, bar):
    """`workers` lanes, each a process with one seed at a time; a lane whose process died is replaced and its seed begun again."""
    waiting = collections.deque((seed, 1) for seed in jobs)
    others = set(multiprocessing.active_children())
    with one_thread_each(), _raising_signals(), contextlib.ExitStack() as lanes:
        idle, running = [], {}  # running: {future: (seed, attempt, lane)}
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    lane = idle.pop() if idle else lanes.enter_context(_lane())
                    seed, attempt = waiting[0]
                    with contextlib.suppress(BrokenExecutor):  # a lane whose process died between two seeds; the next will do
                        running[lane.submit(train, *(jobs[seed] if attempt == 1 else _resumed(jobs[seed])))] = seed, attempt, lane
                        waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    seed, attempt, lane = running.pop(future)
                    if _collect(future, seed, results, failures, bar):
                        idle.append(lane)
                    elif attempt < ATTEMPTS:
                        waiting.append((seed, attempt + 1))
                    else:
                        failures[seed] = f"its process died {ATTEMPTS} times"
                        bar.update(1)
        except BaseException:
            for process in set(multiprocessing.active_children()) - others:
                os.kill(process.pid, signal.SIGTERM)  # a running seed writes its checkpoint, then stops
            raise

def _lane():
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_process)

def _resumed(job):
    path, config, _, _ = job
    return path, config, True, False

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

def _begin_process():
    """In a worker between seeds an interrupt is the parent's to handle. While a seed trains, `train` takes signals itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(threading.RLock())  # tqdm's own would leave a semaphore behind in a process that is killed

def _run_elsewhere(executor, jobs, results, failures, bar):
    """Submit every job to somebody's executor and collect what comes; what it loses is reported."""
    seed_of = {executor.submit(train, *job): seed for seed, job in jobs.items()}
    for future in as_completed(seed_of):
        if not _collect(future, seed_of[future], results, failures, bar):
            failures[seed_of[future]] = "its process died"

def _collect(future, seed, results, failures, bar):
    """Take a finished future's result or failure; False if it has neither, being lost with its process."""
    try:
        results[seed] = future.result()
        bar.set_postfix({"reward/trial": f"{results[seed]['evaluation']['reward_per_trial']['mean']:.2f}"}, refresh=False)
    except (BrokenExecutor, CancelledError):
        return False
    except Interrupted:
        raise
    except Exception as error:  # whatever ended one seed must not end the others; it is reported with its name
        failures[seed] = f"{type(error).__name__}: {error}"
    bar.update(1)
    return True
