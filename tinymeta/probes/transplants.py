"""The causal test: give a trial the state of another trial, of another task, and see whom the behaviour follows.

Trials are recorded up to the beginning of an episode and paired, a *recipient* with a *donor* of another task. Then
the episode is played in the recipient's world, by the same network, with a state put in from outside. At every step
at which the two tasks ask for different actions, the action taken speaks for one of them; the share that follows the
donor is the result. Counting stops when the world has shown something that cannot happen in the donor's task, since
from then on a belief would change, too.

What is put in (`PUT_IN`):

    both, h, c   the donor's whole state, or one half of it
    axis         the recipient's state, moved along the decoder's axes by the shortest way to where it decodes as the
                 donor's belief
    pattern      the same, but the most probable way instead of the shortest: along the directions in which states do
                 vary when the belief does (Haufe et al. 2014)
    random       the recipient's state, moved as far as for `pattern` (which is the longer way) in a random direction
    none         the recipient's own state

An episode's first input carries the last reward and action of the episode before, which may give the task away. So it
comes in three versions (`FIRST_INPUT`): "donor" (what entered the donor's network: all that was learned is
exchanged), "masked" (zeros: only the state tells), "own" (the recipient's: state and input contradict each other). In
the last two only such donors count whose exact belief carried into the episode is already certain; in the first the
input completes it.

An agent whose wiring resets its state here, such as `rl1`, follows its own task whatever is put in.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError
from tinymeta.base.jit import jit
from tinymeta.environments.outcomes import make_rules, sample_index
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.learning.rollout import TASK_UNIFORM, play_on, uniforms_per_trial
from tinymeta.learning.rows import STEPS, Activations, Rows, allocate, write_input
from tinymeta.optimum.belief_graph import belief_graph
from tinymeta.optimum.filter import reward_index
from tinymeta.optimum.joint import JointIndex
from tinymeta.optimum.planning import TIE, plan
from tinymeta.probes.decoding import LinearMap, Regression, Samples, split_trials
from tinymeta.probes.recording import Recording

PUT_IN = ("both", "h", "c", "axis", "pattern", "random", "none")
FIRST_INPUT = ("donor", "masked", "own")
CERTAIN = 0.95  # probability of its own task from which on a trial may give


class Outcome(NamedTuple):
    """Whom the behaviour followed over all pairs."""

    donor: float  # share of telling actions that follow the donor; NaN if none told
    actions: int  # telling actions
    pairs: int


class Boundary(NamedTuple):
    """What n trials brought to the beginning of an episode; trials that ended earlier are left out."""

    episode: int
    task: np.ndarray  # (n,)
    state: np.ndarray  # (n, 2H), [h, c] after the last step of the episode before
    belief: np.ndarray  # (n, M), exact, carried by that state
    prev_reward: np.ndarray  # (n,)
    prev_action: np.ndarray  # (n,)


def transplant(
    agent: Agent,
    recording: Recording,
    gamma: float,
    episode: int | None = None,
    seed: int = 0,
    inputs: Sequence[str] = FIRST_INPUT,
) -> dict[str, dict[str, Outcome]]:
    """{first input: {what is put in: `Outcome`}} of one agent.

    Parameters
    ----------
    agent : Agent
        Whose states the recording holds.
    recording : Recording
    gamma : float
        At which actions are optimal for a task.
    episode : int, optional
        Counted from 0; the middle one if left out.
    seed : int
        Of pairs, random directions and the episodes played.
    inputs : sequence of str
        Which of `FIRST_INPUT`.

    Raises
    ------
    InputError
        Where there is nothing to exchange: one task, one episode, or the first episode.
    """
    tasks = agent.tasks
    if tasks.num_tasks < 2 or tasks.episodes < 2:
        raise InputError("one task or one episode: there is nothing to exchange")
    k = tasks.episodes // 2 if episode is None else episode
    if not 1 <= k < tasks.episodes:
        raise InputError(f"episode = {k}, expected 1…{tasks.episodes - 1}: the first one has nothing to take over")
    boundary = _boundary(recording, k)
    decoder, covariance = _decoder(recording, seed)
    wanted = wanted_actions(tasks, gamma)
    buffers = allocate(agent.layout, len(boundary.task), make_rules(tasks).step_limit + 1, agent.theta.dtype)
    certain = boundary.belief[np.arange(len(boundary.task)), boundary.task] >= CERTAIN
    results: dict[str, dict[str, Outcome]] = {}
    for first_input in inputs:
        may_give = np.ones(len(certain), bool) if first_input == "donor" else certain
        recipient, donor = _pairs(boundary.task, may_give, seed)
        states = _states_put_in(boundary.state[recipient], boundary.state[donor], decoder, covariance, seed)
        results[first_input] = {}
        for what in PUT_IN:
            rows = _play_episode(agent, boundary, recipient, donor, first_input, states[what], seed, buffers)
            results[first_input][what] = _whom(tasks, rows, wanted, boundary.task[donor])
    return results


def _boundary(recording: Recording, k: int) -> Boundary:
    """The trials that reach episode k, as they enter it."""
    trial, step = np.nonzero(recording.valid & (recording.episode == k))
    first = np.unique(trial, return_index=True)[1]
    last = trial[first], step[first] - 1  # the step before the episode
    return Boundary(
        episode=k,
        task=recording.task[last[0]],
        state=np.hstack([recording.hidden[last], recording.cell[last]]),
        belief=recording.hypotheses[last],
        prev_reward=recording.reward[last],
        prev_action=recording.action[last],
    )


def _decoder(recording: Recording, seed: int) -> tuple[LinearMap, np.ndarray]:
    """The linear map from [h, c] to the exact belief (2H, M), and the covariance of the states (2H, 2H)."""
    samples = Samples.of(recording)
    at = samples.trial, samples.step
    state = np.hstack([recording.hidden[at], recording.cell[at]])
    decoder = Regression(state, split_trials(samples.trial, seed)).fit(recording.hypotheses[at])
    return decoder, np.cov(state.T.astype(float))


def _pairs(task: np.ndarray, may_give: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(recipients, donors): every trial receives from the next one of another task that may give, in a random order."""
    order = randomness.generator(seed, randomness.PROBING, 2).permutation(len(task))
    recipients = []
    donors = []
    for i, n in enumerate(order):
        later = np.roll(order, -i - 1)
        other = later[(task[later] != task[n]) & may_give[later]]
        if len(other):
            recipients.append(n)
            donors.append(other[0])
    return np.array(recipients, int), np.array(donors, int)


def _states_put_in(
    own: np.ndarray, given: np.ndarray, decoder: LinearMap, covariance: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """{what: states (B, 2H) that enter the episode} of B pairs with the states `own` and `given` (B, 2H).

    A move Δ of a state changes what is decoded from it by Δ·W, W being the decoder's weight. So the moves `axis` and
    `pattern` solve Δ·W = decoded(given) - decoded(own), the one with the rows of Δ in the span of W, the other in
    that of Σ·W.
    """
    H = own.shape[1] // 2
    difference = decoder(given) - decoder(own)
    axis = _move(difference, decoder.weight, decoder.weight)
    pattern = _move(difference, decoder.weight, covariance @ decoder.weight)
    direction = randomness.generator(seed, randomness.PROBING, 3).standard_normal(own.shape)
    length = np.linalg.norm(pattern, axis=1) / np.linalg.norm(direction, axis=1)
    return {
        "both": given,
        "h": np.hstack([given[:, :H], own[:, H:]]),
        "c": np.hstack([own[:, :H], given[:, H:]]),
        "axis": own + axis,
        "pattern": own + pattern,
        "random": own + direction * length[:, None],
        "none": own,
    }


def _move(difference: np.ndarray, weight: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Δ (B, 2H) in the span of `directions` (2H, M) with Δ·weight = difference (B, M)."""
    return difference @ np.linalg.pinv(weight.T @ directions, rcond=1e-8) @ directions.T


@jit
def _begin_episodes(outcomes, layout, uniforms, episode, task, prev_reward, prev_action, rows):
    """B trials on tasks `task` (B,) begin an episode that is not their first, as `begin_trials` begins the first.

    uniforms (B, U) are numbered like a whole trial's, see `tinymeta.learning.rollout`; prev_reward and prev_action
    (B,) enter with the episode's first input. Overwrites task, state, elapsed and ended
    of rows, and its rows B…2B-1; row b is to hold the state from which row B + b goes on.
    """
    B = task.shape[0]
    for b in range(B):
        start = outcomes.initial_start[task[b]]
        stop = outcomes.initial_start[task[b] + 1]
        uniform = uniforms[b, TASK_UNIFORM]  # the task is given: its number draws the first state
        first = sample_index(outcomes.initial_cumulative, start, stop, uniform)
        rows.task[b] = task[b]
        rows.state[b] = outcomes.initial_state[first]
        rows.elapsed[b] = 0
        rows.ended[b] = False
        observation = outcomes.initial_observation[first]
        write_input(
            rows, layout, B + b, b, b, episode, False, True, observation, prev_reward[b], prev_action[b], task[b]
        )


def _play_episode(
    agent: Agent,
    boundary: Boundary,
    recipient: np.ndarray,
    donor: np.ndarray,
    first_input: str,
    state: np.ndarray,
    seed: int,
    buffers: tuple[Rows, Activations],
) -> Rows:
    """Rows of the recipients' episode with the given states (B, 2H), of B pairs, played in `buffers`.

    Row b holds the state of pair b, its first step is row B + b.
    """
    rows, act = buffers
    rows.size[:] = 0
    B = len(recipient)
    if B == 0:
        return rows
    tasks = agent.tasks
    layout = agent.layout
    H = layout.hidden_size
    rules = make_rules(tasks)._replace(episodes=boundary.episode + 1)  # the trial is over when this episode is
    last_played = 1 + rules.step_limit  # time 0 is that of the states put in
    uniforms = randomness.uniforms(seed, randomness.PROBING, 4, B, uniforms_per_trial(last_played))
    act.h[:B] = state[:, :H]
    act.c[:B] = state[:, H:]
    source = donor if first_input == "donor" else recipient
    masking = layout._replace(sees_across=layout.sees_across and first_input != "masked")
    given = boundary.prev_reward[source], boundary.prev_action[source]
    _begin_episodes(tasks.outcomes, masking, uniforms, boundary.episode, boundary.task[recipient], *given, rows)
    rows.begin[:2] = 0, B
    rules = rules._replace(step_limit=last_played)
    play_on(tasks.outcomes, rules, layout, agent.theta, uniforms, False, rows, act, B, 2 * B, 1)
    return rows


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


def _whom(tasks: TaskSet, rows: Rows, wanted: np.ndarray, donor_task: np.ndarray) -> Outcome:
    """The `Outcome` of played rows; see the module's docstring for what counts."""
    B = len(donor_task)
    n = np.arange(B, rows.size[STEPS])
    b = rows.trial[n]
    state = rows.state_before[n]
    action = rows.action[n]
    donor = wanted[donor_task[b], state]  # (n, A)
    own = wanted[rows.task[b], state]
    taken = np.arange(len(n)), action
    for_donor = (donor & ~own)[taken] & (own & ~donor).any(axis=1)
    for_recipient = (own & ~donor)[taken] & (donor & ~own).any(axis=1)
    possible = _payments(tasks)[donor_task[b], state, action, reward_index(tasks, rows.reward[n])]
    until = np.full(B, rows.size[STEPS])  # the first row whose reward the donor's task could not have paid
    np.minimum.at(until, b[~possible], n[~possible])
    counted = n <= until[b]
    followed = int(for_donor[counted].sum())
    told = int((for_donor | for_recipient)[counted].sum())
    return Outcome(followed / told if told else float("nan"), told, B)


def _payments(tasks: TaskSet) -> np.ndarray:
    """(M, S, A, R) bool: the rewards, by index, that an action can bring."""
    outcomes = tasks.outcomes
    M, S, A = tasks.num_tasks, tasks.num_states, tasks.num_actions
    pays = np.zeros((M * S * A, len(outcomes.reward_value)), bool)
    for half in (0, 1):  # the table's second half holds the last step of an episode of fixed length
        start = outcomes.start[half * len(pays) : (half + 1) * len(pays) + 1]
        pays[np.repeat(np.arange(len(pays)), np.diff(start)), outcomes.reward[start[0] : start[-1]]] = True
    return pays.reshape(M, S, A, -1)
