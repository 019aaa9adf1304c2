"""What the yardsticks of a task set are worth, exactly, or why that is out of reach. Nothing is sampled here.

bayes_optimal           the best that an agent can do that knows the task set but not the task
informed                the best that an agent can do that is told the task
informed_after_first    the best that an agent can do that is told the task after the first episode, as `rl1` is (where an
                        episode's end cannot be seen, being told then also announces it, and can be worth more than `informed`)
greedy, thompson        see `tinymeta.optimum.belief_policies`
random                  actions chosen uniformly

Where more beliefs are reachable than can be enumerated, the Bayes optimum is given as certified bounds: the informed optimum above,
the exact worth of the greedy agent below.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from tinymeta.base.errors import choice, instance, integer, real
from tinymeta.environments.table import TaskSet
from tinymeta.optimum.belief_policies import greedy_value, thompson_value
from tinymeta.optimum.counting import count_based_values
from tinymeta.optimum.nodes import NODE_LIMIT, NodeLimitError
from tinymeta.optimum.planning import Value, bayes_optimal, informed, plan_value, random_value

Numbers = dict[
    str, Any
]  # "reward_per_trial", "steps_per_trial", "discounted_value"; "reason" and "bounds" where out of reach

EXACT: dict[str, Callable[[TaskSet, float, int], Value]] = {
    "bayes_optimal": lambda tasks, gamma, limit: plan_value(bayes_optimal(tasks, gamma, limit), gamma),
    "informed": lambda tasks, gamma, limit: plan_value(informed(tasks, gamma, node_limit=limit), gamma),
    "informed_after_first": lambda tasks, gamma, limit: plan_value(informed(tasks, gamma, 1, limit), gamma),
    "greedy": greedy_value,
    "thompson": thompson_value,
    "random": random_value,
}
YARDSTICKS = tuple(EXACT)


def exact_values(
    tasks: TaskSet,
    gamma: float,
    node_limit: int = NODE_LIMIT,
    which: Sequence[str] = ("bayes_optimal", "informed", "random"),
) -> dict[str, Numbers]:
    """What the yardsticks named in `which` are worth on a task set.

    Parameters
    ----------
    tasks : TaskSet
    gamma : float in [0, 1]
        Discount; "optimal" means optimal for the discounted return of a trial.
    node_limit : int
        Beliefs that are enumerated at most.
    which : sequence of str
        Some of `YARDSTICKS`.

    Returns
    -------
    {name: {"reward_per_trial", "steps_per_trial", "discounted_value"}}
        Rewards and steps are undiscounted. A number that is infinite or out of reach is None; where a value is out of reach its
        "reason" says why, and a Bayes optimum then has "bounds": {"lower", "upper"}, each with the three numbers, if they are within reach.

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
    instance("tasks", tasks, TaskSet)
    gamma = real("gamma", gamma, 0, 1)
    node_limit = integer("node_limit", node_limit, low=1)
    names = [choice("yardstick", name, YARDSTICKS) for name in which]
    return {name: _value(name, tasks, gamma, node_limit) for name in names}


def _value(name: str, tasks: TaskSet, gamma: float, node_limit: int) -> Numbers:
    if tasks.independent_arms is not None and name in ("bayes_optimal", "informed"):
        reward, value = count_based_values(*tasks.independent_arms, gamma)[name]
        return {"reward_per_trial": reward, "steps_per_trial": float(tasks.horizon), "discounted_value": value}
    try:
        return _numbers(EXACT[name](tasks, gamma, node_limit))
    except NodeLimitError as error:
        unknown = {**dict.fromkeys(Value._fields), "reason": str(error)}
        if name == "bayes_optimal":
            bounds = {
                "lower": _value("greedy", tasks, gamma, node_limit),
                "upper": _value("informed", tasks, gamma, node_limit),
            }
            if not any("reason" in side for side in bounds.values()):  # a bound is exact or there is none
                unknown["bounds"] = bounds
        return unknown


def _numbers(value: Value) -> Numbers:
    return {key: number if math.isfinite(number) else None for key, number in value._asdict().items()}
