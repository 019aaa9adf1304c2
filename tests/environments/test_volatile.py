"""The bandit whose better arm changes: its numbers (oracle), what it refuses (contract)."""

import numpy as np
import pytest

from tinymeta.base.errors import InputError
from tinymeta.environments.volatile import volatile
from tinymeta.optimum.belief import belief_along


def test_one_pull_by_hand():
    """The better arm wins with .8, and then the arms change places with .1."""
    tasks = volatile(0.1, win=0.8, pulls=3)
    np.testing.assert_allclose(tasks.transition[0, 0, 0], [0.2 * 0.9, 0.8 * 0.9, 0.2 * 0.1, 0.8 * 0.1])
    np.testing.assert_allclose(tasks.transition[0, 0, 1], [0.8 * 0.9, 0.2 * 0.9, 0.8 * 0.1, 0.2 * 0.1])
    np.testing.assert_allclose(tasks.transition[0, 2, 1], [0.2 * 0.1, 0.8 * 0.1, 0.2 * 0.9, 0.8 * 0.9])
    assert tasks.initial[0].tolist() == [0.5, 0, 0.5, 0]


def test_the_filter_forgets_as_much_as_changes():
    """Oracle, Bayes' rule by hand: after a win of arm 0 it was the better one with .8, and is with .8·.9 + .2·.1."""
    tasks = volatile((0.1, 0.5), win=0.8, pulls=2)
    nothing = np.zeros((1, 2), int)
    belief, _ = belief_along(tasks, nothing, nothing, np.array([[1.0, 0.0]]), np.ones((1, 2), bool), np.ones(1, bool))
    by_arm = belief[0, 1].reshape(2, 2, 2).sum(axis=2)  # task, better arm
    np.testing.assert_allclose(by_arm, [[0.5 * 0.74, 0.5 * 0.26], [0.25, 0.25]], atol=1e-12)


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [({"volatility": 1.1}, r"volatility\[0\] = 1.1"), ({"volatility": ()}, "volatility"), ({"win": -1}, "win = -1"),
     ({"pulls": 0}, "pulls = 0")],
)  # fmt: skip
def test_wrong_input(kwargs, told):
    with pytest.raises(InputError, match=told):
        volatile(**kwargs)
