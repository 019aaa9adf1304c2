"""docs/metrics.md defines all that commands write, and nothing else (contract): they are run and compared both ways."""

import contextlib
import csv
import io
import json

import numpy as np
import pytest
from definitions import PAGE, Definitions, compare_arrays

import tinymeta
from tinymeta import baselines, evaluate, gradcheck, probe, train
from tinymeta.base.intervals import Estimate
from tinymeta.papers.claims import AtLeast, Claim, Measurement, Threshold, to_json

TEXT = PAGE.read_text(encoding="utf-8")
SHORT = ["--trials", "40", "--hidden-size", "4", "--quiet"]
NUMBERS = ["--encoder", "3", "--separate-value", "--norm-obs", "--norm-reward", "--num-minibatches", "2"]
RUNS = {  # folder: ENV AGENT and what comes after; chosen so that every row of the page is met
    "bandit/seed-0": ["bandit", "rl2"],
    "bandit/seed-1": ["bandit", "rl2", "--seed", "1"],
    "corridor": ["corridor", "rl2", "--env-kwargs", "left=2", "right=2"],
    "one-task": ["tiger", "rl2", "--env-kwargs", "horizon=4"],
    "many-values": ["bandit", "rl2", "--env-kwargs", "p=uniform", "pulls=26"],
    "nothing-hidden": ["bandit", "rl2", "--env-kwargs", "p=1"],
    "numbers": ["gym:Pendulum-v1", "plain", *NUMBERS, "--env-kwargs", "max_steps=5"],
    "beyond-reach": ["gridworld", "rl2", "--env-kwargs", "size=4", "episodes=3"],
}


def written(main, *arguments):
    """The JSON object that a command prints."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        assert main([str(word) for word in arguments]) == 0
    return json.loads(output.getvalue()) if output.getvalue() else None


def csv_rows(path):
    """The rows of a CSV file as {column: number}."""
    with open(path, encoding="utf-8", newline="") as file:
        return [{name: json.loads(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def a_claim():
    """claims.json with one claim."""
    claim = Claim("name", "text", "§1", "mean", Threshold("at {}", {"reward": AtLeast(1.0)}), lambda results: {})
    return to_json([(claim, Measurement({"rl2 reward": Estimate(1.0, 0.9, float("inf"), 2)}, "undecided"))], 2)


@pytest.fixture(scope="module")
def problems(tmp_path_factory):
    """(what does not fit, rows that were not met) after all commands have run."""
    folder = tmp_path_factory.mktemp("metrics")
    known = Definitions(TEXT)
    found = []
    for name, arguments in RUNS.items():
        written(train.main, *arguments, *SHORT, "--out", folder / name)
        for file in ("result.json", "timing.json", "config.json"):
            found += known.compare(json.loads((folder / name / file).read_text(encoding="utf-8")), file)
        for row in csv_rows(folder / name / "metrics.csv"):
            found += known.compare(row, "metrics.csv")
        with np.load(folder / name / "checkpoint.npz", allow_pickle=False) as arrays:
            found += compare_arrays(arrays, known.sections["checkpoint.npz"], "checkpoint.npz")
        trace = folder / f"{name.replace('/', '-')}.npz"
        found += known.compare(
            written(evaluate.main, folder / name, "--json", "--trace", trace, "--rollouts", "3"), "evaluate --json"
        )
        with np.load(trace, allow_pickle=False) as arrays:
            if name == "numbers":  # actions are vectors here, the form of the other runs' is compared
                arrays = {key: array for key, array in arrays.items() if key != "action"}
            found += compare_arrays(arrays, known.sections["evaluate --trace"], "evaluate --trace")
    one = written(evaluate.main, folder / "one-task", "--json", "--rollouts", "1", "--greedy")
    found += known.compare(one, "evaluate --json")
    found += known.compare(written(baselines.main, "bandit", "--json", "--runs", folder / "bandit"), "baselines --json")
    beyond = ["gridworld", "--env-kwargs", "size=4", "episodes=3"]
    found += known.compare(written(baselines.main, *beyond, "--json"), "baselines --json")
    found += known.compare(written(gradcheck.main, "bandit", "rl2", "--hidden-size", "2", "--json"), "gradcheck --json")
    probed = [folder / name for name in RUNS]
    found += known.compare(written(probe.main, *probed, "--json", "--trials", "40"), "probe --json")
    found += known.compare(a_claim(), "claims.json")
    return found, known.unmet()


def test_everything_that_is_written_is_defined(problems):
    assert problems[0] == []


def test_everything_that_is_defined_is_written(problems):
    assert problems[1] == []


def test_every_row_has_a_unit_and_a_meaning():
    for title, rows in Definitions(TEXT).rows.items():
        for key, row in rows:
            assert row.unit, (title, key)
            assert len(row.meaning) > 3, (title, key)


def test_no_key_is_defined_twice():
    for title, rows in Definitions(TEXT).rows.items():
        keys = [key for key, _ in rows]
        assert len(keys) == len(set(keys)), title


WRONG = {
    "a new key": ({"cut_trials": 0, "surprise": 1}, "surprise is not defined"),
    "a number that is text": ({"cut_trials": "0"}, "cut_trials is '0', expected integer"),
    "a null": ({"cut_trials": None}, "cut_trials is null"),
    "a structure's new key": ({"reward_per_trial": {"mean": 1.0, "median": 1.0}}, "median is not defined"),
    "a structure that is none": ({"reward_per_trial": 1.0}, "reward_per_trial is 1.0"),
    "an element": ({"reward_per_episode": [1.0, "2"]}, "reward_per_episode is"),
    "true for one": ({"cut_trials": True}, "cut_trials is True"),
}


@pytest.mark.parametrize(("value", "expected"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_seen(value, expected):
    (problem,) = Definitions(TEXT).compare(value, "measures")
    assert expected in problem


def test_an_array_that_does_not_fit_is_seen():
    keys = Definitions(TEXT).sections["evaluate --trace"]
    arrays = {"action": np.zeros((2, 3)), "reward": np.zeros(2), "luck": np.zeros(1), "valid": np.ones((2, 3), bool)}
    problems = list(compare_arrays(arrays, keys, "trace"))
    assert [problem.split()[2] for problem in problems] == ["action", "reward", "luck"]


def test_a_row_that_nothing_writes_is_seen():
    known = Definitions(
        TEXT.replace("| `cut_trials` |", "| `cut_trials`, `gone` |").replace("| `norm` |", "| `gone` |")
    )
    assert list(known.compare({"norm": 1.0}, "comparison")) == ["comparison: norm is not defined in docs/metrics.md"]
    list(known.compare({"cut_trials": 1}, "measures"))
    assert "comparison: gone" in known.unmet()
    assert "measures: gone" in known.unmet()
    assert "measures: cut_trials" not in known.unmet()


def test_the_metrics_of_the_module_are_those_of_the_page():
    from tinymeta.runs.metrics import METRICS

    assert tuple(key for key, _ in Definitions(TEXT).rows["metrics.csv"]) == METRICS
    assert tinymeta.Settings.__dataclass_fields__.keys() <= Definitions(TEXT).sections["config.json"].keys()
