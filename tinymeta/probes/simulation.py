"""Do the agent and the Bayes-optimal machine simulate each other? (Mikulik et al. 2020; Kuo et al. 2025)

The machine's state is what an optimal agent must know: the hidden part of the exact belief, and where it is. One map is fitted from
the agent's state to the machine's and one back, by ridge regression on random Fourier features (Rahimi & Recht 2007): closed form,
deterministic, held out. Each direction has two dissimilarities:

    D_s = Σ‖s - ŝ‖² / Σ‖s‖²     between the simulated states and their images
    D_o                         between the outputs, in probability of a wrong choice

The agent's output is its policy, read from the mapped state by its own head: D_o is the total variation to the true one. The machine's
output is its set of optimal actions, read off the nearest exact state that was met in fitting: D_o is the share of that choice that is
not optimal. Any mixture of tied actions counts as optimal.
"""

import numpy as np

from tinymeta.base import randomness
from tinymeta.probes.decoding import Regression, Samples, shuffled, split_trials
from tinymeta.probes.recording import nodes_along

FEATURES = 256

STRENGTHS = (1e-6, 1e-4, 1e-2)

SOFT = 1e-3  # how much of a uniform policy is mixed into the optimal one, so that KL(agent‖Bayes) is finite


class FourierFeatures:
    """[z, √(2/F) cos(zΩ + φ)] of scaled samples z; the bandwidth is the median distance between some of them."""

    def __init__(self, x, seed):
        self.shift, scale = x.mean(axis=0), x.std(axis=0)
        self.scale = np.where(scale > 1e-12, scale, np.inf)
        some = (x[:: max(1, len(x) // 300)] - self.shift) / self.scale
        distance = np.sqrt(np.maximum(0, np.square(some).sum(1)[:, None] + np.square(some).sum(1) - 2 * some @ some.T))
        bandwidth = np.median(distance[distance > 0]) if (distance > 0).any() else 1.0
        F, width = FEATURES, x.shape[1]
        random = randomness.generator(seed, randomness.PROBING, 1)
        self.frequency, self.phase = random.standard_normal((width, F)) / bandwidth, 2 * np.pi * random.random(F)

    def __call__(self, x):
        z = (x - self.shift) / self.scale
        return np.hstack([z, np.sqrt(2 / FEATURES) * np.cos(z @ self.frequency + self.phase)])


def state_dissimilarity(mapped, state):
    """D_s = Σ‖s - ŝ‖² / Σ‖s‖²; NaN if every state is zero."""
    size = np.square(state).sum()
    return float(np.square(state - mapped).sum() / size) if size > 0 else float("nan")


class Machine:
    """The Bayes-optimal machine along a recording, whoever recorded it: its state and optimal actions at each sample.

    state (n, V + states that vary) is the hypotheses' probabilities and the marginal over states. `solved` is its `Plan`; without it
    `optimal` (n, A) is None, the machine has no known outputs.
    """

    def __init__(self, tasks, recording, solved=None, seed=0):
        self.samples, self.seed = Samples.of(recording), seed
        at = self.samples.trial, self.samples.step
        where = recording.belief.sum(axis=2)[at]
        where = where[:, np.ptp(where, axis=0) > 0] if tasks.num_tasks > 1 else where[:, :0]
        self.state = np.hstack([self.samples.hypotheses, where])
        self.optimal = None if solved is None else solved.ties[nodes_along(tasks, solved.graph, recording)[at]]
        self.split = split_trials(self.samples.trial, seed)
        self.features = regression(self.state, self.split, seed)


def regression(state, split, seed):
    """The `Regression` on a state (n, F) and random features of it."""
    return Regression(FourierFeatures(state[split.train], seed)(state), split, STRENGTHS)


def simulate(agent, recording, machine, shuffle=False):
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
    samples, split, optimal = machine.samples, machine.split, machine.optimal
    at = samples.trial, samples.step
    if shuffle:
        rows = shuffled(samples._replace(truth=np.arange(len(samples.trial)))).truth
        at = samples.trial[rows], samples.step[rows]
    h, c, logits = recording.hidden[at], recording.cell[at], recording.logits[at].astype(float)
    state = np.hstack([h, c]).astype(float)
    to_machine = regression(state, split, machine.seed).predict(machine.state)
    to_agent = machine.features.predict(state)
    policy, head = _softmax(logits[split.test]), agent.parameters
    mapped = _softmax(to_agent[:, : h.shape[1]] @ head["policy.weight"].T.astype(float) + head["policy.bias"])
    wrong = None
    if optimal is not None:
        wrong = _wrong_choice(to_machine, machine.state[split.train], optimal[split.train], optimal[split.test])
    return {
        "agent_to_bayes": {"D_s": state_dissimilarity(to_machine, machine.state[split.test]), "D_o": wrong},
        "bayes_to_agent": {
            "D_s": state_dissimilarity(to_agent, state[split.test]),
            "D_o": float(np.abs(mapped - policy).sum(axis=1).mean() / 2),
        },
    }


def _softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _wrong_choice(mapped, known, known_optimal, optimal):
    """Mean probability of a choice that is not optimal, when it is made as at the nearest of the known machine states."""
    distinct, first = np.unique(known.round(12), axis=0, return_index=True)
    wrong = 0.0
    for begin in range(0, len(mapped), 1000):
        part = mapped[begin : begin + 1000]
        distance = np.square(distinct).sum(axis=1) - 2 * part @ distinct.T
        choice = known_optimal[first[distance.argmin(axis=1)]]
        wrong += (1 - (choice * optimal[begin : begin + 1000]).sum(axis=1) / choice.sum(axis=1)).sum()
    return float(wrong / len(mapped))


def policy_divergence(policy, optimal):
    """{"agent_bayes", "bayes_agent"}: KL divergence in nats per step, to the nearest of all mixtures of the optimal actions.

    KL(Bayes‖agent) = -log π(optimal actions), minimal for the mixture that shares them out as the agent does. KL(agent‖Bayes) is
    infinite as soon as the agent may do anything else, so there the optimal mixture is softened by SOFT of a uniform policy.

    Parameters
    ----------
    policy : array of shape (n, A)
    optimal : bool array of shape (n, A)
    """
    policy = np.asarray(policy, float)
    A, good = policy.shape[1], np.where(optimal, policy, 0).sum(axis=1)
    tiny = np.finfo(float).tiny
    bayes_agent = -np.log(np.maximum(good, tiny))
    share = np.where(optimal, policy, 0) / np.maximum(good, tiny)[:, None]
    share = np.where(good[:, None] > 0, share, optimal / optimal.sum(axis=1, keepdims=True))
    soft = (1 - SOFT) * share + SOFT / A
    agent_bayes = np.where(policy > 0, policy * np.log(np.maximum(policy, tiny) / soft), 0).sum(axis=1)
    return {"agent_bayes": float(agent_bayes.mean()), "bayes_agent": float(bayes_agent.mean())}
