"""Exact values against textbook numbers and each other (oracle), their order (property), their reports (contract)."""

from fractions import Fraction

import numpy as np
import pytest
from support import every_table, small

import tinymeta
from tinymeta.baselines import table
from tinymeta.optimum.belief_graph import belief_graph
from tinymeta.optimum.belief_policies import TaskPolicies, thompson_value
from tinymeta.optimum.counting import count_based_values, two_armed_thompson
from tinymeta.optimum.exact_values import YARDSTICKS, exact_values, random_value
from tinymeta.optimum.graphs import Graphs
from tinymeta.optimum.nodes import NodeLimitError
from tinymeta.optimum.planning import Value, bayes_optimal, informed, plan_value


def optimum(env, gamma, **kwargs):
    return plan_value(bayes_optimal(tinymeta.make(env, **kwargs), gamma), gamma)


# ---------------------------------------------------------------- textbook numbers


def test_informative_bandit():
    """Wang et al. 2016: 0.55 + 4·5 with the telling arm; 11.0 without it, by the count of arms left to try."""
    assert optimum("bandit-informative", 1).reward_per_trial == pytest.approx(20.55, abs=1e-12)
    assert optimum("bandit-informative", 1, tell=0).reward_per_trial == pytest.approx(11.0, abs=1e-12)


def test_tiger_value():
    """Kaelbling et al. 1998 with random replacement: V(½) = 19.371368 at γ = 0.95; 0.95^400 is negligible."""
    assert optimum("tiger", 0.95, horizon=400).discounted_value == pytest.approx(19.371368, abs=5e-7)


def test_tiger_listens_before_it_opens():
    """One step: listening (-1) beats opening blindly (-45); with certain hearing two steps are -1 + 10."""
    assert optimum("tiger", 0.95, horizon=1).discounted_value == pytest.approx(-1)
    assert optimum("tiger", 1.0, horizon=2, accuracy=1.0).reward_per_trial == pytest.approx(9)
    assert random_value(Graphs(tinymeta.make("tiger", horizon=1)), 1).reward_per_trial == pytest.approx(
        (-1 - 45 - 45) / 3
    )


@pytest.mark.parametrize(("pulls", "value"), [(1, "1/2"), (2, "13/12"), (3, "5/3"), (4, "41/18"), (5, "26/9")])
def test_two_independent_arms(pulls, value):
    """By counts and by beliefs on the product grid: two ways, one number, by Laplace's rule.

    Two pulls by hand: the first wins with 1/2; then the same arm with 2/3, or after a loss the other one with 1/2, so
    1/2 + (2/3 + 1/2) / 2 = 13/12.
    """
    exact = float(Fraction(value))
    assert count_based_values(2, pulls)["bayes_optimal"][0] == pytest.approx(exact, abs=1e-13)
    assert optimum("bandit-independent", 1, pulls=pulls).reward_per_trial == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("pulls", [1, 2, 3, 6])
def test_thompson_on_two_arms_by_counts_and_by_graph(pulls):
    tasks = tinymeta.make("bandit-independent", pulls=pulls)
    graph = thompson_value(Graphs(tasks), 0.9)
    assert two_armed_thompson(pulls, 0.9) == pytest.approx((graph.reward_per_trial, graph.discounted_value), abs=1e-12)
    known = exact_values(tasks, 0.9, node_limit=1, which=("thompson",))["thompson"]  # no belief graph is needed
    assert known["reward_per_trial"] == pytest.approx(graph.reward_per_trial, abs=1e-12)


def test_three_arms_by_counts_and_by_graph():
    gamma = 0.7
    reward, value = count_based_values(3, 4, gamma)["bayes_optimal"]
    graph = optimum("bandit-independent", gamma, arms=3, pulls=4)
    assert value == pytest.approx(graph.discounted_value, abs=1e-12)
    assert reward == pytest.approx(graph.reward_per_trial, abs=1e-12)


def test_duan_et_al_reported_more_than_the_optimum():
    """Duan et al. 2016, Table 1, 10 pulls of 50 arms: 6.8 by noise, where the optimum is 6.714, from these counts.

    Ten pulls cannot use more than ten arms, so ten stand for fifty.
    """
    assert count_based_values(10, 10)["bayes_optimal"][0] == pytest.approx(6.714, abs=5e-4)


def test_one_episode_of_the_gridworld_is_worth_four():
    """15 steps in VariBAD's 5×5 grid with 21 possible goals: exactly 4.0, informed 11.0714…"""
    tasks = tinymeta.make("gridworld", episodes=1)
    assert plan_value(bayes_optimal(tasks, 1), 1).reward_per_trial == pytest.approx(4.0, abs=1e-12)
    distance = [r + c for r in range(5) for c in range(5) if r > 1 or c > 1]
    assert len(distance) == tasks.num_tasks == 21
    told = np.mean([(15 - d + 1) - 0.1 * (d - 1) for d in distance])
    assert plan_value(informed(tasks, 1), 1).reward_per_trial == pytest.approx(told, abs=1e-12)


@every_table
def test_yardsticks_keep_their_order(env):
    values = {name: v["discounted_value"] for name, v in exact_values(small(env), 0.9, which=YARDSTICKS).items()}
    slack = 1e-9
    for other in ("greedy", "thompson", "random"):
        assert values[other] <= values["bayes_optimal"] + slack
    assert values["bayes_optimal"] <= values["informed_after_first"] + slack <= values["informed"] + 2 * slack


def test_bounds_are_labelled_and_hold():
    """With a node limit that is too small the optimum comes as bounds that enclose the true one."""
    tasks = tinymeta.make("gridworld", size=3, steps=6, episodes=2)
    true = plan_value(bayes_optimal(tasks, 0.9), 0.9)
    nodes = len(belief_graph(tasks).reward)
    choices = TaskPolicies(Graphs(tasks), 0.9)
    assert len(belief_graph(tasks, policy=choices.greedy).reward) < nodes // 2
    values = exact_values(tasks, 0.9, node_limit=nodes // 2, which=("bayes_optimal", "greedy"))
    bounds = values["bayes_optimal"]["bounds"]
    assert values["bayes_optimal"]["discounted_value"] is None
    assert bounds["lower"]["discounted_value"] <= true.discounted_value <= bounds["upper"]["discounted_value"]
    assert bounds["lower"]["policy"] == "greedy"
    assert bounds["upper"]["policy"] == "informed_after_first"  # it knows less than who is told at once
    assert bounds["upper"]["discounted_value"] < plan_value(informed(tasks, 0.9), 0.9).discounted_value
    assert "≥ (bound)" in table(values)
    assert "≤ (bound)" in table(values)


def test_dedicated_planner_is_used():
    values = exact_values(tinymeta.make("bandit-independent", pulls=60), 1.0, which=("bayes_optimal", "informed"))
    assert values["informed"]["reward_per_trial"] == pytest.approx(40)
    assert 38 < values["bayes_optimal"]["reward_per_trial"] < 40
    assert set(values["bayes_optimal"]) == set(Value._fields)


def test_being_told_what_is_known_changes_nothing():
    """Contract: with one task, or from an episode on that no trial has, the informed graph is the Bayes-optimal one."""
    one_task = Graphs(tinymeta.make("tiger", horizon=3))
    assert one_task.beliefs(0) is one_task.beliefs(1) is one_task.beliefs()
    two_tasks = Graphs(tinymeta.make("bandit", pulls=3))
    assert two_tasks.beliefs(3) is two_tasks.beliefs()
    assert len({id(two_tasks.beliefs(k)) for k in range(4)}) == 4


def test_an_enumeration_that_failed_is_not_repeated():
    graphs = Graphs(tinymeta.make("bandit", p="uniform", pulls=50), node_limit=100)
    with pytest.raises(NodeLimitError) as first:
        graphs.beliefs()
    with pytest.raises(NodeLimitError) as second:
        graphs.beliefs()
    assert first.value is second.value
