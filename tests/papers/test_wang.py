"""Wang et al.'s bandits: regrets are what they say (oracle), declarations fit (contract)."""

import numpy as np
import pytest

from tinymeta.environments.registry import make
from tinymeta.optimum.exact_values import exact_values
from tinymeta.papers.claims import HOLDS, judge
from tinymeta.papers.registry import load_paper
from tinymeta.papers.results import Results
from tinymeta.papers.wang_2016 import measurements as measured
from tinymeta.papers.wang_2016 import volatility
from tinymeta.papers.wang_2016.experiments import EXPERIMENTS, FAMILIES, PULLS
from tinymeta.runs.training import train


def test_what_the_better_arm_earns():
    """E max(p, 1 - p) is 3/4 for p ~ U[0, 1], and E max of two independent uniforms is 2/3."""
    expected = {"independent": 200 / 3, "uniform": 75, "easy": 90, "medium": 75, "hard": 60}
    for family, worth in expected.items():
        assert measured.best_arm(family) == pytest.approx(worth, abs=1e-9)


def test_the_optimum_lies_between_no_regret_and_the_players():
    for family in FAMILIES:
        assert 0 < measured.optimum(family) < measured.player_regret(family, "thompson").low


@pytest.mark.parametrize("family", FAMILIES)
def test_arms_are_drawn_from_the_family(family):
    drawn = measured.arms(family, 4000)
    assert drawn.shape == (4000, 2)
    assert drawn.max(axis=1).mean() * PULLS == pytest.approx(measured.best_arm(family), abs=1)
    if family != "independent":
        np.testing.assert_allclose(drawn.sum(axis=1), 1)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One hardly trained seed of each family; all that is asked of it is to be tested."""
    folder = tmp_path_factory.mktemp("wang")
    experiments = {}
    for name, experiment in EXPERIMENTS.items():
        settings = {**experiment.settings, "trials": 64, "hidden_size": 4, "test_trials": 2}
        experiments[name] = experiment._replace(settings=settings, seeds=2)
        for seed in (0, 1):
            train(folder / name / f"seed-{seed}", experiments[name].config(seed))
    return Results(folder, experiments)


def test_who_has_learned_nothing_has_the_regret_of_chance(results):
    """On easy arms 90 - 50, wherever the agent was trained: it is the same kind of task. On hard ones 60 - 50."""
    for trained in FAMILIES:
        np.testing.assert_allclose(measured.regret(results, trained, "easy"), 40, atol=3)
    assert measured.regret(results, "easy", "hard").mean() == pytest.approx(10, abs=1)


def test_every_pair_of_families_and_every_claim_has_its_case(results):
    assert len(measured.elsewhere(results)) == 20
    own = measured.on_its_own(results)["easy .1 / .9"]
    assert own["above the optimum"].mean == pytest.approx(own["agent"].mean - own["optimum"].mean)
    case = measured.independent(results)[""]
    assert case["above UCB1"].mean == pytest.approx(case["agent"].mean - case["UCB1"].mean)
    assert case["above UCB1"].low < case["above UCB1"].mean - (case["agent"].mean - case["agent"].low)
    for claim in load_paper("wang").claims:
        cases = claim.measure(results)
        assert all(any(bound in case for case in cases.values()) for bound in claim.threshold.bounds)


def test_claims_fail_on_who_has_learned_nothing(results):
    claims = [claim for claim in load_paper("wang").claims if claim.name not in ("structure", "elsewhere")]
    assert len(claims) == 4
    for claim, measurement in judge(results, claims):
        assert measurement.verdict != HOLDS, claim.name


def delta_rule(rate, slope, trials=400, seed=0):
    """Pulls by the rule that is fitted, on arms that pay .9 and .1 and change places every tenth pull."""
    rng = np.random.default_rng(seed)
    arm = np.zeros((trials, 100), int)
    reward = np.zeros((trials, 100))
    v = np.full(trials, 0.5)
    for t in range(100):
        arm[:, t] = rng.random(trials) > 1 / (1 + np.exp(-slope * (2 * v - 1)))
        reward[:, t] = rng.random(trials) < np.where(arm[:, t] == t // 10 % 2, 0.9, 0.1)
        v = v + rate * (np.where(arm[:, t] == 0, reward[:, t], 1 - reward[:, t]) - v)
    return arm, reward


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.8])
def test_a_learning_rate_is_found_again(rate):
    assert volatility.learning_rate(*delta_rule(rate, 6.0)) == pytest.approx(rate, abs=0.05)


def test_the_optimum_learns_faster_where_more_changes():
    low, high = volatility.rates(volatility.optimal(3))
    assert low < 0.3 < high


def test_pulling_the_more_probable_arm_is_optimal():
    """Oracle: the planner, on trials short enough for it."""
    kwargs = {"volatility": (0.05, 0.4), "win": 0.8, "pulls": 8}
    best = exact_values(make("bandit-volatile", **kwargs), 1.0)["bayes_optimal"]["reward_per_trial"]
    paid = volatility.play_optimally(**kwargs, trials=40_000, seed=1).reward.sum(axis=1)
    assert paid.mean() == pytest.approx(best, abs=4 * paid.std() / np.sqrt(len(paid)))
