"""Many trials in one compiled call: Gymnasium's vector interface."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from tinymeta.base.errors import InputError, shown
from tinymeta.gym.trials import Compiled, Trials, action_space, checked_actions, chosen_tasks, observation_space

DRAWN_AT_ONCE = 256  # uniform numbers of a slot, or more where a trial needs many to begin


class TrialVectorEnv(VectorEnv[Any, Any, np.ndarray]):
    """B trials of a task set or world, stepped by one compiled kernel.

    They take the same course as B single environments (`TrialEnv`) with the same seeds and actions. As in Gymnasium's
    own vector environments, a trial that is over is followed at the *next* step by a new one, whatever the action
    (`AutoresetMode.NEXT_STEP`): that step pays 0 and gives the new trial's first observation. In infos every array has
    its mask, `_task` beside `task`.

    Parameters
    ----------
    tasks : TaskSet or World
    num_envs : int
        B.
    belief : bool, optional
        Whether infos tell the beliefs, array (B, M); see `tinymeta.gym.trials.Trials` for the default.
    max_episode_steps : int, optional
        Steps after which a trial is truncated, if the task set does not do so sooner.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(
        self, tasks: Compiled, num_envs: int = 1, belief: bool | None = None, max_episode_steps: int | None = None
    ) -> None:
        self.tasks = tasks
        self.num_envs = num_envs
        self._trials = Trials(tasks, num_envs, DRAWN_AT_ONCE, belief, max_episode_steps)
        self._trials.slots.used[:] = self._trials.uniforms.shape[1]
        self._generators = [np_random()[0] for _ in range(num_envs)]
        self.single_observation_space = observation_space(tasks)
        self.single_action_space = action_space(tasks)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin B trials.

        Parameters
        ----------
        seed : int or sequence of B ints, optional
            Slot b is seeded with seed + b, or seed[b]; without a seed its generator goes on.
        options : dict, optional
            {"task": m}, or one task of each slot: the tasks of these trials; those that follow are drawn.

        Raises
        ------
        InputError
            For a wrong number of seeds, an unknown option, or a task that there is not.
        """
        task = chosen_tasks(options, self.tasks, self.num_envs)
        for b, one in enumerate(self._seeds(seed)):
            if one is not None:
                self._generators[b] = np_random(one)[0]
                self._trials.slots.used[b] = self._trials.uniforms.shape[1]
        self._draw()
        self._trials.begin(task)
        return self._trials.observations(), self._infos()

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Every trial acts, actions (B,) or vectors (B, A); where one is over, the next begins.

        Raises
        ------
        InputError
            If an action is not in the action space.
        """
        self._draw()
        self._trials.step(checked_actions(actions, self.tasks, self.num_envs))
        slots = self._trials.slots
        ends = slots.terminated.copy(), slots.truncated.copy()
        return self._trials.observations(), slots.reward.copy(), *ends, self._infos()

    def _seeds(self, seed: int | Sequence[int | None] | None) -> Sequence[int | None]:
        """One seed of each slot."""
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, (int, np.integer)):
            return [int(seed) + b for b in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise InputError(f"seed = {shown(seed)}, expected an integer or {self.num_envs} of them")
        return seed

    def _draw(self) -> None:
        """Fill up the slots that lack numbers for another call, each from its own generator."""
        used = self._trials.slots.used
        uniforms = self._trials.uniforms
        drawing = self._trials.drawing
        width = uniforms.shape[1]
        for b in np.flatnonzero(used + max(drawing.begin, drawing.step) > width):
            left = width - used[b]
            uniforms[b, :left] = uniforms[b, used[b] :].copy()
            uniforms[b, left:] = self._generators[b].random(used[b])
            used[b] = 0

    def _infos(self) -> dict[str, Any]:
        infos: dict[str, Any] = {}
        for name, values in self._trials.infos().items():
            infos[name] = values
            infos[f"_{name}"] = np.ones(self.num_envs, np.bool_)
        return infos
