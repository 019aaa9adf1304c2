"""MetaGym's four-legged robot (`A1GymEnv` of metagym 0.1.1) as an environment of Gymnasium; loaded by worker processes.

Four things are put right around that code, nothing within it. (1) It looks for abstract classes in `collections`, which
Python 3.10 moved to `collections.abc`: they are put back while it is imported. (2) It builds every terrain in the
physics server that was opened *first* in the process, so that of several robots one gets all the stairs and the others
walk on a plane: here each terrain goes to its own robot's server. (3) Its reset leaves traces in the physics, so that
the second episode of a robot is not that of a new one: a reset with a seed, by which a trial begins, builds all anew.
(4) Its `done` is always a true end: the robot tilts by more than 60°, sits, turns by more than 0.6 rad or stands still.
"""

import collections
import collections.abc
import contextlib
import os
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box

MOVED = ("Sequence", "Mapping", "Iterable")
OBSERVED = 37
REACH = np.array([0.2, 0.7, 0.7] * 4, np.float32)  # rad about the resting pose: hip, upper and lower joint of each leg


class Quadruped(gymnasium.Env):
    """The robot on one terrain. Nothing in it is random.

    Parameters
    ----------
    terrain : str
        MetaGym's `task`.
    """

    observation_space = Box(-np.inf, np.inf, (OBSERVED,), np.float32)
    action_space = Box(-REACH, REACH)

    def __init__(self, terrain: str) -> None:
        self.terrain = terrain
        self.robot: Any = None
        self._build()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """A new episode; with a seed, in a new world."""
        super().reset(seed=seed)
        if seed is not None and self.walked:
            self._build()
        return self.robot.reset()

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Gymnasium's five; never truncated."""
        self.walked = True
        observation, reward, done, info = self.robot.step(action)
        return observation, reward, bool(done), False, info

    def close(self) -> None:
        """Leave the physics server."""
        if self.robot is not None:
            self.robot.pybullet_client.disconnect()
            self.robot = None

    def _build(self) -> None:
        self.close()
        self.walked = False
        with _silence():
            self.robot = _robot(self.terrain)


def _robot(terrain: str) -> Any:
    for name in MOVED:
        setattr(collections, name, getattr(collections.abc, name))
    from metagym.quadrupedal import A1GymEnv
    from metagym.quadrupedal.envs import locomotion_gym_env
    from metagym.quadrupedal.envs.utilities import terrain as terrains

    usual = locomotion_gym_env.bullet_client.BulletClient

    class OwnClient(usual):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            terrains.p = self

    locomotion_gym_env.bullet_client.BulletClient = OwnClient
    try:
        return A1GymEnv(task=terrain)
    finally:
        locomotion_gym_env.bullet_client.BulletClient = usual
        for name in MOVED:
            delattr(collections, name)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Nothing comes through stdout and stderr, not even what is written below Python."""
    kept = [(number, os.dup(number)) for number in (1, 2)]
    with open(os.devnull, "wb") as nowhere:
        for number, _ in kept:
            os.dup2(nowhere.fileno(), number)
    try:
        yield
    finally:
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
