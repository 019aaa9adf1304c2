"""The informative bandit of Wang et al. 2016, §3.1.4: one arm pays little and tells which of the others is worth
pulling.

Of ten arms one, the secret target, pays 5 and the others 1; the eleventh pays target/10. The best five pulls are one
of the eleventh arm and four of the target: 0.55 + 4·5 = 20.55 in expectation.
"""

import numpy as np

from tinymeta.base.errors import integer
from tinymeta.environments.table import TaskSet

START, PULLED = 0, 1


def informative(pulls: int = 5, targets: int = 10, tell: bool | int = True) -> TaskSet:
    """Ten equally likely tasks (which arm is the target), eleven arms; an episode is one pull.

    Parameters
    ----------
    pulls : int
        Episodes per trial.
    targets : int
        Arms among which the target hides.
    tell : bool or int
        Whether the arm that tells is there (1) or not (0).
    """
    pulls = integer("pulls", pulls, 1, 10_000)
    targets = integer("targets", targets, 1, 1000)
    tell = integer("tell", int(tell) if isinstance(tell, bool) else tell, 0, 1)
    pays = np.where(np.eye(targets, dtype=bool), 5.0, 1.0)  # (M, targets)
    if tell:
        pays = np.column_stack([pays, np.arange(1, targets + 1) / 10])
    M, A = pays.shape
    transition = np.zeros((M, 2, A, 2))
    transition[..., PULLED] = 1
    reward = np.zeros((M, 2, A, 2))
    reward[:, START, :, PULLED] = pays
    return TaskSet(
        transition,
        reward,
        observation=np.ones((M, 2, 1)),
        initial=np.tile([1.0, 0], (M, 1)),
        terminal=np.tile([False, True], (M, 1)),
        episodes=pulls,
        name="bandit-informative",
    )
