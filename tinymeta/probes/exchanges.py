"""States exchanged in the middle of an episode, where every agent's state matters, `rl1`'s too.

A recipient gets the state of a donor at the same place, in the same episode (at the same time in it, where episodes
have a fixed length), of another exact belief. Then the recipient's own next input enters, and the policy is read. What
it should be is known exactly: the donor's belief, updated by the recipient's evidence, is a node of the belief graph,
and the plan knows the best actions there. Pairs count where these exclude the recipient's own best actions; the result
is the share of the donor's in the probability of both, nothing is sampled.
"""

from typing import Any

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.optimum.planning import Plan
from tinymeta.probes.matching import numbered
from tinymeta.probes.recording import Recording, Successors, evidence_along, nodes_along, replay, softmax

TRIES = 4  # donors that are looked at for each moment
PAIRS = 2000  # at most
FEWEST = 20  # for a share to be reported


def exchange(agent: Agent, recording: Recording, solved: Plan, seed: int = 0) -> dict[str, Any]:
    """{"donor", "none", "pairs"}: share that follows the donor's belief, with its state and with the recipient's own.

    Parameters
    ----------
    agent : Agent
        Whose states the recording holds.
    recording : Recording
    solved : Plan
        Of the best policy with the agent's own information.
    seed : int
        Of the pairs.

    Raises
    ------
    InputError
        If episodes have one step, so that there is no middle, or if too few pairs tell.
    """
    trial, step = np.nonzero(recording.valid[:, 1:] & (recording.episode[:, 1:] == recording.episode[:, :-1]))
    if len(trial) == 0:
        raise InputError("every episode has one step: there is no middle in which states could be exchanged")
    identity = agent.layout.identity_from
    nodes = nodes_along(agent.tasks, solved.graph, recording, identity)
    recipient, donor = _matching(agent.tasks, recording, trial, step, nodes[trial, step], seed)
    after = trial[recipient], step[recipient] + 1
    entering = evidence_along(agent.tasks, recording, identity)[after]
    child = Successors(solved.graph).after(
        nodes[trial, step][donor], recording.action[trial, step][recipient], entering
    )
    own = solved.ties[nodes[after]]
    wanted = solved.ties[child]
    tells = np.flatnonzero((child >= 0) & ~(own & wanted).any(axis=1))[:PAIRS]
    if len(tells) < FEWEST:
        raise InputError(f"{len(tells)} pairs of beliefs ask for different actions, expected at least {FEWEST}")
    at = after[0][tells], after[1][tells]
    given = trial[donor[tells]], step[donor[tells]]
    state = np.hstack([recording.hidden[given], recording.cell[given]])
    logits = replay(agent, recording.inputs[at][:, None], recording.reset[at][:, None], state)[2][:, 0]
    shares = [
        _share(softmax(logits), wanted[tells], own[tells]),
        _share(softmax(recording.logits[at]), wanted[tells], own[tells]),
    ]
    return {"donor": shares[0], "none": shares[1], "pairs": len(tells)}


def _matching(
    tasks: TaskSet, recording: Recording, trial: np.ndarray, step: np.ndarray, node: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(recipients, donors): indices of moments (n,) that match in place and differ in their belief's node, shuffled."""
    random = randomness.generator(seed, randomness.PROBING, 6)
    episode = recording.episode[trial, step]
    time = step % tasks.episode_length if tasks.episode_length else np.zeros(len(step))
    belief = recording.belief[trial, step].sum(axis=1)
    where = belief.round(9) if tasks.num_tasks > 1 else np.zeros((len(trial), 1))
    group = numbered(episode, time, where)
    order = np.argsort(group, kind="stable")
    first = np.searchsorted(group[order], np.arange(group.max() + 1))
    size = np.diff(np.append(first, len(group)))
    recipient = random.permutation(np.repeat(np.arange(len(group)), TRIES))
    drawn = (random.random(len(recipient)) * size[group[recipient]]).astype(int)
    donor = order[first[group[recipient]] + drawn]
    differ = node[recipient] != node[donor]
    return recipient[differ], donor[differ]


def _share(policy: np.ndarray, wanted: np.ndarray, own: np.ndarray) -> float:
    """Mean over pairs of π(wanted) / (π(wanted) + π(own)); all (n, A)."""
    for_donor = np.where(wanted, policy, 0).sum(axis=1)
    for_recipient = np.where(own, policy, 0).sum(axis=1)
    return float((for_donor / (for_donor + for_recipient)).mean())
