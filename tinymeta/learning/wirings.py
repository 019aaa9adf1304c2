"""An agent is a wiring: what enters the network's input, and when its state is reset. The network is the same for all.

`WIRINGS` is the table; a new row is a new agent everywhere (command line, gradient checks, tests). Kernels see only a
`Layout`: which input column means what, when the identity enters, what an episode's beginning resets or masks.

Input columns, in this order: one-hot observation (left out where there is only one), previous reward, one-hot previous
action, one-hot task identity (only where the wiring ever shows it), and then, in worlds without a table, the numbers:
the observation's vector, and the previous action where that is a vector.
"""

from typing import Any, NamedTuple

from tinymeta.base.errors import InputError, choice, integer
from tinymeta.environments.outcomes import NEVER
from tinymeta.learning.networks import Deep, Direct, make_network
from tinymeta.network.gaussian import Gaussian
from tinymeta.network.heads import Categorical

ABSENT = -1  # a column that the input does not have


class Wiring(NamedTuple):
    """One row of the table of agents (Alver & Precup 2021, §4; the last one Conti's, without memory)."""

    carries_state: bool  # the LSTM's state survives an episode's end
    identity_from: int  # the episode, counted from 0, from which the task's identity is an input
    sees_across: bool  # the last reward and action enter at an episode's first step
    recurrent: bool  # the state survives a step, and the last reward and action enter at all
    role: str


WIRINGS = {
    "rl2": Wiring(True, NEVER, True, True, "the paper's agent: state carried between episodes, never told the task"),
    "rl1": Wiring(
        False, 1, True, True, "the paper's test: state reset between episodes, told the task from the 2nd on"
    ),
    "memoryless": Wiring(
        False, NEVER, False, True, "control that must fail: nothing passes from one episode to the next"
    ),
    "informed": Wiring(True, 0, True, True, "control, the learned upper bound: always told the task"),
    "plain": Wiring(False, NEVER, False, False, "a feed-forward agent: reset at every step, sees observations alone"),
}


class Layout(NamedTuple):
    """What the kernels see of an agent on a task set: sizes, columns, and when what enters."""

    input_size: int  # D
    hidden_size: int  # H
    num_actions: int  # A
    observation_column: int  # first column of the observation's one-hot; ABSENT where O = 1
    reward_column: int
    action_column: int  # ABSENT where actions are vectors
    identity_column: int  # ABSENT where the wiring never shows the identity
    identity_from: int
    carries_state: bool
    sees_across: bool
    recurrent: bool
    num_features: int  # numbers of the observation's vector
    num_numbers: int  # F, those and the previous action's
    lstm_inputs: int  # D, or the width of the last dense layer
    head: Categorical | Gaussian
    network: Direct | Deep


def make_layout(
    tasks: Any, agent: str, hidden_size: int, encoder: tuple[int, ...] = (), separate_value: bool = False
) -> Layout:
    """The `Layout` of agent `agent` with `hidden_size` units on a task set or world, with a deeper network if asked.

    Raises
    ------
    InputError
        If the agent is told the task, and tasks have no identity: they are drawn from a continuum.
    """
    wiring = WIRINGS[choice("agent", agent, WIRINGS)]
    H = integer("hidden_size", hidden_size, low=1, high=4096)
    A = tasks.num_actions
    observations = tasks.num_observations if tasks.num_observations > 1 else 0
    told = wiring.identity_from < NEVER
    if told and not tasks.num_tasks:
        raise InputError(f"agent {agent!r} is told the task's identity, and the tasks of {tasks.name!r} have none")
    identities = tasks.num_tasks if told else 0
    action_column = observations + 1
    identity_column = action_column + (0 if tasks.continuous else A)
    numbers = tasks.observation_size + (A if tasks.continuous else 0)
    input_size = identity_column + identities + numbers
    return Layout(
        input_size=input_size,
        hidden_size=H,
        num_actions=A,
        observation_column=0 if observations else ABSENT,
        reward_column=observations,
        action_column=ABSENT if tasks.continuous else action_column,
        identity_column=identity_column if told else ABSENT,
        identity_from=wiring.identity_from,
        carries_state=wiring.carries_state,
        sees_across=wiring.sees_across,
        recurrent=wiring.recurrent,
        num_features=tasks.observation_size,
        num_numbers=numbers,
        lstm_inputs=encoder[-1] if encoder else input_size,
        head=Gaussian(A) if tasks.continuous else Categorical(A),
        network=make_network(input_size, H, A if tasks.continuous else 0, encoder, separate_value),
    )
