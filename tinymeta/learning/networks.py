"""The shapes that a network can have: the papers' LSTM, or dense layers before it and a second one for the value."""

import itertools
from typing import NamedTuple

import numpy as np


class Direct(NamedTuple):
    """The papers' network: the input enters one LSTM, and policy and value are read from its state."""

    hidden_size: int


class Deep(NamedTuple):
    """More than that: dense tanh layers before the LSTM, a second network for the value, or both."""

    widths: np.ndarray  # (L,) int64, of the dense layers
    separate: bool  # whether the value has layers and an LSTM of its own
    first: int  # where the dense layers' parameters begin behind the heads: after a Gaussian's log σ
    dense_size: int  # how many parameters the dense layers of one body have


def make_network(inputs: int, hidden_size: int, first: int, encoder: tuple[int, ...], separate: bool) -> Direct | Deep:
    """The shape of a network with these dense layers; `first` parameters of the policy stand before theirs."""
    if not encoder and not separate:
        return Direct(hidden_size)
    widths = [inputs, *encoder]
    size = sum((D + 1) * E for D, E in itertools.pairwise(widths))
    return Deep(np.array(encoder, np.int64), separate, first, size)
