"""What the greedy and the Thompson agent are worth: by hand (oracle), and on fewer beliefs than all (contract)."""

import numpy as np
import pytest

import tinymeta
from tinymeta.optimum.belief_policies import TaskPolicies, greedy_value, thompson_value
from tinymeta.optimum.graphs import Graphs
from tinymeta.optimum.planning import evaluate_policy


def test_thompson_holds_its_task_for_an_episode():
    """Oracle: in the corridor it walks straight to one end and, if wrong, straight to the other.

    With the ends 3 and 6 cells away the first episode takes 3 or 3 + 9 steps if it drew the near one and 6 or 6 + 9
    if it drew the far one, each a quarter: 9. In the second the goal is known: (3 + 6) / 2.
    """
    value = thompson_value(Graphs(tinymeta.make("corridor", left=3, right=6)), 0.9)
    assert value.steps_per_trial == pytest.approx((3 + 12 + 6 + 15) / 4 + 4.5, abs=1e-9)


def test_thompson_in_the_bandit_by_hand():
    """Oracle: p is 0.25 or 0.75. The first pull wins ½; then the posterior is ¾ : ¼, and Thompson draws from it."""
    value = thompson_value(Graphs(tinymeta.make("bandit", p=(0.25, 0.75), pulls=2)), 1)
    posterior = 0.75
    right = posterior * posterior + (1 - posterior) * (1 - posterior)  # P(pulls the better arm)
    assert value.reward_per_trial == pytest.approx(0.5 + right * 0.75 + (1 - right) * 0.25, abs=1e-13)


def test_restricted_enumeration_gives_the_same_value():
    """Contract: the greedy agent on the beliefs it reaches and on all beliefs: one number."""
    tasks = tinymeta.make("bandit", p=(0.1, 0.6, 0.9), pulls=6)
    graphs = Graphs(tasks)
    graph = graphs.beliefs()
    policy = TaskPolicies(graphs, 0.8).greedy(graph.entry_start, graph.entry_state, graph.entry_weight)
    np.testing.assert_allclose(greedy_value(graphs, 0.8), evaluate_policy(graph, policy, 0.8), rtol=1e-12)
