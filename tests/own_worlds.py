"""Worlds of the tests' own: what a user would write."""

from typing import NamedTuple

import numpy as np

from tinymeta.environments.world import Draws, World, begin, step


class Reach(NamedTuple):
    """Points in the plane that are to be reached, one a task."""

    target: np.ndarray  # (M, 2)
    sight: float  # what is seen is multiplied by it


@begin.of(Reach)
def begin_reach(world, task, episode, state, uniforms, seen):
    """Somewhere in the unit square."""
    for i in range(2):
        state[i] = uniforms[i] - 0.5
        seen[i] = world.sight * state[i]
    return 0


@step.of(Reach)
def step_reach(world, task, episode, state, action, uniforms, seen):
    """A push of at most 1 in each direction and some wind; paid for being near, over when near; a coin is seen, too."""
    distance = 0.0
    for i in range(2):
        push = min(max(action[i], -1.0), 1.0)
        state[i] += 0.5 * push + 0.2 * (uniforms[i] - 0.5)
        seen[i] = world.sight * state[i]
        distance += abs(state[i] - world.target[task, i])
    return -distance, distance < 0.5, 1 if uniforms[2] < 0.5 else 0


def reach(targets=((0.6, 0.2), (-0.5, -0.3)), max_steps=4, episodes=3, sight=1.0):
    """Vectors as observations and actions, tasks, ends and truncations."""
    data = Reach(np.array(targets), sight)
    return World(
        data, num_actions=2, max_steps=max_steps, draws=Draws(first=2, action=2, step=3, again=2),
        num_tasks=len(targets), state_size=2, observation_size=2, num_observations=2, continuous=True,
        episodes=episodes, name="reach",
    )  # fmt: skip
