"""Belief metamers: does it matter by which history a belief was reached?

Two states of the same network are exchanged in the middle of a trial, and the trial's inputs go on as they were
recorded. If the state is a belief, states of equal exact belief (metamers) can be exchanged without a trace, however
different their histories were, while the exchange of different beliefs changes the behaviour. The measure is the total
variation between the policies with and without the exchange, averaged over the following steps, and

    ratio = change by metamers / change by states of another belief

for the same recipients: 0 for a belief, 1 where states say nothing about beliefs but what all histories share. Beside
it stands the ratio to the *nearest* other belief, which differs by little evidence: much harder, since a policy that
is sure of itself does not care about little evidence either. An untrained network on the same inputs is the control.

Histories are made by random actions: the agent's own would hold few metamers (one that always begins alike reaches a
belief in one way only) and mix up what it believes with what it last did. Where its own actions do give enough pairs,
these are reported as well.
"""

import math
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.learning.agent import Agent
from tinymeta.probes.matching import Swaps, metamer_swaps
from tinymeta.probes.recording import Recording, relive, replay, softmax

FOLLOWED_STEPS = 10  # over which the change is averaged, fewer where a trial ends before
FEWEST = 50  # recipients, for a ratio to be reported
FLOOR = 1e-6  # of a change: less is rounding in float32


def metamers(agent: Agent, before: Agent, recording: Recording, seed: int = 0) -> dict[str, Any]:
    """{"trained", "untrained"}: `change_by_swaps` of an agent and of the network before training, same swaps.

    And "log_ratio", "log_ratio_nearest": logarithms of the untrained network's ratio divided by the trained one's.

    Raises
    ------
    InputError
        If too few moments of the recording have both a metamer and a matching moment of another belief, or if no
        exchange changes anything, as in a network whose state is reset before it acts.
    """
    swaps = metamer_swaps(agent.tasks, recording, seed)
    if len(swaps.step) < FEWEST:
        raise InputError(f"{len(swaps.step)} moments of this recording have metamers, expected at least {FEWEST}")
    networks = {"trained": (agent, recording), "untrained": (before, relive(before, recording))}
    found = {name: change_by_swaps(network, states, swaps) for name, (network, states) in networks.items()}
    logarithms = {
        f"log_{ratio}": math.log(found["untrained"][ratio] / found["trained"][ratio])
        for ratio in ("ratio", "ratio_nearest")
    }
    return {**found, **logarithms}


def change_by_swaps(agent: Agent, recording: Recording, swaps: Swaps) -> dict[str, Any]:
    """Mean change of the behaviour by each kind of swap: {"metamer", "other", "nearest", "ratio", "ratio_nearest",
    "pairs"}; changes are total variations, at least `FLOOR`.

    Raises
    ------
    InputError
        If no swap changes anything.
    """
    following = swaps.step[:, None] + 1 + np.arange(FOLLOWED_STEPS)
    inside = following < recording.valid.shape[1]
    at = swaps.recipient[:, None], np.where(inside, following, 0)
    counted = recording.valid[at] & inside
    own = softmax(recording.logits[at])
    change = {}
    for kind in ("metamer", "other", "nearest"):
        donor = getattr(swaps, kind), swaps.step
        state = np.hstack([recording.hidden[donor], recording.cell[donor]])
        policy = softmax(replay(agent, recording.inputs[at], recording.reset[at], state)[2])
        distance = np.abs(policy - own).sum(axis=2) / 2
        change[kind] = max(FLOOR, float(((distance * counted).sum(axis=1) / counted.sum(axis=1)).mean()))
    if change["other"] <= FLOOR:
        raise InputError("no exchange of states changes what this agent does: its state is reset before it acts again")
    ratios = {"ratio": change["metamer"] / change["other"], "ratio_nearest": change["metamer"] / change["nearest"]}
    return {**change, **ratios, "pairs": len(swaps.step)}
