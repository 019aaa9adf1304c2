"""The joint index: one integer for all that is hidden, (clock·M + task)·S + state.

What a trial hides is the task m, the state s and, where an episode's end cannot be seen, how far the trial has come:
the *clock* c = episode·L + time in the episode, with L the fixed length of an episode, or 1 where episodes have none
(then the time in the episode means nothing to the model and is left out). A hypothesis about (c, m, s) is written as
one joint index; here is its arithmetic, on integers or on integer arrays of any shape.
"""

import numpy as np

from tinymeta.environments.outcomes import outcome_address
from tinymeta.environments.table import TaskSet


class JointIndex:
    """Arithmetic of the joint index of a task set.

    Attributes
    ----------
    M, S, A, K : int
        Tasks, states, actions, episodes.
    length : int
        L, steps of an episode of fixed length, else 1: clocks per episode.

    Examples
    --------
    >>> import tinymeta
    >>> index = JointIndex(tinymeta.make("corridor", left=2, right=3))
    >>> index.size, index.M, index.S
    (24, 2, 6)
    >>> int(index.episode(20)), int(index.task(20)), int(index.state(20))
    (1, 1, 2)
    """

    def __init__(self, tasks: TaskSet) -> None:
        self.M = tasks.num_tasks
        self.S = tasks.num_states
        self.A = tasks.num_actions
        self.K = tasks.episodes
        self.length = tasks.episode_length or 1
        self._fixed = tasks.episode_length is not None

    @property
    def clocks(self) -> int:
        """Number of clocks."""
        return self.K * self.length

    @property
    def size(self) -> int:
        """Number of joint indices."""
        return self.clocks * self.M * self.S

    def clock(self, joint: np.ndarray) -> np.ndarray:
        """episode·L + time."""
        return joint // (self.M * self.S)

    def episode(self, joint: np.ndarray) -> np.ndarray:
        """0…K-1."""
        return self.clock(joint) // self.length

    def time(self, joint: np.ndarray) -> np.ndarray:
        """Steps since the episode began; 0 throughout where episodes have no fixed length."""
        return self.clock(joint) % self.length

    def task(self, joint: np.ndarray) -> np.ndarray:
        """0…M-1."""
        return joint // self.S % self.M

    def state(self, joint: np.ndarray) -> np.ndarray:
        """0…S-1."""
        return joint % self.S

    def address(self, joint: np.ndarray, action: np.ndarray | int) -> np.ndarray:
        """Where in the table of outcomes those of an action stand, see `tinymeta.environments.outcomes`."""
        last = self._fixed & (self.time(joint) == self.length - 1)
        return outcome_address.py_func(last, self.task(joint), self.state(joint), action, self.M, self.S, self.A)

    def after(self, joint: np.ndarray, state: np.ndarray, ended: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What follows a step that led to `state` and `ended` the episode or not: (joint index, the trial is over).

        Where the trial is over the index means nothing.
        """
        next_episode = self.episode(joint) + 1
        clock = np.where(ended, next_episode * self.length, self.clock(joint) + self._fixed)
        return (clock * self.M + self.task(joint)) * self.S + state, ended & (next_episode == self.K)
