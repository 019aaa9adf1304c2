"""Frozen weights tested: rollouts beside the exact values of their task set, and traces for third parties.

Exact values come from `tinymeta.optimum`; where they are out of reach, what can be sampled is sampled here, and
labelled.
"""

import contextlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinymeta.base.errors import PlanningError
from tinymeta.base.intervals import NORMAL_95
from tinymeta.environments.kinds import AnyWorld
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.learning.belief_agents import BeliefAgent
from tinymeta.learning.playing import Totals
from tinymeta.learning.traces import Trace
from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import num_parameters
from tinymeta.optimum.belief import belief_along
from tinymeta.optimum.exact_values import YARDSTICKS, Numbers, exact_values
from tinymeta.optimum.nodes import NODE_LIMIT, NodeLimitError
from tinymeta.optimum.planning import Value

SAMPLED_ROLLOUTS = 400


def evaluate(
    agent: Any, gamma: float, rollouts: int = 100, seed: int = 0, greedy: bool = False, baselines: dict | None = None
) -> dict[str, Any]:
    """Play frozen-weight trials and set them beside the exact values.

    Parameters
    ----------
    agent : Agent or BeliefAgent
        Anything with `tasks`, `name` and `play`.
    gamma : float
        Discount at which the Bayes-optimal and the informed policy are optimal.
    rollouts, seed : int
    greedy : bool
        Take the most probable action instead of sampling.
    baselines : dict, optional
        `exact_or_reason` of the same task set and gamma, if already known.

    Returns
    -------
    dict
        As `--json` prints it. `sem` is the standard error of the mean over rollouts, None with one rollout. Rewards are
        undiscounted sums; episodes that a trial cut by the step limit never reached count 0 reward and 0 steps.
        `gap_to_bayes_optimal` is optimum minus agent with a 95 % interval, for the undiscounted reward and for the
        discounted return, which is what the Bayes-optimal policy maximises; empty where the optimum is unknown or there
        is one rollout. Under "greedy" stand the same measures of the most probable actions on the same random numbers;
        `first_action` is the policy at a trial's first step, see there.
    """
    totals = agent.play(rollouts, seed=seed, greedy=greedy, gamma=gamma)
    baselines = exact_or_reason(agent.tasks, gamma) if baselines is None else baselines
    result = {
        "env": agent.tasks.name,
        "agent": agent.name,
        "rollouts": rollouts,
        "seed": seed,
        "actions": "greedy" if greedy else "sampled",
        **_measures(totals),
        "greedy": _measures(totals if greedy else agent.play(rollouts, seed=seed, greedy=True, gamma=gamma)),
        "first_action": first_action(agent, rollouts, seed).tolist(),
        "bayes_optimal": baselines["bayes_optimal"],
        "informed": baselines["informed"],
    }
    return result | {"gap_to_bayes_optimal": _gaps(result)}


def _measures(totals: Totals) -> dict[str, Any]:
    return {
        "reward_per_trial": mean_and_sem(totals.reward.sum(axis=1)),
        "steps_per_trial": mean_and_sem(totals.steps.sum(axis=1)),
        "discounted_return": mean_and_sem(totals.discounted),
        "reward_per_episode": totals.reward.mean(axis=0).tolist(),
        "steps_per_episode": totals.steps.mean(axis=0).tolist(),
        "cut_trials": int(totals.cut.sum()),
    }


def first_action(agent: Any, rollouts: int, seed: int = 0) -> np.ndarray:
    """P(action) at a trial's first step, the mean over trials: array (A,). Of actions that are vectors, their mean.

    What an agent does before it knows anything cannot be seen from its rewards: in a symmetric bandit every first pull
    is paid equally often.
    """
    _, arrays = agent.play(rollouts, seed=seed, step_limit=1, trace=True)
    logits = arrays["logits"][:, 0].astype(float)
    if agent.tasks.continuous:
        return logits.mean(axis=0)
    policy = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (policy / policy.sum(axis=1, keepdims=True)).mean(axis=0)


def _gaps(result: dict[str, Any]) -> dict[str, dict[str, float]]:
    gaps = {}
    for name, exact in (("reward_per_trial", "reward_per_trial"), ("discounted_return", "discounted_value")):
        best = result["bayes_optimal"][exact]
        sampled = result[name]
        if best is not None and sampled["sem"] is not None:
            gap = best - sampled["mean"]
            half = NORMAL_95 * sampled["sem"]
            gaps[name] = {"mean": gap, "low": gap - half, "high": gap + half}
    return gaps


def mean_and_sem(values: np.ndarray) -> dict[str, float | None]:
    """{"mean", "sem"} of independent trials, array (N,); the standard error is None where N = 1."""
    sem = float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "sem": sem}


def exact_or_reason(tasks: AnyWorld, gamma: float, node_limit: int = NODE_LIMIT) -> dict[str, Numbers]:
    """`exact_values` of the Bayes-optimal and the informed policy; where they are undefined, None and the "reason".

    An agent can be tested all the same.
    """
    values: dict[str, Numbers] = {}
    for name in ("bayes_optimal", "informed"):
        try:
            values |= exact_values(tasks, gamma, node_limit, which=(name,))
        except PlanningError as error:
            values[name] = {**dict.fromkeys(Value._fields), "reason": str(error)}
    return values


def yardsticks(tasks: AnyWorld, gamma: float, names: Sequence[str] = YARDSTICKS) -> dict[str, Numbers]:
    """`exact_values` of the yardsticks in `names`; a greedy or Thompson agent that is out of reach is sampled.

    A sampled value carries "sampled": {"rollouts", "reward_sem"} in place of the "reason".
    """
    values = exact_values(tasks, gamma, which=names)
    if "reason" in values.get("random", {}):
        values["random"] = _sampled(random_agent(tasks), tasks, gamma)
    if not isinstance(tasks, TaskSet):
        return values
    for name in ("greedy", "thompson"):
        if "reason" in values.get(name, {}):
            with contextlib.suppress(
                NodeLimitError
            ):  # the fully observed problem is out of reach too: the reason stays
                values[name] = _sampled(BeliefAgent(tasks, name, gamma), tasks, gamma)
    return values


def random_agent(tasks: AnyWorld) -> Agent:
    """An agent of uniformly random choices: a network whose weights are all zero."""
    return Agent(tasks, "plain", np.zeros(num_parameters(make_layout(tasks, "plain", 1)), np.float32), 1)


def _sampled(agent: Any, tasks: AnyWorld, gamma: float) -> Numbers:
    totals = agent.play(SAMPLED_ROLLOUTS, gamma=gamma)
    reward = mean_and_sem(totals.reward.sum(axis=1))
    return {
        "reward_per_trial": reward["mean"],
        "steps_per_trial": float(totals.steps.sum(axis=1).mean()),
        "discounted_value": float(totals.discounted.mean()),
        "sampled": {"rollouts": SAMPLED_ROLLOUTS, "reward_sem": reward["sem"]},
    }


def trace(agent: Any, rollouts: int, seed: int = 0, greedy: bool = False) -> Trace:
    """{name: array}: all that a third party needs to replay the rollouts, and the exact belief before each action.

    Shapes are those of `tinymeta.learning.traces.make_trace`, and belief (N, T, M, S), where there is a table.
    """
    totals, arrays = agent.play(rollouts, seed=seed, greedy=greedy, trace=True)
    if not isinstance(agent.tasks, TaskSet):
        return arrays
    arrays["belief"], _ = belief_along(
        agent.tasks, arrays["observation"], arrays["action"], arrays["reward"], arrays["valid"], ended=~totals.cut
    )
    return arrays
