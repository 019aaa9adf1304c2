"""Parameters under PyTorch's names and shapes, to and from the kernels' flat vector, and how they begin.

The flat vector holds, one after the other, weight_x (D, 4H), weight_h (H, 4H), bias (4H,), the heads' weight (A + 1,
H), whose last row is the value's, and their bias (A + 1,). `layout` is anything with input_size D, hidden_size H and
num_actions A.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from tinymeta.base.errors import InputError, choice
from tinymeta.network.flat import split

INITS = ("default", "zero")


class Sizes(Protocol):
    """What a network's parameters are sized by."""

    @property
    def input_size(self) -> int: ...
    @property
    def hidden_size(self) -> int: ...
    @property
    def num_actions(self) -> int: ...


def parameter_shapes(layout: Sizes) -> dict[str, tuple[int, ...]]:
    """{name: shape} in PyTorch's names and shapes, `lstm.bias` being PyTorch's two biases added."""
    D = layout.input_size
    H = layout.hidden_size
    A = layout.num_actions
    return {
        "lstm.weight_ih": (4 * H, D),
        "lstm.weight_hh": (4 * H, H),
        "lstm.bias": (4 * H,),
        "policy.weight": (A, H),
        "policy.bias": (A,),
        "value.weight": (1, H),
        "value.bias": (1,),
    }


def num_parameters(layout: Sizes) -> int:
    """P, the length of the flat vector."""
    return sum(int(np.prod(shape)) for shape in parameter_shapes(layout).values())


def to_dict(theta: np.ndarray, layout: Sizes) -> dict[str, np.ndarray]:
    """Copies out of a flat vector (or gradient, or moment), under PyTorch's names and shapes. Inverse of `to_flat`."""
    weight_x, weight_h, bias, head_weight, head_bias = split.py_func(theta, layout)
    views = {
        "lstm.weight_ih": weight_x.T,
        "lstm.weight_hh": weight_h.T,
        "lstm.bias": bias,
        "policy.weight": head_weight[:-1],
        "policy.bias": head_bias[:-1],
        "value.weight": head_weight[-1:],
        "value.bias": head_bias[-1:],
    }
    return {name: view.copy() for name, view in views.items()}


def to_flat(parameters: Mapping[str, np.ndarray], layout: Sizes, dtype: Any) -> np.ndarray:
    """The kernels' flat vector from {name: array}.

    Raises
    ------
    ValueError
        If an array is missing, unknown or of the wrong shape, or holds a number that is not finite.
    """
    shapes = parameter_shapes(layout)
    for name in parameters:
        choice("parameter", name, shapes)
    for name, shape in shapes.items():
        if name not in parameters:
            raise InputError(f"parameter {name} is missing, expected an array of shape {shape}")
        array = np.asarray(parameters[name])
        if array.shape != shape or array.dtype.kind != "f":
            came = f"shape {array.shape} and dtype {array.dtype}"
            raise InputError(f"parameter {name} has {came}, expected floats of shape {shape}")
        if not np.isfinite(array).all():
            raise InputError(f"parameter {name} holds a value that is not finite")
    ordered = (
        parameters["lstm.weight_ih"].T,
        parameters["lstm.weight_hh"].T,
        parameters["lstm.bias"],
        parameters["policy.weight"],
        parameters["value.weight"],
        parameters["policy.bias"],
        parameters["value.bias"],
    )
    return np.concatenate([np.ravel(array) for array in ordered]).astype(dtype)


def initial_parameters(layout: Sizes, init: str, uniforms: np.ndarray, dtype: Any) -> np.ndarray:
    """A flat parameter vector from one uniform number per parameter, array (P,).

    "default": LSTM weights uniform in ±1/√H, heads uniform in ±√(6 / (fan_in + fan_out)) (Glorot & Bengio 2010), biases
    zero. "zero": all zero, the literal reading of the paper's appendix, which cannot learn (docs/math.md, §7).
    """
    choice("init", init, INITS)
    H = layout.hidden_size
    signed = to_dict(2 * uniforms - 1, layout)
    for name, array in signed.items():
        if name.endswith("bias") or init == "zero":
            array[:] = 0
        elif name.startswith("lstm"):
            array *= 1 / np.sqrt(H)
        else:
            array *= np.sqrt(6 / (H + len(array)))
    return to_flat(signed, layout, dtype)
