"""A training run that is played again from any of its states, with random numbers of the caller's choice.

The learner is a pure function of settings, state and uniform numbers, and the numbers of an update come from outside.
So whoever replaces one of them changes one event of training, and nothing else: an intervention.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.learning.learner import STATISTICS, Learner
from tinymeta.learning.rollout import ACTION_UNIFORM
from tinymeta.learning.rows import STEPS
from tinymeta.runs.config import Config, build

LUCK = 5  # which of the streams under PROBING is ours
REWARD = STATISTICS.index("reward")


class State(NamedTuple):
    """Weights, moments and counter before an update."""

    theta: np.ndarray  # (P,)
    first: np.ndarray  # (P,)
    second: np.ndarray  # (P,)
    updates: int


class Rare(NamedTuple):
    """The least probable action that an update's trials took."""

    trial: int
    pull: int
    probability: float


class Replay:
    """A training run that is played from any of its states, with random numbers of the caller's choice."""

    def __init__(self, config: Config):
        self.settings = config.settings
        self.learner = Learner(build(config), config.settings)

    @property
    def state(self) -> State:
        """A copy of where the run is."""
        learner = self.learner
        return State(learner.theta.copy(), learner.first.copy(), learner.second.copy(), learner.updates_done)

    def uniforms(self, update: int, count: int) -> np.ndarray:
        """The run's own numbers of `count` updates after `update` earlier ones, array (count, B·(2 + 2T))."""
        return randomness.uniforms(self.settings.seed, randomness.TRAINING, update, count, self.width)

    def luck(self, number: int, updates: int) -> np.ndarray:
        """New numbers for some updates, array (updates, B·(2 + 2T)); another set for each `number`."""
        return randomness.generator(self.settings.seed, randomness.PROBING, LUCK, number).random((updates, self.width))

    @property
    def width(self) -> int:
        """Uniform numbers an update, B·(2 + 2T)."""
        return self.settings.num_envs * (ACTION_UNIFORM + 2 * self.learner.rules.step_limit)

    def restore(self, state: State) -> None:
        """Go to a state."""
        self.learner.restore(state.theta, state.first, state.second, state.updates, env_steps=0)

    def run(self, uniforms: np.ndarray, max_grad_norm: float | None = None) -> np.ndarray:
        """Updates with these numbers, one a row; returns reward per trial by update, array (updates,)."""
        return self.learner.run(uniforms, max_grad_norm)[:, REWARD] / self.settings.num_envs

    def rarest(self) -> Rare:
        """The least probable action of the last update."""
        rows = self.learner.rows
        steps = rows.size[STEPS]
        taken = self.learner.act.probabilities[np.arange(steps), rows.action[:steps]]
        n = int(taken.argmin())
        return Rare(int(rows.trial[n]), int(rows.episode[n]), float(taken[n]))

    def steered(self, state: State, uniforms: np.ndarray, trial: int, pull: int, rare: bool) -> np.ndarray:
        """An update's numbers (B·(2 + 2T),) with one changed, so that a trial takes its least, or its most, probable
        action at a pull. Leaves the run somewhere else.
        """
        self.restore(state)
        self.run(uniforms[None])
        rows = self.learner.rows  # one pull is an episode, so the pull is the time, and no trial ends before another
        chances = self.learner.act.probabilities[rows.begin[pull] + trial].astype(float)
        action = int(chances.argmin() if rare else chances.argmax())
        middle = (chances[:action].sum() + chances[action] / 2) / chances.sum()
        steered = uniforms.copy()
        self.by_trial(steered)[trial, ACTION_UNIFORM + 2 * pull] = middle
        return steered

    def by_trial(self, uniforms: np.ndarray) -> np.ndarray:
        """A view (B, 2 + 2T) of an update's numbers (B·(2 + 2T),)."""
        return uniforms.reshape(self.settings.num_envs, -1)
