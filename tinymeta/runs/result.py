"""result.json and timing.json: what a finished run came to, and the seconds that it took.

result.json is written last: a run that has it is finished. It holds the counters, the seconds and the test of the
frozen weights (`tinymeta.learning.evaluation.evaluate`). Claims and figures build on these numbers, so they are
checked when read.
"""

from collections.abc import Mapping
from typing import Any

from tinymeta.base.errors import instance, integer, real
from tinymeta.base.files import AnyPath

RESULT_LIMIT = 2**26  # bytes of a result.json that are read
SECONDS = ("train_seconds", "compile_seconds")
MEANS = ("reward_per_trial", "steps_per_trial", "discounted_return")  # each with its standard error
EXACT = ("reward_per_trial", "steps_per_trial", "discounted_value")


def check_seconds(timing: Mapping[str, Any], source: AnyPath) -> dict[str, float]:
    """{"train_seconds", "compile_seconds"} of what timing.json holds; a number that is none is an InputError."""
    return {name: real(f"{source}: {name}", timing.get(name), low=0) for name in SECONDS}


def seconds_per_step(timing: Mapping[str, Any], source: AnyPath) -> float:
    """Training seconds per environment step, of what timing.json or result.json holds.

    Raises
    ------
    InputError
        If it does not say how many steps its seconds are for, as older timing.json do not.
    """
    steps = integer(f"{source}: env_steps", timing.get("env_steps"), low=1)
    return check_seconds(timing, source)["train_seconds"] / steps


def check_result(result: dict[str, Any], source: AnyPath) -> dict[str, Any]:
    """`result` if it has the form that training writes; else an InputError that names what is wrong.

    The numbers that others build on are checked: counters, seconds, means with their errors, episodes' means, exact
    values.
    """
    for name in ("env", "agent"):
        instance(f"{source}: {name}", result.get(name), str)
    for name in ("train_seed", "updates", "trials", "env_steps"):
        integer(f"{source}: {name}", result.get(name), low=0)
    check_seconds(result, source)
    _check_evaluation(instance(f"{source}: evaluation", result.get("evaluation"), dict), f"{source}: evaluation")
    return result


def _check_evaluation(test: dict[str, Any], source: str) -> None:
    _check_measures(test, source)
    if isinstance(test.get("greedy"), dict):  # a version before 0.2.0 noted here whether actions were greedy
        _check_measures(test["greedy"], f"{source}.greedy")
    for name in ("bayes_optimal", "informed"):
        exact = instance(f"{source}.{name}", test.get(name), dict)
        for key in EXACT:
            if exact.get(key) is not None:
                real(f"{source}.{name}.{key}", exact[key])


def _check_measures(test: dict[str, Any], source: str) -> None:
    for name in MEANS:
        value = instance(f"{source}.{name}", test.get(name), dict)
        real(f"{source}.{name}.mean", value.get("mean"))
        if value.get("sem") is not None:
            real(f"{source}.{name}.sem", value["sem"], low=0)
    for name in ("reward_per_episode", "steps_per_episode"):
        for k, value in enumerate(instance(f"{source}.{name}", test.get(name), list)):
            real(f"{source}.{name}[{k}]", value)
