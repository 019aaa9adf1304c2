"""Regret of every agent on every family, beside the players of the literature and the exact Bayes optimum.

Regret is what a trial of a hundred pulls earns less than the better arm would, in expected wins: the luck of single
pulls is left out. The optimum's is exact; an agent's and a player's are means over trials whose arms are drawn from the
family, by every seed's own luck.
"""

import functools

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.intervals import Estimate, difference, estimate
from tinymeta.environments.registry import make
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.optimum.exact_values import exact_values
from tinymeta.papers.bandit_players import play_bernoulli
from tinymeta.papers.claims import Cases
from tinymeta.papers.results import Results
from tinymeta.papers.wang_2016.experiments import FAMILIES, PULLS
from tinymeta.runs.loading import load

TRIALS = 1000  # of a test
PLAYED = 4000  # by each player
TEST_SEED = 2016
DEPENDENT = ("uniform", "easy", "medium", "hard")


@functools.cache
def tasks_of(family: str) -> TaskSet:
    """The task set of a family."""
    row = FAMILIES[family]
    return make(row.env, **row.env_kwargs)


@functools.cache
def best_arm(family: str) -> float:
    """What the better arm earns in a trial, on average, exactly."""
    values = exact_values(tasks_of(family), 1.0, which=("informed",))
    return values["informed"]["reward_per_trial"]


@functools.cache
def optimum(family: str) -> float:
    """Regret of the Bayes-optimal policy that knows the family, exactly."""
    values = exact_values(tasks_of(family), 1.0, which=("bayes_optimal",))
    return best_arm(family) - values["bayes_optimal"]["reward_per_trial"]


@functools.cache
def player_regret(family: str, player: str) -> Estimate:
    """Regret of a player, who takes the arms for independent and uniform."""
    return estimate(play_bernoulli(player, arms(family, PLAYED), PULLS, seed=TEST_SEED)[:, -1])


def arms(family: str, trials: int) -> np.ndarray:
    """Win probabilities of bandits drawn from a family, array (trials, 2)."""
    tasks = tasks_of(family)
    uniforms = randomness.uniforms(TEST_SEED, randomness.PLAYING, 0, 1, trials)[0]
    drawn = np.searchsorted(np.cumsum(tasks.prior), uniforms, side="right")
    return chances(tasks)[np.minimum(drawn, tasks.num_tasks - 1)]


def chances(tasks: TaskSet) -> np.ndarray:
    """Win probabilities of each task's arms, array (M, 2)."""
    return tasks.transition[:, 0, :, -1]


@functools.cache
def _tested(path: str, family: str, seed: int) -> float:
    agent = load(path)
    there = Agent(tasks_of(family), agent.name, agent.theta, agent.layout.hidden_size)
    _, played = there.play(TRIALS, seed=seed, trace=True)
    win = chances(there.tasks)[played["task"]]  # (N, T, arms)
    lost = win.max(axis=2) - np.take_along_axis(win, played["action"][:, :, None], axis=2)[:, :, 0]
    return float(lost.sum(axis=1).mean())


def regret(results: Results, trained: str, tested: str) -> np.ndarray:
    """Of each seed's agent that was trained on one family and is tested on another, array (seeds,)."""
    runs = zip(results.runs(trained), results.seeds_of(trained), strict=True)
    return np.array([_tested(str(run.path), tested, seed) for run, seed in runs])


def on_its_own(results: Results) -> Cases:
    """Each agent on its own family, and the exact optimum."""
    cases: Cases = {}
    for family, row in FAMILIES.items():
        own = regret(results, family, family)
        best = optimum(family)
        cases[row.title] = {
            "agent": estimate(own),
            "optimum": Estimate(best, best, best, 1),
            "above the optimum": estimate(own - best),
        }
    return cases


def independent(results: Results) -> Cases:
    """The agent on independent arms beside those who make the same assumption."""
    own = regret(results, "independent", "independent")
    names = {"ucb1": "UCB1", "thompson": "Thompson", "gittins": "Gittins"}
    players = {name: player_regret("independent", player) for player, name in names.items()}
    above = {f"above {name}": _minus(estimate(own), player) for name, player in players.items()}
    return {"": {"agent": estimate(own), **players, **above}}


def structure(results: Results) -> Cases:
    """On dependent arms: what is lost by who takes them for independent."""
    cases: Cases = {}
    for family in DEPENDENT:
        own, other = regret(results, family, family), regret(results, "independent", family)
        gittins = player_regret(family, "gittins")
        cases[FAMILIES[family].title] = {
            "own": estimate(own),
            "independent - own": difference(other, own, confidence=0.95),
            "Gittins - own": _minus(gittins, estimate(own)),
        }
    return cases


def elsewhere(results: Results) -> Cases:
    """How much more regret an agent has on a family than who was trained there, for each pair of families."""
    cases: Cases = {}
    for tested in FAMILIES:
        own = regret(results, tested, tested)
        for trained in FAMILIES:
            if trained != tested:
                more = difference(regret(results, trained, tested), own, confidence=0.95)
                cases[f"{trained} on {tested}"] = {"more": more}
    return cases


def _minus(a: Estimate, b: Estimate) -> Estimate:
    """The difference of two independent means, with the normal interval that follows from theirs."""
    half = float(np.hypot(a.high - a.mean, b.high - b.mean))
    return Estimate(a.mean - b.mean, a.mean - b.mean - half, a.mean - b.mean + half, min(a.n, b.n))
