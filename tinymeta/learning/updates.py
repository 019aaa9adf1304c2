"""Updates in two kernels, one that plays and one that learns: for worlds without a table, and for PPO.

`tinymeta.learning.learner.run_updates` does both in one, which matters where an update takes microseconds. Here the
kernel that plays is the world's own, the same one that tests its agents, and the kernel that learns is the same for all
worlds: another world costs the compilation of its rollout alone.
"""

from typing import Any

import numpy as np

from tinymeta.base.dispatch import by_class
from tinymeta.base.jit import jit
from tinymeta.learning.a2c import FINE, STATISTICS, learn_a2c
from tinymeta.learning.rows import STEPS, Activations, Rows
from tinymeta.learning.scaling import update_scaling
from tinymeta.learning.wirings import Layout
from tinymeta.network.losses import Loss


@by_class(Loss)
def learn(loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates, update, shuffling, act,
          statistics):  # fmt: skip
    """`learn_a2c`, or what the class of the loss has in its place; shuffling are uniform numbers for it."""
    return learn_a2c(
        loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates, update, act, statistics
    )


@jit
def learn_from_rows(loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates, update, shuffling,
                    act, running, statistics):  # fmt: skip
    """`learn`, and what is kept of the numbers that were met; from no steps nothing is learned."""
    if rows.size[STEPS] == 0:
        return FINE
    status = learn(
        loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta, rates, update, shuffling, act,
        statistics,
    )  # fmt: skip
    if status == FINE:
        update_scaling(running, rows)
    return status


def updates_by_player(
    player: Any, rules: Any, layout: Layout, loss: Any, max_grad_norm: float, is_adam: bool, theta: np.ndarray,
    first: np.ndarray, second: np.ndarray, dtheta: np.ndarray, uniforms: np.ndarray, shuffling: np.ndarray,
    rates: np.ndarray, done: int, rows: Rows, act: Activations, running: Any, statistics: np.ndarray,
) -> tuple[int, int]:  # fmt: skip
    """`run_updates` with a `tinymeta.learning.players.Player`; without numbers the kernels are prepared."""
    B = rows.task.shape[0]
    learned = loss, rows, layout, max_grad_norm, is_adam, theta, first, second, dtheta
    if len(uniforms) == 0:
        player.prepare(rules, theta, rows, act)
        rows.size[STEPS] = 0
        nothing = np.zeros(len(STATISTICS))
        learn_from_rows(*learned, np.zeros(2), done, np.zeros(shuffling.shape[1]), act, running, nothing)
    for u in range(len(uniforms)):
        player.rollout(rules, theta, uniforms[u].reshape(B, -1), False, rows, act)
        status = learn_from_rows(*learned, rates[u], done + u, shuffling[u], act, running, statistics[u])
        if status != FINE:
            return u, status
    return len(uniforms), FINE
