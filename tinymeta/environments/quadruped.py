"""A four-legged robot on ten terrains: MetaGym's `A1GymEnv`, the distribution "10×Quadrupedal" of Conti's comparison.

An observation is 37 numbers (displacement, attitude, joints and their speeds, contacts of the feet), an action twelve
joint angles about the resting pose; a step lasts 0.026 s. MetaGym ends an episode where the robot falls, turns aside or
stands still, and has no step limit; ours truncates. It is wrapped by `tinymeta.environments.quadruped_robot`.

Of the ten names metagym 0.1.1 knows six: "ground", "stair13", "terrain" and "Cave" give the same plane, because nothing
is built for a name that it does not know. What it calls "cave" and "highstair" (steps of 0.13 m) can be asked for, too.
"""

from collections.abc import Sequence

from tinymeta.base.errors import choice, integer
from tinymeta.base.extras import extra_module, look_for
from tinymeta.environments.gym_family import read_spaces
from tinymeta.environments.gymnasium_world import MOST_TASKS, PythonWorld, gymnasium_world

TERRAINS = (
    "ground", "stairstair", "stairslope", "slopestair", "slopeslope", "stair13", "terrain", "balancebeam", "gallop",
    "Cave",
)  # fmt: skip
FURTHER = ("cave", "highstair")
NEEDED = ("metagym", "pybullet", "gym", "scipy", "attr")
ENTRY_POINT = "tinymeta.environments.quadruped_robot:Quadruped"


def quadruped(terrain: Sequence[str] | str = TERRAINS, episodes: int = 1, max_steps: int = 500) -> PythonWorld:
    """One task for each terrain.

    Parameters
    ----------
    terrain : sequence of str, or one
        Of `TERRAINS` and `FURTHER`.
    episodes : int
        Per trial.
    max_steps : int
        Steps after which an episode is truncated; 500 are 13 s.

    Raises
    ------
    InputError
        For an unknown terrain, or if MetaGym or what it needs is missing.
    """
    names = [terrain] if isinstance(terrain, str) else list(terrain)
    integer("the number of values of terrain", len(names), 1, MOST_TASKS)
    for name in names:
        choice("terrain", name, (*TERRAINS, *FURTHER))
    registration = extra_module("gymnasium.envs.registration", "quadruped", "environment 'quadruped'")
    look_for(NEEDED, "quadruped", "environment 'quadruped'")
    from tinymeta.environments.quadruped_robot import Quadruped

    spec = registration.EnvSpec("tinymeta/Quadruped-v0", entry_point=ENTRY_POINT)
    spaces = read_spaces("environment quadruped", Quadruped.observation_space, Quadruped.action_space)
    keywords = [{"terrain": name} for name in names]
    task_names = [f"terrain={name}" for name in names]
    return gymnasium_world("quadruped", spec, keywords, task_names, episodes, max_steps, spaces)
