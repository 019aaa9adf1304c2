"""Is the belief graded? States are moved by single units of evidence, and evidence is counted on after a transplant.

On some task sets the belief is one number, the *net evidence* S: in a bandit of two dependent arms how many pulls spoke
for arm 0 (it was paid, or the other was not) less those that spoke for arm 1; in Tiger the growls from the left less
those from the right. A linear map decodes S from [h, c]. Two questions:

`switching`   A state is moved along the pattern of S (`tinymeta.probes.moves`) by some units, the recipient's next
              input enters, and the policy is read. Does it change sides at the same evidence as it does without a move,
              and where the Bayes-optimal policy does?
`updating`    The state of another trial is put in at an episode's beginning and the trial goes on, on policy. Some
              pulls later the decoded S should be the *donor's* plus what has followed, and nothing of the recipient's:
              coefficients 1, 1 and 0 of a regression. The same regression where nothing was put in is the standard.
"""

from typing import Any

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.learning.playing import times_of
from tinymeta.learning.rows import STEPS
from tinymeta.optimum.planning import Plan
from tinymeta.probes.belief_statistics import is_dependent_bandit, net_evidence
from tinymeta.probes.continuing import Continuation, Pairs, boundary_of
from tinymeta.probes.decoding import Regression, Samples, split_trials
from tinymeta.probes.moves import Moves
from tinymeta.probes.recording import Recording, nodes_along, replay, softmax

REACH = 6  # units of evidence up to which states are moved
EARLY = 25  # steps of a trial that are looked at
MOVED = 400  # states
FEWEST = 20  # samples of a point of a curve
BEFORE = 8  # episodes before a transplant
FOLLOWED = 10  # and after it


def count_of_evidence(tasks: TaskSet, recording: Recording) -> np.ndarray:
    """S (N, T) before each action.

    Raises
    ------
    InputError
        If the belief of this task set is not one count: it is that of two dependent arms, or of two hidden states with
        symmetric evidence.
    """
    if is_dependent_bandit(tasks):
        return net_evidence(tasks, recording)
    if tasks.num_tasks == 1 and recording.hypotheses.shape[2] == 2:
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithm = np.log(recording.hypotheses)
            odds = np.where(recording.valid, logarithm[:, :, 0] - logarithm[:, :, 1], 0)
        unit = np.abs(odds)[np.abs(odds) > 1e-9].min(initial=np.inf)
        if np.isfinite(odds).all() and np.isfinite(unit) and np.allclose(odds, unit * (odds / unit).round(), atol=1e-6):
            return (odds / unit).round().astype(int)
    raise InputError("the belief of this task set is not one count of evidence, expected two dependent arms or Tiger")


def switching(agent: Agent, recording: Recording, solved: Plan, seed: int = 0) -> dict[str, Any]:
    """At which net evidence the policy changes sides: states moved, states as recorded, and the Bayes-optimal policy.

    The action is the one that much evidence asks for (arm 0; to open the right door).

    Parameters
    ----------
    agent : Agent
        Whose states the recording holds.
    recording : Recording
    solved : Plan
        Of the best policy.
    seed : int
        Of the states that are moved.

    Returns
    -------
    dict
        evidence (list of S, the next input included); moved, recorded, optimal (lists: mean probability of the action,
        NaN with fewer than `FEWEST` samples); switch_moved, switch_recorded, switch_optimal: the S at which it crosses
        1/2 (NaN where it does not).

    Raises
    ------
    InputError
        If the belief is not one count.
    """
    count = count_of_evidence(agent.tasks, recording)
    steps = min(EARLY, recording.valid.shape[1] - 1)
    trial, step = np.nonzero(recording.valid[:, 1 : steps + 1] & (np.abs(np.diff(count[:, : steps + 1])) == 1))
    after = trial, step + 1
    nodes = nodes_along(agent.tasks, solved.graph, recording, agent.layout.identity_from)
    best = solved.ties[nodes[after]]
    action = int(best[count[after].argmax()].argmax())
    recorded = softmax(recording.logits[after])[:, action]
    random = randomness.generator(seed, randomness.PROBING, 7)
    some = random.permutation(len(trial))[:MOVED]
    reached, moved = _moved_policies(agent, recording, count, trial[some], step[some], seed)
    evidence = np.arange(-REACH, REACH + 1)
    curves = {
        "moved": _by_evidence(evidence, reached, moved[:, action]),
        "recorded": _by_evidence(evidence, count[after], recorded),
        "optimal": _by_evidence(evidence, count[after], best[:, action] / best.sum(axis=1)),
    }
    switches = {f"switch_{name}": _crossing(evidence, curve) for name, curve in curves.items()}
    return {"evidence": evidence.tolist(), **{name: curve.tolist() for name, curve in curves.items()}, **switches}


def _moved_policies(
    agent: Agent, recording: Recording, count: np.ndarray, trial: np.ndarray, step: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(S reached, policy): states at (trial, step) moved to every S within `REACH` but their own, one input later."""
    moves = _moves_of(recording, count, seed)
    state = np.hstack([recording.hidden[trial, step], recording.cell[trial, step]])
    target = np.tile(np.arange(-REACH, REACH + 1), len(trial))
    which = np.repeat(np.arange(len(trial)), 2 * REACH + 1)
    difference = target - count[trial, step][which]
    chosen = (difference != 0) & (np.abs(difference) <= REACH)
    which, target, difference = which[chosen], target[chosen], difference[chosen]
    put_in = state[which] + moves.along_pattern(difference[:, None].astype(float))
    entering = trial[which], step[which] + 1
    logits = replay(agent, recording.inputs[entering][:, None], recording.reset[entering][:, None], put_in)[2]
    gained = count[entering] - count[trial, step][which]
    return target + gained, softmax(logits[:, 0])


def _moves_of(recording: Recording, count: np.ndarray, seed: int) -> Moves:
    """`Moves` of [h, c] by the linear map to S (N, T), fitted early in trials."""
    samples = Samples.of(recording)
    early = samples.step < EARLY
    at = samples.trial[early], samples.step[early]
    state = np.hstack([recording.hidden[at], recording.cell[at]])
    return Moves(Regression(state, split_trials(at[0], seed)).fit(count[at][:, None].astype(float)), state)


def _by_evidence(evidence: np.ndarray, reached: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """The mean probability at each S of `evidence`, NaN where there are few samples."""
    chosen = [probability[reached == s] for s in evidence]
    return np.array([p.mean() if len(p) >= FEWEST else np.nan for p in chosen])


def _crossing(x: np.ndarray, y: np.ndarray) -> float:
    """Where y first rises through 1/2, by linear interpolation between known points; NaN where it does not.

    Examples
    --------
    >>> float(_crossing(np.arange(4), np.array([0.0, np.nan, 0.25, 0.75])))
    2.5
    """
    known = np.isfinite(y)
    x, y = x[known], y[known]
    rising = np.flatnonzero((y[:-1] < 0.5) & (y[1:] >= 0.5))
    if len(rising) == 0:
        return float("nan")
    i = rising[0]
    return float(x[i] + (0.5 - y[i]) / (y[i + 1] - y[i]) * (x[i + 1] - x[i]))


def updating(agent: Agent, recording: Recording, seed: int = 0) -> dict[str, dict[str, float]]:
    """{"transplanted", "recorded"}: coefficients of the decoded S on {"carried", "followed", "own"}.

    `carried` is the evidence in the state with which the trial goes on (the donor's, or without a transplant the
    trial's own), `followed` what the recipient's world showed since, `own` what the recipient had seen before the
    transplant. An intercept is fitted too.

    Raises
    ------
    InputError
        If the task set is no dependent bandit of more than `BEFORE` + `FOLLOWED` pulls.
    """
    tasks = agent.tasks
    if not is_dependent_bandit(tasks) or tasks.episodes <= BEFORE + FOLLOWED:
        raise InputError(f"no dependent bandit of more than {BEFORE + FOLLOWED} pulls: there is no count to go on with")
    count = net_evidence(tasks, recording)
    decoder = _moves_of(recording, count, seed).decoder
    boundary = boundary_of(recording, BEFORE)
    n = len(boundary.task)
    order = randomness.generator(seed, randomness.PROBING, 8).permutation(n)
    pairs = Pairs(order, np.roll(order, 1), np.roll(order, 2))
    continuation = Continuation(agent, boundary, seed, FOLLOWED)
    seen = count[boundary.trial, boundary.step - 1]  # the last pull enters with the first input
    rows = {}
    for name, donor in (("transplanted", pairs.donor), ("recorded", pairs.recipient)):
        played = continuation.play(pairs, boundary.state[donor], "own")
        m = np.arange(n, played.size[STEPS])
        last = m[times_of(played)[m] == FOLLOWED]
        state = np.hstack([continuation.act.h[last], continuation.act.c[last]])
        b = played.trial[last]
        spoke = np.where((played.action[m] == 0) == (played.reward[m] > 0), 1, -1) * (times_of(played)[m] < FOLLOWED)
        followed = np.bincount(played.trial[m], spoke, n)[b]
        own = seen[pairs.recipient][b]
        entered = count[boundary.trial, boundary.step][pairs.recipient][b] - own
        rows[name] = _coefficients(decoder(state)[:, 0], seen[donor][b], followed + entered, own)
    return rows


def _coefficients(decoded: np.ndarray, carried: np.ndarray, followed: np.ndarray, own: np.ndarray) -> dict[str, float]:
    """Least squares of `decoded` on the others and an intercept; `own` is left out where it is what is carried."""
    columns = {"carried": carried, "followed": followed}
    if not np.array_equal(own, carried):
        columns["own"] = own
    design = np.column_stack([*columns.values(), np.ones(len(decoded))])
    found = np.linalg.lstsq(design, decoded, rcond=None)[0]
    return dict(zip(columns, found[:-1].tolist(), strict=True))
