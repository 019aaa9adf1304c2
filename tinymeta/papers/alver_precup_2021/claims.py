"""python -m tinymeta.claims: each claim of the paper (Alver & Precup 2021) with its measurement and verdict.

A claim is a row: what is said and where, the statistic, the threshold, and a function that measures it on finished runs.
Thresholds stand here and were fixed before the runs. Equivalence is judged by two one-sided tests (Schuirmann 1987): the 90 %
interval of the difference must lie within the stated margin.
"""

import math

import numpy as np

from tinymeta.base.intervals import Estimate, difference, estimate
from tinymeta.papers.alver_precup_2021.experiments import EXPERIMENTS
from tinymeta.papers.alver_precup_2021.inside import names
from tinymeta.papers.claims import Claim, Measurement, within
from tinymeta.papers.measures import optimum, per_episode, per_trial, trials_to_level
from tinymeta.papers.probe_results import Probes
from tinymeta.runs.loading import load

REWARD_MARGIN, STEPS_MARGIN, CHANCE_MARGIN, SPEED_FACTOR = 0.1, 0.5, 0.05, 1.5


# ---------------------------------------------------------------- the measurements


def _reaches_the_bandit_optimum(agent):
    def measure(results):
        value = estimate(per_trial(results, f"bandit-{agent}", "reward"))
        return Measurement(
            {f"{agent} reward per trial": value}, within(value, 9.5 - REWARD_MARGIN, 9.5 + REWARD_MARGIN)
        )

    return measure


def _first_pull_then_knowledge(results):
    estimates, holds = {}, True
    for agent in ("rl2", "rl1"):
        reward = per_episode(results, f"bandit-{agent}", "reward")
        first, later = estimate(reward[:, 0]), estimate(reward[:, 1:].mean(axis=1))
        estimates |= {f"{agent} first pull": first, f"{agent} later pulls": later}
        holds &= within(first, 0.5 - CHANCE_MARGIN, 0.5 + CHANCE_MARGIN) and later.low >= 0.99
    return Measurement(estimates, bool(holds))


def _same_asymptote(env, what, margin):
    def measure(results):
        value = difference(per_trial(results, f"{env}-rl2", what), per_trial(results, f"{env}-rl1", what))
        return Measurement({f"rl2 - rl1, {what} per trial (90 %)": value}, within(value, -margin, margin))

    return measure


def _same_speed(env, column, above):
    def measure(results):
        best = optimum(results, f"{env}-rl2")["bayes_optimal"][column]
        level = best * 0.95 if above else best / 0.95
        trials = {agent: trials_to_level(results, f"{env}-{agent}", column, level, above) for agent in ("rl2", "rl1")}
        reached = {agent: t[np.isfinite(t)] for agent, t in trials.items()}
        estimates = {f"{agent} trials to 95 %": estimate(t) for agent, t in reached.items() if len(t)}
        if any(len(t) < results.seeds for t in reached.values()):
            shares = {f"{agent} seeds that got there": len(t) / results.seeds for agent, t in reached.items()}
            return Measurement(
                estimates | {name: Estimate(s, s, s, results.seeds) for name, s in shares.items()}, False
            )
        ratio = Estimate(
            *np.exp(difference(np.log(trials["rl2"]), np.log(trials["rl1"]))[:3]).tolist(), len(trials["rl2"])
        )
        return Measurement(
            {**estimates, "ratio rl2 / rl1 (90 %)": ratio}, within(ratio, 1 / SPEED_FACTOR, SPEED_FACTOR)
        )

    return measure


def _search_then_walk(results):
    estimates, holds = {}, True
    for agent in ("rl2", "rl1"):
        steps = per_episode(results, f"corridor-{agent}", "steps")
        first, second = estimate(steps[:, 0]), estimate(steps[:, 1])
        estimates |= {f"{agent} first episode": first, f"{agent} second episode": second}
        holds &= within(first, 10 - STEPS_MARGIN, 10 + STEPS_MARGIN) and within(
            second, 5 - STEPS_MARGIN / 2, 5 + STEPS_MARGIN / 2
        )
    return Measurement(estimates, bool(holds))


def _timesteps(name, episodes):
    def measure(results):
        unit = "per trial" if episodes == 1 else "per episode"
        values = {
            agent: estimate(per_trial(results, f"{name}-{agent}", "steps") / episodes) for agent in ("rl2", "rl1")
        }
        holds = all(within(value, 15.5 - STEPS_MARGIN, 15.5 + STEPS_MARGIN) for value in values.values())
        best = optimum(results, f"{name}-rl2")["bayes_optimal"]["steps_per_trial"] / episodes
        exact = {f"Bayes-optimal {unit} (exact)": Estimate(best, best, best, 0)}
        return Measurement({f"{agent} steps {unit}": value for agent, value in values.items()} | exact, holds)

    return measure


def _zero_cannot_learn(results):
    reward = estimate(per_trial(results, "bandit-rl2-zero", "reward"))
    moved = 0
    for seed in range(results.seeds):
        parameters = load(results.run("bandit-rl2-zero", seed).path).parameters
        moved += sum(
            int(np.count_nonzero(array))
            for name, array in parameters.items()
            if name not in ("policy.bias", "value.bias")
        )
    return Measurement({"reward per trial": reward, "weights that moved": Estimate(moved, moved, moved, results.seeds)},
                       moved == 0 and within(reward, 5 - 0.2, 5 + 0.2))  # fmt: skip


def _controls(results):
    bandit = {agent: estimate(per_trial(results, f"bandit-{agent}", "reward")) for agent in ("memoryless", "informed")}
    corridor = {
        agent: estimate(per_trial(results, f"corridor-{agent}", "steps")) for agent in ("memoryless", "informed")
    }
    holds = (
        within(bandit["memoryless"], 5 - 0.2, 5 + 0.2),
        within(bandit["informed"], 10 - REWARD_MARGIN, 10 + REWARD_MARGIN),
        corridor["memoryless"].low >= 20 - STEPS_MARGIN,
        within(corridor["informed"], 10 - STEPS_MARGIN, 10 + STEPS_MARGIN),
    )
    estimates = {f"bandit {agent}, reward": value for agent, value in bandit.items()}
    return Measurement(estimates | {f"corridor {agent}, steps": value for agent, value in corridor.items()}, all(holds))


def _never_above_the_optimum(results):
    """The largest excess of a seed's discounted return over the exact optimum, in its standard errors, of agents that are not told."""
    excess = []
    for name, experiment in EXPERIMENTS.items():
        if experiment.agent in ("rl2", "memoryless"):
            best = optimum(results, name)["bayes_optimal"]["discounted_value"]
            for test in results.evaluations(name):
                value = test["discounted_return"]
                above = value["mean"] - best
                excess.append(0.0 if above < 1e-6 else above / value["sem"] if value["sem"] > 0 else math.inf)
    worst = max(excess)
    return Measurement({"largest excess, standard errors": Estimate(worst, worst, worst, len(excess))}, worst <= 4)


# ---------------------------------------------------------------- looking inside

DEPENDENT = ("bandit-0.1-0.9-100", "bandit-0.25-0.75-100", "bandit-uniform-100")

FOLLOWS, STAYS = 0.9, 0.1


def _small_regret(results):
    probes = Probes(results)
    gaps = {f"{name} gap": probes.estimate(f"{name}-rl2", "gap to optimum, sampled") for name in DEPENDENT}
    return Measurement(gaps, all(gap.high < 1 for gap in gaps.values()))


def _exact_agrees_with_sampling(results):
    """The largest deviation of a run's 1000 rollouts from its exact expected reward, in standard errors (at least 0.1 % of the optimum)."""
    probes, worst, runs = Probes(results), 0.0, 0
    for name in names():
        for result in probes.of(name):
            if "reason" not in result["exact"]:
                sampled, exact = result["evaluation"]["reward_per_trial"], result["exact"]
                sem = max(sampled["sem"], 1e-3 * abs(exact["optimum"]["reward_per_trial"]))
                worst, runs = max(worst, abs(sampled["mean"] - exact["reward"]) / sem), runs + 1
    return Measurement(
        {"largest deviation, standard errors": Estimate(worst, worst, worst, runs)}, runs > 0 and worst <= 4
    )


BOTH = ("bandit", "corridor")


def _behaviour_follows_the_state(results):
    probes, found, holds = Probes(results), {}, []
    for task in BOTH:
        own, told = (probes.estimate(f"{task}-{agent}", "transplant both, trained") for agent in ("rl2", "rl1"))
        untrained = probes.estimate(f"{task}-rl2", "transplant both, untrained")
        found |= {f"{task} rl2": own, f"{task} rl1": told, f"{task} untrained rl2": untrained}
        holds += [own.low >= FOLLOWS, told.high <= STAYS, within(untrained, 0.35, 0.65)]
    return Measurement(found, all(holds))


def _in_each(tasks, quantity, whats, judge):
    """Measures a quantity of `tinymeta.probe.QUANTITIES` of RL² on each of `tasks`, `{}` in its name being each of `whats`.

    `judge` takes {what: Estimate} of one task; the claim holds if it agrees on all of them.
    """

    def measure(results):
        probes, found, holds = Probes(results), {}, []
        for task in tasks:
            values = {what: probes.estimate(f"{task}-rl2", quantity.format(what)) for what in whats}
            found |= {f"{task} {what}": value for what, value in values.items()}
            holds.append(judge(values))
        return Measurement(found, all(holds))

    return measure


CLAIMS = (
    *(Claim(f"bandit-{agent}", f"{name} reaches 9.5 reward per trial in the bandit", "§4 (1), Figure 2 middle",
            "mean over seeds of the test reward, 95 % interval", f"interval within 9.5 ± {REWARD_MARGIN}",
            _reaches_the_bandit_optimum(agent))
      for agent, name in (("rl2", "RL²"), ("rl1", "RL¹"))),
    Claim("first-pull", "Both pull a random arm first and the better arm ever after", "§4 (1)",
          "share of rewarded pulls, first and later, 95 % intervals",
          f"first within 0.5 ± {CHANCE_MARGIN}, later at least 0.99", _first_pull_then_knowledge),
    Claim("asymptote-bandit", "RL² and RL¹ reach the same performance in the bandit", "§4 (1)", "two one-sided tests on the test reward",
          f"90 % interval of the difference within ± {REWARD_MARGIN}", _same_asymptote("bandit", "reward", REWARD_MARGIN)),
    Claim("asymptote-corridor", "RL² and RL¹ reach the same performance in the corridor", "§4 (2)", "two one-sided tests on the test steps",
          f"90 % interval of the difference within ± {STEPS_MARGIN}", _same_asymptote("corridor", "steps", STEPS_MARGIN)),
    Claim("speed-bandit", "RL² and RL¹ have similar learning curves in the bandit", "§4 (1), Figure 2 middle",
          "trials of training to 95 % of the optimum, ratio", f"90 % interval of the ratio within a factor {SPEED_FACTOR}",
          _same_speed("bandit", "reward_per_trial", True)),
    Claim("speed-corridor", "RL² and RL¹ have similar learning curves in the corridor", "§4 (2), Figure 2 right",
          "trials of training to 95 % of the optimum, ratio", f"90 % interval of the ratio within a factor {SPEED_FACTOR}",
          _same_speed("corridor", "steps_per_trial", False)),
    Claim("search", "Both search for the goal in the first episode and walk straight to it in the second", "§4 (2), Figure 2 left",
          "steps in the corridor 5+5 by episode; the optimum is 10 and 5", f"within ± {STEPS_MARGIN} and ± {STEPS_MARGIN / 2}",
          _search_then_walk),
    Claim("15.5-short-trial", "15.5 timesteps, read as steps per trial in the corridor 5+5", "§4 (2)", "mean over seeds, 95 % interval",
          f"interval within 15.5 ± {STEPS_MARGIN}", _timesteps("corridor", 1)),
    Claim("15.5-short-episode", "15.5 timesteps, read as steps per episode in the corridor 5+5", "§4 (2)", "mean over seeds, 95 % interval",
          f"interval within 15.5 ± {STEPS_MARGIN}", _timesteps("corridor", 2)),
    Claim("15.5-long-episode", "15.5 timesteps, read as steps per episode in the corridor 10+11", "§4 (2)",
          "mean over seeds, 95 % interval", f"interval within 15.5 ± {STEPS_MARGIN}", _timesteps("corridor-10-11", 2)),
    Claim("15.5-long-trial", "15.5 timesteps, read as steps per trial in the corridor 10+11", "§4 (2)", "mean over seeds, 95 % interval",
          f"interval within 15.5 ± {STEPS_MARGIN}", _timesteps("corridor-10-11", 1)),
    Claim("zero", "All weights start at zero: taken literally, the agent cannot learn (ours)", "Appendix A.1",
          "test reward in the bandit, and weights other than output biases that moved", "reward within 5 ± 0.2, no weight moved",
          _zero_cannot_learn),
    Claim("controls", "Without memory the agent fails, told the task it needs no search (ours)", "beyond the paper",
          "memoryless and informed agents, 95 % intervals",
          f"bandit within 5 ± 0.2 and 10 ± {REWARD_MARGIN}; corridor at least {20 - STEPS_MARGIN} steps and within 10 ± {STEPS_MARGIN}",
          _controls),
    Claim("optimum", "No agent that is not told the task earns more than the Bayes optimum (ours)", "beyond the paper",
          "largest excess of a seed's discounted return over the exact optimum", "at most 4 standard errors", _never_above_the_optimum),
)  # fmt: skip

PROBE_CLAIMS = (
    Claim("regret", "With 100 pulls RL² comes within 1 reward of the Bayes optimum (ours)", "beyond the paper",
          "gap in reward per trial, 95 % interval over 5 seeds", "below 1.0 on three dependent bandits", _small_regret),
    Claim("exact", "The walk over all histories and sampled rollouts agree (ours)", "beyond the paper",
          "largest deviation of a run's rollouts from its exact expectation", "at most 4 standard errors", _exact_agrees_with_sampling),
    Claim("transplant", "Later episodes act on the carried state: with another trial's state RL² follows the other trial's task (ours)",
          "§5, tested by intervention", "share of telling actions that follow the donor, the last input being the recipient's own",
          f"RL² at least {FOLLOWS}, RL¹ at most {STAYS}, untrained 0.5 ± 0.15", _behaviour_follows_the_state),
    Claim("direction", "Moving the state along the directions of the decoded belief alone is enough for that (ours)",
          "§5, tested by intervention", "share of telling actions that follow the donor",
          f"at least {FOLLOWS}; equally far at random at most 0.25",
          _in_each(BOTH, "transplant {}, trained", ("pattern", "random", "axis"),
                   lambda share: share["pattern"].low >= FOLLOWS and share["random"].high <= 0.25)),
    Claim("decoding-control", "In the paper's two environments decoding says nothing: untrained networks decode as well (ours)", "§5",
          "held-out R² of the exact belief from [h, c]", "at least 0.95, trained or not",
          _in_each(BOTH, "decoding R², {}", ("trained", "untrained", "shuffled"),
                   lambda score: min(score["trained"].low, score["untrained"].low) >= 0.95)),
    Claim("decoding", "Where evidence must be counted, training makes the belief more decodable (ours)", "§5",
          "held-out R² of the exact belief from [h, c], 95 % intervals", "trained above untrained on three dependent bandits",
          _in_each(DEPENDENT, "decoding R², {}", ("trained", "untrained"), lambda score: score["trained"].low > score["untrained"].high)),
    Claim("simulation", "There, training lets the agent simulate the Bayes-optimal machine better (ours)", "§5",
          "D_s from the agent to the machine, 95 % intervals", "trained below untrained on three dependent bandits",
          _in_each(DEPENDENT, "D_s agent → Bayes, {}", ("trained", "untrained"), lambda d: d["trained"].high < d["untrained"].low)),
)  # fmt: skip
