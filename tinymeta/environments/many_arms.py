"""Any number of Bernoulli arms with p ~ U[0, 1], too many for a table (Duan et al. 2016, §3.1).

`tinymeta.environments.independent` gives a table where one is small enough; this world is the same process without it.
"""

from typing import NamedTuple

from tinymeta.environments.world import Draws, World, begin, step


class ManyArms(NamedTuple):
    """How many arms there are; their probabilities are each trial's own."""

    arms: int


@begin.of(ManyArms)
def begin_many_arms(world, task, episode, state, uniforms, seen):
    """At episode 0 the arms' probabilities are drawn; a pull has nothing to begin with."""
    if episode == 0:
        for arm in range(world.arms):
            state[arm] = uniforms[arm]
    return 0


@step.of(ManyArms)
def step_many_arms(world, task, episode, state, action, uniforms, seen):
    """One pull, one episode."""
    return (1.0 if uniforms[0] < state[action] else 0.0), True, 0


def many_arms(arms: int, pulls: int) -> World:
    """`arms` arms for `pulls` pulls; exact values still come from counting, see `tinymeta.optimum.counting`."""
    world = World(
        ManyArms(arms),
        num_actions=arms,
        max_steps=1 + pulls,  # never reached: every pull ends its episode
        step_limit=pulls,
        draws=Draws(first=arms, action=1, step=1),
        state_size=arms,
        episodes=pulls,
        name="bandit-independent",
    )
    world.independent_arms = arms, pulls
    return world
