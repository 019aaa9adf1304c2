"""The corridor: a row of cells with a goal hidden at one of its two ends (Alver & Precup 2021, §4 (2)).

The agent starts at S, sees its own position and walks left or right; walls hold. Entering the goal pays `goal_reward`
and ends the episode. The other end shows nothing: only the *absence* of the reward there tells that the goal is
elsewhere. With S at distance a <= b from the ends the Bayes-optimal search takes 2a + b steps in expectation over K =
2 episodes.
"""

import numpy as np

from tinymeta.base.errors import integer, real
from tinymeta.environments.table import TaskSet

LEFT, RIGHT = 0, 1


def corridor(
    left: int = 5, right: int = 5, episodes: int = 2, goal_reward: float = 10.0, max_steps: int | None = None
) -> TaskSet:
    """A row of left + 1 + right cells; two equally likely tasks, the goal at cell 0 or at the last cell.

    Parameters
    ----------
    left, right : int
        Cells on either side of the start.
    episodes : int
        Episodes per trial.
    goal_reward : float
    max_steps : int, optional
        Step limit that cuts a trial; 5·(left + right)·episodes by default, some seven times what the optimum takes.
    """
    left = integer("left", left, 1, 1000)
    right = integer("right", right, 1, 1000)
    episodes = integer("episodes", episodes, 1, 1000)
    goal_reward = real("goal_reward", goal_reward)
    cells = left + 1 + right
    here = np.arange(cells)
    transition = np.zeros((2, cells, 2, cells))  # (M, S, A, S)
    transition[:, here, LEFT, np.maximum(here - 1, 0)] = 1
    transition[:, here, RIGHT, np.minimum(here + 1, cells - 1)] = 1
    terminal = np.zeros((2, cells), bool)
    terminal[0, 0] = terminal[1, -1] = True
    reward = np.broadcast_to(np.where(terminal, goal_reward, 0.0)[:, None, None, :], transition.shape)
    initial = np.tile(here == left, (2, 1)).astype(float)
    return TaskSet(
        transition,
        reward,
        observation=np.tile(np.eye(cells), (2, 1, 1)),
        initial=initial,
        terminal=terminal,
        episodes=episodes,
        max_steps=5 * (left + right) * episodes if max_steps is None else max_steps,
        name="corridor",
    )
