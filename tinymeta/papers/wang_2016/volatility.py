"""Does the learning rate follow the volatility? (Wang et al. 2016, §3.1.5; Behrens et al. 2007)

What a player has learned of two arms that exclude each other is one number v, the chance that the first arm is the
better one now. A delta rule moves it by a share α, its *learning rate*, towards what each pull shows,

    v ← v + α (o - v),       o = 1 if the first arm won or the second one lost, else 0,

and the first arm is pulled with probability σ(β (2 v - 1)). Both numbers are fitted to a player's pulls by maximum
likelihood, apart for trials of each volatility: to the network's, and to those of the Bayes-optimal player, who follows
the exact filter. Neither learns by such a rule; it is the measure that both are held against.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.intervals import Estimate, difference, estimate
from tinymeta.learning.evaluation import trace
from tinymeta.papers.claims import Cases
from tinymeta.papers.results import Results
from tinymeta.papers.wang_2016.experiments import VOLATILE
from tinymeta.runs.loading import load

TRIALS = 600  # of a seed's test
FROM = 40  # pulls after which choices count: by then the volatility can be told
RATES = np.linspace(0.01, 1, 100)
SLOPES = np.geomspace(0.5, 50, 24)
NAMES = ("low", "high")  # volatility, in the order of the tasks


class Pulls(NamedTuple):
    """What a player did."""

    arm: np.ndarray  # (N, T)
    reward: np.ndarray  # (N, T)
    task: np.ndarray  # (N,)


def learning_rate(arm: np.ndarray, reward: np.ndarray) -> float:
    """The most likely α of pulls (N, T) and what they paid."""
    shows = np.where(arm == 0, reward, 1 - reward)
    likelihoods = np.empty((len(RATES), len(SLOPES)))
    for i, rate in enumerate(RATES):
        v = np.full(len(arm), 0.5)
        signs = np.empty(arm.shape)  # how much what was pulled seemed the better one
        for t in range(arm.shape[1]):
            signs[:, t] = np.where(arm[:, t] == 0, 2 * v - 1, 1 - 2 * v)
            v = v + rate * (shows[:, t] - v)
        counted = signs[:, FROM:, None] * SLOPES
        likelihoods[i] = -np.logaddexp(0, -counted).sum(axis=(0, 1))
    return float(RATES[np.unravel_index(np.argmax(likelihoods), likelihoods.shape)[0]])


def rates(pulls: Pulls) -> list[float]:
    """The learning rate in trials of each task."""
    return [learning_rate(pulls.arm[pulls.task == m], pulls.reward[pulls.task == m]) for m in range(len(NAMES))]


def play_optimally(volatility: Sequence[float], win: float, pulls: int, trials: int, seed: int) -> Pulls:
    """Trials of the player who pulls the arm that the exact filter holds for the better one, which is optimal here.

    Its belief is b(volatility, better arm); arguments as in `tinymeta.environments.volatile.volatile`.
    """
    change = np.array(volatility)[:, None]
    uniforms = randomness.uniforms(seed, randomness.PLAYING, 0, trials, 2 * pulls + 1)
    task = np.arange(trials) % len(change)
    better = (uniforms[:, -1] < 0.5).astype(int)
    belief = np.full((trials, len(change), 2), 0.5 / len(change))
    arm, reward = np.empty((2, trials, pulls), int)
    for t in range(pulls):
        arm[:, t] = belief[:, :, 1].sum(axis=1) > 0.5
        wins = np.where(np.arange(2) == arm[:, t, None], win, 1 - win)  # (N, better arm)
        reward[:, t] = uniforms[:, 2 * t] < wins[np.arange(trials), better]
        belief = belief * np.where(reward[:, t, None], wins, 1 - wins)[:, None]
        belief = belief * (1 - change) + belief[:, :, ::-1] * change
        belief /= belief.sum(axis=(1, 2), keepdims=True)
        better ^= uniforms[:, 2 * t + 1] < change[task, 0]
    return Pulls(arm, reward.astype(float), task)


@functools.cache
def optimal(seed: int) -> Pulls:
    """Trials of the Bayes-optimal player."""
    return play_optimally(**VOLATILE, trials=TRIALS, seed=seed)


@functools.cache
def _network(path: str, seed: int) -> Pulls:
    played = trace(load(path), TRIALS, seed)
    return Pulls(played["action"], played["reward"], played["task"][:, 0])


def both(results: Results) -> list[tuple[Pulls, Pulls]]:
    """(network's, optimal) pulls of each seed."""
    pairs = zip(results.runs("volatile"), results.seeds_of("volatile"), strict=True)
    return [(_network(str(run.path), seed), optimal(seed)) for run, seed in pairs]


def rewards(results: Results) -> Cases:
    """Reward of a trial beside the Bayes optimum's, by seed; both sampled."""
    agent, optimum = (
        np.array([one.reward.sum(axis=1).mean() for one in each]) for each in zip(*both(results), strict=True)
    )
    gap = difference(optimum, agent, confidence=0.95)
    return {"": {"agent": estimate(agent), "optimum": estimate(optimum), "optimum - agent": gap}}


def follows(results: Results) -> Cases:
    """Learning rates by volatility, of the agent and of the Bayes-optimal player, and their ratio."""
    fitted = fitted_rates(results)
    cases: Cases = {}
    for m, name in enumerate(NAMES):
        agent, optimum = fitted[:, 0, m], fitted[:, 1, m]
        logs = estimate(np.log(agent / optimum))
        cases[f"{name} volatility"] = {
            "agent": estimate(agent),
            "optimum": estimate(optimum),
            "agent / optimum": Estimate(math.exp(logs.mean), math.exp(logs.low), math.exp(logs.high), logs.n),
        }
    cases[""] = {"agent, high - low": estimate(fitted[:, 0, 1] - fitted[:, 0, 0])}
    return cases


def fitted_rates(results: Results) -> np.ndarray:
    """Learning rates, array (seeds, [network, optimal], volatilities)."""
    return np.array([[rates(one) for one in pair] for pair in both(results)])
