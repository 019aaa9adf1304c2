"""The causal test: give a trial the state of another trial, of another task, and see whom the behaviour follows.

Trials are recorded up to the beginning of an episode and paired, a *recipient* with a *donor* of another task. Then
the episode is played in the recipient's world, by the same network, with a state put in from outside. At every step
at which the two tasks ask for different actions, the action taken speaks for one of them; the share that follows the
donor is the result. Counting stops when the world has shown something that cannot happen in the donor's task, since
from then on a belief would change, too.

What is put in (`PUT_IN`), Δ being the move `pattern`, which sets the length of all moves below it:

    both, h, c   the donor's whole state, or one half of it
    same         the whole state of another trial of the recipient's own task
    pattern      own + Δ: moved to where the state decodes as the donor's belief, by the most probable way, along the
                 directions in which states do vary when the belief does (Haufe et al. 2014)
    complement   donor - Δ: all that distinguishes the two states but Δ
    axis         moved as far as Δ along the decoder's own axes
    random       moved as far as Δ in a direction in which states vary, drawn from their covariance
    orthogonal   the same, without what lies in the span of the pattern
    none         the recipient's own state

An episode's first input carries the last reward and action of the episode before, which may give the task away. So it
comes in three versions (`FIRST_INPUT`): "donor" (what entered the donor's network: all that was learned is
exchanged), "masked" (zeros: only the state tells), "own" (the recipient's: state and input contradict each other). In
the last two only such trials count, on both sides, whose exact belief carried into the episode is already certain.

A recipient's donor is matched in place, for an episode has just ended for both, and in time where `match_time` asks for
it: then trials of another length are no donors.

An agent whose wiring resets its state here, such as `rl1`, follows its own task whatever is put in, *by construction*;
where its state does matter is the middle of an episode (`tinymeta.probes.exchanges`).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.learning.rows import STEPS
from tinymeta.optimum.belief_graph import belief_graph
from tinymeta.optimum.filter import reward_index
from tinymeta.optimum.joint import JointIndex
from tinymeta.optimum.planning import TIE, plan
from tinymeta.probes.continuing import Boundary, Continuation, Pairs, boundary_of
from tinymeta.probes.decoding import Regression, Samples, split_trials
from tinymeta.probes.moves import Moves, of_length
from tinymeta.probes.recording import Recording

PUT_IN = ("both", "h", "c", "same", "pattern", "complement", "axis", "random", "orthogonal", "none")
DOSES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)  # shares of a move
DOSED = ("both", "pattern", "orthogonal")  # moves that are made by degrees
FIRST_INPUT = ("donor", "masked", "own")
CERTAIN = 0.95  # probability of a trial's own task from which on it takes part


class Outcome(NamedTuple):
    """Whom the behaviour followed over all pairs."""

    donor: float  # share of telling actions that follow the donor; NaN if none told
    actions: int  # telling actions
    pairs: int


def transplant(
    agent: Agent,
    recording: Recording,
    wanted: np.ndarray,
    episode: int | None = None,
    seed: int = 0,
    inputs: Sequence[str] = FIRST_INPUT,
    match_time: bool = False,
    dosed: bool = True,
) -> dict[str, dict[str, Any]]:
    """{first input: {what is put in: `Outcome`}} of an agent, and {"dose": {move: [share that follows, by `DOSES`]}}.

    Parameters
    ----------
    agent : Agent
        Whose states the recording holds.
    recording : Recording
    wanted : bool array of shape (M, S, A)
        What is optimal for who knows task and state, see `wanted_actions`.
    episode : int, optional
        Counted from 0; the middle one if left out.
    seed : int
        Of pairs, random directions and the episodes played.
    inputs : sequence of str
        Which of `FIRST_INPUT`; doses are given with the first of them that any pair may exchange.
    match_time : bool
        Donors have come to the episode at the same step.
    dosed : bool
        Whether moves are made by degrees, too.

    Raises
    ------
    InputError
        Where there is nothing to exchange: one task, one episode, the first episode, or no pair that may exchange.
    """
    boundary = boundary_of(recording, _episode(agent.tasks, episode))
    moves = _moves(recording, seed)
    behaviour = _Behaviour(agent, boundary, wanted, seed)
    results: dict[str, dict[str, Any]] = {}
    for first_input in inputs:
        pairs = _pairs(boundary, first_input != "donor", match_time, seed)
        states = _states_put_in(boundary.state, pairs, moves, seed)
        results[first_input] = {what: behaviour.outcome(pairs, states[what], first_input) for what in PUT_IN}
        if dosed and "dose" not in results and len(pairs.recipient):
            results["dose"] = behaviour.by_dose(pairs, states, first_input)
    return results


def _episode(tasks: TaskSet, episode: int | None) -> int:
    """The episode that is played with exchanged states."""
    if tasks.num_tasks < 2 or tasks.episodes < 2:
        raise InputError("one task or one episode: there is nothing to exchange")
    k = tasks.episodes // 2 if episode is None else episode
    if not 1 <= k < tasks.episodes:
        raise InputError(f"episode = {k}, expected 1…{tasks.episodes - 1}: the first one has nothing to take over")
    return k


def _moves(recording: Recording, seed: int) -> Moves:
    """`Moves` of [h, c] by the linear map to the exact belief."""
    samples = Samples.of(recording)
    at = samples.trial, samples.step
    state = np.hstack([recording.hidden[at], recording.cell[at]])
    return Moves(Regression(state, split_trials(samples.trial, seed)).fit(recording.hypotheses[at]), state)


def _pairs(boundary: Boundary, certain_only: bool, match_time: bool, seed: int) -> Pairs:
    """Every trial that fits with the next ones of another and of its own task, in a random order."""
    task = boundary.task
    certain = boundary.belief[np.arange(len(task)), task] >= CERTAIN
    fit = certain if certain_only else np.ones(len(task), bool)
    order = randomness.generator(seed, randomness.PROBING, 2).permutation(np.flatnonzero(fit))
    triples = []
    for i, n in enumerate(order):
        later = np.roll(order, -i - 1)[:-1]
        if match_time:
            later = later[boundary.step[later] == boundary.step[n]]
        other = later[task[later] != task[n]]
        same = later[task[later] == task[n]]
        if len(other) and len(same):
            triples.append((n, other[0], same[0]))
    return Pairs(*np.array(triples, int).reshape(-1, 3).T)


def _states_put_in(state: np.ndarray, pairs: Pairs, moves: Moves, seed: int) -> dict[str, np.ndarray]:
    """{what: states (B, 2H) that enter the episode}; `state` (n, 2H) is that of every trial."""
    own = state[pairs.recipient]
    given = state[pairs.donor]
    H = own.shape[1] // 2
    difference = moves.decoder(given) - moves.decoder(own)
    move = moves.along_pattern(difference)
    length = np.linalg.norm(move, axis=1, keepdims=True)
    drawn = moves.drawn(len(own), seed)
    return {
        "both": given,
        "h": np.hstack([given[:, :H], own[:, H:]]),
        "c": np.hstack([own[:, :H], given[:, H:]]),
        "same": state[pairs.same],
        "pattern": own + move,
        "complement": given - move,
        "axis": own + of_length(moves.along_axes(difference), length),
        "random": own + of_length(drawn, length),
        "orthogonal": own + of_length(moves.without_pattern(drawn), length),
        "none": own,
    }


class _Behaviour:
    """The recipients' episode with states that are put in, and whom it follows."""

    def __init__(self, agent: Agent, boundary: Boundary, wanted: np.ndarray, seed: int) -> None:
        self.tasks = agent.tasks
        self.boundary = boundary
        self.continuation = Continuation(agent, boundary, seed)
        self.wanted = wanted
        self.possible = _payments(agent.tasks)

    def outcome(self, pairs: Pairs, state: np.ndarray, first_input: str) -> Outcome:
        """`Outcome` with the given states (B, 2H); see the module's docstring for what counts."""
        B = len(pairs.recipient)
        if B == 0:
            return Outcome(float("nan"), 0, 0)
        rows = self.continuation.play(pairs, state, first_input)
        donor_task = self.boundary.task[pairs.donor]
        n = np.arange(B, rows.size[STEPS])
        b = rows.trial[n]
        state = rows.state_before[n]
        action = rows.action[n]
        donor = self.wanted[donor_task[b], state]  # (n, A)
        own = self.wanted[rows.task[b], state]
        taken = np.arange(len(n)), action
        for_donor = (donor & ~own)[taken] & (own & ~donor).any(axis=1)
        for_recipient = (own & ~donor)[taken] & (donor & ~own).any(axis=1)
        possible = self.possible[donor_task[b], state, action, reward_index(self.tasks, rows.reward[n])]
        until = np.full(B, rows.size[STEPS])  # the first row whose reward the donor's task could not have paid
        np.minimum.at(until, b[~possible], n[~possible])
        counted = n <= until[b]
        followed = int(for_donor[counted].sum())
        told = int((for_donor | for_recipient)[counted].sum())
        return Outcome(followed / told if told else float("nan"), told, B)

    def by_dose(self, pairs: Pairs, states: dict[str, np.ndarray], first_input: str) -> dict[str, list[float]]:
        """{one of `DOSED`: share that follows the donor by `DOSES`}, of what `_states_put_in` gives."""
        own = states["none"]
        return {
            what: [self.outcome(pairs, own + dose * (states[what] - own), first_input).donor for dose in DOSES]
            for what in DOSED
        }


def wanted_actions(tasks: TaskSet, gamma: float) -> np.ndarray:
    """(M, S, A) bool: what is optimal in each task and state for one who knows both, as the last episode begins."""
    graph = belief_graph(tasks, observed=True)
    q = plan(graph, gamma).action_value
    joint = JointIndex(tasks)
    known = graph.entry_state[graph.entry_start[:-1]]  # each node is one joint state
    best = q.max(axis=1, keepdims=True)
    wanted = np.zeros((tasks.num_tasks, tasks.num_states, tasks.num_actions), bool)
    wanted[joint.task(known), joint.state(known)] = q >= best - TIE * np.maximum(1, np.abs(best))
    return wanted


def _payments(tasks: TaskSet) -> np.ndarray:
    """(M, S, A, R) bool: the rewards, by index, that an action can bring."""
    outcomes = tasks.outcomes
    M, S, A = tasks.num_tasks, tasks.num_states, tasks.num_actions
    pays = np.zeros((M * S * A, len(outcomes.reward_value)), bool)
    for half in (0, 1):  # the table's second half holds the last step of an episode of fixed length
        start = outcomes.start[half * len(pays) : (half + 1) * len(pays) + 1]
        pays[np.repeat(np.arange(len(pays)), np.diff(start)), outcomes.reward[start[0] : start[-1]]] = True
    return pays.reshape(M, S, A, -1)
