"""Do the agent and the Bayes-optimal machine simulate each other? (Mikulik et al. 2020; Kuo et al. 2025)

The machine's state is what an optimal agent must know: the exact belief about what is hidden (its posterior where
hypotheses are few, else each action's expected reward), and where it is. One map is fitted from the agent's state to
the machine's and one back, by ridge regression on random Fourier features (Rahimi & Recht 2007): closed form,
deterministic, held out. A machine that plans to a horizon knows the clock (`belief_statistics.clock`), so the clock and
all sufficient statistics of the belief are among the inputs of its map to the agent; the agent's map to the machine
gets the agent's state alone, for the agent has to keep what it needs. Each direction has two dissimilarities:

    D_s = Σ w ‖s - ŝ‖² / Σ w ‖s - s̄‖²     between the simulated states and their images, the fraction of variance
                                          unexplained: s̄ is the tested samples' mean, w weighs all trials the same
    D_o                                   between the outputs, in probability of a wrong choice

The agent's output is its policy, read from the mapped state by its own head: D_o is the total variation to the true
one. The machine's output is its set of optimal actions, read off the nearest exact state that was met in fitting at the
same clock: D_o is the share of that choice that is not optimal. Any mixture of tied actions counts as optimal.
"""

from typing import Any

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.optimum.planning import Plan
from tinymeta.probes.belief_statistics import clock, statistics, varies
from tinymeta.probes.decoding import Regression, Samples, Split, shuffled, split_trials, trial_weights, unexplained
from tinymeta.probes.recording import Recording, nodes_along

FEATURES = 256
SIMULATION_PENALTIES = (1e-6, 1e-4, 1e-2)  # of the ridge on random features
SOFT = 1e-3  # how much of a uniform policy is mixed into the optimal one, so that KL(agent‖Bayes) is finite


class FourierFeatures:
    """[z, √(2/F) cos(zΩ + φ)] of scaled samples z; the bandwidth is the median distance between some of them."""

    def __init__(self, x: np.ndarray, seed: int) -> None:
        self.shift = x.mean(axis=0)
        deviation = x.std(axis=0)
        self.scale = np.where(deviation > 1e-12, deviation, np.inf)
        some = (x[:: max(1, len(x) // 300)] - self.shift) / self.scale
        square = np.square(some).sum(1)
        distance = np.sqrt(np.maximum(0, square[:, None] + square - 2 * some @ some.T))
        bandwidth = np.median(distance[distance > 0]) if (distance > 0).any() else 1.0
        random = randomness.generator(seed, randomness.PROBING, 1)
        self.frequency = (random.standard_normal((x.shape[1], FEATURES)) / bandwidth).astype(np.float32)
        self.phase = (2 * np.pi * random.random(FEATURES)).astype(np.float32)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        z = (x - self.shift) / self.scale
        features = np.empty((len(z), z.shape[1] + FEATURES))
        features[:, : z.shape[1]] = z
        angle = z.astype(np.float32) @ self.frequency + self.phase  # in float32: four times as fast, and random anyway
        features[:, z.shape[1] :] = np.sqrt(2 / FEATURES) * np.cos(angle)
        return features


class Machine:
    """The Bayes-optimal machine along a recording, whoever recorded it.

    Parameters
    ----------
    tasks : TaskSet
    recording : Recording
    solved : Plan, optional
        The optimum; without it the machine has no known outputs.
    seed : int
        Of the split into training and test, and of the random features.

    Attributes
    ----------
    state : array of shape (n, V)
        The posterior, or each action's expected reward where hypotheses are many, and, where there are several tasks,
        the marginal over states; columns that vary.
    clock : int array of shape (n,)
    optimal : bool array of shape (n, A), or None
        Optimal actions.

    Raises
    ------
    InputError
        If the machine has but one state: there is nothing to simulate.
    """

    def __init__(self, tasks: TaskSet, recording: Recording, solved: Plan | None = None, seed: int = 0) -> None:
        self.samples = Samples.of(recording)
        self.seed = seed
        at = self.samples.trial, self.samples.step
        known = statistics(tasks, recording, *at) if self.samples.hypotheses.shape[1] else {}
        where = recording.belief.sum(axis=2)[at]
        where = where[:, varies(where)] if tasks.num_tasks > 1 else where[:, :0]
        belief = known.get("posterior", known.get("expected_reward", self.samples.hypotheses))
        self.state = np.hstack([belief, where])
        if self.state.shape[1] == 0:
            raise InputError("the Bayes-optimal machine is always in one state, expected a task set on which it moves")
        self.clock = clock(tasks, recording)[at]
        self.optimal = None if solved is None else solved.ties[nodes_along(tasks, solved.graph, recording)[at]]
        self.split = split_trials(self.samples.trial, seed)
        inputs = [self.state, *(values for name, values in known.items() if name != "posterior"), self.clock[:, None]]
        self.features = regression(np.hstack(inputs), self.split, seed)


def regression(state: np.ndarray, split: Split, seed: int) -> Regression:
    """The `Regression` on a state (n, F) and random features of it."""
    return Regression(FourierFeatures(state[split.train], seed)(state), split, SIMULATION_PENALTIES)


def simulate(agent: Agent, recording: Recording, machine: Machine, shuffle: bool = False) -> dict[str, dict[str, Any]]:
    """Both directions of simulation, held out.

    Parameters
    ----------
    agent : Agent
    recording : Recording
        Holds the agent's states, on the inputs that `machine` was made of.
    machine : Machine
    shuffle : bool
        The control: beside each state of the machine stands the agent's in another trial at the same step.

    Returns
    -------
    dict: {"agent_to_bayes", "bayes_to_agent"} each {"D_s", "D_o"} (D_o None where the machine's output is unknown).
    """
    samples = machine.samples
    split = machine.split
    at = samples.trial, samples.step
    if shuffle:
        rows = shuffled(samples)
        at = samples.trial[rows], samples.step[rows]
    state = np.hstack([recording.hidden[at], recording.cell[at]]).astype(float)
    to_machine = regression(state, split, machine.seed).predict(machine.state)
    to_agent = machine.features.predict(state)
    policy = _softmax(recording.logits[at].astype(float)[split.test])
    mapped = _policy_at(agent, to_agent[:, : recording.hidden.shape[2]])
    weight = trial_weights(samples.trial)[split.test]
    return {
        "agent_to_bayes": {
            "D_s": unexplained(to_machine, machine.state[split.test], weight),
            "D_o": None if machine.optimal is None else _wrong_choice(to_machine, machine, machine.optimal),
        },
        "bayes_to_agent": {
            "D_s": unexplained(to_agent, state[split.test], weight),
            "D_o": float(np.abs(mapped - policy).sum(axis=1).mean() / 2),
        },
    }


def _policy_at(agent: Agent, hidden: np.ndarray) -> np.ndarray:
    """What the agent's head makes of hidden states (n, H): π (n, A)."""
    head = agent.parameters
    return _softmax(hidden @ head["policy.weight"].T.astype(float) + head["policy.bias"])


def _softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _wrong_choice(mapped: np.ndarray, machine: Machine, all_optimal: np.ndarray) -> float:
    """Mean probability of a choice that is not optimal, if it is made as at the nearest known state at the same clock.

    Known are the machine's states in training; at a clock that did not occur there, those of all clocks.
    """
    train, test = machine.split.train, machine.split.test
    known = machine.state[train].round(12)
    known_optimal = all_optimal[train]
    optimal = all_optimal[test]
    wrong = np.empty(len(mapped))
    for now in np.unique(machine.clock[test]):
        here = np.flatnonzero(machine.clock[test] == now)
        candidates = np.flatnonzero(machine.clock[train] == now)
        candidates = candidates if len(candidates) else np.arange(len(known))
        distinct, first = np.unique(known[candidates], axis=0, return_index=True)
        for part in np.array_split(here, 1 + len(here) // 1000):
            distance = np.square(distinct).sum(axis=1) - 2 * mapped[part] @ distinct.T
            choice = known_optimal[candidates[first[distance.argmin(axis=1)]]]
            wrong[part] = 1 - (choice * optimal[part]).sum(axis=1) / choice.sum(axis=1)
    return float(wrong.mean())


def policy_divergence(policy: np.ndarray, optimal: np.ndarray) -> dict[str, float]:
    """{"agent_bayes", "bayes_agent"}: KL divergence in nats per step, to the nearest mixture of optimal actions.

    KL(Bayes‖agent) = -log π(optimal actions), minimal for the mixture that shares them out as the agent does.
    KL(agent‖Bayes) is infinite as soon as the agent may do anything else, so there the optimal mixture is softened by
    SOFT of a uniform policy.

    Parameters
    ----------
    policy : array of shape (n, A)
    optimal : bool array of shape (n, A)
    """
    policy = np.asarray(policy, float)
    A = policy.shape[1]
    good = np.where(optimal, policy, 0).sum(axis=1)
    tiny = np.finfo(float).tiny
    bayes_agent = -np.log(np.maximum(good, tiny))
    share = np.where(optimal, policy, 0) / np.maximum(good, tiny)[:, None]
    share = np.where(good[:, None] > 0, share, optimal / optimal.sum(axis=1, keepdims=True))
    soft = (1 - SOFT) * share + SOFT / A
    agent_bayes = np.where(policy > 0, policy * np.log(np.maximum(policy, tiny) / soft), 0).sum(axis=1)
    return {"agent_bayes": float(agent_bayes.mean()), "bayes_agent": float(bayes_agent.mean())}
