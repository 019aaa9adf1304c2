"""What the agents earned: reward of an episode in the test, by seed, beside random play, the informed and the optimum.

A test is a hundred trials with frozen weights. In session 2 an episode's place in its trial matters; Conti tests two
episodes a trial, so of a trial of twenty the first two count here. In session 1 all episodes count.
"""

import functools

import numpy as np

from tinymeta.base.intervals import difference, estimate
from tinymeta.environments.bandit import bandit
from tinymeta.environments.registry import make
from tinymeta.learning.evaluation import random_agent
from tinymeta.optimum.exact_values import exact_values
from tinymeta.papers.claims import Cases
from tinymeta.papers.conti_2022.experiments import AGENTS, EASY_MEDIUM_HARD, SETTINGS
from tinymeta.papers.measures import per_episode
from tinymeta.papers.results import Results

TESTED = 2  # episodes of a trial, session 2
PULLS = 100  # of an episode
ALGORITHMS = {"a2c": "A2C", "a3c": "A3C"}
ROLLOUTS = {"cartpole": 400, "lunarlander": 40}  # of random play, where no table gives its worth


def tested_rewards(results: Results, setting: str, agent: str) -> np.ndarray:
    """Reward of each episode that counts, array (seeds, episodes)."""
    rewards = per_episode(results, f"{setting}-{agent}", "reward")
    return rewards[:, :TESTED] if SETTINGS[setting].distribution else rewards


def by_seed(results: Results, setting: str, agent: str) -> np.ndarray:
    """Mean reward of an episode, array (seeds,)."""
    return tested_rewards(results, setting, agent).mean(axis=1)


def meta_and_plain(results: Results, distribution: bool) -> Cases:
    """Both agents' rewards, of each algorithm on each setting of a session, and the difference that Conti expects to be
    positive: meta minus plain on distributions, plain minus meta on one instance.
    """
    cases: Cases = {}
    for name in settings_of(results, distribution):
        for key, algorithm in ALGORITHMS.items():
            meta, plain = by_seed(results, name, f"meta-{key}"), by_seed(results, name, key)
            case = {"meta": estimate(meta), "plain": estimate(plain)}
            if distribution:
                case["meta - plain"] = difference(meta, plain, confidence=0.95)
            else:
                case["plain - meta"] = difference(plain, meta, confidence=0.95)
            cases[f"{SETTINGS[name].code} {algorithm}"] = case
    return cases


def settings_of(results: Results, distribution: bool) -> list[str]:
    """The settings of a session whose runs the results ask for."""
    return [
        name
        for name, setting in SETTINGS.items()
        if setting.distribution == distribution and f"{name}-a2c" in results.experiments
    ]


def where_it_comes_from(results: Results) -> Cases:
    """Session 2: what a meta agent earns more in a trial's first episode than the plain one, and more in its second."""
    cases: Cases = {}
    for name in settings_of(results, distribution=True):
        for key, algorithm in ALGORITHMS.items():
            meta, plain = (tested_rewards(results, name, agent) for agent in (f"meta-{key}", key))
            cases[f"{SETTINGS[name].code} {algorithm}"] = {
                "within the first": difference(meta[:, 0], plain[:, 0], confidence=0.95),
                "second - first": estimate(meta[:, 1] - meta[:, 0]),
            }
    return cases


def continuous_control(results: Results) -> Cases:
    """Each agent's reward of an episode where the lander's engines are steered, one instance and four winds."""
    return {
        SETTINGS[name].code: {label: estimate(by_seed(results, name, agent)) for agent, label in AGENTS.items()}
        for name in SETTINGS
        if SETTINGS[name].env == "lunarlander"
    }


@functools.cache
def yardsticks(setting: str) -> dict[str, float]:
    """{"random", "informed", "bayes_optimal"}: reward of an episode in the test; exact in tables, else simulated.

    Left out is what is out of reach, and "informed" where there is one instance, hence nothing to tell.
    """
    row = SETTINGS[setting]
    tasks = make(row.env, **row.env_kwargs)
    if row.env == "bandit-fixed":
        values = exact_values(tasks, 1.0)
        worth = {name: values[name]["reward_per_trial"] for name in ("random", "informed")}
        if setting == "3x2bemh":  # arms (p, 1 - p), so that two numbers tell the belief
            pairs = bandit(p=EASY_MEDIUM_HARD[::2], pulls=TESTED * PULLS)
            worth["bayes_optimal"] = exact_values(pairs, 1.0)["bayes_optimal"]["reward_per_trial"] / TESTED
        elif not row.distribution:
            worth["bayes_optimal"] = worth.pop("informed")  # there is nothing to be found out
        return worth
    return {"random": float(random_agent(tasks).play(ROLLOUTS[row.env], seed=0).reward.mean())}
