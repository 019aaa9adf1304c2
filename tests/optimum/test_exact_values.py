"""Task families, agents on the exact belief and bandit players against textbook numbers (oracle) and each other."""

import math
from fractions import Fraction

import numpy as np
import pytest
from support import every_env, small

import tinymeta
from tinymeta.baselines import table
from tinymeta.learning.belief_agents import BELIEF_AGENTS, BeliefAgent
from tinymeta.optimum.belief_graph import belief_graph
from tinymeta.optimum.belief_policies import TaskPolicies, greedy_value, thompson_value
from tinymeta.optimum.counting import count_based_values
from tinymeta.optimum.exact_values import YARDSTICKS, exact_values
from tinymeta.optimum.gittins import gittins, gittins_table
from tinymeta.optimum.planning import Value, bayes_optimal, evaluate_policy, informed, plan_value, random_value
from tinymeta.papers.bandit_players import PLAYERS, beta_quantile, play_bernoulli


def optimum(env, gamma, **kwargs):
    return plan_value(bayes_optimal(tinymeta.make(env, **kwargs), gamma), gamma)


# ---------------------------------------------------------------- textbook numbers (SCIENCE §7)


def test_informative_bandit():
    """Wang et al. 2016: 0.55 + 4·5 with the telling arm; 11.0 without it, by the count of arms left to try."""
    assert optimum("bandit-informative", 1).reward_per_trial == pytest.approx(20.55, abs=1e-12)
    assert optimum("bandit-informative", 1, tell=0).reward_per_trial == pytest.approx(11.0, abs=1e-12)


def test_tiger_value():
    """Kaelbling et al. 1998 with random replacement: V(½) = 19.371368 at γ = 0.95; 0.95^400 makes the horizon negligible."""
    assert optimum("tiger", 0.95, horizon=400).discounted_value == pytest.approx(19.371368, abs=5e-7)


def test_tiger_listens_before_it_opens():
    """One step: listening (-1) beats opening blindly (-45); with certain hearing two steps are -1 + 10."""
    assert optimum("tiger", 0.95, horizon=1).discounted_value == pytest.approx(-1)
    assert optimum("tiger", 1.0, horizon=2, accuracy=1.0).reward_per_trial == pytest.approx(9)
    assert random_value(tinymeta.make("tiger", horizon=1), 1).reward_per_trial == pytest.approx((-1 - 45 - 45) / 3)


@pytest.mark.parametrize(("pulls", "value"), [(1, "1/2"), (2, "13/12"), (3, "5/3"), (4, "41/18"), (5, "26/9")])
def test_two_independent_arms(pulls, value):
    """SCIENCE §7, from the count-based planner and from the belief graph of the product grid: two ways, one number."""
    exact = float(Fraction(value))
    assert count_based_values(2, pulls)["bayes_optimal"][0] == pytest.approx(exact, abs=1e-13)
    assert optimum("bandit-independent", 1, pulls=pulls).reward_per_trial == pytest.approx(exact, abs=1e-12)


def test_three_arms_by_counts_and_by_graph():
    gamma = 0.7
    reward, value = count_based_values(3, 4, gamma)["bayes_optimal"]
    graph = optimum("bandit-independent", gamma, arms=3, pulls=4)
    assert value == pytest.approx(graph.discounted_value, abs=1e-12)
    assert reward == pytest.approx(graph.reward_per_trial, abs=1e-12)


def test_duan_et_al_reported_more_than_the_optimum():
    """Duan et al. 2016, Table 1, 10 pulls of 50 arms: 6.8 by noise, where the optimum is 6.714 (SCIENCE §7).

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


@pytest.mark.parametrize(("gamma", "index"), [(0.9, 0.7029), (0.99, 0.8699)])
def test_gittins_index_from_the_literature(gamma, index):
    assert gittins(1, 1, gamma) == pytest.approx(index, abs=5e-5)


def test_gittins_properties():
    """Without a future the index is the mean; it falls with losses, rises with γ, and the table agrees with it."""
    assert gittins(3, 5, 0) == pytest.approx(3 / 8, abs=1e-7)
    assert gittins(1, 1, 0.9) > gittins(1, 2, 0.9)
    assert gittins(2, 2, 0.5) < gittins(2, 2, 0.9)
    grid = gittins_table(6, 0.9)
    for wins in range(6):
        for losses in range(6 - wins):
            assert abs(grid[wins, losses] - gittins(1 + wins, 1 + losses, 0.9)) <= 1.001e-3
    with pytest.raises(ValueError, match="gamma = 0.999"):
        gittins(1, 1, 0.999)


def test_beta_quantile():
    """Beta(1, 1) is uniform, Beta(n, 1) has quantile u^(1/n), and the median of Beta(2, 2) is a half."""
    assert beta_quantile(0.3, 1, 1) == pytest.approx(0.3, abs=1e-8)
    assert beta_quantile(0.3, 5, 1) == pytest.approx(0.3 ** (1 / 5), abs=1e-8)
    assert beta_quantile(0.5, 2, 2) == pytest.approx(0.5, abs=1e-8)


def test_players_and_the_optimum():
    """On 2000 two-armed bandits with uniform priors the Gittins player is best, and none earns more than the Bayes optimum."""
    win = np.random.default_rng(0).random((2000, 2))
    earned = {p: (win.max(1)[:, None] * np.arange(1, 51) - play_bernoulli(p, win, 50))[:, -1] for p in PLAYERS}
    best = count_based_values(2, 50)["bayes_optimal"][0]
    centred = 50 * (win.max(1) - 2 / 3)  # E max = 2/3: takes out the luck of the bandits drawn
    for player, reward in earned.items():
        control = reward - centred
        assert control.mean() <= best + 4 * control.std() / math.sqrt(2000), player
    assert earned["gittins"].mean() > earned["thompson"].mean() > earned["ucb1"].mean()


# ---------------------------------------------------------------- agents on the exact belief


@every_env
@pytest.mark.parametrize("name", BELIEF_AGENTS)
def test_played_agents_earn_what_is_computed(name, env):
    """Oracle: rollouts of each agent against its exact worth, within four standard errors."""
    tasks, gamma = small(env), 0.9
    rollouts = 4000 if env == "tiger" else 600  # the tiger's losses are rare and large
    totals = BeliefAgent(tasks, name, gamma).play(rollouts)
    exact = {"bayes": lambda: plan_value(bayes_optimal(tasks, gamma), gamma), "greedy": lambda: greedy_value(tasks, gamma),
             "thompson": lambda: thompson_value(tasks, gamma)}[name]()  # fmt: skip
    for played, number in ((totals.reward, exact.reward_per_trial), (totals.steps, exact.steps_per_trial)):
        per_trial = played.sum(axis=1)
        assert abs(per_trial.mean() - number) <= 4 * per_trial.std() / math.sqrt(rollouts) + 1e-9


@every_env
@pytest.mark.parametrize("name", BELIEF_AGENTS)
def test_stepping_by_hand_gives_the_played_policies(name, env):
    tasks = small(env)
    agent = BeliefAgent(tasks, name, 0.9)
    _, trace = agent.play(4, trace=True, step_limit=15)
    for b in range(4):
        agent.reset()
        episode = 0
        for t in range(int(trace["valid"][b].sum())):
            now = int(trace["episode"][b, t])
            last = (
                {}
                if t == 0
                else {
                    "prev_reward": trace["reward"][b, t - 1],
                    "prev_action": trace["action"][b, t - 1],
                    "new_episode": now != episode,
                }
            )
            episode = now
            _, info = agent.act(trace["observation"][b, t], **last)
            if name != "thompson":  # whose draws are its own
                np.testing.assert_array_equal(info["logits"], trace["logits"][b, t])
            assert info["probabilities"].sum() == pytest.approx(1)


def test_thompson_holds_its_task_for_an_episode():
    """In the corridor it walks straight to one end and, if wrong, straight to the other: (a + a + 2(a + b)... )/2 on average.

    With a = 3 and b = 6 the first episode takes 3 or 3 + 9 steps if it drew left, 6 or 6 + 9 if right, each a quarter: 9; the second 4.5.
    """
    value = thompson_value(tinymeta.make("corridor", left=3, right=6), 0.9)
    assert value.steps_per_trial == pytest.approx((3 + 12 + 6 + 15) / 4 + 4.5, abs=1e-9)


def test_thompson_in_the_bandit_by_hand():
    """One p of 0.25, 0.75, two pulls: ½ each; after one pull the posterior is ¾ : ¼ and Thompson matches it, so 0.5 + 0.5·… = 1.125."""
    value = thompson_value(tinymeta.make("bandit", p=(0.25, 0.75), pulls=2), 1)
    posterior = 0.75
    right = posterior * posterior + (1 - posterior) * (1 - posterior)  # P(pulls the better arm)
    assert value.reward_per_trial == pytest.approx(0.5 + right * 0.75 + (1 - right) * 0.25, abs=1e-13)


def test_impossible_evidence_is_refused_by_every_agent():
    for name in BELIEF_AGENTS:
        agent = BeliefAgent(tinymeta.make("corridor", left=2, right=2), name, 0.9)
        agent.act(2)
        with pytest.raises(ValueError, match="impossible evidence"):
            agent.act(0, 0.0, 1)


@every_env
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
    choices = TaskPolicies(tasks, 0.9)
    assert len(belief_graph(tasks, policy=choices.greedy).reward) < nodes // 2
    values = exact_values(tasks, 0.9, node_limit=nodes // 2, which=("bayes_optimal", "greedy"))
    bounds = values["bayes_optimal"]["bounds"]
    assert values["bayes_optimal"]["discounted_value"] is None
    assert bounds["lower"]["discounted_value"] <= true.discounted_value <= bounds["upper"]["discounted_value"]
    assert "≥ (bound)" in table(values)
    assert "≤ (bound)" in table(values)


def test_restricted_enumeration_gives_the_same_value():
    """The greedy agent on the beliefs it reaches and on all beliefs: one number."""
    tasks = tinymeta.make("bandit", p=(0.1, 0.6, 0.9), pulls=6)
    graph, choices = belief_graph(tasks), TaskPolicies(tasks, 0.8)
    policy = choices.greedy(graph.entry_start, graph.entry_state, graph.entry_weight)
    np.testing.assert_allclose(greedy_value(tasks, 0.8), evaluate_policy(graph, policy, 0.8), rtol=1e-12)


def test_independent_arms_refuse_a_hopeless_grid():
    with pytest.raises(ValueError, match="takes 51\\^4 tasks, expected at most"):
        tinymeta.make("bandit-independent", arms=4, pulls=100)


def test_dedicated_planner_is_used():
    values = exact_values(tinymeta.make("bandit-independent", pulls=60), 1.0, which=("bayes_optimal", "informed"))
    assert values["informed"]["reward_per_trial"] == pytest.approx(40)
    assert 38 < values["bayes_optimal"]["reward_per_trial"] < 40
    assert set(values["bayes_optimal"]) == set(Value._fields)
