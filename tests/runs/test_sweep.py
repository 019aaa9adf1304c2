"""Sweeps (contract): seeds equal single runs, casualties are named, any executor will do, signals are heeded."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import distributed
import numpy as np
import pytest

import tinymeta
from tinymeta import baselines, cli
from tinymeta import train as train_command
from tinymeta.base.errors import InputError
from tinymeta.base.intervals import estimate
from tinymeta.learning.learner import DivergenceError
from tinymeta.optimum.nodes import NodeLimitError
from tinymeta.runs.config import make_config
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.interrupts import Interrupted
from tinymeta.runs.sweep import SweepError, sweep
from tinymeta.runs.training import train


def short(**settings):
    return make_config("bandit", "rl2", trials=200, hidden_size=4, **settings)


def test_sweep_equals_single_runs(tmp_path):
    """Seed k of a sweep is the same run as seed k alone; a second call changes nothing; others are refused."""
    results = sweep(tmp_path / "s", short(), 3, workers=2)
    assert list(results) == [0, 1, 2]
    train(tmp_path / "one", short(seed=1))
    for name in ("metrics.csv", "checkpoint.npz", "config.json"):
        assert (tmp_path / "s" / "seed-1" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "s").rglob("*")}
    assert sweep(tmp_path / "s", short(), 3, resume=True) == results
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "s").rglob("*")} == before
    with pytest.raises(ValueError, match="seed-0 holds a finished run"):
        sweep(tmp_path / "s", short(), 3)


def test_one_failing_seed_does_not_take_the_others_along(tmp_path):
    """Seed 1's folder is a file: it fails, is named, and the other three finish."""
    (tmp_path / "seed-1").write_text("in the way")
    with pytest.raises(SweepError, match="1 of 4 seeds did not finish: seed 1") as caught:
        sweep(tmp_path, short(), 4, workers=2)
    assert sorted(caught.value.results) == [0, 2, 3]
    (tmp_path / "seed-1").unlink()
    assert len(sweep(tmp_path, short(), 4, workers=2, resume=True)) == 4


def diverging(path, config, resume, overwrite):
    if config.settings.seed == 1:
        raise DivergenceError(7, "the loss")
    return train(path, config, resume, overwrite)


def dying(path, config, resume, overwrite):
    """Seed 1's process is killed the first time, in the middle of its run."""
    if config.settings.seed == 1 and not resume:
        RunFolder(path).create(config)
        os.kill(os.getpid(), signal.SIGKILL)
    return train(path, config, resume, overwrite)


def test_a_diverging_seed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("tinymeta.runs.sweep.train", diverging)
    with pytest.raises(SweepError, match="seed 1: DivergenceError: the loss is not finite at update 7") as caught:
        sweep(tmp_path, short(), 3, workers=2)
    assert sorted(caught.value.results) == [0, 2]


def test_a_killed_process_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr("tinymeta.runs.sweep.train", dying)
    assert sorted(sweep(tmp_path, short(), 4, workers=2)) == [0, 1, 2, 3]


def test_exceptions_cross_to_other_processes():
    for error in (
        DivergenceError(3, "the gradient"),
        Interrupted(signal.SIGTERM),
        NodeLimitError("x", 1, 2, 3),
        InputError("y"),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))


def test_any_executor_will_do(tmp_path):
    with ThreadPoolExecutor(2) as executor:
        assert len(sweep(tmp_path, short(), 3, executor=executor)) == 3


def test_dask_runs_a_sweep(tmp_path):
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        assert len(sweep(tmp_path, short(), 3, executor=client.get_executor())) == 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupting_a_sweep_leaves_resumable_runs(number, code, tmp_path):
    """A signal to the parent alone: exit code 128 + its number; every begun run has a checkpoint."""
    arguments = [
        "corridor",
        "rl2",
        "--trials",
        "100000000",
        "--seeds",
        "2",
        "--workers",
        "2",
        "--out",
        str(tmp_path / "s"),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "tinymeta.train", *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 180
        begun = [tmp_path / "s" / f"seed-{seed}" / "metrics.csv" for seed in (0, 1)]
        while time.monotonic() < deadline and not all(
            p.exists() and len(p.read_text().splitlines()) > 2 for p in begun
        ):
            time.sleep(0.1)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)  # until nobody has its stderr open: no child is left
    assert process.returncode == code, errors
    assert "--resume" in errors
    for seed in (0, 1):
        assert tinymeta.load(tmp_path / "s" / f"seed-{seed}").layout.hidden_size == 48


def test_trained_agents_stand_beside_the_exact_values(tmp_path, capsys):
    sweep(tmp_path / "s", short(), 3, workers=2)
    assert cli.run(lambda: baselines.main(["bandit", "--runs", str(tmp_path / "s"), "--json"])) == 0
    (row,) = json.loads(capsys.readouterr().out)["runs"]
    rewards = [
        RunFolder(tmp_path / "s" / f"seed-{k}").read_result()["evaluation"]["reward_per_trial"]["mean"]
        for k in range(3)
    ]
    assert (row["agent"], row["seeds"]) == ("rl2", 3)
    assert row["gap_to_bayes_optimal"]["mean"] == pytest.approx(9.5 - np.mean(rewards))
    assert row["reward_per_trial"]["high"] - np.mean(rewards) == pytest.approx(
        estimate(rewards).high - np.mean(rewards)
    )
    assert cli.run(lambda: baselines.main(["corridor", "--runs", str(tmp_path / "s")])) == 2
    assert "is a run of bandit" in capsys.readouterr().err
    assert cli.run(lambda: baselines.main(["bandit", "--runs", str(tmp_path)])) == 2


def test_sweep_command(tmp_path, capsys):
    argv = ["bandit", "rl1", "--trials", "100", "--hidden-size", "3", "--out", str(tmp_path)]
    assert cli.run(lambda: train_command.main([*argv, "--seeds", "2"])) == 0
    assert "2 seeds" in capsys.readouterr().out
    assert cli.run(lambda: train_command.main([*argv, "--workers", "2"])) == 2
    assert "--workers 2 without --seeds" in capsys.readouterr().err
    assert cli.run(lambda: train_command.main([*argv, "--first-seed", "2"])) == 2
    assert "--first-seed 2 without --seeds" in capsys.readouterr().err


def test_a_sweep_begins_where_it_is_told_to(tmp_path):
    """--first-seed S trains seeds S…S+N-1, and each is the run that --seed would have made."""
    argv = ["bandit", "rl2", "--trials", "60", "--hidden-size", "3", "--quiet"]
    assert train_command.main([*argv, "--seeds", "2", "--first-seed", "7", "--out", str(tmp_path / "many")]) == 0
    assert train_command.main([*argv, "--seed", "8", "--out", str(tmp_path / "one")]) == 0
    assert sorted(path.name for path in (tmp_path / "many").glob("seed-*")) == ["seed-7", "seed-8"]
    weights = [(tmp_path / name / "checkpoint.npz").read_bytes() for name in ("many/seed-8", "one")]
    assert weights[0] == weights[1]
