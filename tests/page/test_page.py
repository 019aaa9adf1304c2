"""The page as a file (contract, property): what is in it, how large it is, what is refused; no browser needed."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinymeta
from tinymeta import cli
from tinymeta.base.errors import InputError
from tinymeta.page import __main__ as command
from tinymeta.page import assembly
from tinymeta.page.encoding import packed, unpacked
from tinymeta.page.fitting import RECORDED_TRIALS, fitted
from tinymeta.papers.registry import DEFAULT, load_paper
from tinymeta.probes.recording import record
from tinymeta.runs.folder import RunFolder

ROOT = Path(__file__).parent.parent.parent
ASSETS = sorted((ROOT / "tinymeta/page/assets").iterdir())
SCRIPTS = [path for path in ASSETS if path.suffix == ".js"]


def run(*words):
    return cli.run(lambda: command.main([str(word) for word in words]))


@pytest.fixture(scope="module")
def data(page_file):
    return json.loads(assembly.data_in(page_file.read_text(encoding="utf-8")))


def test_one_entry_a_task_set_with_an_untrained_twin(data):
    agents = [[agent["name"] for agent in world["agents"]] for world in data["worlds"]]
    alone = ["rl2", "untrained"]
    assert agents[:2] == [["rl2", "rl1", "memoryless", "informed", "untrained"], ["rl2", "rl1", "untrained"]]
    assert agents[2:] == [alone] * 4


def test_the_numbers_are_the_runs_own(data, runs):
    agent = tinymeta.load(runs / "corridor-rl2")
    theta = unpacked(data["worlds"][0]["agents"][0]["theta"])
    np.testing.assert_array_equal(theta, agent.theta)
    test = RunFolder(runs / "corridor-rl2").read_result()["evaluation"]
    shown = data["worlds"][0]["agents"][0]["test"]
    assert shown["reward"] == pytest.approx(test["reward_per_trial"]["mean"], rel=1e-12)
    assert data["worlds"][0]["optimum"]["steps"] == pytest.approx(test["bayes_optimal"]["steps_per_trial"])


def test_it_is_one_file_that_asks_for_nothing(page_file):
    page = page_file.read_text(encoding="utf-8")
    outside = re.sub(re.escape(assembly.data_in(page)), "", page)
    assert re.findall(r"\b(?:src|href)=\"(?!data:,|#)[^\"]*\"|@import|url\(", outside) == []
    assert [url for url in re.findall(r"https?://[^\s\"'<]+", outside) if url != "http://www.w3.org/2000/svg"] == []
    assert "default-src 'none'" in page
    assert len(page.encode()) <= assembly.LIMIT


def test_the_same_runs_make_the_same_bytes(runs, page_file, tmp_path, capsys):
    assert run(runs / "tiger-rl2", "--out", tmp_path / "a.html") == 0
    assert run(runs / "tiger-rl2", "--out", tmp_path / "b.html") == 0
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert f"{tmp_path / 'a.html'}: 0." in capsys.readouterr().out


def test_a_page_that_is_too_large_is_refused(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(assembly, "LIMIT", 1000)
    assert run(runs / "tiger-rl2", "--out", tmp_path / "lab.html") == 2
    assert "expected at most 1000: give fewer or smaller runs" in capsys.readouterr().err
    assert not (tmp_path / "lab.html").exists()


def test_what_is_no_finished_run_is_refused(runs, tmp_path, capsys):
    assert run("nowhere", "--out", tmp_path / "lab.html") == 2
    assert "nowhere is no run folder" in capsys.readouterr().err
    shutil.copytree(runs / "tiger-rl2", tmp_path / "half")
    (tmp_path / "half/result.json").unlink()
    assert run(tmp_path / "half", "--out", tmp_path / "lab.html") == 2
    assert "half is unfinished, expected one with a result.json" in capsys.readouterr().err
    assert run(runs / "tiger-rl2", runs / "tiger-rl2", "--out", tmp_path / "lab.html") == 2
    assert "is a second rl2 on its task set" in capsys.readouterr().err
    assert run("--first-seed", "-1") == 2
    assert run("--runs", tmp_path, "--out", tmp_path / "lab.html") == 2
    assert "corridor-rl2/seed-100 is no run folder" in capsys.readouterr().err


def test_without_runs_it_is_those_of_the_paper():
    wanted = {f"{task}-{agent}" for task in command.SHOWN for agent in command.AGENTS}
    assert wanted <= set(load_paper(DEFAULT).experiments)


def test_a_task_set_without_anything_to_find_out_is_refused(tmp_path):
    agent = tinymeta.learn(tinymeta.make("bandit", p=0.5, pulls=3), trials=8, hidden_size=4)
    with pytest.raises(InputError, match="belief never varies"):
        fitted(agent)


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.lists(st.integers(-(2**31), 2**31 - 1)))
def test_packed_arrays_come_back(numbers, integers):
    np.testing.assert_array_equal(unpacked(packed(np.array(numbers))), numbers)
    np.testing.assert_array_equal(unpacked(packed(np.array(integers, int))), integers)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="integers from 0 to 2147483648, expected 32 bits"):
        packed(np.array([2**31]))
    with pytest.raises(InputError, match="dtype float16"):
        packed(np.zeros(2, np.float16))


def test_a_push_is_the_pattern_of_the_probes(runs, data):
    """Each row of the page's `push` changes one decoded probability by 1, and no other, along Σ·weight (property)."""
    agent = data["worlds"][1]["agents"][0]
    weight = unpacked(agent["decoder"]["weight"]).astype(float)
    move = unpacked(agent["push"]).astype(float)
    change = move @ weight
    difference = np.array([[1, -1]]) / 2  # two probabilities that add up to 1 can only change against each other
    np.testing.assert_allclose(difference @ change, difference, atol=1e-3)
    recording = record(tinymeta.load(runs / "counting-rl2"), RECORDED_TRIALS)
    at = np.nonzero(recording.valid)
    states = np.hstack([recording.hidden[at], recording.cell[at]]).astype(float)
    pattern = np.cov(states.T) @ weight[:, :1]
    moved = difference @ move
    cosine = np.abs(moved @ pattern) / np.linalg.norm(moved) / np.linalg.norm(pattern)
    assert cosine > 1 - 1e-6


def test_the_committed_page_is_made_of_the_scripts_as_they_are():
    """docs/lab.html is stale when a script, a style or the frame was changed and the page was not made again."""
    page = (ROOT / "docs/lab.html").read_text(encoding="utf-8")
    assert assembly.assembled(assembly.data_in(page)) == page
    assert len(page.encode()) <= assembly.LIMIT


def test_every_asset_is_in_the_page():
    named = {*assembly.SCRIPTS, *assembly.STYLES, "page.html"}
    assert {path.name for path in ASSETS} == named


@pytest.mark.parametrize("path", ASSETS, ids=lambda path: path.name)
def test_assets_are_short(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 300
    assert [line for line in lines if len(line) > 120] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_functions_of_scripts_are_short_and_documented(path):
    """Every function, class and method of a script has a comment of its own right above it, and at most 50 lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "/*"
    begin = re.compile(r"^(?:function|class) \w+|^  (?!if|for|while|return)(?:get )?\w+\([^()]*(?:\{[^()]*\})?\) \{$")
    found = [i for i, line in enumerate(lines) if begin.match(line)]
    bare = [lines[i] for i in found if not lines[i - 1].strip().endswith("*/") and "constructor" not in lines[i]]
    assert len(found) >= 3
    assert bare == []
    for i in (i for i in found if not lines[i].startswith("class")):
        indent = re.match(r" *", lines[i]).group()
        end = next(j for j in range(i, len(lines)) if lines[j] == indent + "}" or lines[j].endswith("{}"))
        assert end - i < 50, lines[i]
