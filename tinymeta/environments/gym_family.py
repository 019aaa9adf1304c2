"""What the two sides of a `tinymeta.environments.gym_pool.Pool` agree on: the environments, their spaces, the memory.

A `Family` is an environment of Gymnasium with the keywords of each task. It crosses to the worker processes once, when
they start. From then on all numbers go through the `Shared` arrays, rows of which belong to one copy each.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from tinymeta.base.errors import InputError, shown

MOST_NUMBERS = 10**6  # of an observation
REST, BEGIN, STEP = range(3)  # orders to a copy; in the second lane the latter two are 3 and 4
LANES = 2  # orders that can be under way at once, of different copies


class Spaces(NamedTuple):
    """The actions and observations that tasks of one family have in common.

    Attributes
    ----------
    num_actions : int
        A: choices, or the length of the action vector.
    low, high : tuples of A floats
        Bounds of continuous actions; empty where actions are choices.
    action_shape : tuple
        What the environment is given; () for a choice.
    action_type : str
        NumPy's name of the actions' type.
    first_action, first_category : int
        Gymnasium's number of the action and of the observation that is 0 here.
    num_observations : int
        One-hot categories; 1 where observations are numbers.
    observation_shape : tuple
        Of an observation of numbers, which is flattened; () for a category.
    observation_size : int
        F; 0 for a category.
    """

    num_actions: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    action_shape: tuple[int, ...]
    action_type: str
    first_action: int
    num_observations: int
    first_category: int
    observation_shape: tuple[int, ...]
    observation_size: int

    @property
    def continuous(self) -> bool:
        """Whether actions are vectors of real numbers."""
        return bool(self.low)


class Family(NamedTuple):
    """An environment of Gymnasium as a set of tasks.

    Attributes
    ----------
    name : str
        As it stands in messages.
    spec : gymnasium.envs.registration.EnvSpec
    keywords : list of dict
        Of the environment, for each task.
    task_names : list of str
    spaces : Spaces
    episodes, max_steps : int
        K episodes a trial, each truncated after so many steps.
    """

    name: str
    spec: Any
    keywords: list[dict[str, Any]]
    task_names: list[str]
    spaces: Spaces
    episodes: int
    max_steps: int

    def task(self, index: int) -> str:
        """Environment and task, as they stand in messages."""
        return f"environment {self.name}" + (f" ({self.task_names[index]})" if self.task_names[index] else "")


def make_plain(spec: Any, keywords: dict[str, Any], max_steps: int | None = None) -> Any:
    """An environment with as few wrappers as possible, for who counts its steps.

    Those that it is registered with may look at the step limit, so they get one.
    """
    import gymnasium

    limit = max_steps if spec.additional_wrappers else None
    plain = replace(spec, max_episode_steps=limit, order_enforce=False, disable_env_checker=True)
    return gymnasium.make(plain, disable_env_checker=True, **keywords)


def read_spaces(name: str, observations: Any, actions: Any) -> Spaces:
    """The spaces of an environment: Box or Discrete, both for observations and for actions.

    Raises
    ------
    InputError
        For any other space.
    """
    return Spaces(*_read_actions(name, actions), *_read_observations(name, observations))


def _read_actions(name: str, space: Any) -> tuple[Any, ...]:
    from gymnasium.spaces import Box, Discrete

    if isinstance(space, Discrete):
        return int(space.n), (), (), (), "int64", int(space.start)
    if not isinstance(space, Box) or not np.issubdtype(space.dtype, np.floating) or not np.prod(space.shape):
        raise InputError(f"{name} has the actions {shown(space)}, expected Discrete or a Box of real numbers")
    low, high = (tuple(bound.ravel().astype(float).tolist()) for bound in (space.low, space.high))
    return len(low), low, high, tuple(map(int, space.shape)), np.dtype(space.dtype).name, 0


def _read_observations(name: str, space: Any) -> tuple[Any, ...]:
    from gymnasium.spaces import Box, Discrete

    if isinstance(space, Discrete):
        return int(space.n), int(space.start), (), 0
    if not isinstance(space, Box) or not 0 < np.prod(space.shape) <= MOST_NUMBERS:
        expected = f"Discrete or a Box of at most {MOST_NUMBERS} numbers"
        raise InputError(f"{name} has the observations {shown(space)}, expected {expected}")
    return 1, 0, tuple(map(int, space.shape)), int(np.prod(space.shape))


class Shared:
    """Arrays that a pool and its workers have in common; row b belongs to copy b.

    The pool writes `order`, `task`, `seed` and `action`; workers write the rest, see
    `tinymeta.environments.gym_pool.Pool`, and `at_work`: for each worker the copy that it has in hand.
    """

    task: np.ndarray
    seed: np.ndarray
    category: np.ndarray
    final_category: np.ndarray
    episode: np.ndarray
    at_work: np.ndarray
    reward: np.ndarray
    seen: np.ndarray
    final: np.ndarray
    action: np.ndarray
    order: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray

    def __init__(self, count: int, workers: int, spaces: Spaces, buffer: Any = None) -> None:
        F = spaces.observation_size
        vector = spaces.action_shape if spaces.continuous else ()
        shapes: dict[str, tuple[tuple[int, ...], Any]] = {
            "task": ((count,), np.int64),
            "seed": ((count,), np.int64),
            "category": ((count,), np.int64),
            "final_category": ((count,), np.int64),
            "episode": ((count,), np.int64),
            "at_work": ((workers,), np.int64),
            "reward": ((count,), np.float64),
            "seen": ((count, F), np.float64),
            "final": ((count, F), np.float64),
            "action": ((count, *vector), np.dtype(spaces.action_type)),
            "order": ((count,), np.int8),
            "terminated": ((count,), np.bool_),
            "truncated": ((count,), np.bool_),
        }
        self.size = 0
        for name, (shape, kind) in shapes.items():
            length = int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize
            if buffer is not None:
                array: np.ndarray = np.ndarray(shape, kind, buffer, self.size)
                setattr(self, name, array)
            self.size += -(-length // 64) * 64  # each array begins a line of the processor's cache


def one_line(error: BaseException) -> str:
    """An exception's type and message on one line, cut where it is long."""
    text = " ".join(str(error).split())
    text = text if len(text) <= 300 else f"{text[:296]} …"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
