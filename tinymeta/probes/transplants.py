"""The causal test: give a trial the state of another trial, of another task, and see whom the behaviour follows.

Trials are recorded up to the beginning of an episode and paired, a *recipient* with a *donor* of another task. Then the episode is played
in the recipient's world, by the same network, with a state put in from outside. At every step at which the two tasks ask for
different actions, the action taken speaks for one of them; the share that follows the donor is the result. Counting stops when the
world has shown something that cannot happen in the donor's task, since from then on a belief would change, too.

What is put in (`WHAT`):

    both, h, c   the donor's whole state, or one half of it
    axis         the recipient's state, moved along the decoder's axes by the shortest way to where it decodes as the donor's belief
    pattern      the same, but the most probable way instead of the shortest: along the directions in which states do vary when the
                 belief does (Haufe et al. 2014)
    random       the recipient's state, moved as far as for `pattern` (which is the longer way) in a random direction
    none         the recipient's own state

An episode's first input carries the last reward and action of the episode before, which may give the task away. So it comes in
three versions (`INPUT`): "donor" (what entered the donor's network: all that was learned is exchanged), "masked" (zeros: only the
state tells), "own" (the recipient's: state and input contradict each other). In the last two only such donors count whose exact belief
carried into the episode is already certain; in the first the input completes it.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError
from tinymeta.environments.outcomes import make_rules, sample_index
from tinymeta.learning.rollout import play_on
from tinymeta.learning.rows import STEPS, allocate, write_input
from tinymeta.optimum.belief_graph import belief_graph
from tinymeta.optimum.filter import reward_index
from tinymeta.optimum.planning import TIE, plan
from tinymeta.probes.decoding import Regression, Samples, split_trials

WHAT = ("both", "h", "c", "axis", "pattern", "random", "none")

INPUT = ("donor", "masked", "own")

CERTAIN = 0.95


class Outcome(NamedTuple):
    """Whom the behaviour followed over all pairs."""

    donor: float  # share of telling actions that follow the donor; NaN if none told
    actions: int  # telling actions
    pairs: int


class _Boundary(NamedTuple):
    """What trials brought to the episode: one entry per trial that got there."""

    task: np.ndarray
    hidden: np.ndarray  # (n, H), after the last step of the episode before
    cell: np.ndarray
    belief: np.ndarray  # (n, V) over tasks, exact, carried by that state
    prev_reward: np.ndarray
    prev_action: np.ndarray


def transplant(agent, recording, gamma, episode=None, seed=0, inputs=INPUT):
    """{input: {what: `Outcome`}} of one agent; None on a task set where there is nothing to exchange (one task or one episode).

    Parameters
    ----------
    agent : Agent
        Whose states the recording holds.
    recording : Recording
    gamma : float
        At which actions are optimal for a task.
    episode : int, optional
        Counted from 0; the middle one if left out.
    inputs : tuple
        Which of `INPUT`.
    """
    tasks = agent.tasks
    if tasks.num_tasks < 2 or tasks.episodes < 2:
        return None
    k = tasks.episodes // 2 if episode is None else episode
    if not 1 <= k < tasks.episodes:
        raise InputError(f"episode = {k}, expected 1…{tasks.episodes - 1}: the first one has nothing to take over")
    there = _boundary(recording, k)
    samples = Samples.of(recording)
    state = np.hstack([recording.hidden[samples.trial, samples.step], recording.cell[samples.trial, samples.step]])
    decoder = Regression(state, split_trials(samples.trial, seed)).fit(
        recording.hypotheses[samples.trial, samples.step]
    )
    spread = np.cov(state.T.astype(float))
    wanted = _wanted_actions(tasks, gamma)
    room = allocate(agent.layout, len(there.task), make_rules(tasks).step_limit + 1, agent.theta.dtype)
    results = {}
    for kind in inputs:
        certain = there.belief[np.arange(len(there.task)), there.task] >= CERTAIN
        recipient, donor = _pairs(there.task, np.ones(len(certain), bool) if kind == "donor" else certain, seed)
        results[kind] = {}
        for what in WHAT:
            hidden, cell = _put_in(what, there, recipient, donor, decoder, spread, seed)
            rows = _play_episode(agent, there, recipient, donor, kind, hidden, cell, k, seed, room)
            results[kind][what] = _whom(tasks, rows, wanted, there.task[donor])
    return results


def _boundary(recording, k):
    trial, step = np.nonzero(recording.valid & (recording.episode == k))
    first = np.unique(trial, return_index=True)[1]
    n, t = trial[first], step[first] - 1
    return _Boundary(recording.task[n], recording.hidden[n, t], recording.cell[n, t], recording.hypotheses[n, t],
                     recording.reward[n, t], recording.action[n, t])  # fmt: skip


def _pairs(task, may_give, seed):
    """(recipients, donors): every trial receives from the next one of another task that may give, in a random order."""
    order = randomness.generator(seed, randomness.PROBING, 2).permutation(len(task))
    recipients, donors = [], []
    for i, n in enumerate(order):
        later = np.roll(order, -i - 1)
        other = later[(task[later] != task[n]) & may_give[later]]
        if len(other):
            recipients.append(n)
            donors.append(other[0])
    return np.array(recipients, int), np.array(donors, int)


def _put_in(what, there, recipient, donor, decoder, spread, seed):
    """The states (h, c) that enter the episode."""
    own = np.hstack([there.hidden[recipient], there.cell[recipient]])
    H = there.hidden.shape[1]
    if what in ("axis", "pattern", "random"):
        # A move Δ changes what is decoded by Δ·W, which is to be the difference of the two decoded beliefs.
        difference = decoder(np.hstack([there.hidden[donor], there.cell[donor]])) - decoder(own)
        weight = decoder.weight if what == "axis" else spread @ decoder.weight
        move = difference @ np.linalg.pinv(decoder.weight.T @ weight, rcond=1e-8) @ weight.T
        if what == "random":
            direction = randomness.generator(seed, randomness.PROBING, 3).standard_normal(own.shape)
            move = direction * (np.linalg.norm(move, axis=1) / np.linalg.norm(direction, axis=1))[:, None]
        moved = own + move
        return moved[:, :H], moved[:, H:]
    hidden = there.hidden[donor if what in ("both", "h") else recipient]
    return hidden, there.cell[donor if what in ("both", "c") else recipient]


def _play_episode(agent, there, recipient, donor, kind, hidden, cell, k, seed, room):
    """Rows of the recipients' episode k with the given states; row b holds the state of pair b, its first step is row B + b.

    They are in `room`, the `Rows` and `Activations` to use.
    """
    tasks, layout = agent.tasks, agent.layout
    B, rules = len(recipient), make_rules(tasks)._replace(episodes=k + 1)
    rows, act = room
    rows.size[:] = 0
    if B == 0:
        return rows
    uniforms = randomness.uniforms(seed, randomness.PROBING, 4, B, 4 + 2 * rules.step_limit)
    act.h[:B], act.c[:B] = hidden, cell
    outcomes, source = tasks.outcomes, donor if kind == "donor" else recipient
    for b in range(B):
        m = there.task[recipient[b]]
        first = sample_index(
            outcomes.initial_cumulative, outcomes.initial_start[m], outcomes.initial_start[m + 1], uniforms[b, 0]
        )
        rows.task[b], rows.state[b] = m, outcomes.initial_state[first]
        rows.elapsed[b], rows.ended[b] = 0, False
        write_input(rows, layout, B + b, b, b, k, False, True, outcomes.initial_observation[first], there.prev_reward[source[b]],
                    there.prev_action[source[b]], m)  # fmt: skip
    if kind == "masked":
        rows.prev_reward[B : 2 * B], rows.columns[B : 2 * B, 1] = 0, -1
    rows.begin[:2] = 0, B
    play_on(
        outcomes,
        rules._replace(step_limit=rules.step_limit + 1),
        layout,
        agent.theta,
        uniforms,
        False,
        rows,
        act,
        B,
        2 * B,
        1,
    )
    return rows


def _wanted_actions(tasks, gamma):
    """(M, S, A) bool: what is optimal in each task and state for one who knows both, at the beginning of the last episode."""
    graph = belief_graph(tasks, observed=True)
    solved = plan(graph, gamma)
    wanted = np.zeros((tasks.num_tasks, tasks.num_states, tasks.num_actions), bool)
    joint = graph.entry_state[graph.entry_start[:-1]]
    place = joint % (tasks.num_tasks * tasks.num_states)
    m, s = np.divmod(place, tasks.num_states)
    q = solved.action_value
    wanted[m, s] = q >= q.max(axis=1, keepdims=True) - TIE * np.maximum(1, np.abs(q).max(axis=1, keepdims=True))
    return wanted


def _whom(tasks, rows, wanted, donor_task):
    """The `Outcome` of played rows; see the module's docstring for what counts."""
    B = len(donor_task)
    n = np.arange(B, rows.size[STEPS])
    b, s, a = rows.trial[n], rows.state_before[n], rows.action[n]
    theirs, own = wanted[donor_task[b], s], wanted[rows.task[b], s]
    for_donor = (theirs & ~own)[np.arange(len(n)), a] & (own & ~theirs).any(axis=1)
    for_recipient = (own & ~theirs)[np.arange(len(n)), a] & (theirs & ~own).any(axis=1)
    possible = _payments(tasks)[donor_task[b], s, a, reward_index(tasks, rows.reward[n])]
    until = np.full(B, rows.size[STEPS])  # the first row whose reward the donor's task could not have paid
    np.minimum.at(until, b[~possible], n[~possible])
    counted = n <= until[b]
    donor, told = int(for_donor[counted].sum()), int((for_donor | for_recipient)[counted].sum())
    return Outcome(donor / told if told else float("nan"), told, B)


def _payments(tasks):
    """(M, S, A, R) bool: the rewards, by index, that an action can bring."""
    outcomes = tasks.outcomes
    pays = np.zeros((tasks.num_tasks * tasks.num_states * tasks.num_actions, len(outcomes.reward_value)), bool)
    for last in (0, 1):  # the table's second half holds the last step of an episode of fixed length
        start = outcomes.start[last * len(pays) : (last + 1) * len(pays) + 1]
        pays[np.repeat(np.arange(len(pays)), np.diff(start)), outcomes.reward[start[0] : start[-1]]] = True
    return pays.reshape(tasks.num_tasks, tasks.num_states, tasks.num_actions, -1)
