"""An agent is a wiring: what enters the network's input, and when its state is reset. The network is the same for all.

`WIRINGS` is the table; a new row is a new agent everywhere (command line, gradient checks, tests). Kernels see only a
`Layout`: which input column means what, when the identity enters, what an episode's beginning resets or masks.

Input columns, in this order: one-hot observation (left out where there is only one), previous reward, one-hot previous
action, one-hot task identity (only where the wiring ever shows it).
"""

from typing import NamedTuple

from tinymeta.base.errors import choice, integer
from tinymeta.environments.outcomes import NEVER
from tinymeta.environments.table import TaskSet

ABSENT = -1  # a column that the input does not have


class Wiring(NamedTuple):
    """One row of the table of agents (Alver & Precup 2021, §4)."""

    carries_state: bool  # the LSTM's state survives an episode's end
    identity_from: int  # the episode, counted from 0, from which the task's identity is an input
    sees_across: bool  # the last reward and action enter at an episode's first step
    role: str


WIRINGS = {
    "rl2": Wiring(True, NEVER, True, "the paper's agent: state carried between episodes, never told the task"),
    "rl1": Wiring(False, 1, True, "the paper's test: state reset between episodes, told the task from the 2nd on"),
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


def make_layout(tasks: TaskSet, agent: str, hidden_size: int) -> Layout:
    """The `Layout` of agent `agent` with `hidden_size` units on `tasks`."""
    wiring = WIRINGS[choice("agent", agent, WIRINGS)]
    observations = tasks.num_observations if tasks.num_observations > 1 else 0
    identities = tasks.num_tasks if wiring.identity_from < NEVER else 0
    action_column = observations + 1
    identity_column = action_column + tasks.num_actions
    return Layout(
        input_size=identity_column + identities,
        hidden_size=integer("hidden_size", hidden_size, low=1, high=4096),
        num_actions=tasks.num_actions,
        observation_column=0 if observations else ABSENT,
        reward_column=observations,
        action_column=action_column,
        identity_column=identity_column if identities else ABSENT,
        identity_from=wiring.identity_from,
        carries_state=wiring.carries_state,
        sees_across=wiring.sees_across,
    )
