"""How the package says no, in one line: what came, what was expected, where.

Each check takes the name that the user knows a value by, and gives the value back in the one form that the rest of
the package works with (a Python int, a Python float, a member of a registry), or raises an `InputError`.
"""

import difflib
import math
import operator
from collections.abc import Collection
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class InputError(ValueError):
    """Wrong input: the message is the one line a user needs. Commands end with exit code 2."""


class MissingExtraError(InputError):
    """Something needs what is installed with an extra; the message names the command that installs it."""


class NotFiniteError(ArithmeticError):
    """A computation met a number that is not finite. Commands print it as one line and end with exit code 1."""


class PoolError(RuntimeError):
    """An environment from outside the package failed, or the process that steps it; the message is one line."""


class PlanningError(InputError):
    """The exact values of a task set are out of reach or undefined; its message says why and what to do."""


def shown(value: object) -> str:
    """`value` as it stands in a message: its repr on one line, cut where it is long."""
    try:
        text = " ".join(repr(value).splitlines())
    except ValueError:  # Python writes out no integer of more than some thousand digits
        return f"a very large {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:96]} …"


def unknown(kind: str, name: object, known: Collection[str]) -> str:
    """The message for a name that is not in a registry, with the nearest known name as a suggestion."""
    near = difflib.get_close_matches(str(name)[:100], list(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {shown(name)}, expected one of {', '.join(known)}{hint}"


def integer(name: str, value: Any, low: int | None = None, high: int | None = None) -> int:
    """`value` as an int within [low, high]; anything else, also a float such as 3.0 or a bool, is an InputError."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise InputError(f"{name} = {shown(value)}, expected an integer{_interval(low, high)}") from None
    if (low is not None and number < low) or (high is not None and number > high):
        raise InputError(f"{name} = {shown(value)}, expected an integer{_interval(low, high)}")
    return number


def real(
    name: str, value: Any, low: float | None = None, high: float | None = None, above: float | None = None
) -> float:
    """`value` as a finite float within [low, high] (or strictly `above` a bound); anything else is an InputError.

    Examples
    --------
    >>> real("gamma", 1, low=0, high=1)
    1.0
    """
    try:
        if isinstance(value, (bool, str, bytes)) or getattr(value, "ndim", 0) > 0:
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} = {shown(value)}, expected a number{_interval(low, high, above)}") from None
    outside = (low is not None and number < low) or (high is not None and number > high)
    if not math.isfinite(number) or outside or (above is not None and number <= above):
        raise InputError(f"{name} = {shown(value)}, expected a finite number{_interval(low, high, above)}")
    return number


def vector(name: str, value: Any, size: int) -> np.ndarray:
    """`value` as an array (size,) of finite floats; anything else is an InputError."""
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        raise InputError(f"{name} = {shown(value)}, expected {size} numbers") from None
    if array.shape != (size,) or not np.isfinite(array).all():
        raise InputError(f"{name} = {shown(value)}, expected {size} finite numbers")
    return array


def instance(name: str, value: Any, kind: type[T]) -> T:
    """`value` if it is a `kind`, else an InputError."""
    if not isinstance(value, kind):
        raise InputError(f"{name} = {shown(value)}, expected a {kind.__name__}")
    return value


def choice(name: str, value: Any, known: Collection[str]) -> str:
    """`value` if it is one of `known`, else an InputError that suggests the nearest."""
    if not isinstance(value, str) or value not in known:
        raise InputError(unknown(name, value, known))
    return value


def _interval(low: float | None, high: float | None, above: float | None = None) -> str:
    parts = [f"> {above}"] if above is not None else []
    parts += [f">= {low}"] if low is not None else []
    parts += [f"<= {high}"] if high is not None else []
    return " " + " and ".join(parts) if parts else ""
