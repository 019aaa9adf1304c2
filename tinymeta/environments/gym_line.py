"""The line to a pool's workers from within kernels: orders and answers of one byte each, without returning to Python.

A kernel that plays trials tells the workers and hears them some hundred thousand times a minute, and each way through
Python costs as much as the network does. So it calls the system's `write`, `poll` and `read` itself. It waits no longer
than `SLICE` at a time, so that who calls it can heed signals and lose patience.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import types

from tinymeta.base.jit import jit
from tinymeta.environments.gym_family import LANES, STEP
from tinymeta.environments.gym_worker import DONE, GO

HEARD, WAITING, TOLD_MORE, NOT_A_NUMBER = range(4)  # what became of waiting; of an action
SLICE = 200  # milliseconds
POLLIN = 1
ANSWER_DONE = DONE[0]

system_write = types.ExternalFunction("write", types.intp(types.int32, types.uintp, types.uintp))
system_read = types.ExternalFunction("read", types.intp(types.int32, types.uintp, types.uintp))
system_poll = types.ExternalFunction("poll", types.int32(types.uintp, types.uintp, types.int32))


class Line(NamedTuple):
    """A pool's line: W workers, B copies, `LANES` orders of different copies that can be under way at once."""

    orders: np.ndarray  # (W,) int32, descriptors to write to
    answers: np.ndarray  # (W,) int32, descriptors to read from
    owner: np.ndarray  # (B,) int64, the worker of each copy
    waiting: np.ndarray  # (LANES, W) bool, whose answer is not heard yet
    go: np.ndarray  # (LANES,) uint8, what a worker is told
    said: np.ndarray  # (1,) uint8, what one has answered
    polled: np.ndarray  # (2,) int32, a `struct pollfd`
    heard: np.ndarray  # (1,) int64, answers so far
    addresses: np.ndarray  # (3,) uint64, of go, said and polled
    order: np.ndarray  # (B,) int8, shared with the workers as are the following two
    choice: np.ndarray  # (B,) int64, actions, where they are choices
    vector: np.ndarray  # (B, A), actions, where they are vectors
    first_choice: int  # Gymnasium's number of the first one
    low: np.ndarray  # (A,) float64, bounds of the vectors
    high: np.ndarray  # (A,)


def make_line(orders: list[int], answers: list[int], owner: np.ndarray, order: np.ndarray, action: np.ndarray,
              first_choice: int, low: tuple[float, ...], high: tuple[float, ...]) -> Line:  # fmt: skip
    """A line over the given pipes and shared arrays."""
    go, said = np.frombuffer(b"".join(GO), np.uint8).copy(), np.zeros(1, np.uint8)
    polled = np.zeros(2, np.int32)
    addresses = np.array([array.ctypes.data for array in (go, said, polled)], np.uint64)
    choices, vectors = np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
    if low:
        vectors = action.reshape(len(action), -1)
    else:
        choices = action
    return Line(
        np.array(orders, np.int32), np.array(answers, np.int32), owner, np.zeros((LANES, len(orders)), np.bool_),
        go, said, polled, np.zeros(1, np.int64), addresses, order, choices, vectors, first_choice, np.array(low),
        np.array(high),
    )  # fmt: skip


@jit
def place_actions(line, slots, choices, vectors, start, stop):
    """Rows start…stop of choices (N,), or of vectors (N, A), clipped, as the actions of the copies slots[start:stop].

    Returns whether all of them are numbers.
    """
    sound = True
    for n in range(start, stop):
        slot = slots[n]
        if line.low.shape[0] == 0:
            line.choice[slot] = choices[n] + line.first_choice
        for k in range(line.low.shape[0]):
            number = float(vectors[n, k])
            if not abs(number) <= math.inf:
                sound = False
            line.vector[slot, k] = min(max(number, line.low[k]), line.high[k])
    return sound


@jit
def tell_steps(line, lane, slots, choices, vectors, start, stop):
    """Give the copies slots[start:stop] their actions, see `place_actions`, and their workers the order to step them.

    Returns HEARD or, if an action is NaN and nobody was told, NOT_A_NUMBER.
    """
    if not place_actions(line, slots, choices, vectors, start, stop):
        return NOT_A_NUMBER
    for n in range(start, stop):
        line.order[slots[n]] = STEP + 2 * lane
        line.waiting[lane, line.owner[slots[n]]] = True
    for worker in range(line.orders.shape[0]):
        if line.waiting[lane, worker]:  # one that is dead will not answer
            system_write(line.orders[worker], line.addresses[0] + lane, 1)
    return HEARD


@jit
def hear_lane(line, lane):
    """Hear all workers of a lane. Returns what became of it and, unless all were heard, the worker it is about.

    A worker that told more has begun to say what went wrong; its first byte, if it said any, is in line.said.
    """
    for worker in range(line.answers.shape[0]):
        if line.waiting[lane, worker]:
            line.polled[0] = line.answers[worker]
            line.polled[1] = POLLIN  # and in the upper half what has come of it
            if system_poll(line.addresses[2], 1, SLICE) <= 0:  # nothing yet, or a signal
                return WAITING, worker
            line.said[0] = 0
            system_read(line.answers[worker], line.addresses[1], 1)
            line.waiting[lane, worker] = False
            line.heard[0] += 1
            if line.said[0] != ANSWER_DONE:
                return TOLD_MORE, worker
    return HEARD, 0
