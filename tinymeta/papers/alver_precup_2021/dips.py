"""The dips: RL² in the bandit, trained on beyond convergence, now and then loses its policy for a while. Why?

A run is deterministic given its random numbers, so an update that came before a dip can be played again from the same
weights and moments with one action changed. For the first dip of a finished run (`cause_of_dip`)

    as it was    the same numbers again: the dip comes back, bit by bit
    masked       the number of the rare action is replaced, so that the most probable one is taken instead; all other
                 numbers are as they were
    placebo      the rare action stays, another trial of the update gets new numbers: how often the dip comes back
                 although something is changed

and with new numbers in every later update, what comes of this state without and with the rare action, and with one
part of the optimiser changed (`VARIANTS`). In the other direction (`force`), at states of a run which no dip is near, a
number is chosen so that the least probable action is taken at one of `FORCED_PULLS`, and the variants are the same.

The rules. A run has converged after `CONVERGED_ROWS` rows of metrics.csv (200 trials each) in a row with at least
`CONVERGED` reward per trial; a later row below `LOST` is a dip. The optimum is 9.5, and chance moves a row's mean by
0.035. Update by update a policy is lost where `WINDOW` updates in a row, 40 trials, have a mean below `LOST`: six
standard errors below the optimum.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinymeta.learning.learner import STATISTICS
from tinymeta.papers.alver_precup_2021.replay import REWARD, Rare, Replay, State
from tinymeta.runs.config import Config

CONVERGED = 9.3  # reward per trial
CONVERGED_ROWS = 10  # of metrics.csv
LOST = 9.0  # reward per trial
WINDOW = 10  # updates
SPAN = 200  # updates after the rare action that are played
BEFORE = 150  # updates before the row of a dip in which its beginning is looked for
LOOK_BACK = 100  # updates up to a dip's beginning in which the rare action is looked for
REPLICATES = 20  # sets of new numbers for each dip
FORCED_PULLS = (1, 2)  # where the first pull has told the task
FORCED_REPLICATES = 4  # sets of new numbers for each state and each of these
RAISED = 10.0  # times √v
REMEDY = 0.01  # of max_grad_norm
MOVED = 20  # updates over which weights are said to have moved: most of the momentum is spent by then

NORM = STATISTICS.index("grad_norm")


class Variant(NamedTuple):
    """One part of a continuation that is changed."""

    rare: bool = True  # the rare action is taken
    raised: float = 1.0  # √v before it, times this
    momentum: bool = True  # False: m is zeroed after the update with the rare action
    max_grad_norm: float | None = None  # from that update on; the run's own if None


VARIANTS = {
    "without": Variant(rare=False),
    "with": Variant(),
    "with, √v raised": Variant(raised=RAISED),
    "with, momentum stopped": Variant(momentum=False),
    "with, clipped": Variant(max_grad_norm=REMEDY),
}


def converged_row(reward: np.ndarray) -> int | None:
    """The first row after `CONVERGED_ROWS` that all reach `CONVERGED`; None if there is none. reward (rows,)."""
    reached = np.convolve(reward >= CONVERGED, np.ones(CONVERGED_ROWS), mode="valid") == CONVERGED_ROWS
    return int(reached.argmax()) + CONVERGED_ROWS if reached.any() else None


def first_dip(reward: np.ndarray) -> int | None:
    """The first row of metrics.csv below `LOST` after convergence; None if there is none.

    Examples
    --------
    >>> first_dip(np.array([5.0, 8.0, *[9.5] * 12, 7.0, 8.0, 9.5]))
    14
    """
    converged = converged_row(reward)
    if converged is None:
        return None
    lost = reward[converged:] < LOST
    return converged + int(lost.argmax()) if lost.any() else None


def lost_window(reward: np.ndarray) -> int | None:
    """The first of `WINDOW` updates in a row with a mean below `LOST`; None if there are none.

    Parameters
    ----------
    reward : (updates,), reward per trial
    """
    lost = np.convolve(reward, np.full(WINDOW, 1 / WINDOW), mode="valid") < LOST
    return int(lost.argmax()) if lost.any() else None


def cause_of_dip(config: Config, row: int) -> dict[str, Any]:
    """What came before the dip that shows in `row` of the run's metrics.csv, and what comes of it once masked.

    Returns
    -------
    {"update", "pull", "probability", "norm_ratio", "root_v", "as_it_was", "masked": reward per trial by update,
    "as_it_was_moved", "masked_moved", "lost": {variant or "placebo": share of replicates that lost the policy}}
        `norm_ratio` is the gradient's norm in medians of the updates before; `root_v` the median of √v; `…_moved` the
        root mean square of what weights moved in `MOVED` updates, in learning rates.
    """
    replay = Replay(config)
    state, rare, ratio = _find_rare(replay, row * config.log_interval, config.log_interval)
    own = replay.uniforms(state.updates, SPAN)
    masked = own.copy()
    masked[0] = replay.steered(state, own[0], rare.trial, rare.pull, rare=False)
    found: dict[str, Any] = {}
    for name, numbers in (("as_it_was", own), ("masked", masked)):
        found[name] = _continued(replay, state, numbers).tolist()
        _continued(replay, state, numbers[:MOVED])
        moved = float(np.sqrt(np.mean((replay.learner.theta - state.theta) ** 2)))
        found[f"{name}_moved"] = moved / config.settings.learning_rate
    lost: list[dict[str, bool]] = []
    for number in range(REPLICATES):
        luck = replay.luck(number, SPAN)
        placebo = own.copy()
        other = (rare.trial + 1) % config.settings.num_envs
        replay.by_trial(placebo[0])[other] = replay.by_trial(luck[0])[other]
        variants = _variants(replay, state, luck[1:], masked[0], own[0])
        lost.append(variants | {"placebo": _lost(replay, state, placebo)})
    return {
        "update": state.updates,
        "pull": rare.pull,
        "probability": rare.probability,
        "norm_ratio": ratio,
        "root_v": float(np.median(np.sqrt(state.second))),
        **found,
        "lost": _shares(lost),
    }


def _find_rare(replay: Replay, update: int, count: int) -> tuple[State, Rare, float]:
    """The state before the update of the rarest action that came before the policy was lost, in updates
    update…update+count-1 at the latest; the action; its gradient's norm in medians.
    """
    begin = max(0, update - BEFORE)
    replay.learner.advance(begin)
    states = []
    rarest = []
    statistics = []
    for _ in range(update + count - begin):
        states.append(replay.state)
        statistics.append(replay.learner.advance(1)[0])
        rarest.append(replay.rarest())
    numbers = np.array(statistics)
    window = lost_window(numbers[:, REWARD] / replay.settings.num_envs)
    assert window is not None, "a row below LOST holds WINDOW updates below LOST"
    stop = window + WINDOW
    candidates = range(max(0, stop - LOOK_BACK), stop)
    found = min(candidates, key=lambda index: rarest[index].probability)
    return states[found], rarest[found], float(numbers[found, NORM] / np.median(numbers[: window + 1, NORM]))


def force(config: Config, states: Sequence[State]) -> dict[str, float]:
    """Share of continuations from some states of a run that lose the policy, for each of `VARIANTS`.

    In the first update of a continuation the first trial takes its least probable action at one of `FORCED_PULLS`, or
    does not; all other numbers are new, and the same in every variant.
    """
    replay = Replay(config)
    lost = []
    number = REPLICATES
    for state in states:
        for pull in FORCED_PULLS:
            for _ in range(FORCED_REPLICATES):
                luck = replay.luck(number, SPAN)
                forced = replay.steered(state, luck[0], 0, pull, rare=True)
                lost.append(_variants(replay, state, luck[1:], luck[0], forced))
                number += 1
    return _shares(lost)


def _variants(
    replay: Replay, state: State, later: np.ndarray, without: np.ndarray, rare: np.ndarray
) -> dict[str, bool]:
    """Whether the policy is lost in each of `VARIANTS`, by the first update's numbers without and with the rare
    action, and all later ones.
    """
    first = {False: without[None], True: rare[None]}
    return {
        name: _lost(replay, state, np.concatenate([first[variant.rare], later]), variant)
        for name, variant in VARIANTS.items()
    }


def _shares(lost: list[dict[str, bool]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in lost])) for name in lost[0]}


def _lost(replay: Replay, state: State, uniforms: np.ndarray, variant: Variant = VARIANTS["with"]) -> bool:
    return lost_window(_continued(replay, state, uniforms, variant)) is not None


def _continued(replay: Replay, state: State, uniforms: np.ndarray, variant: Variant = VARIANTS["with"]) -> np.ndarray:
    """Reward per trial by update, from `state` on with these numbers, as `variant` has it."""
    replay.restore(state._replace(second=state.second * np.float32(variant.raised**2)))
    first = replay.run(uniforms[:1], variant.max_grad_norm)
    if not variant.momentum:
        replay.learner.first[:] = 0
    return np.concatenate([first, replay.run(uniforms[1:], variant.max_grad_norm)])
