"""What enters an RL² agent, as one vector: the observation, the previous reward and action, an episode's beginning.

Duan et al. (2016), §2.2, feed their recurrent policy with (s, a, r, d). The vector x has, in this order,

    observation        one-hot where it is one of O > 1 categories, its numbers where it is a Box, both for a Dict
    previous reward    1 number
    previous action    one-hot, or its numbers
    begins             1 where the observation is an episode's first, else 0

Previous reward and action are 0 at a trial's first step. Without `begins` this is what `tinymeta`'s own `rl2` sees.
"""

from typing import Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

from tinymeta.base.errors import InputError
from tinymeta.gym.trials import LARGEST

ANY_REWARD = (-LARGEST, LARGEST)


class RL2Input:
    """The vectors x of B trials.

    Parameters
    ----------
    observation_space, action_space : gymnasium.Space
        Of one trial: Discrete, Box, or a Dict of these.
    reward_range : (float, float)
        Bounds of a step's reward.

    Attributes
    ----------
    space : Box of shape (D,), float32
    """

    def __init__(self, observation_space: gymnasium.Space, action_space: gymnasium.Space, reward_range: Any) -> None:
        self._observation_space = observation_space
        self._action_space = action_space
        observation = _bounds("observation", observation_space)  # (2, n)
        action = _bounds("action", action_space)
        reward = np.clip(np.array(reward_range, float), -LARGEST, LARGEST)[:, None]
        low, high = np.concatenate([observation, reward, action, [[0.0], [1.0]]], axis=1)
        self._before = slice(observation.shape[1], len(low) - 1)  # previous reward and action: 0 is among their values
        low[self._before] = np.minimum(low[self._before], 0)
        high[self._before] = np.maximum(high[self._before], 0)
        self.space = spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)

    def first(self, observation: Any, count: int) -> np.ndarray:
        """x of B trials that begin, float32 array (B, D)."""
        x = np.zeros((count, *self.space.shape), np.float32)
        x[:, : self._before.start] = _numbers(self._observation_space, observation, count)
        x[:, -1] = 1
        return x

    def following(
        self, observation: Any, reward: np.ndarray, action: Any, begins: np.ndarray, fresh: np.ndarray
    ) -> np.ndarray:
        """x of B trials after a step, float32 array (B, D); those of the mask fresh (B,) only begin with it."""
        x = self.first(observation, len(reward))
        x[:, self._before.start] = reward
        x[:, self._before.start + 1 : -1] = _numbers(self._action_space, action, len(reward))
        x[fresh, self._before] = 0
        x[:, -1] = begins | fresh
        return x


def _bounds(name: str, space: gymnasium.Space) -> np.ndarray:
    """Least and largest value of each number of a space, array (2, n)."""
    if isinstance(space, spaces.Discrete):
        n = int(space.n) if space.n > 1 else 0
        return np.repeat([[0.0], [1.0]], n, axis=1)
    if isinstance(space, spaces.Box):
        return np.clip(np.stack([space.low.ravel(), space.high.ravel()]).astype(float), -LARGEST, LARGEST)
    if isinstance(space, spaces.Dict):
        return np.concatenate([_bounds(name, part) for part in space.values()], axis=1)
    raise InputError(f"{name} space {space}, expected Discrete, Box or a Dict of these")


def _numbers(space: gymnasium.Space, values: Any, count: int) -> np.ndarray:
    """B values of a space as numbers, array (B, n); of one value, the batch's axis may be missing."""
    if isinstance(space, spaces.Discrete):
        if space.n == 1:
            return np.zeros((count, 0))
        return np.asarray(values).reshape(count, 1) == space.start + np.arange(space.n)
    if isinstance(space, spaces.Dict):
        return np.concatenate([_numbers(part, values[key], count) for key, part in space.items()], axis=1)
    return np.asarray(values, np.float32).reshape(count, -1)


class RL2Observation(gymnasium.Wrapper[np.ndarray, Any, Any, Any], RecordConstructorArgs):
    """Observations become the vectors x of this module's docstring.

    It wraps any environment with Discrete, Box or Dict spaces. An environment whose info has no `new_episode` has
    episodes of one kind only: then `begins` is 1 at the first step.

    Parameters
    ----------
    env : gymnasium.Env
    reward_range : (float, float)
        Bounds of a step's reward, for the observation space.

    Examples
    --------
    >>> import gymnasium, tinymeta.gym
    >>> env = tinymeta.gym.RL2Observation(gymnasium.make("tinymeta/Corridor-v0", left=1, right=2))
    >>> env.reset(seed=0)[0].tolist()  # four cells, previous reward, two actions, begins
    [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    >>> env.step(1)[0].tolist()
    [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    """

    def __init__(self, env: gymnasium.Env, reward_range: tuple[float, float] = ANY_REWARD) -> None:
        RecordConstructorArgs.__init__(self, reward_range=reward_range)
        gymnasium.Wrapper.__init__(self, env)
        self._input = RL2Input(env.observation_space, env.action_space, reward_range)
        self.observation_space = self._input.space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin a trial."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._input.first(observation, 1)[0], info

    def step(self, action: Any) -> tuple[np.ndarray, SupportsFloat, bool, bool, dict[str, Any]]:
        """Act once."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        begins = np.array([info.get("new_episode", False)])
        fresh = np.zeros(1, np.bool_)
        x = self._input.following(observation, np.array([reward]), action, begins, fresh)
        return x[0], reward, terminated, truncated, info


class RL2VectorObservation(VectorWrapper):
    """`RL2Observation` for vector environments that begin a new trial at the step after the last one's end.

    Parameters
    ----------
    env : gymnasium.vector.VectorEnv
    reward_range : (float, float)
        Bounds of a step's reward, for the observation space.

    Raises
    ------
    InputError
        If the environment has another `AutoresetMode`.
    """

    def __init__(self, env: VectorEnv, reward_range: tuple[float, float] = ANY_REWARD) -> None:
        super().__init__(env)
        if env.metadata.get("autoreset_mode") is not AutoresetMode.NEXT_STEP:
            mode = env.metadata.get("autoreset_mode")
            raise InputError(f"the vector environment's autoreset_mode is {mode}, expected AutoresetMode.NEXT_STEP")
        self._input = RL2Input(env.single_observation_space, env.single_action_space, reward_range)
        self.single_observation_space = self._input.space
        self.observation_space = batch_space(self._input.space, env.num_envs)
        self._over = np.zeros(env.num_envs, np.bool_)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin B trials."""
        observation, infos = self.env.reset(seed=seed, options=options)
        self._over[:] = False
        return self._input.first(observation, self.num_envs), infos

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Every trial acts; where one was over, the next begins."""
        observation, reward, terminated, truncated, infos = self.env.step(actions)
        x = self._input.following(observation, reward, actions, infos.get("new_episode", False), self._over)
        self._over = terminated | truncated
        return x, reward, terminated, truncated, infos
