"""TODO optimum.joint."""

import numpy as np


class _Joint:
    """Arithmetic of the index (clock·M + task)·S + state."""

    def __init__(self, tasks):
        self.M, self.S, self.A, self.K = tasks.num_tasks, tasks.num_states, tasks.num_actions, tasks.episodes
        self.fixed = tasks.episode_length is not None
        self.length = tasks.episode_length or 1

    def address(self, joint, action):
        """Of the outcomes table, see `tinymeta.taskset.Outcomes`."""
        clock, pair = np.divmod(joint, self.M * self.S)
        last = (clock % self.length == self.length - 1) if self.fixed else np.zeros_like(clock)
        return (last * (self.M * self.S) + pair) * self.A + action

    def after(self, joint, state, ended):
        """(next joint index, the trial is over)."""
        clock, pair = np.divmod(joint, self.M * self.S)
        episode = clock // self.length
        following = np.where(ended, (episode + 1) * self.length, clock + self.fixed)
        return (following * self.M + pair // self.S) * self.S + state, ended & (episode + 1 == self.K)

    def task(self, joint):
        return joint // self.S % self.M

    def episode(self, joint):
        return joint // (self.M * self.S) // self.length
