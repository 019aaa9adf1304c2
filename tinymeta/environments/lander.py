"""Gymnasium's LunarLander, its step written in plain numbers: the same bits in three quarters of the time.

Of a step of `LunarLander-v3` less than half is Box2D's; the rest goes into NumPy functions of single numbers and into
attributes that are asked for again and again. `Lander` inherits everything from Gymnasium's class but `step`, and with
continuous engines and nothing to be drawn takes a shorter way to the same calls of Box2D. The constants are
Gymnasium's own, and every operation is the same one of IEEE, in the same order: observations, rewards and the draws
of the generator are equal to the bit, which a test compares.
"""

import math
import warnings
from typing import Any

import numpy as np

with warnings.catch_warnings():  # Box2D's are of its own affairs, and to it one that raises is fatal
    warnings.simplefilter("ignore")
    from gymnasium.envs.box2d import lunar_lander as gymnasiums

SCALE = gymnasiums.SCALE
FPS = gymnasiums.FPS
MAIN_POWER, SIDE_POWER = gymnasiums.MAIN_ENGINE_POWER, gymnasiums.SIDE_ENGINE_POWER
MAIN_Y = gymnasiums.MAIN_ENGINE_Y_LOCATION / SCALE
SIDE_AWAY = gymnasiums.SIDE_ENGINE_AWAY
SIDE_Y = 17  # Gymnasium's, instead of its SIDE_ENGINE_HEIGHT; see the comment there
HALF_WIDTH = gymnasiums.VIEWPORT_W / SCALE / 2
HALF_HEIGHT = gymnasiums.VIEWPORT_H / SCALE / 2
LEGS = gymnasiums.LEG_DOWN / SCALE
ITERATIONS = (6 * 30, 2 * 30)  # of Box2D's solvers, velocity and position
WEAKEST = 0.5  # power of an engine that is on; a side engine's action is on beyond it


def _gust(index: Any) -> float:
    """Strength of wind or turbulence in [-1, 1], never periodic."""
    return math.tanh(math.sin(0.02 * index) + math.sin(math.pi * 0.01 * index))


class Lander(gymnasiums.LunarLander):
    """`LunarLander`; see there."""

    def step(self, action: np.ndarray) -> tuple[Any, ...]:
        """As Gymnasium's."""
        if not self.continuous or self.render_mode is not None:  # then exhaust gases fly about
            return super().step(action)
        lander: Any = self.lander
        legs = self.legs
        assert lander is not None, "reset comes first"
        if self.enable_wind and not (legs[0].ground_contact or legs[1].ground_contact):
            wind = _gust(self.wind_idx) * self.wind_power
            self.wind_idx += 1
            lander.ApplyForceToCenter((wind, 0.0), True)
            torque = _gust(self.torque_idx) * self.turbulence_power
            self.torque_idx += 1
            lander.ApplyTorque(torque, True)
        power = self._fire(float(action[0]), float(action[1]))
        self.world.Step(1.0 / FPS, *ITERATIONS)
        return self._outcome(*power)

    def _fire(self, main: float, side: float) -> tuple[float, float]:
        """Apply the engines' impulses; their powers, 0 for one that is off."""
        lander: Any = self.lander
        random = self.np_random.random
        angle = lander.angle
        sine, cosine = math.sin(angle), math.cos(angle)
        noise_along = (-1.0 + 2.0 * random()) / SCALE  # drawn whether or not an engine is on
        noise_across = (-1.0 + 2.0 * random()) / SCALE
        main_power = side_power = 0.0
        if main > 0.0:
            main_power = (min(main, 1.0) + 1.0) * 0.5
            along = MAIN_Y + 2 * noise_along
            x = sine * along + -cosine * noise_across
            y = -cosine * along - sine * noise_across
            here = lander.position
            thrust = (-x * MAIN_POWER * main_power, -y * MAIN_POWER * main_power)
            lander.ApplyLinearImpulse(thrust, (here.x + x, here.y + y), True)
        if abs(side) > WEAKEST:
            side_power = min(abs(side), 1.0)
            away = 3 * noise_across + math.copysign(1.0, side) * SIDE_AWAY / SCALE
            x = sine * noise_along + -cosine * away
            y = -cosine * noise_along - sine * away
            here = lander.position
            place = (here.x + x - sine * SIDE_Y / SCALE, here.y + y + cosine * gymnasiums.SIDE_ENGINE_HEIGHT / SCALE)
            thrust = (-x * SIDE_POWER * side_power, -y * SIDE_POWER * side_power)
            lander.ApplyLinearImpulse(thrust, place, True)
        return main_power, side_power

    def _outcome(self, main_power: float, side_power: float) -> tuple[Any, ...]:
        """What Gymnasium's `step` returns, after Box2D's."""
        lander: Any = self.lander
        legs = self.legs
        position, velocity, angle = lander.position, lander.linearVelocity, lander.angle
        x = (position.x - HALF_WIDTH) / HALF_WIDTH
        y = (position.y - (self.helipad_y + LEGS)) / HALF_HEIGHT
        x_dot, y_dot = velocity.x * HALF_WIDTH / FPS, velocity.y * HALF_HEIGHT / FPS
        left, right = float(legs[0].ground_contact), float(legs[1].ground_contact)
        state = (x, y, x_dot, y_dot, angle, 20.0 * lander.angularVelocity / FPS, left, right)
        shaping = -100 * math.sqrt(x * x + y * y) - 100 * math.sqrt(x_dot * x_dot + y_dot * y_dot)
        shaping = shaping - 100 * abs(angle) + 10 * left + 10 * right
        reward = 0.0 if self.prev_shaping is None else shaping - self.prev_shaping
        self.prev_shaping = shaping
        reward = reward - main_power * 0.30 - side_power * 0.03
        terminated = self.game_over or abs(x) >= 1.0
        if terminated:
            reward = -100.0
        if not lander.awake:
            terminated, reward = True, 100.0
        return np.array(state, np.float32), reward, terminated, False, {}
