"""Parameters under PyTorch's names and shapes, to and from the kernels' flat vector, and how they begin.

The flat vector holds, one after the other, weight_x (D, 4H), weight_h (H, 4H), bias (4H,), the heads' weight (A + 1,
H), whose last row is the value's, and their bias (A + 1,). Behind them stand, where there are any: the log σ of a
Gaussian policy, the dense layers, and the value's own dense layers and LSTM, weights as (inputs, outputs).
"""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError, choice
from tinymeta.network.flat import split
from tinymeta.network.gaussian import Gaussian

INITS = ("default", "zero")


def parameter_shapes(layout: Any) -> dict[str, tuple[int, ...]]:
    """{name: shape} in PyTorch's names and shapes, `lstm.bias` being PyTorch's two biases added.

    layout is a `tinymeta.learning.wirings.Layout`.
    """
    H = layout.hidden_size
    A = layout.num_actions
    shapes: dict[str, tuple[int, ...]] = {
        **_lstm_shapes("", layout),
        "policy.weight": (A, H),
        "policy.bias": (A,),
        "value.weight": (1, H),
        "value.bias": (1,),
    }
    if isinstance(layout.head, Gaussian):
        shapes["policy.log_std"] = (A,)
    if hasattr(layout.network, "widths"):
        shapes |= _dense_shapes("", layout)
        if layout.network.separate:
            shapes |= {**_dense_shapes("value.", layout), **_lstm_shapes("value.", layout)}
    return shapes


def _lstm_shapes(owner: str, layout: Any) -> dict[str, tuple[int, ...]]:
    H = layout.hidden_size
    names = (f"{owner}lstm.weight_ih", f"{owner}lstm.weight_hh", f"{owner}lstm.bias")
    return dict(zip(names, ((4 * H, layout.lstm_inputs), (4 * H, H), (4 * H,)), strict=True))


def _dense_shapes(owner: str, layout: Any) -> dict[str, tuple[int, ...]]:
    widths = [layout.input_size, *layout.network.widths.tolist()]
    shapes: dict[str, tuple[int, ...]] = {}
    for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        shapes |= {f"{owner}encoder.{i}.weight": (outputs, inputs), f"{owner}encoder.{i}.bias": (outputs,)}
    return shapes


def num_parameters(layout: Any) -> int:
    """P, the length of the flat vector."""
    return sum(int(np.prod(shape)) for shape in parameter_shapes(layout).values())


def to_dict(theta: np.ndarray, layout: Any) -> dict[str, np.ndarray]:
    """Copies out of a flat vector (or gradient, or moment), under PyTorch's names and shapes. Inverse of `to_flat`."""
    weight_x, weight_h, bias, head_weight, head_bias, rest = split.py_func(theta, layout)
    views = {
        "lstm.weight_ih": weight_x.T,
        "lstm.weight_hh": weight_h.T,
        "lstm.bias": bias,
        "policy.weight": head_weight[:-1],
        "policy.bias": head_bias[:-1],
        "value.weight": head_weight[-1:],
        "value.bias": head_bias[-1:],
    }
    for name, shape in list(parameter_shapes(layout).items())[len(views) :]:
        size = int(np.prod(shape))
        views[name] = rest[:size].reshape(shape[::-1]).T
        rest = rest[size:]
    return {name: view.copy() for name, view in views.items()}


def to_flat(parameters: Mapping[str, np.ndarray], layout: Any, dtype: Any) -> np.ndarray:
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
    ordered = [
        parameters["lstm.weight_ih"].T,
        parameters["lstm.weight_hh"].T,
        parameters["lstm.bias"],
        parameters["policy.weight"],
        parameters["value.weight"],
        parameters["policy.bias"],
        parameters["value.bias"],
    ]
    ordered += [parameters[name].T for name in list(shapes)[len(ordered) :]]
    return np.concatenate([np.ravel(array) for array in ordered]).astype(dtype)


def initial_parameters(layout: Any, init: str, uniforms: np.ndarray, dtype: Any) -> np.ndarray:
    """A flat parameter vector from one uniform number per parameter, array (P,).

    "default": LSTM weights uniform in ±1/√H, heads and dense layers uniform in ±√(6 / (fan_in + fan_out)) (Glorot &
    Bengio 2010), biases and log σ zero. "zero": all zero, the literal reading of the paper's appendix, which cannot
    learn (docs/math.md, §7).
    """
    choice("init", init, INITS)
    H = layout.hidden_size
    signed = to_dict(2 * uniforms - 1, layout)
    for name, array in signed.items():
        if name.endswith("bias") or init == "zero" or name == "policy.log_std":
            array[:] = 0
        elif "lstm" in name:
            array *= 1 / np.sqrt(H)
        else:
            array *= np.sqrt(6 / sum(array.shape))
    return to_flat(signed, layout, dtype)
