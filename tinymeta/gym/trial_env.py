"""One trial as one Gymnasium episode."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded

from tinymeta.gym.trials import Compiled, Trials, action_space, checked_actions, chosen_tasks, observation_space

RENDER_MODES = ("ansi",)


class TrialEnv(gymnasium.Env[Any, Any]):
    """A task set or world for Gymnasium: one episode of Gymnasium's is a trial, K episodes of ours on one task.

    `terminated` is the trial's true end, `truncated` a step limit's cut. The info of reset and step tells

    - task: the task, 0…M-1, which the agent is not meant to see; task_name: its name, if it has one;
    - episode_index: the episode that the observation belongs to, 0…K-1;
    - new_episode: whether the observation is that episode's first;
    - belief: the exact belief over tasks, array (M,), given all that was seen and done so far (after the trial's last
      step, before it), where there is a table.

    Parameters
    ----------
    tasks : TaskSet or World
    belief : bool, optional
        Whether info tells the belief; see `tinymeta.gym.trials.Trials` for the default.
    render_mode : "ansi", optional
        `render` gives the last step as a line of text.

    Examples
    --------
    >>> import tinymeta
    >>> from tinymeta.gym import TrialEnv
    >>> env = TrialEnv(tinymeta.make("bandit", p=(0.9, 0.1), pulls=2))
    >>> observation, info = env.reset(seed=0, options={"task": 1})
    >>> info["belief"]
    array([0.5, 0.5])
    >>> observation, reward, terminated, truncated, info = env.step(0)
    >>> reward, info["episode_index"], info["belief"].round(3).tolist()
    (0.0, 1, [0.1, 0.9])
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 4}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(self, tasks: Compiled, belief: bool | None = None, render_mode: str | None = None) -> None:
        if render_mode not in (None, *RENDER_MODES):  # a TypeError tells Stable-Baselines3 to ask for none
            raise TypeError(f"render_mode = {render_mode!r}, expected None or one of {', '.join(RENDER_MODES)}")
        self._trials = Trials(tasks, 1, numbers=0, belief=belief)
        self.tasks = tasks
        self.render_mode = render_mode
        self.observation_space = observation_space(tasks)
        self.action_space = action_space(tasks)
        self._last_action: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin a trial; options={"task": m} chooses its task.

        Raises
        ------
        InputError
            For an unknown option, or a task that there is not.
        """
        super().reset(seed=seed)
        task = chosen_tasks(options, self.tasks, 1)
        self._draw(self._trials.drawing.begin)
        self._trials.begin(task)
        self._last_action = None
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act once.

        Raises
        ------
        InputError
            If there is no such action.
        gymnasium.error.ResetNeeded
            Before the first reset, and after the trial is over.
        """
        trials = self._trials
        actions = checked_actions([action], self.tasks, 1)
        if trials.over[0]:
            raise ResetNeeded("the trial has not begun, or is over; expected reset() before another step()")
        self._draw(trials.drawing.step)
        trials.step(actions)
        self._last_action = actions[0]
        slots = trials.slots
        ends = bool(slots.terminated[0]), bool(slots.truncated[0])
        return self._observation(), float(slots.reward[0]), *ends, self._info()

    def render(self) -> str | None:
        """The last step as a line of text; None without a render mode."""
        if self.render_mode is None:
            return None
        slots = self._trials.slots
        words = [f"{self.tasks.name}: task {slots.task[0]}, episode {slots.episode[0]}, step {slots.steps[0]}"]
        if self._last_action is not None:
            words.append(f"action {self._last_action}, reward {slots.reward[0]:g}")
        words.append(f"observation {self._observation()}")
        if "belief" in (info := self._info()):
            words.append(f"belief {' '.join(f'{weight:.3f}' for weight in info['belief'])}")
        return "; ".join(words) + "\n"

    def _draw(self, numbers: int) -> None:
        """The slot's next numbers come from `np_random`, no more of them than are used."""
        self._trials.uniforms[0, :numbers] = self.np_random.random(numbers)
        self._trials.slots.used[0] = 0

    def _observation(self) -> Any:
        batch = self._trials.observations()
        return {name: values[0] for name, values in batch.items()} if isinstance(batch, dict) else batch[0]

    def _info(self) -> dict[str, Any]:
        infos = {name: values[0] for name, values in self._trials.infos().items()}
        return {name: value.item() if isinstance(value, np.generic) else value for name, value in infos.items()}
