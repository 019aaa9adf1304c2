"""What a page calls the actions and the hidden part of a task set; environments without a row here are numbered."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tinymeta.environments.bandit import START, WON
from tinymeta.environments.table import TaskSet


class Labels(NamedTuple):
    """Words for a task set's numbers."""

    title: str
    story: str  # what is hidden and what one does, in one or two sentences
    actions: list[str]  # (A,)
    hypotheses: list[str]  # (V,), see `tinymeta.probes.recording.hidden_part`


def labels_of(tasks: TaskSet) -> Labels:
    """The `Labels` of a task set, by its name."""
    return LABELS.get(tasks.name, _numbered)(tasks)


def _bandit(tasks: TaskSet) -> Labels:
    p = tasks.transition[:, START, 0, WON]
    few = len(p) <= 4
    values = f"p ∈ {{{', '.join(f'{value:g}' for value in p)}}}" if few else f"p one of {len(p)} values"
    return Labels(
        f"Bandit, {values}, {tasks.episodes} pulls",
        f"Two arms pay 1 or 0: arm 0 with probability p, arm 1 with 1 − p. Which p it is, is hidden; a trial is "
        f"{tasks.episodes} pulls.",
        ["arm 0", "arm 1"],
        [f"p = {value:.3g}{_better_arm(value) if few else ''}" for value in p],
    )


def _better_arm(p: float) -> str:
    if p == 0.5:
        return ", no arm better"
    return f", arm {int(p < 0.5)} better"


def _corridor(tasks: TaskSet) -> Labels:
    left = int(np.argmax(tasks.initial[0]))
    right = tasks.num_states - left - 1
    return Labels(
        f"Corridor {left}+{right}",
        f"A goal hides at one of the two ends, and only arriving there tells. A trial is {tasks.episodes} walks to the "
        "same goal.",
        ["left", "right"],
        ["goal left", "goal right"],
    )


def _gridworld(tasks: TaskSet) -> Labels:
    size = round(tasks.num_states**0.5)
    goals = tasks.reward[:, 0, 0, :].argmax(axis=1)
    return Labels(
        f"Gridworld {size} × {size}",
        f"One cell pays at every step that is spent on it, and nothing shows which. A trial is {tasks.episodes} "
        f"episodes of {tasks.episode_length} steps with the same goal.",
        ["stay", "up", "right", "down", "left"],
        [f"goal ({goal // size}, {goal % size})" for goal in goals],
    )


def _tiger(tasks: TaskSet) -> Labels:
    return Labels(
        "Tiger",
        "A tiger waits behind one of two doors. Listening costs 1 and errs now and then, the free door pays 10, the "
        "tiger's costs 100; then the tiger is placed anew.",
        ["listen", "open left", "open right"],
        ["tiger left", "tiger right"],
    )


def _numbered(tasks: TaskSet) -> Labels:
    several = tasks.num_tasks > 1
    hidden = "task" if several else "state"
    return Labels(
        tasks.name,
        f"One of {tasks.num_tasks if several else tasks.num_states} {hidden}s is hidden.",
        [f"action {a}" for a in range(tasks.num_actions)],
        [f"{hidden} {v}" for v in range(tasks.num_tasks if several else tasks.num_states)],
    )


LABELS: dict[str, Callable[[TaskSet], Labels]] = {
    "bandit": _bandit,
    "corridor": _corridor,
    "gridworld": _gridworld,
    "tiger": _tiger,
}
