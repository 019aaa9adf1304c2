"""What an optimal agent needs to know, as numbers that can be decoded: sufficient statistics of the exact belief.

The posterior itself is one where hypotheses are few. Where they are values of a parameter (102 quadrature nodes of a
probability) the raw posterior is a poor target: no decision needs the nodes one by one. So there are four statistics,
each where it is defined:

    posterior         P(hypothesis), where there are at most `POSTERIOR_LIMIT` hypotheses
    log_odds          log P / (1 - P) of these, clipped: additive in the evidence where there are two hypotheses
    expected_reward   E[r | a, belief] of each action's next reward; in a dependent bandit the posterior mean of p
    net_evidence      in a dependent bandit, where either arm tells as much of the other: pulls that spoke for the
                      first arm (it paid, or the other one did not) less pulls that spoke against it

Net evidence S and the number of pulls t are the whole history that counts in a dependent bandit: its likelihood is
p^((t+S)/2) (1-p)^((t-S)/2). It never saturates, so a score of it has no ceiling.
"""

import numpy as np

from tinymeta.environments.outcomes import outcome_address
from tinymeta.environments.table import TaskSet
from tinymeta.optimum.joint import JointIndex
from tinymeta.probes.recording import Recording

POSTERIOR_LIMIT = 25  # hypotheses
CLIP = 1e-4  # probabilities are clipped to [CLIP, 1 - CLIP] before their log-odds are taken, ±9.2
CONSTANT = 1e-9  # columns that vary by less, of their largest value, do not vary

STATISTICS = {  # in the words of tables
    "posterior": "posterior",
    "log_odds": "log-odds",
    "expected_reward": "expected reward",
    "net_evidence": "net evidence",
}


def statistics(tasks: TaskSet, recording: Recording, trial: np.ndarray, step: np.ndarray) -> dict[str, np.ndarray]:
    """{one of `STATISTICS`: array (n, V)} of the exact belief before the action of each sample.

    Columns that do not vary are left out, and statistics that have no others.

    Parameters
    ----------
    tasks : TaskSet
    recording : Recording
    trial, step : arrays of shape (n,)
        The samples, valid steps of the recording.
    """
    found = {"expected_reward": expected_reward(tasks, recording.belief[trial, step])}
    posterior = recording.hypotheses[trial, step]
    if posterior.shape[1] <= POSTERIOR_LIMIT:
        found |= {"posterior": posterior, "log_odds": log_odds(posterior)}
    if is_dependent_bandit(tasks):
        found["net_evidence"] = net_evidence(tasks, recording)[trial, step][:, None].astype(float)
    varying = {name: found[name][:, varies(found[name])] for name in STATISTICS if name in found}
    return {name: values for name, values in varying.items() if values.shape[1] > 0}


def varies(values: np.ndarray) -> np.ndarray:
    """Mask (V,) of the columns of values (n, V) that are not constant, but for rounding."""
    return np.ptp(values, axis=0) > CONSTANT * np.abs(values).max(initial=0)


def log_odds(probability: np.ndarray) -> np.ndarray:
    """log p / (1 - p) of clipped probabilities."""
    p = np.clip(probability, CLIP, 1 - CLIP)
    return np.log(p) - np.log1p(-p)


def expected_reward(tasks: TaskSet, belief: np.ndarray) -> np.ndarray:
    """E[r | a, belief] (n, A) of beliefs (n, M, S).

    Examples
    --------
    The paper's bandit when nothing is known, and when the first arm has paid:

    >>> import tinymeta
    >>> belief = np.array([[[0.5, 0, 0], [0.5, 0, 0]], [[0, 0, 0], [1, 0, 0]]])
    >>> expected_reward(tinymeta.make("bandit"), belief)
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    reward = (tasks.transition * tasks.reward).sum(axis=3)  # (M, S, A)
    return belief.reshape(len(belief), -1).astype(float) @ reward.reshape(-1, tasks.num_actions)


def is_dependent_bandit(tasks: TaskSet) -> bool:
    """Whether every episode is one pull of two arms that pay with probabilities p and 1 - p, and nothing else tells."""
    values = tasks.outcomes.reward_value
    if (tasks.num_actions, tasks.num_observations, len(values)) != (2, 1, 2) or tasks.horizon != tasks.episodes:
        return False
    mean = (tasks.transition * tasks.reward).sum(axis=3)
    win = ((mean - values[0]) / (values[1] - values[0]))[tasks.initial > 0]  # (…, A)
    return bool(np.allclose(win.sum(axis=1), 1, atol=1e-9))


def net_evidence(tasks: TaskSet, recording: Recording) -> np.ndarray:
    """Pulls before each step (N, T) that spoke for the first arm less those that spoke against it.

    The task set is one that `is_dependent_bandit` recognises.
    """
    paid = recording.reward > tasks.outcomes.reward_value.mean()
    speaks = np.where((recording.action == 0) == paid, 1, -1) * recording.valid
    return np.cumsum(speaks, axis=1) - speaks


def ends_are_seen(tasks: TaskSet) -> bool:
    """Whether what is observed always tells that an episode ended: no (action, observation, reward) means both.

    The last step of an episode of fixed length ends it whatever is seen.
    """
    outcomes = tasks.outcomes
    ending: set[tuple[int, int, int]] = set()
    going_on: set[tuple[int, int, int]] = set()
    for m, s, a in np.ndindex(tasks.num_tasks, tasks.num_states, tasks.num_actions):
        address = outcome_address(False, m, s, a, tasks.num_tasks, tasks.num_states, tasks.num_actions)
        for i in range(outcomes.start[address], outcomes.start[address + 1]):
            seen = (a, int(outcomes.observation[i]), int(outcomes.reward[i]))
            (ending if outcomes.ended[i] else going_on).add(seen)
    return ending.isdisjoint(going_on)


def clock(tasks: TaskSet, recording: Recording) -> np.ndarray:
    """The planner's clock at every step (N, T), what an optimal agent knows of time; 0 throughout where it knows none.

    Where ends of episodes are seen it is episode·L + time in the episode (`tinymeta.optimum.joint`), L the fixed length
    of episodes, or 1. Where they can come unseen it is the step of the trial if the horizon is finite.
    """
    N, T = recording.valid.shape
    step = np.broadcast_to(np.arange(T), (N, T))
    if not ends_are_seen(tasks):
        return step if np.isfinite(tasks.horizon) else np.zeros((N, T), int)
    if tasks.episode_length is None:
        return recording.episode.astype(int)
    begins = np.diff(recording.episode, axis=1, prepend=-1) > 0
    first = np.maximum.accumulate(np.where(begins, step, 0), axis=1)
    return recording.episode.astype(int) * JointIndex(tasks).length + step - first
