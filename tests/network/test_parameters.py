"""Parameters: the flat vector and PyTorch's names are inverse to each other; how weights begin (contract)."""

import numpy as np
from support import every_agent, small

from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import initial_parameters, num_parameters, to_dict, to_flat


@every_agent
def test_parameter_layout_round_trip(agent):
    layout = make_layout(small("corridor"), agent, 6)
    theta = np.random.default_rng(0).normal(size=num_parameters(layout))
    np.testing.assert_array_equal(to_flat(to_dict(theta, layout), layout, np.float64), theta)


def bound_of(name, array, hidden_size):
    """Glorot & Bengio 2010 for the heads, ±1/√H for the LSTM, zero biases."""
    if name.endswith("bias"):
        return 0
    return 1 / np.sqrt(hidden_size) if name.startswith("lstm") else np.sqrt(6 / (hidden_size + len(array)))


def test_default_initialisation():
    layout = make_layout(small("corridor"), "rl2", 48)
    numbers = np.random.default_rng(0).random(num_parameters(layout))
    for name, array in to_dict(initial_parameters(layout, "default", numbers, np.float64), layout).items():
        bound = bound_of(name, array, 48)
        assert np.abs(array).max() <= bound
        assert bound == 0 or np.abs(array).max() > 0.9 * bound
