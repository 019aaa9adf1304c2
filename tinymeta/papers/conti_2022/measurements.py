"""What the agents earned: reward of an episode in the test, by seed, beside random play, the informed and the optimum.

A test is some fifty or a hundred trials with frozen weights. In session 2 an episode's place in its trial matters;
Conti tests two episodes a trial, so of a trial of twenty the first two count here. In session 1 all episodes count.

Agents trained to the end have two episodes a trial. Where the network's own noise costs more than it learns by it (a
pole, a lander), their most probable actions are what counts, and what they earn by sampling stands beside it.
"""

import functools
from typing import Any

import numpy as np

from tinymeta.base.intervals import Estimate, difference, estimate
from tinymeta.environments.bandit import bandit
from tinymeta.environments.registry import make
from tinymeta.learning.evaluation import random_agent
from tinymeta.optimum.exact_values import exact_values
from tinymeta.optimum.planning import bayes_optimal, by_episode
from tinymeta.papers.claims import Cases
from tinymeta.papers.conti_2022.experiments import AGENTS, EASY_MEDIUM_HARD, END, END_AGENTS, SETTINGS
from tinymeta.papers.conti_2022.wind import AT, decoded_wind
from tinymeta.papers.measures import per_episode
from tinymeta.papers.results import Results

TESTED = 2  # episodes of a trial, session 2
PULLS = 100  # of an episode
ALGORITHMS = {"a2c": "A2C", "a3c": "A3C"}
END_ALGORITHMS = {"a2c": "A2C", "ppo": "PPO"}
STEERED = ("cartpole", "lunarlander")  # where most probable actions are what counts
BALANCED = 500  # steps of an episode of the pole, at most
WORTH = {"1x10brf": 89.7, "1xcartpole": BALANCED, "1xlunarlander": 250.0}  # of an episode, about what can be earned
AHEAD = 6  # pulls of the five bandits whose optimum is computed
LATE = 100  # steps of an episode after which the wind is decoded
ROLLOUTS = {"cartpole": 400, "lunarlander": 40, "quadruped": 40}  # of random play, where no table gives its worth


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
        if setting.distribution == distribution and results.asked_for(f"{name}-a2c")
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


def walking(results: Results) -> Cases:
    """Each agent's reward of an episode on one terrain and on ten, beside that of resting joints."""
    cases: Cases = {}
    for name in (name for distribution in (False, True) for name in settings_of(results, distribution)):
        still = yardsticks(name)["still"]
        cases[SETTINGS[name].code] = {
            "standing still": Estimate(still, still, still, 1),
            **{label: estimate(by_seed(results, name, agent)) for agent, label in AGENTS.items()},
        }
    return cases


def end_rewards(results: Results, setting: str, agent: str, greedy: bool = False) -> np.ndarray:
    """Reward of each of a trial's two episodes, array (seeds, 2), of an agent that was trained to the end."""
    tests = results.evaluations(f"{END[setting]}-{agent}")
    return np.array([(test["greedy"] if greedy else test)["reward_per_episode"] for test in tests])


def end_by_seed(results: Results, setting: str, agent: str) -> np.ndarray:
    """Mean reward of an episode, array (seeds,): sampled in bandits, of the most probable actions elsewhere."""
    return end_rewards(results, setting, agent, SETTINGS[setting].env in STEERED).mean(axis=1)


def end_agents(results: Results, setting: str) -> list[str]:
    """Which agents were trained to the end on a setting."""
    return [agent for agent in END_AGENTS if results.asked_for(f"{END[setting]}-{agent}")]


def end_meta_and_plain(results: Results, distribution: bool) -> Cases:
    """`meta_and_plain` of agents trained to the end, by algorithm; on one instance as a share of what can be earned."""
    cases: Cases = {}
    for name, setting in SETTINGS.items():
        for key, algorithm in END_ALGORITHMS.items():
            if setting.distribution != distribution or key not in end_agents(results, name):
                continue
            meta, plain = end_by_seed(results, name, f"meta-{key}"), end_by_seed(results, name, key)
            case = {"meta": estimate(meta), "plain": estimate(plain)}
            if distribution:
                case["meta - plain"] = difference(meta, plain, confidence=0.95)
            else:
                case["plain - meta"] = difference(plain / WORTH[name], meta / WORTH[name], confidence=0.95)
            cases[f"{setting.code} {algorithm}"] = case
    return cases


def end_where_it_comes_from(results: Results) -> Cases:
    """`where_it_comes_from` of agents trained to the end."""
    cases: Cases = {}
    for name, setting in SETTINGS.items():
        for key, algorithm in END_ALGORITHMS.items():
            if not setting.distribution or key not in end_agents(results, name):
                continue
            steered = setting.env in STEERED
            meta, plain = (end_rewards(results, name, agent, steered) for agent in (f"meta-{key}", key))
            cases[f"{setting.code} {algorithm}"] = {
                "within the first": difference(meta[:, 0], plain[:, 0], confidence=0.95),
                "second - first": estimate(meta[:, 1] - meta[:, 0]),
            }
    return cases


def best_arm(results: Results) -> Cases:
    """What each agent earns of the best arm's worth, on one instance of ten arms."""
    worth = yardsticks("1x10brf")["bayes_optimal"]
    shares = {
        END_AGENTS[agent]: estimate(end_by_seed(results, "1x10brf", agent) / worth)
        for agent in end_agents(results, "1x10brf")
    }
    return {"": shares}


def balancing(results: Results) -> Cases:
    """Steps of an episode of at most 500, by most probable actions and sampled."""
    return {
        END_AGENTS[agent]: {
            "greedy": estimate(end_rewards(results, "1xcartpole", agent, greedy=True).mean(axis=1)),
            "sampled": estimate(end_rewards(results, "1xcartpole", agent).mean(axis=1)),
        }
        for agent in end_agents(results, "1xcartpole")
    }


def gap_to_bayes(results: Results) -> Cases:
    """Six bandits: how much less than the exact Bayes optimum the meta agents earn, first and second episode apart."""
    optimum = six_bandits_by_episode()
    cases = {}
    for agent in ("meta-a2c", "meta-ppo"):
        gaps = optimum - end_rewards(results, "3x2bemh", agent)
        cases[END_AGENTS[agent]] = {"first": estimate(gaps[:, 0]), "second": estimate(gaps[:, 1])}
    return cases


def gap_to_bound(results: Results) -> Cases:
    """Five bandits of ten arms: how much less than an upper bound of the optimum the meta agents earn an episode."""
    bound = five_bandits_bound().mean()
    return {"": {END_AGENTS[a]: estimate(bound - end_by_seed(results, "5x10brf", a)) for a in ("meta-a2c", "meta-ppo")}}


def landing(results: Results) -> Cases:
    """Reward of a landing on one instance by the plain agent and in four winds by the meta one."""
    cases: Cases = {}
    for name, agent in (("1xlunarlander", "ppo"), ("4xlunarlander", "meta-ppo")):
        cases[f"{SETTINGS[name].code} {END_AGENTS[agent]}"] = {
            "greedy": estimate(end_rewards(results, name, agent, greedy=True).mean(axis=1)),
            "sampled": estimate(end_rewards(results, name, agent).mean(axis=1)),
        }
    return cases


def wind_is_inferred(results: Results) -> Cases:
    """Fraction of the wind's variance that states leave unexplained, after `LATE` steps of the first episode."""
    found = decoded_wind(results, f"{END['4xlunarlander']}-meta-ppo", f"{END['4xlunarlander']}-ppo")
    late = {network: errors[:, 0, AT.index(LATE)] for network, errors in found.items()}
    return {
        "": {
            **{network: estimate(error) for network, error in late.items()},
            "log of before / after training": estimate(np.log(late["before training"] / late["meta"])),
            "log of plain / meta": estimate(np.log(late["plain"] / late["meta"])),
        }
    }


def end_yardsticks(setting: str) -> dict[str, float]:
    """`yardsticks`, with a bound where there is no optimum, and the most that an episode can earn."""
    worth = dict(yardsticks(setting))
    if setting == "5x10brf":
        worth["bound"] = float(five_bandits_bound().mean())
    if SETTINGS[setting].env == "cartpole":
        worth["most"] = float(BALANCED)
    return worth


@functools.cache
def six_bandits_by_episode() -> np.ndarray:
    """What the Bayes optimum of the six bandits earns in the first and in the second hundred pulls, exactly.

    Both arms of (p, 1 - p) tell the same, so that the belief is two numbers, and every pull of the optimum is the best
    one for itself.
    """
    tasks = bandit(p=EASY_MEDIUM_HARD[::2], pulls=TESTED * PULLS)
    solved = bayes_optimal(tasks, 1.0)
    reward, _ = by_episode(tasks, solved.graph, solved.policy)
    return reward.reshape(TESTED, PULLS).sum(axis=1)


@functools.cache
def five_bandits_bound() -> np.ndarray:
    """`bound_by_episode` of the five bandits."""
    return bound_by_episode(SETTINGS["5x10brf"].env_kwargs, PULLS, AHEAD)


def bound_by_episode(env_kwargs: dict[str, Any], pulls: int, ahead: int) -> np.ndarray:
    """What nobody can exceed in the first and in a later episode of so many pulls of fixed arms, array (2,).

    In the first `ahead` pulls nobody earns more than the exact optimum of so many pulls, and afterwards nobody more
    than who is told the instance.
    """
    values = exact_values(make("bandit-fixed", **{**env_kwargs, "pulls": ahead}), 1.0)
    optimum, told = (values[name]["reward_per_trial"] for name in ("bayes_optimal", "informed"))
    later = told / ahead * pulls
    return np.array([later - told + optimum, later])


@functools.cache
def yardsticks(setting: str) -> dict[str, float]:
    """What an episode of the test is worth to "random", "informed", "bayes_optimal" or "still": exact in tables, else
    simulated.

    Left out is what is out of reach, and "informed" where there is one instance, hence nothing to tell.
    """
    row = SETTINGS[setting]
    tasks = make(row.env, **row.env_kwargs)
    if row.env == "bandit-fixed":
        values = exact_values(tasks, 1.0, which=("random", "informed"))
        worth = {name: values[name]["reward_per_trial"] for name in ("random", "informed")}
        if setting == "3x2bemh":  # arms (p, 1 - p), so that two numbers tell the belief
            pairs = bandit(p=EASY_MEDIUM_HARD[::2], pulls=TESTED * PULLS)
            worth["bayes_optimal"] = exact_values(pairs, 1.0)["bayes_optimal"]["reward_per_trial"] / TESTED
        elif not row.distribution:
            worth["bayes_optimal"] = worth.pop("informed")  # there is nothing to be found out
        return worth
    agent = random_agent(tasks)  # all weights are 0: its vectors are noise about 0, which most probable ones are
    worth = {"random": float(agent.play(ROLLOUTS[row.env], seed=0).reward.mean())}
    if row.env == "quadruped":
        worth["still"] = float(agent.play(ROLLOUTS[row.env], seed=0, greedy=True).reward.mean())
    return worth
