"""The planner against closed forms and the literature (oracle), its ties and limits (contract), order (property)."""

from fractions import Fraction

import numpy as np
import pytest
from support import every_table, noisy_taskset, small

import tinymeta
from tinymeta.optimum.belief_graph import belief_graph
from tinymeta.optimum.exact_values import random_value
from tinymeta.optimum.graphs import Graphs
from tinymeta.optimum.nodes import NodeLimitError
from tinymeta.optimum.planning import bayes_optimal, by_episode, evaluate_policy, informed, plan_value


def optimum(env, gamma, **kwargs):
    return plan_value(bayes_optimal(tinymeta.make(env, **kwargs), gamma), gamma)


@pytest.mark.parametrize("pulls", [1, 2, 10, 40])
def test_deterministic_bandit(pulls):
    """T - 1/2: the first pull is a coin toss, every later one is won (paper: 9.5 for T = 10)."""
    assert optimum("bandit", 1, pulls=pulls).reward_per_trial == pytest.approx(pulls - 0.5, abs=1e-12)


def test_discounted_bandit_closed_form():
    """At γ: ½ + γ + … + γ⁹ for the optimum, and half the geometric sum for random play."""
    tasks = tinymeta.make("bandit")
    tail = sum(0.8**t for t in range(1, 10))
    assert plan_value(bayes_optimal(tasks, 0.8), 0.8).discounted_value == pytest.approx(0.5 + tail, rel=1e-14)
    assert plan_value(informed(tasks, 0.8), 0.8).discounted_value == pytest.approx(1 + tail, rel=1e-14)
    assert random_value(Graphs(tasks), 0.8).discounted_value == pytest.approx((1 + tail) / 2, rel=1e-14)


def beta_bandit(pulls):
    """max_π E[wins] of arms (p, 1 - p), p ~ U[0, 1], in exact fractions: Laplace's rule and backward induction."""
    value = {(w, pulls - w): Fraction(0) for w in range(pulls + 1)}
    for n in range(pulls - 1, -1, -1):
        following = value
        value = {}
        for w in range(n + 1):
            p = Fraction(w + 1, n + 2)
            up, down = following[w + 1, n - w], following[w, n - w + 1]
            value[w, n - w] = max(p * (1 + up) + (1 - p) * down, p * up + (1 - p) * (1 + down))
    return value[0, 0]


@pytest.mark.parametrize("pulls", [1, 2, 3, 10, 31])
def test_uniform_bandit(pulls):
    assert optimum("bandit", 1, p="uniform", pulls=pulls).reward_per_trial == pytest.approx(
        float(beta_bandit(pulls)), abs=1e-11
    )


def test_dependent_bandit_from_the_literature():
    assert optimum("bandit", 1, p="uniform", pulls=2).reward_per_trial == pytest.approx(7 / 6, abs=1e-13)
    assert optimum("bandit", 1, p="uniform", pulls=3).reward_per_trial == pytest.approx(11 / 6, abs=1e-13)
    assert optimum("bandit", 1, p=(0.1, 0.9), pulls=3).reward_per_trial == pytest.approx(2.14, abs=1e-13)
    assert optimum("bandit", 1, p=(0.1, 0.9)).reward_per_trial == pytest.approx(8.376426, abs=5e-7)


@pytest.mark.parametrize("pulls", [1, 5])
def test_uniform_bandit_told_the_task(pulls):
    """Oracle: E max(p, 1 - p) = 3/4 a pull: exact although max has a kink, since the nodes split at 1/2."""
    tasks = tinymeta.make("bandit", p="uniform", pulls=pulls)
    assert plan_value(informed(tasks, 1), 1).reward_per_trial == pytest.approx(0.75 * pulls, abs=1e-13)


@pytest.mark.parametrize(("left", "right"), [(1, 1), (2, 5), (5, 5), (10, 11), (7, 3)])
def test_corridor_steps(left, right):
    """Oracle: 2a + b steps per trial with a ≤ b the distances to the ends; told the goal, a + b."""
    tasks = tinymeta.make("corridor", left=left, right=right)
    a = min(left, right)
    b = max(left, right)
    best = plan_value(bayes_optimal(tasks, 0.9), 0.9)
    told = plan_value(informed(tasks, 0.9), 0.9)
    assert best.steps_per_trial == pytest.approx(2 * a + b, abs=1e-9)
    assert told.steps_per_trial == pytest.approx(a + b, abs=1e-9)
    assert best.reward_per_trial == pytest.approx(20, abs=1e-9)
    # The near goal is entered after a and 2a steps, the far one after 2a + b and 2a + 2b, each half the time.
    discounted = sum(0.5 * 10 * 0.9 ** (t - 1) for t in (a, 2 * a, 2 * a + b, 2 * a + 2 * b))
    assert best.discounted_value == pytest.approx(discounted, rel=1e-12)


@pytest.mark.parametrize(("left", "right"), [(1, 1), (5, 5), (2, 7)])
def test_random_walk_in_the_corridor(left, right):
    """Oracle: a walk from d steps before the goal, with e more cells up to the wall on the other side.

    It takes d(d + 2e + 1) steps, from solving E_i = 1 + (E_{i-1} + E_{i+1})/2 with E = 0 at the goal and a wall that
    holds.
    """
    steps = random_value(Graphs(tinymeta.make("corridor", left=left, right=right)), 0.9).steps_per_trial
    one = lambda d, e: d * (d + 2 * e + 1)  # noqa: E731
    assert steps == pytest.approx(2 * (one(left, right) + one(right, left)) / 2, rel=1e-10)


def test_told_after_the_first_episode():
    """Oracle: in the deterministic bandit the first pull tells all, so being told adds nothing, unlike at 0.1, 0.9."""
    tasks = tinymeta.make("bandit")
    assert plan_value(informed(tasks, 1, identity_from=1), 1).reward_per_trial == pytest.approx(9.5)
    tasks = tinymeta.make("bandit", p=(0.1, 0.9))
    assert plan_value(informed(tasks, 1, identity_from=1), 1).reward_per_trial == pytest.approx(0.5 + 9 * 0.9)


def test_ties_are_reported():
    """Oracle: the bandit's first pull is a tie, no later one is; in the corridor both ways tie only at the start."""
    solved = bayes_optimal(tinymeta.make("bandit"), 0.8)
    assert solved.ties[solved.graph.roots].all()
    assert solved.ties.all(axis=1).sum() == 1
    solved = bayes_optimal(tinymeta.make("corridor"), 0.9)
    assert solved.ties[solved.graph.roots].all()
    assert solved.ties.all(axis=1).sum() == 1
    lopsided = bayes_optimal(tinymeta.make("corridor", left=3, right=4), 0.9)
    np.testing.assert_array_equal(lopsided.ties[lopsided.graph.roots], [[True, False]])


def test_beliefs_are_counted_exactly():
    """Oracle: t pulls of a Bernoulli pair lead to t + 1 beliefs, in any order: rounding neither splits nor merges."""
    for pulls in (5, 60):
        graph = belief_graph(tinymeta.make("bandit", p="uniform", pulls=pulls))
        assert len(graph.reward) == pulls * (pulls + 1) // 2


def test_node_limit_says_what_to_do():
    with pytest.raises(
        NodeLimitError, match=r"too many reachable beliefs: 1\d\d found, .* limits of 100 .* raise node_limit"
    ):
        belief_graph(tinymeta.make("bandit", p="uniform", pulls=50), node_limit=100)


def test_gamma_one_needs_finite_trials():
    with pytest.raises(ValueError, match="gamma = 1, expected gamma < 1: trials of this task set can go on for ever"):
        bayes_optimal(tinymeta.make("corridor"), 1)


def test_a_policy_that_never_finishes_takes_infinitely_many_steps():
    graph = belief_graph(tinymeta.make("corridor", left=1, right=1), observed=True)
    always_left = np.tile([1.0, 0.0], (len(graph.reward), 1))
    value = evaluate_policy(graph, always_left, 0.9)
    assert value.steps_per_trial == np.inf
    assert value.discounted_value == pytest.approx(0.5 * (10 + 9))


@every_table
def test_no_policy_beats_the_optimum(env):
    """Property: random policies on the belief graph are worth no more than the optimum; being told is worth more."""
    tasks = small(env)
    solved = bayes_optimal(tasks, 0.9)
    best = plan_value(solved, 0.9).discounted_value
    rng = np.random.default_rng(0)
    for _ in range(20):
        policy = rng.dirichlet(np.ones(tasks.num_actions), size=len(solved.value))
        assert evaluate_policy(solved.graph, policy, 0.9).discounted_value <= best + 1e-9
    told = plan_value(informed(tasks, 0.9), 0.9).discounted_value
    told_later = plan_value(informed(tasks, 0.9, identity_from=1), 0.9).discounted_value
    assert random_value(Graphs(tasks), 0.9).discounted_value - 1e-9 <= best <= told_later + 1e-9 <= told + 2e-9


def test_infinite_values_do_not_meet_zero_probabilities():
    value = random_value(Graphs(noisy_taskset()), 1)
    assert np.isfinite(value.steps_per_trial)


@every_table
def test_episodes_add_up_to_the_trial(env):
    """Contract: rewards and steps by episode are those of the trial, split."""
    tasks = small(env)
    solved = bayes_optimal(tasks, 0.9)
    reward, steps = by_episode(tasks, solved.graph, solved.policy)
    assert reward.shape == steps.shape == (tasks.episodes,)
    assert reward.sum() == pytest.approx(plan_value(solved, 0.9).reward_per_trial, abs=1e-9)
    assert steps.sum() == pytest.approx(plan_value(solved, 0.9).steps_per_trial, abs=1e-9)
