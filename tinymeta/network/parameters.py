"""TODO network.parameters."""

import numpy as np

from tinymeta.base.errors import InputError, choice
from tinymeta.base.jit import jit


@jit
def split(theta, layout):
    """Views into a flat parameter vector: weight_x (D, 4H), weight_h (H, 4H), bias (4H,), head_weight (A+1, H),
    head_bias (A+1,).
    """
    D, H, outputs = layout.input_size, layout.hidden_size, layout.num_actions + 1
    a = D * 4 * H
    b = a + H * 4 * H
    c = b + 4 * H
    d = c + outputs * H
    return (theta[:a].reshape((D, 4 * H)), theta[a:b].reshape((H, 4 * H)), theta[b:c],
            theta[c:d].reshape((outputs, H)), theta[d:d + outputs])  # fmt: skip


# ---------------------------------------------------------------- parameters


def parameter_shapes(layout):
    """{name: shape} in PyTorch's names and shapes, `lstm.bias` being PyTorch's two biases added."""
    D, H, A = layout.input_size, layout.hidden_size, layout.num_actions
    return {
        "lstm.weight_ih": (4 * H, D), "lstm.weight_hh": (4 * H, H), "lstm.bias": (4 * H,),
        "policy.weight": (A, H), "policy.bias": (A,), "value.weight": (1, H), "value.bias": (1,),
    }  # fmt: skip


def num_parameters(layout):
    return sum(int(np.prod(shape)) for shape in parameter_shapes(layout).values())


def to_dict(theta, layout):
    """Copies out of a flat vector (or gradient, or moment), under PyTorch's names and shapes. Inverse of `to_flat`."""
    D, H, A = layout.input_size, layout.hidden_size, layout.num_actions
    sizes = [D * 4 * H, H * 4 * H, 4 * H, A * H, H, A, 1]
    w_x, w_h, bias, policy, value, policy_bias, value_bias = np.split(theta, np.cumsum(sizes)[:-1])
    return {
        "lstm.weight_ih": w_x.reshape(D, 4 * H).T.copy(), "lstm.weight_hh": w_h.reshape(H, 4 * H).T.copy(), "lstm.bias": bias.copy(),
        "policy.weight": policy.reshape(A, H).copy(), "policy.bias": policy_bias.copy(),
        "value.weight": value.reshape(1, H).copy(), "value.bias": value_bias.copy(),
    }  # fmt: skip


def to_flat(parameters, layout, dtype):
    """The kernels' flat vector from {name: array}: the LSTM's weights transposed, the value as the policy's last row.

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
            raise InputError(
                f"parameter {name} has shape {array.shape} and dtype {array.dtype}, expected floats of shape {shape}"
            )
        if not np.isfinite(array).all():
            raise InputError(f"parameter {name} holds a value that is not finite")
    ordered = [parameters["lstm.weight_ih"].T, parameters["lstm.weight_hh"].T, parameters["lstm.bias"],
               parameters["policy.weight"], parameters["value.weight"], parameters["policy.bias"], parameters["value.bias"]]  # fmt: skip
    return np.concatenate([np.ravel(array) for array in ordered]).astype(dtype)


INITS = ("default", "zero")


def initial_parameters(layout, init, uniforms, dtype):
    """A flat parameter vector from one uniform number per parameter.

    "default": LSTM weights uniform in ±1/√H, heads uniform in ±√(6 / (fan_in + fan_out)) (Glorot & Bengio 2010),
    biases zero. "zero": all zero, the literal reading of the paper's appendix, which cannot learn (docs/math.md, §7).
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
