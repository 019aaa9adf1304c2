"""A world of one's own: a ball on a slope of unknown tilt, to be held in the middle by pushes of any strength."""

from typing import NamedTuple

import numpy as np

from tinymeta.environments.world import Draws, World, begin, step


class Slope(NamedTuple):
    tilt: np.ndarray  # (M,) what each step moves the ball by


@begin.of(Slope)
def begin_slope(world, task, episode, state, uniforms, seen):
    state[0] = 2 * uniforms[0] - 1  # the ball's place
    seen[0] = state[0]
    return 0


@step.of(Slope)
def step_slope(world, task, episode, state, action, uniforms, seen):
    state[0] += world.tilt[task] + min(max(action[0], -1.0), 1.0)
    seen[0] = state[0]
    return 1 - abs(state[0]), abs(state[0]) > 3, 0  # reward, whether it fell off, no category


def ball(tilt=(-0.5, 0.5), episodes=2):
    data = Slope(np.array(tilt, float))
    draws = Draws(first=1, action=1, step=0, again=1)  # uniform numbers: to begin a trial, a step, a later episode
    return World(data, num_actions=1, max_steps=10, draws=draws, num_tasks=len(tilt), observation_size=1,
                 continuous=True, episodes=episodes, name="ball")  # fmt: skip


ball.defaults = {"algorithm": "ppo", "num_envs": 16, "trials": 8000}
