"""The joint index (clock·M + task)·S + state; the clock counts episodes and, at fixed length, the time in them."""

import numpy as np

from tinymeta.environments.table import TaskSet


class JointIndex:
    """Arithmetic of the index (clock·M + task)·S + state."""

    def __init__(self, tasks: TaskSet) -> None:
        self.M, self.S, self.A, self.K = tasks.num_tasks, tasks.num_states, tasks.num_actions, tasks.episodes
        self.fixed = tasks.episode_length is not None
        self.length = tasks.episode_length or 1
        self.size = self.K * self.length * self.M * self.S

    def address(self, joint: np.ndarray, action: np.ndarray) -> np.ndarray:
        """Of the outcomes table, see `tinymeta.environments.outcomes.Outcomes`."""
        clock, pair = np.divmod(joint, self.M * self.S)
        last = (clock % self.length == self.length - 1) if self.fixed else np.zeros_like(clock)
        return (last * (self.M * self.S) + pair) * self.A + action

    def after(self, joint: np.ndarray, state: np.ndarray, ended: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(next joint index, the trial is over)."""
        clock, pair = np.divmod(joint, self.M * self.S)
        episode = clock // self.length
        following = np.where(ended, (episode + 1) * self.length, clock + self.fixed)
        return (following * self.M + pair // self.S) * self.S + state, ended & (episode + 1 == self.K)

    def task(self, joint: np.ndarray) -> np.ndarray:
        """0…M-1."""
        return joint // self.S % self.M

    def state(self, joint: np.ndarray) -> np.ndarray:
        """0…S-1."""
        return joint % self.S

    def clock(self, joint: np.ndarray) -> np.ndarray:
        """episode·length + time."""
        return joint // (self.M * self.S)

    def episode(self, joint: np.ndarray) -> np.ndarray:
        """0…K-1."""
        return self.clock(joint) // self.length

    def time(self, joint: np.ndarray) -> np.ndarray:
        """0…length-1, the time in an episode of fixed length; else 0."""
        return self.clock(joint) % self.length


_Joint = JointIndex
