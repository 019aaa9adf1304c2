"""TODO learning.evaluation."""

import contextlib
import math

import numpy as np

from tinymeta.base.errors import PlanningError
from tinymeta.learning.belief_agents import BeliefAgent
from tinymeta.optimum.belief import belief_along
from tinymeta.optimum.exact_values import YARDSTICKS, exact_values
from tinymeta.optimum.nodes import NODE_LIMIT, NodeLimitError
from tinymeta.optimum.planning import Value

SAMPLED_ROLLOUTS = 400


def yardsticks(tasks, gamma, names=YARDSTICKS):
    """`exact_values` of the yardsticks in `names`; a greedy or Thompson agent whose beliefs cannot be enumerated is
    sampled.

    A sampled value carries "sampled": {"rollouts", "reward_sem"} in place of the "reason".
    """
    values = exact_values(tasks, gamma, which=names)
    for name in {"greedy", "thompson"} & values.keys():
        if "reason" in values[name]:
            with contextlib.suppress(
                NodeLimitError
            ):  # the fully observed problem is too large as well: the reason stays
                values[name] = _sampled(name, tasks, gamma)
    return values


def _sampled(name, tasks, gamma):
    totals = BeliefAgent(tasks, name, gamma).play(SAMPLED_ROLLOUTS, gamma=gamma)
    reward, discounted = totals.reward.sum(axis=1), totals.discounted
    return {
        "reward_per_trial": float(reward.mean()), "steps_per_trial": float(totals.steps.sum(axis=1).mean()),
        "discounted_value": float(discounted.mean()),
        "sampled": {"rollouts": SAMPLED_ROLLOUTS, "reward_sem": float(reward.std(ddof=1) / math.sqrt(SAMPLED_ROLLOUTS))},
    }  # fmt: skip


def evaluate(agent, gamma, rollouts=100, seed=0, greedy=False, baselines=None):
    """Play frozen-weight trials and set them beside the exact values.

    Parameters
    ----------
    agent : Agent
        Anything with `tasks`, `name` and `play`.
    gamma : float
        Discount at which the Bayes-optimal and the informed policy are optimal.
    rollouts : int
    seed : int
    greedy : bool
        Take the most probable action instead of sampling.
    baselines : dict, optional
        `exact_values` of the same task set and gamma, if already known.

    Returns
    ------- dict, as `--json` prints it. `sem` is the standard error of the mean over rollouts, None with one rollout.
    Rewards are undiscounted sums; episodes that a trial cut by the step limit never reached count 0 reward and 0
    steps. `gap_to_bayes_optimal` is optimum minus agent with a 95 % interval from the standard error, for the
    undiscounted reward and for the discounted return, which is what the Bayes-optimal policy maximises; empty where
    the optimum is unknown or there is one rollout.
    """
    totals = agent.play(rollouts, seed=seed, greedy=greedy, gamma=gamma)
    baselines = exact_or_reason(agent.tasks, gamma) if baselines is None else baselines
    result = {
        "env": agent.tasks.name, "agent": agent.name, "rollouts": rollouts, "seed": seed, "greedy": greedy,
        "reward_per_trial": mean_and_sem(totals.reward.sum(axis=1)), "steps_per_trial": mean_and_sem(totals.steps.sum(axis=1)),
        "discounted_return": mean_and_sem(totals.discounted), "reward_per_episode": totals.reward.mean(axis=0).tolist(),
        "steps_per_episode": totals.steps.mean(axis=0).tolist(),
        "cut_trials": int(totals.cut.sum()), "bayes_optimal": baselines["bayes_optimal"], "informed": baselines["informed"],
    }  # fmt: skip
    result["gap_to_bayes_optimal"] = {}
    for name, exact in (("reward_per_trial", "reward_per_trial"), ("discounted_return", "discounted_value")):
        best, mine = baselines["bayes_optimal"][exact], result[name]
        if best is not None and mine["sem"] is not None:
            gap, width = best - mine["mean"], 1.96 * mine["sem"]
            result["gap_to_bayes_optimal"][name] = {"mean": gap, "low": gap - width, "high": gap + width}
    return result


def exact_or_reason(tasks, gamma, node_limit=NODE_LIMIT):
    """`exact_values`; where they are out of reach or undefined, None with the "reason": an agent can be tested all the
    same.
    """
    values = {}
    for name in ("bayes_optimal", "informed"):
        try:
            values |= exact_values(tasks, gamma, node_limit, which=(name,))
        except PlanningError as error:
            values[name] = {**dict.fromkeys(Value._fields), "reason": str(error)}
    return values


def mean_and_sem(values):
    """{"mean", "sem"} of independent trials."""
    sem = float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "sem": sem}


def trace(agent, rollouts, seed=0, greedy=False):
    """{name: array}: all that a third party needs to replay the rollouts, and the exact joint belief before each
    action.

    Shapes are those of `tinymeta.policies.make_trace`, and belief (N, T, M, S).
    """
    totals, arrays = agent.play(rollouts, seed=seed, greedy=greedy, trace=True)
    evidence = (arrays[name] for name in ("observation", "action", "reward", "valid"))
    arrays["belief"], _ = belief_along(agent.tasks, *evidence, ended=~totals.cut)
    return arrays
