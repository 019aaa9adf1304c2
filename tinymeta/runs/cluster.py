"""Sweeps on a Dask cluster, whose workers need share no folder with us, nor live as long as a run.

A run is trained in slices of some seconds. A slice is a pure function: it gets the run's files, trains on in a folder
of the worker's own, pauses with a checkpoint, and gives the files back, which are then written into the run folder
here. How a run is cut into slices changes no bit of it. So

- a worker that dies costs a slice: Dask gives it to another one, and replaces the worker if it can. Whatever waits on
  a worker is blamed for its death, so no more slices are on the cluster than it has threads;
- whatever ends this process or the scheduler, the run folders here are resumable runs, on the cluster or without it;
- how far each run is, is known as slices come in, and with it the remaining time (`tinymeta.runs.remaining`).

Equal bits need an equal kind of CPU and equal versions (`SAME_BITS`). A run's config.json says where it was begun; its
other slices are trained on workers that are the same.
"""

import contextlib
import dataclasses
import gc
import heapq
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from typing import Any

from tinymeta.base.errors import InputError, shown
from tinymeta.base.extras import extra_module
from tinymeta.base.files import WriteError
from tinymeta.runs.config import SAME_BITS, versions
from tinymeta.runs.event_log import EventLog
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.interrupts import raising_signals
from tinymeta.runs.jobs import Harvest, Job, Key, Result
from tinymeta.runs.parcel import Parcel, pack, unpack, without_snapshots
from tinymeta.runs.remaining import Pace, remaining, remaining_text
from tinymeta.runs.slices import Outcome, differing, train_slice
from tinymeta.runs.training import leave_finished

LOCAL = "local"  # in place of an address: a cluster on this machine, for as long as the sweep
CONNECT_SECONDS = 15
FIRST_SLICE = 2.0  # seconds, so that the pace is soon known; each slice of a run is twice as long as the one before
LONGEST_SLICE = 30.0


def check_workers(workers: int | None, address: str | None) -> None:
    """Refuse a number of workers where the cluster has its own."""
    if workers is not None and address not in (None, LOCAL):
        raise InputError(f"--workers {workers} with --cluster {address}, which has its own; expected one of them")


def as_begun(job: Job) -> Job:
    """The job of a run that may have been begun on a worker of another kind: there it shall go on."""
    folder = RunFolder(job.path)
    if job.overwrite or not folder.config_path.exists():
        return job
    made = folder.read_config().versions
    return job._replace(config=dataclasses.replace(job.config, versions=made))


@contextlib.contextmanager
def connected(address: str, workers: int) -> Iterator[Any]:
    """A `distributed.Client` of the scheduler at `address`, or of a cluster of `workers` processes on this machine.

    Raises
    ------
    InputError
        If Dask is missing, no scheduler answers, or a worker has not this version of tinymeta.
    """
    distributed = extra_module("distributed", "cluster", "--cluster")
    with contextlib.ExitStack() as held:
        held.enter_context(_quiet_logs())
        scheduler: Any = address
        if address == LOCAL:
            scheduler = held.enter_context(
                distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address=":0",
                    preload="tinymeta.runs.local_worker",
                    silence_logs=logging.CRITICAL,
                )
            )
        client = held.enter_context(_client(distributed, address, scheduler))
        _check_workers(client)
        yield client


def _client(distributed: Any, address: str, scheduler: Any) -> Any:
    """A client of the scheduler; where none answers, an InputError."""
    try:
        return distributed.Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TypeError) as error:
        reason = _one_line(error)
    gc.collect()  # the client that was not made is closed now; at another time that can wait for Dask's lock for ever
    expected = "expected the address of a Dask scheduler, such as tcp://host:8786, or local"
    raise InputError(f"--cluster {shown(address)}: no scheduler answers ({reason}), {expected}")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    """Within it Dask does not log to the terminal what is told in a line of ours."""
    handlers = {handler: handler.level for handler in logging.getLogger("distributed").handlers}
    for handler in handlers:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in handlers.items():
            handler.setLevel(level)


def _check_workers(client: Any) -> None:
    """Refuse if the workers that are there already could not train; tell if there are none."""
    try:
        found = client.run(versions)
    except Exception as error:  # whatever a worker raises, it cannot do the work
        expected = "expected tinymeta to be installed there"
        raise InputError(f"--cluster: a worker cannot begin ({error}), {expected}") from None
    if not found:
        print("tinymeta: the cluster has no worker yet; waiting for the first one", file=sys.stderr)
    own = _own_version()
    for worker, there in found.items():
        if there["tinymeta"] != own:
            raise InputError(f"--cluster: worker {worker} has tinymeta {there['tinymeta']}, expected {own} as here")


def _own_version() -> str:
    return versions()["tinymeta"]


def run_on_cluster(client: Any, jobs: Mapping[Key, Job], harvest: Harvest) -> None:
    """Train the jobs' runs on the client's cluster, and keep their files in the jobs' folders."""
    with raising_signals():
        _Slices(client, harvest).run(jobs)


class _Run:
    """A run of the sweep, as far as it is known here."""

    def __init__(self, key: Key, number: int, job: Job) -> None:
        settings = job.config.settings
        self.key = key
        self.number = number  # in the order in which runs are begun
        self.job = job
        self.folder = RunFolder(job.path)
        self.config = job.config
        self.begun = self.folder.exists and not job.overwrite
        self.slices = 0
        self.workers: list[str] | None = None  # the only ones that are of its kind
        self.pace = Pace(key[0], settings.updates * settings.num_envs, self._reached())
        self.log: EventLog | None = None

    def _reached(self) -> int:
        """Trials that the run has rows of."""
        if not self.begun or not self.folder.metrics_path.exists():
            return 0
        return int(self.folder.read_metrics()["trials"].max(initial=0))

    def parcel(self) -> Parcel:
        """What the next slice needs."""
        return without_snapshots(pack(self.folder)) if self.begun else {}

    def keep(self, outcome: Outcome) -> None:
        """Bring the files of a slice into the run folder."""
        with self.folder.lock():
            if not self.begun:
                self.folder.create(self.config)
            unpack(outcome.parcel, self.folder)
            self.begun = True
            self.config = dataclasses.replace(self.config, versions=self.folder.read_config().versions)
            self.slices += 1
            self.pace.advance(outcome.trials, outcome.seconds)
            if self.job.tensorboard:
                self._keep_events()

    def _keep_events(self) -> None:
        seconds = self.folder.read_timing()["train_seconds"]
        if self.log is None:
            self.log = EventLog(self.folder.path, seconds)
        else:
            self.log.catch_up(seconds)


class _Slices:
    """The slices that are on the cluster, and what comes of them."""

    def __init__(self, client: Any, harvest: Harvest) -> None:
        self._distributed = extra_module("distributed", "cluster", "--cluster")
        self._client = client
        self._harvest = harvest
        self._runs: list[_Run] = []
        self._waiting: list[tuple[bool, int, _Run]] = []  # a heap: runs that are begun, then those that stand first
        self._run_of: dict[Any, _Run] = {}
        self._coming = self._distributed.as_completed()

    def run(self, jobs: Mapping[Key, Job]) -> None:
        self._runs = [_Run(key, number, job) for number, (key, job) in enumerate(jobs.items())]
        try:
            for run in self._runs:
                self._begin(run)
            self._fill()
            for future in self._coming:
                run = self._run_of.pop(future)
                self._end(run, future)
                future.release()
                self._tell()
                self._fill()
        except WriteError:  # an OSError too, but ours
            raise
        except OSError as error:
            self._fail_all(f"the cluster was lost ({_one_line(error)})")
        finally:
            with contextlib.suppress(OSError):  # that it is lost has been told
                self._client.cancel(list(self._run_of), force=True)

    def _fail_all(self, reason: str) -> None:
        for run in self._runs:
            if run.key not in self._harvest.results and run.key not in self._harvest.failures:
                self._harvest.fail(run.key, reason)

    def _begin(self, run: _Run) -> None:
        if not run.begun or not run.folder.finished_as(run.config):
            self._wait(run)
            return
        self._finish(run, leave_finished(run.folder, run.job.tensorboard))

    def _wait(self, run: _Run) -> None:
        heapq.heappush(self._waiting, (run.slices == 0, run.number, run))

    def _fill(self) -> None:
        """Give every thread of the cluster a slice; where there is none yet, the first one that comes."""
        threads = sum(self._client.nthreads().values())
        while self._waiting and len(self._run_of) < max(1, threads):
            self._submit(heapq.heappop(self._waiting)[-1])

    def _submit(self, run: _Run) -> None:
        seconds = min(FIRST_SLICE * 2**run.slices, LONGEST_SLICE)
        future = self._client.submit(
            train_slice,
            run.config,
            run.parcel(),
            seconds,
            key=f"{run.config.env}-{run.config.settings.agent}-seed-{run.key[1]}-{time.monotonic_ns()}",
            workers=run.workers,
            allow_other_workers=run.workers is not None,  # those named may be gone; another kind refuses by itself
        )
        self._run_of[future] = run
        self._coming.add(future)

    def _end(self, run: _Run, future: Any) -> None:
        try:
            outcome = future.result()
            if outcome.parcel:
                run.keep(outcome)
        except self._distributed.KilledWorker as error:
            run.pace.end()
            self._harvest.fail(run.key, f"its worker died {error.allowed_failures + 1} times")
        except CancelledError as error:
            run.pace.end()
            self._harvest.fail(run.key, f"the cluster was lost ({_one_line(error)})")
        except Exception as error:  # whatever ended one seed must not end the others; it is reported with its name
            run.pace.end()
            self._harvest.fail(run.key, f"{type(error).__name__}: {error}")
        else:
            self._go_on(run, outcome)

    def _go_on(self, run: _Run, outcome: Outcome) -> None:
        if outcome.result is not None:
            self._finish(run, outcome.result)
        elif outcome.parcel:
            self._wait(run)
        else:
            self._submit_elsewhere(run)

    def _submit_elsewhere(self, run: _Run) -> None:
        """The worker was of another kind than the one that the run was begun on."""
        made = run.config.versions
        run.workers = [name for name, there in self._client.run(versions).items() if not differing(made, there)]
        if run.workers:
            self._wait(run)
            return
        run.pace.end()
        needed = ", ".join(f"{name} {made.get(name)}" for name in SAME_BITS)
        self._harvest.fail(run.key, f"it was begun with {needed}, and no such worker is left")

    def _finish(self, run: _Run, result: Result) -> None:
        run.pace.end()
        self._harvest.finish(run.key, result)

    def _tell(self) -> None:
        threads = sum(self._client.nthreads().values())
        left = remaining([run.pace for run in self._runs], threads)
        self._harvest.tell({"left": remaining_text(left)})
