"""An environment is data: a finite set of finite episodic POMDPs, and the one table that everything else reads.

M tasks share S states, A actions and O observations (Alver & Precup 2021, §3). Task m has transitions P, rewards R,
observations O, an initial distribution d0 and terminal states; `prior` is P(T). An *episode* runs until a terminal
state is entered (or for `episode_length` steps), a *trial* is `episodes` episodes on one task. Entering a terminal
state in one of the first K-1 episodes resets to d0 inside the same step: the next observation is the new episode's
first, beside the last step's reward. The K-th ending ends the trial. `max_steps` is different: it *cuts* a trial, for
training and rollouts only, and ends nothing.

`TaskSet.outcomes` compiles P, R, O, d0 and the reset into one sparse table, see `tinymeta.environments.outcomes`.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinymeta.base.errors import InputError, instance, integer
from tinymeta.environments.arrays import boolean_array, distributions, finite_array, number_of_axes
from tinymeta.environments.outcomes import Outcomes, Rules, compile_outcomes, make_rules
from tinymeta.environments.world import Draws


class TaskSet:
    """A finite set of finite episodic POMDPs, validated at construction and immutable afterwards.

    Parameters
    ----------
    transition : array of shape (M, S, A, S)
        P_m(s' | s, a). Every row sums to 1, also those of terminal states, which are never used.
    reward : array of shape (M, S, A, S)
        R_m(s, a, s'), deterministic given the transition. A stochastic reward is a transition into an outcome state.
    observation : array of shape (M, S, O) or (M, A, S, O)
        O_m(o | s') or O_m(o | a, s').
    initial : array of shape (M, S)
        d0, the distribution of an episode's first state; zero on terminal states.
    terminal : bool array of shape (M, S)
        The states that end an episode.
    prior : array of shape (M,), optional
        P(T), uniform by default.
    episodes : int
        K, episodes per trial.
    initial_observation : array of shape (M, S, O), optional
        Distribution of an episode's first observation. Needed only where `observation` depends on the action.
    episode_length : int, optional
        Fixed length of every episode in steps, known to the model; its end is a true end. Needed where no terminal
        state exists.
    max_steps : int, optional
        Step limit that cuts a trial in rollouts; needed where a trial can be endless.
    name : str

    Attributes
    ----------
    num_tasks, num_states, num_actions, num_observations : int
        M, S, A, O.
    horizon : int or math.inf
        Steps of the longest possible trial.
    step_limit : int
        The smaller one of `horizon` and `max_steps`.
    outcomes : Outcomes
    defaults : dict
        Settings that training takes where the user says nothing; the registry fills it in.
    independent_arms : (int, int) or None
        (arms, pulls) where the tasks are a grid of independent arms: then planning by counts is exact and much faster.

    Raises
    ------
    ValueError
        Names the array, the index, the value and what was expected.

    Examples
    --------
    A lamp that each flip lights with probability 0.3 or 0.8, two evenings of at most three flips:

    >>> import numpy as np, tinymeta
    >>> transition = np.zeros((2, 2, 1, 2))  # tasks, states (dark, lit), one action, states
    >>> transition[:, 0, 0] = [[0.7, 0.3], [0.2, 0.8]]
    >>> transition[:, 1, 0, 1] = 1
    >>> lamps = tinymeta.TaskSet(
    ...     transition, reward=np.zeros((2, 2, 1, 2)), observation=np.ones((2, 2, 1)), initial=[[1, 0], [1, 0]],
    ...     terminal=[[False, True], [False, True]], episodes=2, episode_length=3, name="lamps")
    >>> lamps
    TaskSet('lamps': 2 tasks, 2 states, 1 actions, 1 observations, 2 episodes per trial, at most 6 steps)
    """

    continuous = False  # what a world may have, and no table has
    observation_size = 0
    state_size = 0
    draws = Draws(first=1, action=1, step=1)

    def __init__(
        self,
        transition: ArrayLike,
        reward: ArrayLike,
        observation: ArrayLike,
        initial: ArrayLike,
        terminal: ArrayLike,
        prior: ArrayLike | None = None,
        episodes: int = 1,
        *,
        initial_observation: ArrayLike | None = None,
        episode_length: int | None = None,
        max_steps: int | None = None,
        name: str = "custom",
    ):
        self.name = instance("name", name, str)
        self.defaults: dict[str, Any] = {}
        self.independent_arms: tuple[int, int] | None = None
        self.transition = distributions("transition", transition, ("M", "S", "A", "S"), {})
        self.num_tasks, self.num_states, self.num_actions = self.transition.shape[:3]
        sizes = {"M": self.num_tasks, "S": self.num_states, "A": self.num_actions}
        self.reward = finite_array("reward", reward, ("M", "S", "A", "S"), sizes)
        self._set_observations(observation, initial_observation, sizes)
        self.initial = distributions("initial", initial, ("M", "S"), sizes)
        self.terminal = boolean_array("terminal", terminal, (self.num_tasks, self.num_states))
        uniform = np.full(self.num_tasks, 1 / self.num_tasks)
        self.prior = distributions("prior", uniform if prior is None else prior, ("M",), sizes)
        self.episodes = integer("episodes", episodes, low=1, high=10**6)
        self.episode_length = None if episode_length is None else integer("episode_length", episode_length, 1, 10**6)
        self.max_steps = None if max_steps is None else integer("max_steps", max_steps, low=1, high=10**7)
        for array in (value for value in vars(self).values() if isinstance(value, np.ndarray)):
            array.setflags(write=False)
        self._check_terminal_states()
        self._check_rewards()
        self.horizon = self._longest_trial()
        if self.horizon == math.inf and self.max_steps is None:
            raise InputError(
                f"max_steps is missing: a trial of task set {self.name!r} can go on for ever; expected a step limit"
            )
        self.step_limit = int(min(self.horizon, self.max_steps or math.inf))
        self.outcomes = compile_outcomes(self)

    @property
    def data(self) -> Outcomes:
        """What kernels read of it, as of any world."""
        return self.outcomes

    def rules(self, step_limit: int | None = None, per_episode: bool = False) -> Rules:
        """What a simulation needs to know besides, under its own step limit or another one."""
        return make_rules(self, step_limit, per_episode)

    def __repr__(self) -> str:
        sizes = (
            f"{self.num_tasks} tasks, {self.num_states} states, {self.num_actions} actions, "
            f"{self.num_observations} observations, {self.episodes} episodes per trial"
        )
        return f"TaskSet({self.name!r}: {sizes}, at most {self.step_limit} steps)"

    def _set_observations(
        self, observation: ArrayLike, initial_observation: ArrayLike | None, sizes: dict[str, int]
    ) -> None:
        if number_of_axes("observation", observation, (3, 4), "(M, S, O) or (M, A, S, O)") == 3:
            self.observation = distributions("observation", observation, ("M", "S", "O"), sizes)
            first: ArrayLike = self.observation
        else:
            self.observation = distributions("observation", observation, ("M", "A", "S", "O"), sizes)
            first = self.observation[:, 0]
            if initial_observation is None and (self.observation != self.observation[:, :1]).any():
                raise InputError(
                    "initial_observation is missing: observation depends on the action, and an episode's first "
                    "observation follows none; expected an array of shape (M, S, O)"
                )
        self.num_observations = self.observation.shape[-1]
        first = first if initial_observation is None else initial_observation
        known = {**sizes, "O": self.num_observations}
        self.initial_observation = distributions("initial_observation", first, ("M", "S", "O"), known)

    def _check_terminal_states(self) -> None:
        onto = np.argwhere(self.terminal & (self.initial > 0))
        if len(onto):
            m, s = onto[0]
            raise InputError(
                f"initial[{m}, {s}] = {self.initial[m, s]:g}, expected 0: state {s} of task {m} is terminal"
            )
        if self.episode_length is not None:
            return
        for m in range(self.num_tasks):
            if not (self._reachable(m) & self.terminal[m]).any():
                raise InputError(
                    f"terminal[{m}] holds no state that task {m} can reach from initial[{m}]; expected at least one, "
                    "or an episode_length"
                )

    def _check_rewards(self) -> None:
        beyond = np.argwhere(np.abs(self.reward) > np.finfo(np.float32).max)
        if len(beyond):
            index = tuple(int(i) for i in beyond[0])
            raise InputError(f"reward{list(index)} = {self.reward[index]:g}, expected a number that float32 can hold")
        values = np.unique(self.reward)
        narrow = values.astype(np.float32)
        if len(np.unique(narrow)) < len(values):
            close = values[:-1][np.diff(narrow) == 0][0]
            raise InputError(
                f"reward holds two different values near {close!r} that are one number in float32; expected rewards "
                "that an agent can tell apart"
            )

    def _reachable(self, m: int) -> np.ndarray:
        """Mask (S,) of the states that task m can enter within an episode, terminal ones included."""
        step = (self.transition[m] > 0).any(axis=1) & ~self.terminal[m][:, None]  # (S, S)
        reached = self.initial[m] > 0
        fresh = reached
        while fresh.any():
            fresh = step[fresh].any(axis=0) & ~reached
            reached = reached | fresh
        return reached

    def _longest_trial(self) -> float:
        longest = max(self._longest_episode(m) for m in range(self.num_tasks))
        return self.episodes * min(longest, self.episode_length or math.inf)

    def _longest_episode(self, m: int) -> float:
        """Steps of task m's longest episode.

        Take away, again and again, the states from which only terminal ones are left to enter; each round is a step.
        States that never go lie on a cycle.
        """
        inner = self._reachable(m) & ~self.terminal[m]
        step = (self.transition[m] > 0).any(axis=1) & inner[:, None] & inner
        successors = step.sum(axis=1)  # (S,) that are left
        rounds = 0
        while inner.any():
            last = inner & (successors == 0)
            if not last.any():
                return math.inf
            inner = inner & ~last
            successors = successors - step[:, last].sum(axis=1)
            rounds += 1
        return rounds
