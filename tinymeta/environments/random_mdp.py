"""Random Markov decision processes (Duan et al. 2016, §3.2): the whole process is drawn anew for each trial.

Transitions come from flat Dirichlet distributions; the mean reward of each state and action is normal with mean 1 and
variance 1, and what is paid scatters about it with variance 1. Every episode begins in state 0 and ends, truly, after
`horizon` steps. Tasks come from a continuum, so they have no identity to be told.
"""

import math
from typing import NamedTuple

from tinymeta.base.errors import integer
from tinymeta.base.normal import normal_quantile
from tinymeta.environments.world import Draws, World, begin, step

STATE, ELAPSED = (
    0,
    1,
)  # entries of a trial's memory; behind them the means (S·A), then the cumulative transitions (S·A·S)
MEANS = 2


class RandomMDP(NamedTuple):
    """The sizes of the processes."""

    states: int
    actions: int
    horizon: int


@begin.of(RandomMDP)
def begin_random_mdp(world, task, episode, state, uniforms, seen):
    """At episode 0 the process is drawn; every episode begins in state 0."""
    pairs = world.states * world.actions
    if episode == 0:
        for i in range(pairs):
            state[MEANS + i] = 1.0 + normal_quantile(uniforms[i])
        for i in range(pairs):
            row = MEANS + pairs + i * world.states
            total = 0.0
            for s in range(world.states):  # exponential numbers over their sum are Dirichlet(1, …, 1)
                total -= math.log(1.0 - uniforms[pairs + i * world.states + s])
                state[row + s] = total
            for s in range(world.states):
                state[row + s] /= total
    state[STATE] = 0
    state[ELAPSED] = 0
    return 0


@step.of(RandomMDP)
def step_random_mdp(world, task, episode, state, action, uniforms, seen):
    """A reward about its mean, and the next state by one look-up."""
    pair = int(state[STATE]) * world.actions + action
    reward = state[MEANS + pair] + normal_quantile(uniforms[0])
    row = MEANS + world.states * world.actions + pair * world.states
    s = 0
    while s < world.states - 1 and uniforms[1] >= state[row + s]:
        s += 1
    state[STATE] = s
    state[ELAPSED] += 1
    return reward, state[ELAPSED] == world.horizon, s


def random_mdp(states: int = 10, actions: int = 5, horizon: int = 10, episodes: int = 10) -> World:
    """A random MDP for each trial.

    Parameters
    ----------
    states, actions : int
    horizon : int
        Steps per episode.
    episodes : int
        Per trial.

    Examples
    --------
    >>> random_mdp().num_actions
    5
    """
    S = integer("states", states, 2, 200)
    A = integer("actions", actions, 1, 200)
    H = integer("horizon", horizon, 1, 10_000)
    pairs = S * A
    return World(
        RandomMDP(S, A, H),
        num_actions=A,
        max_steps=H + 1,  # never reached: the horizon is a true end
        step_limit=H * integer("episodes", episodes, 1, 10_000),
        draws=Draws(first=pairs + pairs * S, action=1, step=2),
        state_size=MEANS + pairs + pairs * S,
        num_observations=S,
        episodes=episodes,
        name="random-mdp",
    )
