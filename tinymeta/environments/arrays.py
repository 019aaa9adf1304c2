"""TODO environments.arrays."""

import numpy as np

from tinymeta.base.errors import InputError

ROW_TOLERANCE = 1e-9  # a probability row may miss 1 by this much


def _numpy(name, value):
    """`value` as an array; masked entries, which NumPy would forget, are refused."""
    try:
        array = np.array(value)
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise InputError(f"{name} is not an array of numbers: {error}") from None
    if np.ma.is_masked(value):
        raise InputError(f"{name} has masked entries, expected a number everywhere")
    return array


def _axes(name, value):
    axes = _numpy(name, value).ndim
    if axes not in (3, 4):
        raise InputError(f"{name} has {axes} axes, expected shape (M, S, O) or (M, A, S, O)")
    return axes


def _array(name, value, axes, sizes):
    """`value` as a finite float64 array whose axes have the sizes known so far; errors name the array and the index."""
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
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"{name}{list(index)} = {array[index]}, expected a finite number")
    return array


def _distribution(name, value, axes, sizes):
    """Like `_array`, and every row along the last axis is a probability distribution."""
    array = _array(name, value, axes, sizes)
    if (array < 0).any():
        index = tuple(int(i) for i in np.argwhere(array < 0)[0])
        raise InputError(f"{name}{list(index)} = {array[index]:g}, expected a probability >= 0")
    with np.errstate(over="ignore"):
        total = array.sum(axis=-1)
    wrong = np.abs(total - 1) > ROW_TOLERANCE
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise InputError(f"{name}{list(index) if index else ''} sums to {total[index]:.12g}, expected 1")
    return array


def _boolean(name, value, shape):
    array = _numpy(name, value)
    if array.dtype != bool or array.shape != shape:
        raise InputError(f"{name} has dtype {array.dtype} and shape {array.shape}, expected bool of shape {shape}")
    return array
