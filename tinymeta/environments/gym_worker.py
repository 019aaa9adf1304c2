"""The process that steps its share of the copies of a `tinymeta.environments.gym_pool.Pool`.

It waits for a byte, does what the shared array `order` says for each copy of its share, and answers a byte; or what
went wrong, in one line. It ends with the pipe through which it is told, and so with its pool's process, however that
ended; a thread looks after the case that an environment never comes back.
"""

import contextlib
import math
import os
import pickle
import signal
import threading
import time
import warnings
from collections.abc import Sequence
from mmap import mmap
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError, shown
from tinymeta.environments.gym_family import BEGIN, REST, Family, Shared, make_plain, one_line, read_spaces

GO, STOP = (b"0", b"1"), b"s"  # to the worker: carry out the orders of a lane; end
DONE, FAILED, WRONG_INPUT = b".", b"F", b"I"  # from it; the latter two begin a line that tells more
LONGEST_ANSWER = 2048  # bytes: less than what a pipe takes at once


def main(arguments: Sequence[str]) -> None:
    """`arguments`: the pipe to read from, the one to write to, the memory (file descriptors), the pool's process."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the pool's process heeds them, and ends this one
    orders, answers, memory, parent = map(int, arguments)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    warnings.simplefilter("ignore")  # environments warn of their own affairs, some at every step
    worker = None
    try:
        size = int.from_bytes(_receive(orders, 8), "little")
        worker = Worker(memory, *pickle.loads(_receive(orders, size)))
        answer = DONE
    except BaseException as error:
        answer = _answer(FAILED, f"a worker process could not start: {one_line(error)}")
    with contextlib.suppress(BrokenPipeError):  # the pool is gone
        os.write(answers, answer)
        while worker is not None and (order := os.read(orders, 1)) in GO:
            os.write(answers, worker.obey(GO.index(order)))
    if worker is not None:
        worker.close()
    os._exit(0)  # whatever threads an environment has left


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _receive(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = os.read(descriptor, size - len(data))
        if not part:
            raise EOFError("the pool is gone")
        data += part
    return data


class Worker:
    """Every `workers`-th copy of a pool.

    Parameters
    ----------
    memory : int
        File descriptor of the `Shared` arrays.
    family : Family
    count, workers : int
        Copies and workers of the pool.
    number : int
        Which worker this is, and its first copy.
    """

    def __init__(self, memory: int, family: Family, count: int, workers: int, number: int) -> None:
        self.family = family
        self.spaces = family.spaces
        self.number = number
        self.slots = range(number, count, workers)
        self.share = slice(number, count, workers)
        self.shared = Shared(count, workers, self.spaces, mmap(memory, Shared(count, workers, self.spaces).size))
        self.environments: dict[int, Any] = {}  # by copy
        self.playing: dict[int, int] = {}  # the task of each of them
        self.spare: dict[int, list[Any]] = {}  # by task
        self.steps = dict.fromkeys(self.slots, 0)  # of the episode
        self.calling = ""  # which function of an environment
        self.began = False  # whether an episode did since observations were checked

    def obey(self, lane: int) -> bytes:
        """Carry out the orders of a lane; the answer."""
        shared = self.shared
        begin = BEGIN + 2 * lane
        orders = shared.order[self.share].tobytes()
        mine = [place for place, order in enumerate(orders) if order in (begin, begin + 1)]
        slots = [self.slots[place] for place in mine]
        actions: Any = shared.action[self.share].copy()  # an environment may keep what it is given
        if not self.spaces.continuous:
            actions = actions.tolist()
        slot = self.number
        try:
            for place, slot in zip(mine, slots, strict=True):
                shared.at_work[self.number] = slot
                shared.order[slot] = REST
                if orders[place] == begin:
                    self._begin(slot)
                else:
                    self._step(slot, actions[place])
            self._check_observations(slots)
        except InputError as error:
            return _answer(WRONG_INPUT, f"{self.family.task(int(shared.task[slot]))} {error}")
        except _Unusable as error:
            return _answer(FAILED, f"{self._place(error.slot)}: {error}")
        except BaseException as error:
            return _answer(FAILED, f"{self._place(slot)}: {self.calling} raised {one_line(error)}")
        return DONE

    def _begin(self, slot: int) -> None:
        shared = self.shared
        self.steps[slot] = 0
        shared.episode[slot] = 0
        environment = self._environment(slot, int(shared.task[slot]))
        self.began = True
        self.calling = "reset"
        observation, _ = environment.reset(seed=int(shared.seed[slot]))
        self._write(shared.seen, shared.category, slot, self._read(slot, observation))

    def _step(self, slot: int, action: Any) -> None:
        shared = self.shared
        environment = self.environments[slot]
        self.calling = "step"
        observation, reward, terminated, truncated, _ = environment.step(action)
        self.steps[slot] += 1
        if self.steps[slot] >= self.family.max_steps:
            truncated = True
        shared.reward[slot] = reward if type(reward) is float and math.isfinite(reward) else _finite(slot, reward)
        shared.terminated[slot] = terminated
        shared.truncated[slot] = truncated
        self._write(shared.final, shared.final_category, slot, self._read(slot, observation))
        if terminated or truncated:
            shared.episode[slot] += 1
            if shared.episode[slot] < self.family.episodes:
                self.began = True
                self.calling = "reset"
                self.steps[slot] = 0
                observation, _ = environment.reset()
                self._write(shared.seen, shared.category, slot, self._read(slot, observation))

    def _read(self, slot: int, observation: Any) -> Any:
        """What an observation says: its category, or its numbers in one row."""
        if not self.spaces.observation_size:
            category = int(observation) - self.spaces.first_category
            if not 0 <= category < self.spaces.num_observations:
                raise _Unusable(slot, f"the observation is {shown(observation)}, expected one of its space")
            return category
        numbers = np.asarray(observation)
        if numbers.shape != self.spaces.observation_shape:
            expected = f"expected numbers of shape {self.spaces.observation_shape}"
            raise _Unusable(slot, f"the observation has the shape {numbers.shape}, {expected}")
        return numbers if numbers.ndim == 1 else numbers.ravel()

    def _write(self, rows: np.ndarray, categories: np.ndarray, slot: int, value: Any) -> None:
        if self.spaces.observation_size:
            rows[slot] = value
        else:
            categories[slot] = value

    def _check_observations(self, slots: list[int]) -> None:
        for rows in (self.shared.final, self.shared.seen) if self.began else (self.shared.final,):
            if not np.isfinite(rows[self.share]).all():  # seldom: then look which
                slot = next(slot for slot in slots if not np.isfinite(rows[slot]).all())
                observation = shown(rows[slot].tolist())
                raise _Unusable(slot, f"the observation is {observation}, expected finite numbers")
        self.began = False

    def _environment(self, slot: int, task: int) -> Any:
        """The copy's environment for a trial on `task`: one that waits without a trial, or else a new one."""
        if slot in self.environments:
            self.spare.setdefault(self.playing[slot], []).append(self.environments.pop(slot))
        waiting = self.spare.get(task)
        environment = waiting.pop() if waiting else self._make(task)
        self.environments[slot] = environment
        self.playing[slot] = task
        if sum(map(len, self.spare.values())) > len(self.steps):  # as many as there are copies: enough for most draws
            max(self.spare.values(), key=len).pop(0).close()
        return environment

    def _make(self, task: int) -> Any:
        try:
            environment = make_plain(self.family.spec, self.family.keywords[task], self.family.max_steps)
        except BaseException as error:
            raise InputError(f"could not be made: {one_line(error)}") from error
        spaces = read_spaces("", environment.observation_space, environment.action_space)
        if spaces != self.spaces:
            raise InputError(f"has other spaces than task 0: {shown(tuple(spaces))}, {shown(tuple(self.spaces))}")
        return environment

    def _place(self, slot: int) -> str:
        shared = self.shared
        task = self.family.task(int(shared.task[slot]))
        place = f"copy {slot}, trial seed {shared.seed[slot]}, episode {shared.episode[slot]}, step {self.steps[slot]}"
        return f"{task}, {place}"

    def close(self) -> None:
        """Close all environments."""
        for environments in (self.environments.values(), *self.spare.values()):
            for environment in environments:
                with contextlib.suppress(Exception):
                    environment.close()


class _Unusable(Exception):
    """What an environment gave cannot be used."""

    def __init__(self, slot: int, message: str) -> None:
        super().__init__(message)
        self.slot = slot


def _finite(slot: int, reward: Any) -> float:
    try:
        number = float(reward)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise _Unusable(slot, f"the reward is {shown(reward)}, expected a finite number")
    return number


def _answer(kind: bytes, message: str) -> bytes:
    return (kind + " ".join(message.split()).encode(errors="replace"))[: LONGEST_ANSWER - 1] + b"\n"
