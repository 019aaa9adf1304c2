"""Copies of one environment of Gymnasium, stepped together by worker processes.

Each worker owns every W-th copy, so that all have something to do whichever copies are stepped. All numbers lie in
memory that the processes share, and a step costs one byte to each worker and one back: nothing is pickled, and what
`gymnasium.make` wraps around an environment is left out. An episode that ends is followed by the next one in the same
call.
"""

import sys
import time
import weakref
from collections.abc import Callable
from mmap import mmap
from typing import Any, NoReturn

import numpy as np

from tinymeta.base.errors import InputError, NotFiniteError, PoolError, integer, real
from tinymeta.base.processes import cores_of_this_run
from tinymeta.environments.gym_family import BEGIN, Family, Shared, one_line
from tinymeta.environments.gym_line import HEARD, NOT_A_NUMBER, TOLD_MORE, hear_lane, make_line, tell_steps
from tinymeta.environments.gym_processes import Processes, shared_memory
from tinymeta.environments.gym_worker import DONE, GO, WRONG_INPUT

OWN = "tinymeta_env_module_"  # how modules of one's own are called, see `tinymeta.environments.own`

STARTING = 60.0  # seconds that a worker may take at least to start, on a busy machine


class Pool:
    """`count` copies of an environment.

    Parameters
    ----------
    family : Family
    count : int
        B.
    workers : int, optional
        Processes; one for each core by default, one in all where runs share the cores.
    patience : float
        Seconds after which an environment that does not answer is given up.

    Attributes
    ----------
    seen : float array of shape (B, F)
        The first observation of each copy's episode, of those that have begun last.
    final : float array of shape (B, F)
        The observation after the step, also where an episode ended. Where one ended and was not the trial's last, the
        copy's next input is what is `seen`.
    category, final_category : int arrays of shape (B,)
        The same where observations are categories.
    reward : float array of shape (B,)
    terminated, truncated : bool arrays of shape (B,)
        Whether the episode ended in the step, truly or by a limit. Both can be true, as in Gymnasium: then it truly
        ended.
    episode : int array of shape (B,)
        Episodes of the trial that are finished; K before a copy's first trial.
    line : tinymeta.environments.gym_line.Line
        By which kernels tell and hear the workers.

    `begin` and `step` overwrite the rows of the copies that they are called for.

    Raises
    ------
    InputError
        If an environment cannot be made.
    PoolError
        If an environment raises, gives what is no number, or does not answer, or if a worker dies. The message names
        environment, task, copy and the trial's seed. The pool is closed then.
    """

    def __init__(self, family: Family, count: int, workers: int | None = None, patience: float = 300.0) -> None:
        self.family = family
        self.count = integer("count", count, 1, 100_000)
        self.patience = real("patience", patience, above=0)
        workers = integer("workers", min(cores_of_this_run(), count) if workers is None else workers, 1, count)
        spaces = family.spaces
        size = Shared(count, workers, spaces).size
        with shared_memory(size) as memory:
            self._shared = Shared(count, workers, spaces, mmap(memory, size))
            self._workers = Processes(workers, memory)
        self._end = weakref.finalize(self, self._workers.end)
        self.line = make_line(
            self._workers.orders, self._workers.answers, np.arange(count) % workers,
            self._shared.order, self._shared.action, spaces.first_action, spaces.low, spaces.high,
        )  # fmt: skip
        self.seen = self._shared.seen
        self.final = self._shared.final
        self.category = self._shared.category
        self.final_category = self._shared.final_category
        self.reward = self._shared.reward
        self.terminated = self._shared.terminated
        self.truncated = self._shared.truncated
        self.episode = self._shared.episode
        self.episode[:] = family.episodes
        self._open(workers)

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the workers; the arrays stay as they are."""
        self._end()

    def begin(self, slots: np.ndarray, task: np.ndarray, seed: np.ndarray) -> None:
        """Begin a trial in each of the given copies.

        Parameters
        ----------
        slots : int array of shape (n,)
            Different copies.
        task : int array of shape (n,)
        seed : int array of shape (n,)
            From 0; what the environment's own generator is seeded with, once for the whole trial.
        """
        line = self.line
        self._check_open()
        assert not line.waiting.any(), "an earlier step is not finished"
        self._shared.task[slots] = task
        self._shared.seed[slots] = seed
        self._shared.order[slots] = BEGIN
        try:
            for worker in set(line.owner[slots].tolist()):
                line.waiting[0, worker] = True
                self._workers.tell(worker, GO[0])
        except BaseException:  # an interrupt: who was told, and who was not?
            self.close()
            raise
        self.follow(lambda: hear_lane(line, 0))

    def step(self, slots: np.ndarray, actions: np.ndarray) -> None:
        """Act in the given copies, whose trials must be under way.

        Parameters
        ----------
        slots : int array of shape (n,)
            Different copies.
        actions : int array of shape (n,) or float array of shape (n, A)
            Choices from 0; or vectors, which are clipped to the bounds of the environment's space.

        Raises
        ------
        NotFiniteError
            If an action is NaN.
        """
        line = self.line
        self._check_open()
        assert not line.waiting.any(), "an earlier step is not finished"
        assert (self.episode[slots] < self.family.episodes).all(), "a copy without a trial is stepped"
        vectors = actions if line.low.size else np.zeros((0, 0))
        choices = np.zeros(0, np.int64) if line.low.size else actions
        self.follow(lambda: (tell_steps(line, 0, slots, choices, vectors, 0, len(slots)), 0))
        self.follow(lambda: hear_lane(line, 0))

    def follow(self, talk: Callable[[], tuple[int, int]]) -> None:
        """Call `talk`, which tells and hears workers by `line`, again and again while it waits for one that is at work.

        Parameters
        ----------
        talk : callable
            Goes on where it stopped, and returns what `tinymeta.environments.gym_line.hear_lane` does; HEARD when all
            is done.

        Raises
        ------
        NotFiniteError
            If it says that an action is NaN.
        """
        self._check_open()
        heard, since = -1, 0.0
        try:
            while (status := talk()) != (HEARD, 0):
                what, worker = status
                if what == TOLD_MORE:
                    self._told(worker, self._workers.rest(worker, self.line.said.tobytes().rstrip(b"\0")))
                if what == NOT_A_NUMBER:
                    raise NotFiniteError(f"an action for environment {self.family.name} is NaN")
                if heard != self.line.heard[0]:
                    heard, since = self.line.heard[0], time.monotonic()
                elif time.monotonic() > since + self.patience:
                    self._fail(worker, f"no answer for {self.patience:g} s")
        except NotFiniteError:
            if self.line.waiting.any():
                self.close()
            raise
        except BaseException:  # an interrupt, too: answers that nobody heard would be taken for later ones
            self.close()
            raise

    def _open(self, workers: int) -> None:
        """Hand over the family, and wait until all workers are there."""
        import cloudpickle  # comes with Gymnasium; also takes a class from a notebook along

        for name, module in list(sys.modules.items()):
            if name.startswith(OWN):  # a file that was named on the command line: no worker could import it
                cloudpickle.register_pickle_by_value(module)
        try:
            for worker in range(workers):
                data = cloudpickle.dumps((self.family, self.count, workers, worker))
                self._workers.hand_over(worker, len(data).to_bytes(8, "little") + data)
            for worker in range(workers):
                self._started(worker)
        except BaseException as error:
            self.close()
            if isinstance(error, (PoolError, KeyboardInterrupt)):
                raise
            raise InputError(f"environment {self.family.name} cannot be given to workers: {one_line(error)}") from error

    def _started(self, worker: int) -> None:
        patience = max(self.patience, STARTING)
        try:
            answer = self._workers.receive(worker, patience)
        except TimeoutError:
            self._fail(worker, f"no answer for {patience:g} s")
        if answer != DONE:
            self._told(worker, answer)

    def _check_open(self) -> None:
        if not self._end.alive:
            raise PoolError(f"the pool of environment {self.family.name} is closed")

    def _told(self, worker: int, answer: bytes) -> NoReturn:
        """Raise what a worker's answer says; an empty one is that of a dead worker."""
        if not answer:
            self._fail(worker, f"its process {self._workers.how_it_ended(worker)}")
        kind = InputError if answer[:1] == WRONG_INPUT else PoolError
        raise kind(answer[1:].decode(errors="replace"))

    def _fail(self, worker: int, what: str) -> NoReturn:
        slot = int(self._shared.at_work[worker])
        task = int(self._shared.task[slot])
        raise PoolError(f"{self.family.task(task)}, copy {slot}, trial seed {self._shared.seed[slot]}: {what}")
