"""What the yardsticks of a task set are worth, exactly, or why that is out of reach. Nothing is sampled here.

bayes_optimal           the best that an agent can do that knows the task set but not the task
informed                the best that an agent can do that is told the task
informed_after_first    the best that an agent can do that is told the task after the first episode, as `rl1` is (where
                        an episode's end cannot be seen, being told then also announces it, and can be worth more than
                        `informed`)
greedy, thompson        see `tinymeta.optimum.belief_policies`
random                  actions chosen uniformly

Where more beliefs are reachable than can be enumerated, the Bayes optimum is given as certified bounds: above, what an
agent is worth that is told the task, at once or after the first episode; below, the exact worth of the greedy agent.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from tinymeta.base.errors import choice, integer, real
from tinymeta.environments.kinds import AnyWorld, table, world_or_table
from tinymeta.environments.outcomes import NEVER
from tinymeta.environments.table import TaskSet
from tinymeta.optimum.belief_policies import greedy_value, thompson_value
from tinymeta.optimum.counting import count_based_values, last_counts, two_armed_thompson
from tinymeta.optimum.graphs import Graphs
from tinymeta.optimum.nodes import NODE_LIMIT, NodeLimitError
from tinymeta.optimum.planning import Value, evaluate_policy, plan, plan_value, random_policy

COUNTS_PER_NODE = 10  # count vectors that cost no more than one enumerated belief

# "reward_per_trial", "steps_per_trial", "discounted_value"; "reason" and "bounds" where out of reach
Numbers = dict[str, Any]


def optimal_value(graphs: Graphs, gamma: float, identity_from: int = NEVER) -> Value:
    """The `Value` of the best that an agent can do that is told the task from episode `identity_from` on."""
    return plan_value(plan(graphs.beliefs(identity_from), gamma), gamma)


def random_value(graphs: Graphs, gamma: float) -> Value:
    """The `Value` of choosing uniformly at random, exact and without a step limit."""
    return evaluate_policy(graphs.observed(), random_policy(graphs.observed()), gamma)


YARDSTICK_VALUES: dict[str, Callable[[Graphs, float], Value]] = {
    "bayes_optimal": optimal_value,
    "informed": functools.partial(optimal_value, identity_from=0),
    "informed_after_first": functools.partial(optimal_value, identity_from=1),
    "greedy": greedy_value,
    "thompson": thompson_value,
    "random": random_value,
}
YARDSTICKS = tuple(YARDSTICK_VALUES)


def exact_values(
    tasks: AnyWorld,
    gamma: float,
    node_limit: int = NODE_LIMIT,
    which: Sequence[str] = ("bayes_optimal", "informed", "random"),
) -> dict[str, Numbers]:
    """What the yardsticks named in `which` are worth on a task set.

    Parameters
    ----------
    tasks : TaskSet or World
        Without a table there are no exact values but those of independent arms, which counting gives.
    gamma : float in [0, 1]
        Discount; "optimal" means optimal for the discounted return of a trial.
    node_limit : int
        Beliefs that are enumerated at most.
    which : sequence of str
        Some of `YARDSTICKS`.

    Returns
    -------
    {name: {"reward_per_trial", "steps_per_trial", "discounted_value"}}
        Rewards and steps are undiscounted. A number that is infinite or out of reach is None; where a value is out of
        reach its "reason" says why, and a Bayes optimum then has "bounds": {"lower", "upper"}, each with the three
        numbers, if they are within reach.

    Raises
    ------
    ValueError
        For an unknown name, or where a value is not defined: gamma = 1 where trials can go on for ever.

    Examples
    --------
    >>> import tinymeta
    >>> tinymeta.exact_values(tinymeta.make("bandit"), gamma=0.8)["bayes_optimal"]["reward_per_trial"]
    9.5
    """
    gamma = real("gamma", gamma, 0, 1)
    node_limit = integer("node_limit", node_limit, low=1)
    names = [choice("yardstick", name, YARDSTICKS) for name in which]
    if not isinstance(world_or_table(tasks), TaskSet):
        return {name: _numbers_of_world(name, tasks, gamma, node_limit) for name in names}
    graphs = Graphs(table(tasks, "an exact value"), node_limit)
    return {name: _numbers(name, graphs, gamma) for name in names}


def _numbers(name: str, graphs: Graphs, gamma: float) -> Numbers:
    """What one yardstick is worth, or why that is out of reach."""
    arms, pulls = graphs.tasks.independent_arms or (0, 0)
    if arms and (name in ("bayes_optimal", "informed") or (name == "thompson" and arms == 2)):
        thompson = name == "thompson"
        reward, value = two_armed_thompson(pulls, gamma) if thompson else count_based_values(arms, pulls, gamma)[name]
        return {"reward_per_trial": reward, "steps_per_trial": float(graphs.tasks.horizon), "discounted_value": value}
    try:
        numbers = YARDSTICK_VALUES[name](graphs, gamma)._asdict()
        return {key: number if math.isfinite(number) else None for key, number in numbers.items()}
    except NodeLimitError as error:
        unknown: Numbers = {**dict.fromkeys(Value._fields), "reason": str(error)}
    bounds = _bounds(graphs, gamma) if name == "bayes_optimal" else None
    return unknown if bounds is None else {**unknown, "bounds": bounds}


def _numbers_of_world(name: str, world: AnyWorld, gamma: float, node_limit: int) -> Numbers:
    """What is known without a table: independent arms by counting and in closed form, of other worlds nothing."""
    unknown: Numbers = dict.fromkeys(Value._fields)
    if world.independent_arms is None:
        return {**unknown, "reason": f"{world.name!r} has no table of tasks, so beliefs cannot be enumerated"}
    arms, pulls = world.independent_arms
    mean = {"informed": arms / (arms + 1), "random": 0.5}  # of the best of so many uniform numbers, and of any
    if name in mean:
        reward, value = mean[name] * pulls, mean[name] * sum(gamma**t for t in range(pulls))
    elif name == "bayes_optimal" and arms <= 10 and last_counts(arms, pulls) <= COUNTS_PER_NODE * node_limit:
        reward, value = count_based_values(arms, pulls, gamma)[name]
    else:
        what = f"{arms} arms and {pulls} pulls"
        return {**unknown, "reason": f"{what} have too many counts of wins and losses to enumerate, and no table"}
    return {"reward_per_trial": reward, "steps_per_trial": float(pulls), "discounted_value": value}


def _bounds(graphs: Graphs, gamma: float) -> dict[str, Numbers] | None:
    """{"lower", "upper"} of the Bayes optimum, each with the "policy" that it is the exact worth of; None out of reach.

    Whoever is told the task, at once or after the first episode, can do all that the Bayes-optimal agent does: both are
    upper bounds of its discounted value, and the smaller one counts.
    """
    lower = {**_numbers("greedy", graphs, gamma), "policy": "greedy"}
    told = [{**_numbers(name, graphs, gamma), "policy": name} for name in ("informed", "informed_after_first")]
    upper = [numbers for numbers in told if "reason" not in numbers]
    if "reason" in lower or not upper:  # a bound is exact or there is none
        return None
    return {"lower": lower, "upper": min(upper, key=lambda numbers: numbers["discounted_value"])}
