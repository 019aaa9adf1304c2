"""An agent is a wiring: what enters the network's input, and when its state is reset. The network is the same for all.

`WIRINGS` is the table; a new row is a new agent everywhere (command line, gradient checks, tests). Kernels see only a
`Layout`: which input column means what, when the identity enters, what an episode's beginning resets or masks.

Input columns, in this order: one-hot observation (left out where there is only one), previous reward, one-hot previous
action, one-hot task identity (only where the wiring ever shows it).
"""

from typing import NamedTuple

import numpy as np

from tinymeta.errors import InputError, choice, integer
from tinymeta.taskset import NEVER

ABSENT = -1


class Wiring(NamedTuple):
    """One row of the table of agents (paper, §4)."""

    carries_state: bool  # the LSTM's state survives an episode's end
    identity_from: int  # the episode, counted from 0, from which the task's identity is an input
    sees_across: bool  # the last reward and action enter at an episode's first step
    role: str


WIRINGS = {
    "rl2": Wiring(True, NEVER, True, "the paper's agent: state carried between episodes, never told the task"),
    "rl1": Wiring(False, 1, True, "the paper's test: state reset between episodes, told the task from the 2nd episode on"),
    "memoryless": Wiring(False, NEVER, False, "control that must fail: nothing passes from one episode to the next"),
    "informed": Wiring(True, 0, True, "control, the learned upper bound: always told the task"),
}


class Layout(NamedTuple):
    """What the kernels see of an agent on a task set: sizes, columns, and when what enters."""

    input_size: int  # D
    hidden_size: int  # H
    num_actions: int  # A
    observation_column: int  # first column of the observation's one-hot; ABSENT where O = 1
    reward_column: int
    action_column: int
    identity_column: int  # ABSENT where the wiring never shows the identity
    identity_from: int
    carries_state: bool
    sees_across: bool


def make_layout(tasks, agent, hidden_size):
    """The `Layout` of agent `agent` with `hidden_size` units on `tasks`."""
    wiring = WIRINGS[choice("agent", agent, WIRINGS)]
    H = integer("hidden_size", hidden_size, low=1, high=4096)
    seen = tasks.num_observations if tasks.num_observations > 1 else 0
    shown = tasks.num_tasks if wiring.identity_from < NEVER else 0
    action_column = seen + 1
    identity_column = action_column + tasks.num_actions
    return Layout(
        input_size=identity_column + shown, hidden_size=H, num_actions=tasks.num_actions,
        observation_column=0 if seen else ABSENT, reward_column=seen, action_column=action_column,
        identity_column=identity_column if shown else ABSENT, identity_from=wiring.identity_from,
        carries_state=wiring.carries_state, sees_across=wiring.sees_across,
    )  # fmt: skip


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
            raise InputError(f"parameter {name} has shape {array.shape} and dtype {array.dtype}, expected floats of shape {shape}")
        if not np.isfinite(array).all():
            raise InputError(f"parameter {name} holds a value that is not finite")
    ordered = [parameters["lstm.weight_ih"].T, parameters["lstm.weight_hh"].T, parameters["lstm.bias"],
               parameters["policy.weight"], parameters["value.weight"], parameters["policy.bias"], parameters["value.bias"]]  # fmt: skip
    return np.concatenate([np.ravel(array) for array in ordered]).astype(dtype)


INITS = ("default", "zero")


def initial_parameters(layout, init, uniforms, dtype):
    """A flat parameter vector from one uniform number per parameter.

    "default": LSTM weights uniform in ±1/√H, heads uniform in ±√(6 / (fan_in + fan_out)) (Glorot & Bengio 2010), biases zero.
    "zero": all zero, the literal reading of the paper's appendix, which cannot learn (docs/math.md, §7).
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
