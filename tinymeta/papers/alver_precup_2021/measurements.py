"""What the claims are measured by: functions of finished runs that return cases, see `tinymeta.papers.claims`.

Equivalence is judged by two one-sided tests (Schuirmann 1987): the 90 % interval of the difference, or of the ratio,
must lie within the stated margin. A function whose name ends in `_of` makes the measurement for what it is given.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinymeta.base.intervals import Estimate, difference, estimate, t_quantile
from tinymeta.optimum.exact_values import exact_values
from tinymeta.papers.alver_precup_2021.experiments import PROBED_TITLES
from tinymeta.papers.claims import Case, Cases
from tinymeta.papers.measures import first_actions, optimum, per_episode, per_trial, trials_to_level
from tinymeta.papers.probe_results import Probes
from tinymeta.papers.results import Results
from tinymeta.runs.config import build
from tinymeta.runs.loading import load

Measure = Callable[[Results], Cases]

AGENTS = ("rl2", "rl1")  # which the paper compares
NEVER_TOLD = ("rl2", "memoryless")  # agents that the Bayes optimum bounds
TRANSPLANTED = ("bandit", "corridor")  # task sets of the paper
DEPENDENT = ("bandit-0.1-0.9-100", "bandit-0.25-0.75-100", "bandit-uniform-100")  # where evidence must be counted


def _exactly(value: float, n: int) -> Estimate:
    return Estimate(value, value, value, n)


# ---------------------------------------------------------------- the paper's curves and numbers


def bandit_reward_of(agent: str) -> Measure:
    """Test reward per trial in the bandit."""

    def measure(results: Results) -> Cases:
        return {agent: {"reward per trial": estimate(per_trial(results, f"bandit-{agent}", "reward"))}}

    return measure


RANDOM = 0.25  # the least probability of either arm, for a pull to be called random


def pulls(results: Results) -> Cases:
    """Share of seeds whose first pull is random, by the policy; share of later pulls that are paid.

    Whether the first pull is paid says nothing: half of them are, whatever the policy.
    """
    cases: Cases = {}
    for agent in AGENTS:
        random = first_actions(results, f"bandit-{agent}").min(axis=1) >= RANDOM
        later = per_episode(results, f"bandit-{agent}", "reward")[:, 1:].mean(axis=1)
        cases[agent] = {"seeds with a random first pull": _exactly(float(random.mean()), len(random))}
        cases[agent]["later pulls"] = estimate(later)
    return cases


def asymptote_difference_of(env: str, what: str) -> Measure:
    """Difference of RL² and RL¹ in test "reward" or "steps" per trial."""

    def measure(results: Results) -> Cases:
        rl2, rl1 = (per_trial(results, f"{env}-{agent}", what) for agent in AGENTS)
        return {"": {f"rl2 - rl1, {what} per trial (90 %)": difference(rl2, rl1)}}

    return measure


SPEED_RATIO = "ratio rl2 / rl1 (90 %)"


def speed_of(env: str, column: str, above: bool) -> Measure:
    """Trials of training to 95 % of the optimum and their ratio; no ratio where a seed never gets there."""

    def measure(results: Results) -> Cases:
        best = optimum(results, f"{env}-rl2")["bayes_optimal"][column]
        level = best * 0.95 if above else best / 0.95
        trials = {agent: trials_to_level(results, f"{env}-{agent}", column, level, above) for agent in AGENTS}
        reached = {agent: t[np.isfinite(t)] for agent, t in trials.items()}
        cases: Cases = {agent: {"trials to 95 %": estimate(t)} if len(t) else {} for agent, t in reached.items()}
        if any(len(reached[agent]) < len(trials[agent]) for agent in AGENTS):
            for agent in AGENTS:
                seeds = len(trials[agent])
                cases[agent]["seeds that got there"] = _exactly(len(reached[agent]) / seeds, seeds)
        else:
            logarithm = difference(np.log(trials["rl2"]), np.log(trials["rl1"]))
            mean, low, high = np.exp(logarithm[:3]).tolist()
            cases[""] = {SPEED_RATIO: Estimate(mean, low, high, len(trials["rl2"]))}
        return cases

    return measure


def corridor_episodes(results: Results) -> Cases:
    """Test steps in each of the two episodes of a trial in the corridor."""
    cases: Cases = {}
    for agent in AGENTS:
        steps = per_episode(results, f"corridor-{agent}", "steps")
        cases[agent] = {"first episode": estimate(steps[:, 0]), "second episode": estimate(steps[:, 1])}
    return cases


def timesteps_of(name: str, unit: str) -> Measure:
    """Test steps per `unit` (trial or episode) in the corridor `name`, beside the exact optimum."""
    episodes = {"trial": 1, "episode": 2}[unit]

    def measure(results: Results) -> Cases:
        cases: Cases = {}
        for agent in AGENTS:
            steps = per_trial(results, f"{name}-{agent}", "steps") / episodes
            cases[agent] = {f"steps per {unit}": estimate(steps)}
        best = optimum(results, f"{name}-rl2")["bayes_optimal"]["steps_per_trial"] / episodes
        cases["Bayes-optimal"] = {f"per {unit} (exact)": _exactly(best, 0)}
        return cases

    return measure


def learning_from_zero(results: Results) -> Cases:
    """Test reward of agents whose weights all began at zero, and how many weights but the output biases moved."""
    runs = results.runs("bandit-rl2-zero")
    moved = 0
    for run in runs:
        for name, array in load(run.path).parameters.items():
            if name not in ("policy.bias", "value.bias"):
                moved += int(np.count_nonzero(array))
    reward = estimate(per_trial(results, "bandit-rl2-zero", "reward"))
    return {"": {"reward per trial": reward, "weights that moved": _exactly(moved, len(runs))}}


def controls(results: Results) -> Cases:
    """Test reward in the bandit and test steps in the corridor of agents without memory and of agents that are told."""
    cases: Cases = {}
    for env, what in (("bandit", "reward"), ("corridor", "steps")):
        found = {agent: per_trial(results, f"{env}-{agent}", what) for agent in ("memoryless", "informed")}
        cases[env] = {f"{agent}, {what}": estimate(values) for agent, values in found.items()}
    return cases


LUCK_ONCE_IN = 10_000


def excess_over_optimum(results: Results) -> Cases:
    """The largest excess of an experiment's mean discounted return over the exact optimum, or its upper bound.

    Its error is the spread over seeds: test tasks are spread evenly over the prior, so a naive standard error over
    trials would be far too large. The unit is Student's quantile that chance exceeds once in `LUCK_ONCE_IN`.
    """
    names = [name for name, experiment in results.experiments.items() if experiment.agent in NEVER_TOLD]
    excess = [excess_of_tests(results.evaluations(name)) for name in names]
    return {"": {"largest excess, in units of chance": _exactly(max(excess), len(excess))}}


def excess_of_tests(tests: Sequence[dict[str, Any]]) -> float:
    """The excess of the mean over seeds, given each seed's evaluation; infinite where seeds do not differ at all."""
    best = tests[0]["bayes_optimal"]
    limit = best.get("bounds", {}).get("upper", best)["discounted_value"]
    if limit is None:  # neither the optimum nor a bound is within reach
        return 0.0
    returns = np.array([test["discounted_return"]["mean"] for test in tests])
    above = float(returns.mean()) - limit
    if above < 1e-6:  # of rounding
        return 0.0
    error = float(returns.std(ddof=1)) / math.sqrt(len(returns)) if len(returns) > 1 else 0.0
    return above / (error * t_quantile(1 - 1 / LUCK_ONCE_IN, len(returns) - 1)) if error > 0 else math.inf


# ---------------------------------------------------------------- what probes found


def _tested(results: Results, name: str, actions: str = "sampled") -> np.ndarray:
    """Reward per trial of each seed's test rollouts, 1000 or more, actions "sampled" or "greedy", array (seeds,)."""
    tests = [found["evaluation"] for found in Probes(results).of(name)]
    return np.array([(test if actions == "sampled" else test[actions])["reward_per_trial"]["mean"] for test in tests])


def _best(results: Results, name: str) -> float:
    """The exact optimum of an experiment's task set, in reward per trial."""
    return Probes(results).of(name)[0]["evaluation"]["bayes_optimal"]["reward_per_trial"]


def informative_learning(results: Results) -> Cases:
    """How many seeds act greedily at the exact optimum of the informative bandit, and what sampled actions earn."""
    greedy = _tested(results, "informative-rl2", "greedy")
    there = np.abs(greedy - _best(results, "informative-rl2")) < 0.01  # 1000 evenly spread trials err by 0.002
    sampled = estimate(_tested(results, "informative-rl2"))
    return {"": {"seeds greedy at the optimum": _exactly(float(there.mean()), len(there)), "sampled": sampled}}


def learning_of(name: str) -> Measure:
    """Reward per trial of greedy and of sampled actions."""

    def measure(results: Results) -> Cases:
        return {"": {actions: estimate(_tested(results, name, actions)) for actions in ("greedy", "sampled")}}

    return measure


def gaps(results: Results) -> Cases:
    """What RL² misses to the Bayes optimum, in reward per trial, on the dependent bandits: mean and worst seed."""
    cases: Cases = {}
    for name in DEPENDENT:
        gap = _best(results, f"{name}-rl2") - _tested(results, f"{name}-rl2")
        cases[name] = {"gap": estimate(gap), "worst seed": _exactly(float(gap.max()), len(gap))}
    return cases


def advantage_over_thompson(results: Results) -> Cases:
    """What the worst seed earns more than the exact Thompson agent, with p uniform and 100 pulls."""
    name = "bandit-uniform-100-rl2"
    rewards = _tested(results, name)
    thompson = _yardstick(results, name, "thompson", results.first_run(name).read_config().settings.gamma)
    return {"": {"worst seed above Thompson": _exactly(float(rewards.min()) - thompson, len(rewards))}}


def independent_regret(results: Results) -> Cases:
    """What RL² misses to the best undiscounted reward on two independent arms, and its worst seed beside Thompson."""
    name = "bandit-independent-100-rl2"
    rewards = _tested(results, name)
    best, thompson = (_yardstick(results, name, which, gamma=1.0) for which in ("bayes_optimal", "thompson"))
    above = _exactly(float(rewards.min()) - thompson, len(rewards))
    return {"": {"gap": estimate(best - rewards), "worst seed above Thompson": above}}


def _yardstick(results: Results, name: str, which: str, gamma: float) -> float:
    """The exact reward per trial of one of `tinymeta.optimum.exact_values.YARDSTICKS` on an experiment's task set."""
    tasks = build(results.first_run(name).read_config())
    return exact_values(tasks, gamma, which=(which,))[which]["reward_per_trial"]


def deviation_from_exact(results: Results) -> Cases:
    """The largest deviation of a run's rollouts from its exact expected reward, in standard errors.

    A standard error counts as at least 0.1 % of the optimum; runs whose histories are out of reach are left out.
    """
    probes = Probes(results)
    deviations = []
    for name in PROBED_TITLES:
        for found in probes.of(name):
            if "reason" not in found["exact"]:
                sampled = found["evaluation"]["reward_per_trial"]
                sem = max(sampled["sem"], 1e-3 * abs(found["exact"]["optimum"]["reward_per_trial"]))
                deviations.append(abs(sampled["mean"] - found["exact"]["reward"]) / sem)
    if not deviations:
        return {}
    return {"": {"largest deviation, standard errors": _exactly(max(deviations), len(deviations))}}


def probe_quantity_of(tasks: Sequence[str], quantity: str, whats: Sequence[str]) -> Measure:
    """One of `tinymeta.probes.summary.QUANTITIES` of RL² on each of `tasks`, `{}` in its name being each of `whats`."""

    def measure(results: Results) -> Cases:
        probes = Probes(results)
        cases: Cases = {}
        for task in tasks:
            case: Case = {what: probes.required(f"{task}-rl2", quantity.format(what)) for what in whats}
            cases[task] = case
        return cases

    return measure
