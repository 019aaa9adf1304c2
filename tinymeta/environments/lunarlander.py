"""LunarLander with wind: a lander with continuous engines comes down onto a pad, and the wind is what the trial hides.

`LunarLander-v3` of Gymnasium, its step as `tinymeta.environments.lander` has it; four wind powers as tasks are the
distribution "4×LunarLander" of Conti's comparison of plain and recurrent agents. An observation is eight numbers
(position, velocity, angle, its velocity, two contacts), an action two (main engine, side engines), each in [-1, 1].
The wind itself, and the turbulence that turns the lander, is
a sum of two sines of incommensurable periods whose phases the episode draws.
"""

from collections.abc import Sequence
from dataclasses import replace

from tinymeta.base.errors import integer, real
from tinymeta.base.extras import extra_module, look_for
from tinymeta.environments.gymnasium_world import MOST_TASKS, PythonWorld, gymnasium_world


def lunarlander(
    wind: Sequence[float] | float = (0, 5, 10, 15),
    turbulence: float = 1.5,
    episodes: int = 1,
    max_steps: int = 1000,
    gravity: float = -10.0,
) -> PythonWorld:
    """One task for each wind power.

    Parameters
    ----------
    wind : sequence of floats in [0, 20], or one
        Without wind (0) there is no turbulence either.
    turbulence : float in [0, 2]
    episodes : int
        Per trial.
    max_steps : int
        Steps after which an episode is truncated.
    gravity : float
        From -11.99 to -0.01.

    Raises
    ------
    InputError
        For a value outside these bounds, or if Gymnasium or Box2D is missing.
    """
    winds = list(wind) if isinstance(wind, (list, tuple)) else [wind]
    integer("the number of values of wind", len(winds), 1, MOST_TASKS)
    powers = [real(f"wind[{i}]", value, 0, 20) for i, value in enumerate(winds)]
    gravity = real("gravity", gravity, low=-11.99, high=-0.01)
    turbulence = real("turbulence", turbulence, 0, 2)
    gymnasium = extra_module("gymnasium", "gym", "environment 'lunarlander'")
    look_for(("Box2D",), "gym", "environment 'lunarlander'")
    keywords = [
        {
            "continuous": True,
            "gravity": gravity,
            "enable_wind": power > 0,
            "wind_power": power,
            "turbulence_power": turbulence,
        }
        for power in powers
    ]
    names = [f"wind={power:g}" for power in powers]
    spec = replace(gymnasium.spec("LunarLander-v3"), entry_point="tinymeta.environments.lander:Lander")
    return gymnasium_world("lunarlander", spec, keywords, names, episodes, max_steps)
