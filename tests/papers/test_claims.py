"""Claims (contract): every claim on runs and probes that must meet it and on ones that must break it."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from synthetic import (
    EXPERIMENTS,
    GOOD_LOST,
    GOOD_PROBES,
    GOOD_REWARD,
    GOOD_STEPS,
    PAPER,
    SEEDS,
    results_in,
    write_dips,
    write_probes,
    write_results,
)

from tinymeta import claims as command
from tinymeta import cli
from tinymeta.base.intervals import Estimate
from tinymeta.learning.wirings import make_layout
from tinymeta.papers.alver_precup_2021.measurements import excess_of_tests
from tinymeta.papers.claims import BROKEN, HOLDS, AtMost, Claim, Threshold, judge, to_json, to_markdown
from tinymeta.papers.registry import PAPERS, load_paper
from tinymeta.runs import checkpoint
from tinymeta.runs.config import build
from tinymeta.runs.folder import RunFolder

# ---------------------------------------------------------------- thresholds


@pytest.mark.parametrize("paper", PAPERS)
def test_the_text_of_a_threshold_follows_its_numbers(paper):
    """Every number of every bound of every claim: another one gives another text."""
    for claim in load_paper(paper).claims:
        for quantity, bound in claim.threshold.bounds.items():
            same = [key for key, other in claim.threshold.bounds.items() if other == bound]
            for field in dataclasses.fields(bound):
                value = getattr(bound, field.name)
                if field.name == "centre" and claim.name == "search":
                    continue  # this text gives margins; the optimum beside them stands in `statistic`
                other = dataclasses.replace(
                    bound, **{field.name: f"not {value}" if isinstance(value, str) else value + 7}
                )
                changed = claim.threshold._replace(bounds={**claim.threshold.bounds, **dict.fromkeys(same, other)})
                assert str(changed) != str(claim.threshold), (claim.name, quantity, field.name)


def test_the_thresholds_of_the_paper_read_as_published():
    """The texts of figures/claims.json, made from the bounds."""
    assert {claim.name: str(claim.threshold) for claim in PAPER.claims} == {
        "bandit-rl2": "interval within 9.5 ± 0.1",
        "bandit-rl1": "interval within 9.5 ± 0.1",
        "first-pull": "seeds at least 0.9, later at least 0.99",
        "asymptote-bandit": "90 % interval of the difference within ± 0.1",
        "asymptote-corridor": "90 % interval of the difference within ± 0.5",
        "speed-bandit": "90 % interval of the ratio within a factor 1.5",
        "speed-corridor": "90 % interval of the ratio within a factor 1.5",
        "search": "within ± 0.5 and ± 0.25",
        "15.5-short-trial": "interval within 15.5 ± 0.5",
        "15.5-short-episode": "interval within 15.5 ± 0.5",
        "15.5-long-episode": "interval within 15.5 ± 0.5",
        "15.5-long-trial": "interval within 15.5 ± 0.5",
        "zero": "reward within 5 ± 0.2, no weight moved",
        "controls": "bandit within 5 ± 0.2 and 10 ± 0.1; corridor at least 19.5 steps and within 10 ± 0.5",
        "optimum": "at most 1",
        "regret": "mean at most 0.3, worst seed at most 1.0 on three dependent bandits",
        "thompson": "above 0",
        "regret-independent": "gap at most 0.6, worst seed beside Thompson above 0",
        "learn-informative": "seeds at least 0.9, sampled at least 19.5",
        "learn-tiger": "greedy at least 19.5, sampled at least 18.5",
        "learn-gridworld": "at least 36",
        "exact": "at most 4 standard errors",
        "metamers": "at most 0.1 on three dependent bandits and Tiger, untrained / trained at least 2",
        "metamers-random": "at most 0.25 on three dependent bandits and Tiger, untrained / trained at least 2",
        "metamers-bandit": "at least 0.25",
        "metamers-corridor": "at least 0.25",
        "transplant": "RL² at least 0.9, with a state of the own task at most 0.1, untrained 0.5 ± 0.15",
        "mid-episode": "at least 0.8; own state at most 0.15; untrained 0.5 ± 0.1",
        "direction": "pattern at least 0.85, the rest of the difference at most 0.15, "
        "as far orthogonally to the pattern at most 0.3",
        "direction-corridor": "pattern at least 0.85, the rest of the difference at most 0.15, "
        "as far orthogonally to the pattern at most 0.3",
        "switch": "within ± 1.0, in a share of seeds at least 0.9",
        "switch-tiger": "within ± 1.0, in a share of seeds at least 0.9",
        "update": "carried within 1 ± 0.25, followed within 1 ± 0.2, the recipient's own within ± 0.15 "
        "on three dependent bandits",
        "decoding-control": "at most 0.05, trained or not",
        "decoding": "expected reward above 1, log-odds at least 2, net evidence at least 3 on three dependent bandits",
        "simulation": "above 1 on three dependent bandits",
        "simulation-back": "at least 3 on three dependent bandits",
        "dip-cause": "dips left at most 0.25; differences above 0",
        "dip-mechanism": "differences above 0",
        "dip-remedy": "Table 1's at least 0.05, clipped at most 0.25; reward within 9.5 ± 0.1; ratio at most 1.25",
    }


# ---------------------------------------------------------------- the paper's claims on synthetic runs

IMPOSSIBLE = {
    "15.5-short-episode", "15.5-long-trial",  # readings of 15.5 that no agent can meet
    "dip-remedy",  # four runs are too few; see test_dips.py
}  # fmt: skip

BREAKING_RESULTS = {  # claim: what must break it
    "bandit-rl2": {"reward": {"bandit-rl2": 9.2}},
    "bandit-rl1": {"reward": {"bandit-rl1": 9.2}},
    "asymptote-bandit": {"reward": {"bandit-rl1": 9.35}},
    "asymptote-corridor": {"steps": {"corridor-rl1": 16.0}},
    "search": {"steps": {"corridor-rl2": 17.0}},
    "15.5-short-trial": {"steps": {"corridor-rl2": 17.0}},
    "15.5-long-episode": {"steps": {"corridor-10-11-rl2": 36.0}},
    "first-pull": {"first": 0.9},
    "speed-bandit": {"learned_at": {"bandit-rl1": 8000}},
    "speed-corridor": {"learned_at": {"corridor-rl2": 9000}},
    "zero": {"reward": {"bandit-rl2-zero": 7.0}},
    "controls": {"reward": {"bandit-memoryless": 8.0}},
    "optimum": {"returns": {"corridor-rl2": 7.5}},  # the optimum is 7.037
}
BREAKING_PROBES = {
    "regret": {"tests": {"bandit-uniform-100-rl2": (9.1, 9.4, 9.5)}},
    "thompson": {"tests": {"bandit-uniform-100-rl2": (2.0, 2.0, 9.5)}},
    "regret-independent": {"tests": {"bandit-independent-100-rl2": (3.25, 3.48, 3.51)}},
    "learn-informative": {"tests": {"informative-rl2": (20.3, 20.1, 20.55)}},
    "learn-tiger": {"tests": {"tiger-rl2": (18.0, 20.0, 20.39)}},
    "learn-gridworld": {"tests": {"gridworld-rl2": (35.0, 36.5, 36.8)}},
    "exact": {"deviation": 0.2},
    "transplant": {"numbers": {"transplant both, trained": 0.5}},
    "metamers": {"numbers": {"metamers, own histories, trained": 0.3}},
    "metamers-random": {"numbers": {"metamers, random histories, untrained / trained": 0.1}},
    "metamers-bandit": {"numbers": {"metamers, random histories, trained": 0.01}},
    "metamers-corridor": {"numbers": {"metamers, random histories, trained": 0.01}},
    "mid-episode": {"numbers": {"mid-episode exchange, trained": 0.5}},
    "direction": {"numbers": {"transplant complement, trained": 0.95}},
    "direction-corridor": {"numbers": {"transplant pattern, trained": 0.4}},
    "switch": {"numbers": {"switch, moved": 3.0}},
    "switch-tiger": {"numbers": {"switch, moved": 3.0}},
    "update": {"numbers": {"evidence after a transplant, own": 0.6}},
    "decoding-control": {"numbers": {"posterior unexplained, untrained": 0.4}},
    "decoding": {"numbers": {"log-odds unexplained, untrained / trained": 0.5}},  # logarithms
    "simulation": {"numbers": {"D_s agent → Bayes, untrained / trained": -0.1}},
    "simulation-back": {"numbers": {"D_s Bayes → agent, untrained / trained": 1.0}},
}
BREAKING_DIPS = {
    "dip-cause": {"masked": 5.0},
    "dip-mechanism": {"dips": GOOD_LOST | {"with, √v raised": 0.3}},
}


def claim_of(name):
    return next(claim for claim in PAPER.claims if claim.name == name)


def holds(folder, name):
    ((_, measurement),) = judge(results_in(folder), [claim_of(name)])
    return measurement.verdict == HOLDS


@pytest.fixture(scope="module")
def spoilt(good, tmp_path_factory):
    """A copy of the good runs whose results and probes each test writes anew."""
    folder = tmp_path_factory.mktemp("spoilt") / "runs"
    shutil.copytree(good, folder)
    return folder


def test_runs_as_the_paper_says_pass(good):
    judged = judge(results_in(good), PAPER.claims)
    assert {claim.name for claim, measurement in judged if measurement.verdict != HOLDS} == IMPOSSIBLE


@pytest.mark.parametrize("name", BREAKING_RESULTS)
def test_runs_that_contradict_a_claim_fail_it(name, spoilt):
    options = dict(BREAKING_RESULTS[name])
    reward = GOOD_REWARD | options.pop("reward", {})
    steps = GOOD_STEPS | options.pop("steps", {})
    write_results(spoilt, reward, steps, **options)
    assert not holds(spoilt, name)


@pytest.mark.parametrize("name", BREAKING_PROBES)
def test_probes_that_contradict_a_claim_fail_it(name, spoilt):
    options = dict(BREAKING_PROBES[name])
    write_probes(spoilt, GOOD_PROBES | options.pop("numbers", {}), **options)
    assert not holds(spoilt, name)


@pytest.mark.parametrize("statistic", ["expected reward", "log-odds", "net evidence"])
def test_each_statistic_of_the_belief_can_fail_the_decoding_claim(statistic, spoilt):
    write_probes(spoilt, GOOD_PROBES | {f"{statistic} unexplained, untrained / trained": -0.1})
    assert not holds(spoilt, "decoding")


def test_ratios_are_shown_as_ratios_and_left_out_where_they_are_undefined(spoilt):
    """exp(1.5 + 1e-4 · seed) = 4.48; a posterior over many nodes has no log-odds."""
    write_probes(spoilt, undefined=("expected reward unexplained, untrained / trained",))
    ((_, measurement),) = judge(results_in(spoilt), [claim_of("decoding")])
    assert measurement.estimates["bandit-uniform-100 log-odds, untrained / trained"].mean == pytest.approx(
        4.4824, abs=1e-3
    )
    assert not any("expected reward" in name for name in measurement.estimates)
    assert measurement.verdict == BROKEN  # nothing shows it


@pytest.mark.parametrize(("name", "options"), [
    *BREAKING_DIPS.items(),
    ("dip-cause", {"dips": GOOD_LOST | {"without": 0.3}}),
    ("dip-cause", {"forced": GOOD_LOST | {"without": 0.3}}),
    ("dip-mechanism", {"forced": GOOD_LOST | {"with, momentum stopped": 0.3}}),
])  # fmt: skip
def test_interventions_that_contradict_a_claim_fail_it(name, options, spoilt):
    write_dips(spoilt)
    assert holds(spoilt, name)
    write_dips(spoilt, **options)
    assert not holds(spoilt, name)


def test_every_claim_is_known_to_fail():
    broken = {*BREAKING_RESULTS, *BREAKING_PROBES, *BREAKING_DIPS}
    assert {claim.name for claim in PAPER.claims} == broken | IMPOSSIBLE


def test_two_arms_are_judged_by_the_undiscounted_optimum(good):
    """Six pulls at γ = 1, by counts: the optimum earns 421/120, and Thompson 3.287170 (beliefs on the product grid)."""
    ((_, measurement),) = judge(results_in(good), [claim_of("regret-independent")])
    assert measurement.estimates["gap"].mean == pytest.approx(421 / 120 - 3.45, abs=1e-9)
    assert measurement.estimates["worst seed above Thompson"].mean == pytest.approx(3.45 - 3.287170, abs=1e-6)


def test_a_seed_that_never_learns_breaks_the_speed_claim(spoilt):
    """Then there is no ratio, and how many seeds got there is shown instead."""
    write_results(spoilt, learned_at={"bandit-rl1": 50_000})
    ((_, measurement),) = judge(results_in(spoilt), [claim_of("speed-bandit")])
    assert measurement.verdict == BROKEN
    assert measurement.estimates["rl1 seeds that got there"].mean == 0
    assert measurement.estimates["rl2 seeds that got there"].mean == 1
    assert not any("ratio" in name for name in measurement.estimates)


def test_zero_claim_looks_at_the_weights(good, tmp_path):
    """A run whose reward stays at chance but whose weights moved does not support the claim."""
    shutil.copytree(good / "bandit-rl2-zero", tmp_path / "bandit-rl2-zero")
    assert holds(tmp_path, "zero")
    run = RunFolder(tmp_path / "bandit-rl2-zero" / "seed-1")
    config = run.read_config()
    layout = make_layout(build(config), config.settings.agent, config.settings.hidden_size)
    state, _ = run.read_checkpoint(run.checkpoint_path, config, layout)
    state.theta[0] = 1
    run.checkpoint_path.write_bytes(checkpoint.write(state, layout))
    assert not holds(tmp_path, "zero")


def test_numbers_that_are_undefined_give_no_verdict(spoilt):
    write_probes(spoilt, undefined=("transplant both, untrained",))
    with pytest.raises(ValueError, match="'transplant both, untrained' is undefined in every probed run of bandit-rl2"):
        holds(spoilt, "transplant")


# ---------------------------------------------------------------- files and the command


def test_claims_files(good, tmp_path):
    command.write_verdicts(PAPER, results_in(good), tmp_path)
    table = json.loads((tmp_path / "claims.json").read_text())
    assert (table["seeds"], table["first_seed"]) == (SEEDS, 0)
    assert [row["name"] for row in table["claims"]] == [claim.name for claim in PAPER.claims]
    fields = {"name", "text", "place", "statistic", "threshold", "measured", "holds", "verdict"}
    assert all(set(row) == fields for row in table["claims"])
    assert table["claims"][0]["measured"]["rl2 reward per trial"].keys() == {"mean", "low", "high", "n"}
    assert (tmp_path / "claims.md").read_text().count("\n| ") == len(PAPER.claims) + 1


def test_the_published_table_is_made_of_the_published_numbers():
    """figures/claims.md is figures/claims.json as text, and both are of the claims that there are."""
    figures = Path(__file__).parent.parent.parent / "figures"
    table = json.loads((figures / "claims.json").read_text(encoding="utf-8"))
    assert (figures / "claims.md").read_text(encoding="utf-8") == to_markdown(table)
    published = {row["name"]: (row["text"], row["threshold"]) for row in table["claims"]}
    assert published == {claim.name: (claim.text, str(claim.threshold)) for claim in PAPER.claims}


def test_numbers_that_are_infinite_are_null_in_json():
    endless = {"": {"excess": Estimate(float("inf"), float("inf"), float("inf"), 3)}}
    claim = Claim("c", "text", "§1", "statistic", Threshold("{}", {"excess": AtMost(4)}), lambda results: endless)
    table = to_json(judge(None, [claim]), 3)
    (row,) = table["claims"]
    assert row["measured"]["excess"] == {"mean": None, "low": None, "high": None, "n": 3}
    assert (row["holds"], row["verdict"]) == (False, BROKEN)
    assert "excess: ∞" in to_markdown(table)


def test_a_missing_run_gives_no_verdict(good, tmp_path):
    shutil.copytree(good, tmp_path / "runs")
    (tmp_path / "runs" / "corridor-rl1" / "seed-2" / "result.json").unlink()
    with pytest.raises(ValueError, match="corridor-rl1/seed-2 is missing or unfinished"):
        command.write_verdicts(PAPER, results_in(tmp_path / "runs"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_is_missing_and_ends_with_1(tmp_path, capsys):
    arguments = ["--runs", str(tmp_path), "--out", str(tmp_path / "out"), "--first-seed", "100"]
    assert cli.run(lambda: command.main(arguments)) == 1
    assert "seed-100 is missing or unfinished" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_verdicts_of_other_seeds(good, tmp_path):
    """Seeds 2 and 3 alone: what is measured is theirs, and claims.json says so."""
    results = results_in(good, seeds=2, first_seed=2)
    ((_, measurement),) = judge(results, [claim_of("bandit-rl2")])
    rewards = [results_in(good).evaluations("bandit-rl2")[seed]["reward_per_trial"]["mean"] for seed in (2, 3)]
    assert measurement.estimates["rl2 reward per trial"].mean == pytest.approx(sum(rewards) / 2)
    command.write_verdicts(PAPER._replace(claims=(claim_of("bandit-rl2"),)), results, tmp_path)
    table = json.loads((tmp_path / "claims.json").read_text())
    assert (table["seeds"], table["first_seed"]) == (2, 2)
    assert "2 seeds a row, from seed 2 on" in (tmp_path / "claims.md").read_text()


def test_the_tiny_paper_is_the_paper_on_smaller_networks():
    assert EXPERIMENTS.keys() == load_paper("alver").experiments.keys()


def test_the_error_of_an_excess_is_the_spread_over_seeds():
    """Above the optimum by what seeds differ by is chance, by far more a bug, whatever the error of a single test."""

    def excess(returns, **best):
        tests = [{"discounted_return": {"mean": value, "sem": 10.0}, "bayes_optimal": best} for value in returns]
        return excess_of_tests(tests)

    assert excess([1.0, 1.2, 0.9, 1.1], discounted_value=1.0) < 1
    assert excess([1.5, 1.51, 1.49, 1.5], discounted_value=1.0) > 1
    assert excess([1.5, 1.5], discounted_value=1.0) == float("inf")
    assert excess([0.9, 0.8], discounted_value=1.0) == 0
    bounds = {"upper": {"discounted_value": 1.4}}
    assert excess([1.5, 1.51, 1.49, 1.5], discounted_value=None, bounds=bounds) > 0
