"""Environments of Gymnasium that fail in every way, for the tests of pools; worker processes import them by name."""

import os
import sys
import time

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

GOOD = np.zeros((2, 2), np.float32)


class Faulty(gymnasium.Env):
    """Does what `fault` says at the second step, or where it says; episodes end after three steps."""

    observation_space = Box(-1, 1, (2, 2))
    action_space = Discrete(3, start=5)

    def __init__(self, fault="none"):
        self.fault = fault
        if fault == "make":
            raise ValueError("no such\nworld")
        if fault == "other space":
            self.action_space = Discrete(4)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if self.fault == "reset" or (self.fault == "second reset" and seed is None):
            raise RuntimeError("stuck")
        self.steps = 0
        return (np.full((2, 2), np.nan) if self.fault == "first observation" else GOOD), {}

    def step(self, action):
        assert action in self.action_space
        self.steps += 1
        if self.steps == 2 and self.fault in FAULTS:
            return FAULTS[self.fault]()
        return GOOD + self.steps / 8, float(action), self.steps == 3, False, {}


def result(observation=GOOD, reward=0.0):
    return observation, reward, False, False, {}


FAULTS = {
    "raise": lambda: 1 / 0,
    "exit": lambda: sys.exit("gone"),
    "die": lambda: os._exit(3),
    "hang": lambda: time.sleep(60),
    "four": lambda: result()[:4],
    "nan": lambda: result(GOOD + np.nan),
    "inf": lambda: result(GOOD + np.inf),
    "shape": lambda: result(np.zeros(2)),
    "nothing": lambda: result(None),
    "text": lambda: result(np.full((2, 2), "a")),
    "no reward": lambda: result(reward=None),
    "nan reward": lambda: result(reward=np.nan),
}


class Echo(gymnasium.Env):
    """Shows the action of the step before, which it keeps as it was given."""

    observation_space = Box(-1, 1, (2,))
    action_space = Box(np.array([[-1], [0]], np.float32), np.array([[0.5], [0.25]], np.float32))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.kept = np.zeros((2, 1))
        return self.kept.ravel(), {}

    def step(self, action):
        assert action in self.action_space
        shown = self.kept.ravel()
        self.kept = action
        return shown, 0.0, False, False, {}


class Spaces(gymnasium.Env):
    """Any spaces at all."""

    def __init__(self, observations=None, actions=None):
        self.observation_space = observations if observations is not None else Discrete(2)
        self.action_space = actions if actions is not None else Discrete(2)


def register():
    for name, kind in (("Faulty", Faulty), ("Echo", Echo), ("Spaces", Spaces)):
        if f"tests/{name}-v0" not in gymnasium.registry:
            gymnasium.register(f"tests/{name}-v0", f"faulty_environments:{kind.__name__}", max_episode_steps=10)
    if "tests/Endless-v0" not in gymnasium.registry:
        gymnasium.register("tests/Endless-v0", "faulty_environments:Faulty")
