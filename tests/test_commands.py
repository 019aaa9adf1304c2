"""The command line's contract: files, keys, exit codes, one-line errors, resuming, reproducibility."""

import json
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support import every_env_and_agent, words

import tinymeta
from tinymeta import baselines, cli, evaluate, gradcheck, train
from tinymeta.learning.belief_agents import BELIEF_AGENTS
from tinymeta.learning.gradient_check import Entry
from tinymeta.network.parameters import parameter_shapes
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.metrics import METRICS

SHORT = ["--trials", "400", "--hidden-size", "8", "--log-interval", "20"]
UNPROMISED = (
    "timing.json",
    "result.json",
    "checkpoint.previous.npz",
)  # they tell of seconds, and of where a run was interrupted


def run(main, *argv):
    return cli.run(lambda: main([str(word) for word in argv]))


def files(path):
    return {p.name: p.read_bytes() for p in path.iterdir() if p.name not in UNPROMISED}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    assert run(train.main, "bandit", "rl2", *SHORT, "--out", path, "--quiet") == 0
    return path


@every_env_and_agent
def test_every_agent_trains_on_every_environment(env, agent, tmp_path, capsys):
    """Contract, from the registries: train, then evaluate --json --trace, with the documented keys and shapes."""
    path = tmp_path / "run"
    assert (
        run(train.main, env, agent, "--trials", "8", "--hidden-size", "4", "--out", path, "--quiet", *words(env)) == 0
    )
    assert capsys.readouterr().out == ""
    assert run(evaluate.main, path, "--rollouts", "5", "--json", "--trace", tmp_path / "t.npz") == 0
    result = json.loads(capsys.readouterr().out)
    network = tinymeta.load(path)
    K = network.tasks.episodes
    assert {result["env"], result["agent"]} == {env, agent}
    assert len(result["reward_per_episode"]) == len(result["steps_per_episode"]) == K
    assert set(result["reward_per_trial"]) == set(result["steps_per_trial"]) == {"mean", "sem"}
    assert sum(result["reward_per_episode"]) == pytest.approx(result["reward_per_trial"]["mean"], rel=1e-6, abs=1e-9)
    for name in ("bayes_optimal", "informed"):
        assert {"reward_per_trial", "steps_per_trial", "discounted_value"} <= set(result[name])
    with np.load(tmp_path / "t.npz", allow_pickle=False) as trace:
        N, T, D = trace["inputs"].shape
        assert (5, network.layout.input_size) == (N, D)
        tasks = network.tasks
        shapes = {"logits": (N, T, tasks.num_actions), "hidden": (N, T, 4), "cell": (N, T, 4)}
        shapes |= {"features": (N, T, tasks.observation_size)}
        shapes |= dict.fromkeys(("reset", "action", "reward", "task", "episode", "valid", "value"), (N, T))
        if isinstance(tasks, tinymeta.TaskSet):
            shapes |= {"belief": (N, T, tasks.num_tasks, tasks.num_states)}
            np.testing.assert_allclose(trace["belief"].sum((2, 3)), trace["valid"], atol=1e-12)
        else:
            assert "belief" not in trace  # without a table there is none
        assert {name: trace[name].shape for name in shapes} == shapes


def test_run_folder(finished):
    config = json.loads((finished / "config.json").read_text())
    assert config["env"] == "bandit"
    assert config["learning_rate"] == 1e-3
    assert set(config["versions"]) == {"tinymeta", "numpy", "numba", "python", "cpu"}
    metrics = RunFolder(finished).read_metrics()
    assert tuple(metrics) == METRICS
    np.testing.assert_array_equal(metrics["trials"], np.arange(80, 401, 80))
    np.testing.assert_array_equal(metrics["env_steps"], metrics["trials"] * 10)
    result = json.loads((finished / "result.json").read_text())
    assert {"train_seconds", "compile_seconds", "env_steps", "trials", "evaluation"} <= set(result)
    with np.load(finished / "checkpoint.npz", allow_pickle=False) as checkpoint:
        network = tinymeta.load(finished)
        for name, shape in parameter_shapes(network.layout).items():
            assert checkpoint[name].shape == shape
            np.testing.assert_array_equal(checkpoint[name], network.parameters[name])


def test_same_seed_same_bits(finished, tmp_path, monkeypatch):
    """Contract: identical files whatever --quiet, progress, chunking or checkpoint interval."""
    monkeypatch.setattr("tinymeta.learning.learner.CHUNK_NUMBERS", 1)
    assert run(train.main, "bandit", "rl2", *SHORT, "--out", tmp_path / "again") == 0
    assert files(tmp_path / "again") == files(finished)
    assert run(train.main, "bandit", "rl2", *SHORT, "--seed", 1, "--out", tmp_path / "other", "--quiet") == 0
    assert files(tmp_path / "other")["metrics.csv"] != files(finished)["metrics.csv"]


def test_a_finished_run_is_not_overwritten(finished, capsys):
    before = files(finished)
    assert run(train.main, "bandit", "rl2", *SHORT, "--out", finished, "--seed", 3) == 2
    assert "holds a finished run" in capsys.readouterr().err
    assert run(train.main, "bandit", "rl2", *SHORT, "--out", finished, "--resume", "--quiet") == 0
    assert files(finished) == before


def test_resume_with_other_settings_is_refused(finished, capsys):
    assert run(train.main, "bandit", "rl2", *SHORT, "--out", finished, "--resume", "--gamma", "0.5") == 2
    assert "gamma = 0.8, and --resume was asked to go on with 0.5" in capsys.readouterr().err


def test_interrupt_and_resume_is_bit_identical(finished, tmp_path, monkeypatch, capsys):
    """A signal after the second interval: exit code 130 and a resume line; resumed, the files are the whole run's."""
    path = tmp_path / "cut"
    real = RunFolder.append_metrics
    calls = []

    def interrupting(self, learner, statistics):
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return real(self, learner, statistics)

    monkeypatch.setattr(RunFolder, "append_metrics", interrupting)
    arguments = ["bandit", "rl2", *SHORT, "--out", str(path)]
    assert run(train.main, *arguments) == 130
    assert f"to go on: python -m tinymeta.train {' '.join(arguments)} --resume" in capsys.readouterr().err
    monkeypatch.undo()
    assert not (path / "result.json").exists()
    with open(path / "metrics.csv", "a") as file:
        file.write("half a row that a crash left,")
    assert run(train.main, *arguments, "--resume", "--quiet") == 0
    assert files(path) == files(finished)


def test_interrupt_from_outside(tmp_path):
    """The whole process: SIGTERM, once it trains, ends it with 143 after writing a checkpoint."""
    arguments = ["corridor", "rl2", "--trials", "100000000", "--out", str(tmp_path / "run")]
    metrics = tmp_path / "run" / "metrics.csv"
    with subprocess.Popen(
        [sys.executable, "-m", "tinymeta.train", *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and not (metrics.exists() and len(metrics.read_bytes().splitlines()) > 1):
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "SIGTERM: checkpoint written; to go on" in errors
    assert tinymeta.load(tmp_path / "run").layout.hidden_size == 48


def test_training_goes_where_exact_values_do_not_exist(tmp_path, capsys):
    """Without discount the corridor's optimum is undefined (trials can be endless); training and testing say so."""
    assert (
        run(train.main, "corridor", "rl2", "--gamma", "1", "--trials", "4", "--out", tmp_path / "run", "--quiet") == 0
    )
    assert run(evaluate.main, tmp_path / "run", "--rollouts", "1", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["bayes_optimal"]["reward_per_trial"] is None
    assert "gamma = 1, expected gamma < 1" in result["bayes_optimal"]["reason"]
    assert result["reward_per_trial"]["sem"] is None
    assert run(evaluate.main, tmp_path / "run", "--rollouts", "1") == 0
    assert run(baselines.main, "corridor", "--gamma", "1") == 2


def test_divergence_stops_the_command(tmp_path, capsys):
    code = run(train.main, "corridor", "rl2", "--learning-rate", "1e38", "--out", tmp_path / "run", "--quiet")
    assert code == 1
    errors = capsys.readouterr().err
    assert "is not finite at update" in errors
    assert "there is no checkpoint yet" in errors


WRONG = [
    ("unknown environment 'bandti'.*did you mean 'bandit'", train.main, "bandti", "rl2"),
    ("unknown agent 'rl3'", train.main, "bandit", "rl3"),
    ("gamma = 1.5, expected", train.main, "bandit", "rl2", "--gamma", "1.5"),
    ("learning_rate = nan", train.main, "bandit", "rl2", "--learning-rate", "nan"),
    ("num_envs = 0", train.main, "bandit", "rl2", "--num-envs", "0"),
    ("seed = -1", train.main, "bandit", "rl2", "--seed", "-1"),
    ("unknown optimizer 'sgd'", train.main, "bandit", "rl2", "--optimizer", "sgd"),
    ("unknown keyword of environment 'bandit' 'pull'.*'pulls'", train.main, "bandit", "rl2", "--env-kwargs", "pull=3"),
    ("pulls = 2.5, expected an integer", train.main, "bandit", "rl2", "--env-kwargs", "pulls=2.5"),
    ("'pulls', expected KEY=VALUE", train.main, "bandit", "rl2", "--env-kwargs", "pulls"),
    ("is no run folder", evaluate.main, "nowhere"),
    ("gamma = -1", baselines.main, "bandit", "--gamma=-1"),
    ("hidden_size = 0", gradcheck.main, "bandit", "rl2", "--hidden-size", "0"),
]


@pytest.mark.parametrize("case", WRONG, ids=[" ".join(case[2:]) for case in WRONG])
def test_wrong_input_is_one_line_and_exit_code_2(case, tmp_path, monkeypatch, capsys):
    import re

    message, main, *argv = case
    monkeypatch.chdir(tmp_path)
    assert run(main, *argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert re.search(message, captured.err)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("argv", [["bandit"], ["bandit", "rl2", "--nope"], ["bandit", "rl2", "--trials", "many"]])
def test_usage_errors_are_one_line(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        train.main(argv)
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_baselines_command(capsys):
    assert run(baselines.main, "corridor", "--json") == 0
    values = json.loads(capsys.readouterr().out)
    assert values["bayes_optimal"]["steps_per_trial"] == pytest.approx(15, abs=1e-9)
    assert values["informed"]["steps_per_trial"] == pytest.approx(10, abs=1e-9)
    assert set(values["random"]) == {"reward_per_trial", "steps_per_trial", "discounted_value"}
    assert run(baselines.main, "bandit") == 0
    assert "9.500000" in capsys.readouterr().out


@pytest.mark.parametrize("name", BELIEF_AGENTS)
def test_agents_on_the_exact_belief_are_evaluated_like_a_run(name, tmp_path, capsys):
    assert (
        run(
            evaluate.main,
            name,
            "--env",
            "corridor",
            "--env-kwargs",
            "left=2",
            "right=3",
            "--json",
            "--trace",
            tmp_path / "t.npz",
        )
        == 0
    )
    result = json.loads(capsys.readouterr().out)
    assert result["agent"] == name
    assert result["reward_per_trial"]["mean"] == 20
    with np.load(tmp_path / "t.npz", allow_pickle=False) as trace:
        np.testing.assert_allclose(trace["belief"].sum((2, 3)), trace["valid"], atol=1e-12)
    assert run(evaluate.main, name) == 2
    assert run(evaluate.main, "somewhere", "--env", "bandit") == 2


def test_gradcheck_json(capsys):
    assert (
        run(gradcheck.main, "corridor", "rl1", "--hidden-size", "3", "--env-kwargs", "left=1", "right=2", "--json") == 0
    )
    result = json.loads(capsys.readouterr().out)
    errors = [parameter["relative_error"] for parameter in result["parameters"].values()]
    assert result["max_relative_error"] == max(errors) <= 1e-7


def test_a_damaged_run_is_refused(finished, tmp_path, capsys):
    import shutil

    for name, content, message in (
        ("checkpoint.npz", b"PK\x03\x04 not a zip", "checkpoint.npz is damaged"),
        ("config.json", b"{}", "has format None, expected 2"),
        ("config.json", b"{", "config.json cannot be read"),
    ):
        path = tmp_path / name
        shutil.copytree(finished, path, dirs_exist_ok=True)
        (path / name).write_bytes(content)
        assert run(evaluate.main, path) == 2
        assert message in capsys.readouterr().err
        shutil.rmtree(path)


def test_overview_lists_what_there_is(capsys):
    from tinymeta.__main__ import main

    main([])
    printed = capsys.readouterr().out
    for word in (
        "train",
        "evaluate",
        "baselines",
        "gradcheck",
        "bandit",
        "corridor",
        "rl2",
        "rl1",
        "memoryless",
        "informed",
    ):
        assert word in printed


def test_resume_where_no_run_is_says_so(tmp_path, capsys):
    """One line, once: a misspelt --out is noticed, and the run is begun."""
    words = ["bandit", "rl2", "--trials", "40", "--hidden-size", "3", "--quiet", "--resume", "--out"]
    expected = f"tinymeta: --resume: {tmp_path / 'run'} holds no run yet, beginning one\n"
    assert run(train.main, *words, tmp_path / "run") == 0
    assert capsys.readouterr() == ("", expected)
    assert run(train.main, *words, tmp_path / "run") == 0
    assert capsys.readouterr() == ("", "")
    assert run(train.main, *words, tmp_path / "sweep", "--seeds", "2") == 0
    assert capsys.readouterr() == ("", expected.replace("run holds", "sweep holds"))
    assert run(train.main, *words, tmp_path / "sweep", "--seeds", "3") == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "extra", [["--seeds", "2", "--workers", "0"], ["--num-envs", "100000", "--hidden-size", "4096"]]
)
def test_resume_that_is_refused_says_only_that(extra, tmp_path, capsys):
    assert run(train.main, "bandit", "rl2", "--resume", "--out", tmp_path / "run", *extra) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_gradcheck_that_is_not_finite_fails_with_json(monkeypatch, capsys):
    entries = {"lstm.bias": Entry(math.inf, math.nan, (0,)), "value.bias": Entry(1.0, 1e-9, (0,))}
    monkeypatch.setattr(gradcheck, "check", lambda *arguments, **options: entries)
    assert run(gradcheck.main, "bandit", "rl2", "--json") == 1
    result = json.loads(capsys.readouterr().out)
    assert result["max_relative_error"] is None
    assert result["parameters"]["lstm.bias"] == {"norm": None, "relative_error": None, "worst_index": [0]}
    assert result["parameters"]["value.bias"]["relative_error"] == 1e-9
    assert run(gradcheck.main, "bandit", "rl2") == 1
    assert "FAILED" in capsys.readouterr().out
