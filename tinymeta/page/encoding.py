"""Arrays as text: {"dtype", "shape", "data"} with little-endian bytes in base64, which the page reads back exactly."""

import base64
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError

# What a JavaScript typed array can hold, the narrowest first.
INTEGERS = ("uint8", "int16", "int32")
FLOATS = ("float32", "float64")


def packed(array: np.ndarray) -> dict[str, Any]:
    """An array as {"dtype", "shape", "data"}; integers and booleans in the narrowest type that holds them.

    Raises
    ------
    InputError
        If an integer does not fit into 32 bits.

    Examples
    --------
    >>> packed(np.array([[1, 2, 255]]))
    {'dtype': 'uint8', 'shape': [1, 3], 'data': 'AQL/'}
    """
    array = np.asarray(array)
    dtype = str(array.dtype) if array.dtype.kind == "f" else _narrowest(array)
    if dtype not in INTEGERS + FLOATS:
        raise InputError(f"an array of dtype {dtype} has no twin in a page, expected one of {INTEGERS + FLOATS}")
    little = np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<"))
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(little.tobytes()).decode()}


def _narrowest(array: np.ndarray) -> str:
    low = int(array.min(initial=0))
    high = int(array.max(initial=0))
    for name in INTEGERS:
        limits = np.iinfo(name)
        if limits.min <= low and high <= limits.max:
            return name
    raise InputError(f"an array holds integers from {low} to {high}, expected 32 bits")


def unpacked(entry: dict[str, Any]) -> np.ndarray:
    """The array of `packed`.

    Examples
    --------
    >>> unpacked(packed(np.array([0.5, -1e300]))).tolist()
    [0.5, -1e+300]
    """
    dtype = np.dtype(entry["dtype"]).newbyteorder("<")
    return np.frombuffer(base64.b64decode(entry["data"]), dtype).reshape(entry["shape"])
