"""The gridworld of VariBAD (Zintgraf et al. 2020, §5.1): find an unseen goal, then go straight to it in later episodes.

The agent starts in a corner of a square and sees its own position. Every step on the goal pays `goal_reward`, every
other one `step_reward`; nothing ends an episode but its length. The goal is anywhere except at the start and its three
neighbours.
"""

import numpy as np

from tinymeta.base.errors import integer, real
from tinymeta.environments.table import TaskSet

MOVES = ((0, 0), (-1, 0), (0, 1), (1, 0), (0, -1))  # stay, up, right, down, left, as (row, column)


def gridworld(
    size: int = 5, steps: int = 15, episodes: int = 4, step_reward: float = -0.1, goal_reward: float = 1.0
) -> TaskSet:
    """size² cells, five actions, one task per possible goal.

    Parameters
    ----------
    size : int
        Cells along a side, at least 3.
    steps : int
        Length of an episode.
    episodes : int
        Episodes per trial.
    step_reward, goal_reward : float
    """
    size = integer("size", size, 3, 12)
    steps = integer("steps", steps, 1, 10_000)
    episodes = integer("episodes", episodes, 1, 10_000)
    step_reward = real("step_reward", step_reward)
    goal_reward = real("goal_reward", goal_reward)
    row, column = np.divmod(np.arange(size * size), size)
    goals = np.flatnonzero((row > 1) | (column > 1))  # not the start, (0, 0), nor the cells next to it
    M = len(goals)
    S = size * size
    A = len(MOVES)
    moves = np.zeros((S, A, S))
    for a, (down, right) in enumerate(MOVES):
        to = np.clip(row + down, 0, size - 1) * size + np.clip(column + right, 0, size - 1)
        moves[np.arange(S), a, to] = 1
    reward = np.where(np.arange(S) == goals[:, None], goal_reward, step_reward)  # (M, S)
    return TaskSet(
        transition=np.tile(moves, (M, 1, 1, 1)),
        reward=np.broadcast_to(reward[:, None, None, :], (M, S, A, S)),
        observation=np.tile(np.eye(S), (M, 1, 1)),
        initial=np.tile(np.arange(S) == 0, (M, 1)).astype(float),
        terminal=np.zeros((M, S), bool),
        episodes=episodes,
        episode_length=steps,
        name="gridworld",
    )
