"""The worker processes of a `tinymeta.environments.gym_pool.Pool`: started, told, listened to, and ended for certain.

They are programs of their own rather than processes of `multiprocessing`: so a pool can be opened in a process that
may have no children of that kind (Dask's workers), from a thread, and from a script without a main guard.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from tinymeta.base.processes import one_thread_each
from tinymeta.environments.gym_worker import DONE, LONGEST_ANSWER, STOP

PROGRAM = "import sys; sys.path[:] = {path!r}; from tinymeta.environments.gym_worker import main; main(sys.argv[1:])"
GRACE = 2.0  # seconds that workers have to close their environments


@contextlib.contextmanager
def shared_memory(size: int) -> Iterator[int]:
    """File descriptor of `size` bytes of memory that has no name, so that nothing is left behind however all ends."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("tinymeta")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        os.truncate(descriptor, size)
        yield descriptor
    finally:
        os.close(descriptor)


class Processes:
    """`count` workers that map the memory of the given file descriptor.

    They are in a session of their own: what a terminal sends (Ctrl-C) reaches this process alone.
    """

    def __init__(self, count: int, memory: int) -> None:
        self.owner = os.getpid()
        self.running: list[subprocess.Popen[bytes]] = []
        self.orders: list[int] = []
        self.answers: list[int] = []
        self.heard: list[select.poll] = []
        try:
            for _ in range(count):
                self._start(memory)
        except BaseException:
            self.end()
            raise

    def _start(self, memory: int) -> None:
        to_read, orders = os.pipe()
        self.orders.append(orders)
        answers, to_write = os.pipe()
        self.answers.append(answers)
        self.heard.append(select.poll())
        self.heard[-1].register(answers, select.POLLIN)
        numbers = (to_read, to_write, memory, self.owner)
        program = [sys.executable, "-c", PROGRAM.format(path=sys.path), *map(str, numbers)]
        try:
            with one_thread_each():
                process = subprocess.Popen(
                    program,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,  # environments may print; commands print one JSON object
                    pass_fds=numbers[:3],
                    start_new_session=True,
                )
        finally:
            os.close(to_read)
            os.close(to_write)
        self.running.append(process)

    def tell(self, worker: int, order: bytes) -> None:
        """Give an order of one byte. A worker that is dead will not answer."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.orders[worker], order)

    def hand_over(self, worker: int, message: bytes) -> None:
        """Send a longer message; as `tell`."""
        with contextlib.suppress(BrokenPipeError):
            rest = memoryview(message)
            while rest:
                rest = rest[os.write(self.orders[worker], rest) :]

    def receive(self, worker: int, seconds: float) -> bytes:
        """A worker's answer; empty if it died.

        Raises
        ------
        TimeoutError
            If it does neither.
        """
        if not self.heard[worker].poll(1000 * seconds):
            raise TimeoutError
        return self.rest(worker, os.read(self.answers[worker], 1))

    def rest(self, worker: int, first: bytes) -> bytes:
        """The answer that begins with the byte `first`; the answer to a later order may wait behind it."""
        if first in (b"", DONE):
            return first
        return (first + os.read(self.answers[worker], LONGEST_ANSWER)).partition(b"\n")[0]

    def how_it_ended(self, worker: int) -> str:
        """In words, for a worker that does not answer any more."""
        try:
            code = self.running[worker].wait(GRACE)
        except subprocess.TimeoutExpired:
            return "closed its pipe"
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def end(self) -> None:
        """End all workers: politely, and after `GRACE` seconds by SIGKILL."""
        if os.getpid() != self.owner:  # a forked process, whose workers they are not
            return
        for worker in range(len(self.running)):
            self.tell(worker, STOP)
        for descriptor in (*self.orders, *self.answers):
            os.close(descriptor)
        self.orders.clear()
        self.answers.clear()
        deadline = time.monotonic() + GRACE
        for process in self.running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()
