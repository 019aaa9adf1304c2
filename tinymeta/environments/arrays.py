"""Arrays from outside, checked: every error names the array, the index, the value and what was expected.

Axes have one letter each: M tasks, S states, A actions, O observations. `sizes` holds those that are known so far.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError

ROW_TOLERANCE = 1e-9  # a probability row may miss 1 by this much


def number_of_axes(name: str, value: Any, allowed: Sequence[int], expected: str) -> int:
    """How many axes `value` has; other than `allowed` is an InputError that tells the shape that is `expected`."""
    axes = _numpy(name, value).ndim
    if axes not in allowed:
        raise InputError(f"{name} has {axes} axes, expected shape {expected}")
    return axes


def finite_array(name: str, value: Any, axes: Sequence[str], sizes: Mapping[str, int]) -> np.ndarray:
    """`value` as a C-contiguous, finite float64 array whose axes have the sizes known so far."""
    array = _numpy(name, value)
    expected = f"({', '.join(axes)})"
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} has dtype {array.dtype}, expected real numbers of shape {expected}")
    if array.ndim != len(axes):
        raise InputError(f"{name} has shape {array.shape}, expected {len(axes)} axes {expected}")
    known = dict(sizes)
    for axis, size in zip(axes, array.shape, strict=True):
        if size == 0:
            raise InputError(
                f"{name} has shape {array.shape}, expected at least one entry along every axis of {expected}"
            )
        if known.setdefault(axis, size) != size:
            wanted = ", ".join(str(known.get(a, a)) for a in axes)
            raise InputError(f"{name} has shape {array.shape}, expected ({wanted}) for axes {expected}")
    with np.errstate(over="ignore"):  # of a wider type; what overflows is refused below
        array = np.ascontiguousarray(array, dtype=np.float64)
    if not np.isfinite(array).all():
        index = _first_index(~np.isfinite(array))
        raise InputError(f"{name}{list(index)} = {array[index]}, expected a finite number")
    return array


def distributions(name: str, value: Any, axes: Sequence[str], sizes: Mapping[str, int]) -> np.ndarray:
    """Like `finite_array`, and every row along the last axis is a probability distribution."""
    array = finite_array(name, value, axes, sizes)
    if (array < 0).any():
        index = _first_index(array < 0)
        raise InputError(f"{name}{list(index)} = {array[index]:g}, expected a probability >= 0")
    with np.errstate(over="ignore"):
        total = array.sum(axis=-1)
    wrong = np.abs(total - 1) > ROW_TOLERANCE
    if wrong.any():
        index = _first_index(wrong)
        raise InputError(f"{name}{list(index) if index else ''} sums to {total[index]:.12g}, expected 1")
    return array


def boolean_array(name: str, value: Any, shape: tuple[int, ...]) -> np.ndarray:
    """`value` as a bool array of exactly this shape."""
    array = _numpy(name, value)
    if array.dtype != bool or array.shape != shape:
        raise InputError(f"{name} has dtype {array.dtype} and shape {array.shape}, expected bool of shape {shape}")
    return array


def _numpy(name: str, value: Any) -> np.ndarray:
    """`value` as an array; masked entries, which NumPy would forget, are refused."""
    try:
        array = np.array(value)
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise InputError(f"{name} is not an array of numbers: {error}") from None
    if np.ma.is_masked(value):
        raise InputError(f"{name} has masked entries, expected a number everywhere")
    return array


def _first_index(mask: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0])
