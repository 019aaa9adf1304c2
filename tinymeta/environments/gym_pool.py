"""Copies of one environment of Gymnasium, stepped together by worker processes.

Each worker owns a contiguous share of the copies. All numbers lie in memory that the processes share, and a step costs
one byte to each worker and one back: nothing is pickled, and what `gymnasium.make` wraps around an environment is left
out. An episode that ends is followed by the next one in the same call.
"""

import weakref
from collections import deque
from itertools import pairwise
from mmap import mmap
from typing import Any, NoReturn

import numpy as np

from tinymeta.base.errors import InputError, NotFiniteError, PoolError, integer, real
from tinymeta.base.processes import cores_of_this_run
from tinymeta.environments.gym_family import BEGIN, LANES, STEP, Family, Shared, one_line
from tinymeta.environments.gym_processes import Processes, shared_memory
from tinymeta.environments.gym_worker import DONE, GO, WRONG_INPUT

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
        Each copy's next input: the observation after the step, or the first one of the next episode where an episode
        ended and was not the trial's last.
    final : float array of shape (B, F)
        The observation after the step, also where an episode ended: what a truncated episode's value is read from.
    category, final_category : int arrays of shape (B,)
        The same where observations are categories.
    reward : float array of shape (B,)
    terminated, truncated : bool arrays of shape (B,)
        Whether the episode ended in the step, truly or by a limit. Both can be true, as in Gymnasium: then it truly
        ended.
    episode : int array of shape (B,)
        Episodes of the trial that are finished; K before a copy's first trial.

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
        shares = np.linspace(0, count, workers + 1).round().astype(int).tolist()
        self._owner = np.repeat(np.arange(workers), np.diff(shares))  # (B,)
        self._under_way: deque[list[int]] = deque()  # workers of each order that is not heard of
        self._heard = 0  # steps that are finished already when `finish` is called
        self._lane = 0
        self._everybody = list(range(workers))
        spaces = family.spaces
        self._low = np.reshape(spaces.low, spaces.action_shape) if spaces.continuous else np.empty(0)
        self._high = np.reshape(spaces.high, spaces.action_shape) if spaces.continuous else np.empty(0)
        size = Shared(count, workers, spaces).size
        with shared_memory(size) as memory:
            self._shared = Shared(count, workers, spaces, mmap(memory, size))
            self._workers = Processes(workers, memory)
        self._end = weakref.finalize(self, self._workers.end)
        self.seen = self._shared.seen
        self.final = self._shared.final
        self.category = self._shared.category
        self.final_category = self._shared.final_category
        self.reward = self._shared.reward
        self.terminated = self._shared.terminated
        self.truncated = self._shared.truncated
        self.episode = self._shared.episode
        self.episode[:] = family.episodes
        self._open(shares)

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
        self._shared.task[slots] = task
        self._shared.seed[slots] = seed
        earlier = len(self._under_way)
        self._start(slots, BEGIN)
        while self._under_way:
            self._hear()
        self._heard += earlier

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
        assert not self._under_way and not self._heard, "an earlier step is not finished"
        self.start(slots, actions)
        self.finish()

    def start(self, slots: np.ndarray, actions: np.ndarray) -> None:
        """`step` without waiting for it.

        Two steps of different copies can be under way: while the workers are busy with the one half of them, the
        actions of the other half are chosen.
        """
        assert (self.episode[slots] < self.family.episodes).all(), "a copy without a trial is stepped"
        if not self.family.spaces.continuous:
            self._shared.action[slots] = actions + self.family.spaces.first_action
        else:
            vectors = np.minimum(np.maximum(np.reshape(actions, (-1, *self._low.shape)), self._low), self._high)
            if np.isnan(vectors).any():
                raise NotFiniteError(f"an action for environment {self.family.name} is NaN: {actions.tolist()}")
            self._shared.action[slots] = vectors
        self._start(slots, STEP)

    def finish(self) -> None:
        """Wait for the oldest step that was started and not finished."""
        if self._heard:
            self._heard -= 1
        else:
            self._hear()

    def _open(self, shares: list[int]) -> None:
        """Hand over the family, and wait until all workers are there."""
        import cloudpickle  # comes with Gymnasium; also takes a class from a notebook along

        workers = len(shares) - 1
        try:
            for worker, share in enumerate(pairwise(shares)):
                data = cloudpickle.dumps((self.family, self.count, workers, worker, *share))
                self._workers.hand_over(worker, len(data).to_bytes(8, "little") + data)
            for worker in range(workers):
                self._answer(worker, max(self.patience, STARTING))
        except BaseException as error:
            self.close()
            if isinstance(error, (PoolError, KeyboardInterrupt)):
                raise
            raise InputError(f"environment {self.family.name} cannot be given to workers: {one_line(error)}") from error

    def _start(self, slots: np.ndarray, order: int) -> None:
        if not self._end.alive:
            raise PoolError(f"the pool of environment {self.family.name} is closed")
        assert len(self._under_way) < LANES, "more is under way than can be told apart"
        self._lane = 1 - self._lane
        self._shared.order[slots] = order + 2 * self._lane
        workers = self._everybody if len(slots) == self.count else sorted(set(self._owner[slots].tolist()))
        self._under_way.append(workers)
        try:
            for worker in workers:
                self._workers.tell(worker, GO[self._lane])
        except BaseException:  # an interrupt: who was told, and who was not?
            self.close()
            raise

    def _hear(self) -> None:
        """Hear all workers of the oldest order."""
        workers = self._under_way.popleft()
        try:
            for worker in workers:
                self._answer(worker)
        except BaseException:  # an interrupt, too: answers that nobody heard would be taken for later ones
            self.close()
            raise

    def _answer(self, worker: int, patience: float | None = None) -> None:
        patience = self.patience if patience is None else patience
        try:
            answer = self._workers.receive(worker, patience)
        except TimeoutError:
            self._fail(worker, f"no answer for {patience:g} s")
        if not answer:
            self._fail(worker, f"its process {self._workers.how_it_ended(worker)}")
        if answer[:1] != DONE:
            kind = InputError if answer[:1] == WRONG_INPUT else PoolError
            raise kind(answer[1:].decode(errors="replace"))

    def _fail(self, worker: int, what: str) -> NoReturn:
        slot = int(self._shared.at_work[worker])
        task = int(self._shared.task[slot])
        raise PoolError(f"{self.family.task(task)}, copy {slot}, trial seed {self._shared.seed[slot]}: {what}")
