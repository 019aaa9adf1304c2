"""The pole on a cart (Barto, Sutton & Anderson 1983) with Gymnasium's constants, as a family of tasks.

The state is the cart's position and velocity (m, m/s) and the pole's angle and angular velocity (rad, rad/s); a step of
0.02 s by Euler's method pushes the cart left or right. Each step pays 1; the episode ends when the cart is 2.4 m from
the middle or the pole 12° from upright. With numbers alone there is one task, CartPole-v1; lists of gravities, lengths,
forces or masses make the tasks of their product, and the trial's own is what a meta-learner has to find out.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tinymeta.base.errors import InputError, integer, real
from tinymeta.environments.world import Draws, World, begin, step

CART_MASS = 1.0  # kg
TIME_STEP = 0.02  # s
LARGEST_POSITION = 2.4  # m
LARGEST_ANGLE = 12 * 2 * math.pi / 360
LARGEST_START = 0.05  # of each number of an episode's first state

Numbers = float | Sequence[float]


class CartPole(NamedTuple):
    """The constants of M tasks."""

    gravity: np.ndarray  # (M,) m/s²
    length: np.ndarray  # (M,) m, half the pole
    force: np.ndarray  # (M,) N
    masspole: np.ndarray  # (M,) kg


@begin.of(CartPole)
def begin_cartpole(world, task, episode, state, uniforms, seen):
    """Near the middle, near upright, nearly at rest: four numbers, uniform in ±0.05."""
    for i in range(4):
        state[i] = LARGEST_START * (2 * uniforms[i] - 1)
        seen[i] = state[i]
    return 0


@step.of(CartPole)
def step_cartpole(world, task, episode, state, action, uniforms, seen):
    """Florian (2007), Eqs. 23-24 without friction, one Euler step."""
    force = world.force[task] if action == 1 else -world.force[task]
    mass = world.masspole[task]
    length = world.length[task]
    total = CART_MASS + mass
    sine = math.sin(state[2])
    cosine = math.cos(state[2])
    push = (force + mass * length * state[3] * state[3] * sine) / total
    turning = (world.gravity[task] * sine - cosine * push) / (length * (4.0 / 3.0 - mass * cosine * cosine / total))
    acceleration = push - mass * length * turning * cosine / total
    state[0] += TIME_STEP * state[1]
    state[1] += TIME_STEP * acceleration
    state[2] += TIME_STEP * state[3]
    state[3] += TIME_STEP * turning
    for i in range(4):
        seen[i] = state[i]
    return 1.0, abs(state[0]) > LARGEST_POSITION or abs(state[2]) > LARGEST_ANGLE, 0


def cartpole(
    gravity: Numbers = 9.8,
    length: Numbers = 0.5,
    force: Numbers = 10.0,
    masspole: Numbers = 0.1,
    max_steps: int = 500,
    episodes: int = 1,
) -> World:
    """The pole on a cart; lists make the tasks of their product, all equally likely.

    Parameters
    ----------
    gravity, length, force, masspole : float or sequence of float
        m/s², half the pole in m, N, kg.
    max_steps : int
        Steps after which an episode is truncated.
    episodes : int
        Per trial.

    Examples
    --------
    >>> cartpole(gravity=(5, 9.8, 20), length=(0.25, 1.0), episodes=3)
    World('cartpole': 6 tasks, 2 actions, 4 numbers an observation, 3 episodes per trial, at most 1500 steps)
    """
    given = {"gravity": gravity, "length": length, "force": force, "masspole": masspole}
    values = {name: positive_numbers(name, numbers) for name, numbers in given.items()}
    grid = list(itertools.product(*values.values()))
    varied = [name for name, numbers in values.items() if len(numbers) > 1]
    names = tuple(
        " ".join(f"{name}={number:g}" for name, number in zip(values, point, strict=True) if name in varied)
        for point in grid
    )
    return World(
        CartPole(*np.array(grid).T.copy()),
        num_actions=2,
        max_steps=integer("max_steps", max_steps, 1, 10**6),
        draws=Draws(first=4, action=1, step=0, again=4),
        num_tasks=len(grid),
        state_size=4,
        observation_size=4,
        episodes=integer("episodes", episodes, 1, 10_000),
        task_names=names,
        name="cartpole",
    )


def positive_numbers(name: str, numbers: Numbers) -> list[float]:
    """One number or several different ones, all above 0, as a list."""
    listed = list(numbers) if isinstance(numbers, (tuple, list, np.ndarray)) else [numbers]
    checked = [real(name, number, above=0) for number in listed]
    if not checked or len(set(checked)) < len(checked):
        raise InputError(f"{name} = {numbers!r}, expected one number or several different ones")
    return checked
