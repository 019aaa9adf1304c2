"""Sweeps (contract), statistics (oracle)."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tinymeta
from tinymeta import baselines, cli, train
from tinymeta.base.errors import InputError
from tinymeta.base.intervals import difference, estimate, t_quantile
from tinymeta.learning.learner import DivergenceError
from tinymeta.optimum.nodes import NodeLimitError
from tinymeta.runs.config import make_config
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.sweep import SweepError, sweep
from tinymeta.runs.training import Interrupted
from tinymeta.runs.training import train as train_one

# ---------------------------------------------------------------- statistics


@pytest.mark.parametrize(("freedom", "value"), [(1, 12.7062), (2, 4.3027), (19, 2.0930), (1000, 1.9623)])
def test_student_quantiles_from_the_table(freedom, value):
    """0.975 quantiles as in any table of Student's t (Fisher & Yates 1938)."""
    assert t_quantile(0.975, freedom) == pytest.approx(value, abs=5e-5)


def test_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = [abs(e.mean) <= e.high - e.mean for e in (estimate(rng.normal(size=6)) for _ in range(1000))]
    assert abs(np.mean(hits) - 0.95) < 0.025


def test_equivalence_is_the_two_one_sided_tests():
    """The 90 % Welch interval by hand, for equal sizes and variances: difference ± t(0.95, 2n - 2)·s·√(2/n)."""
    a, b = np.array([1.0, 2, 3, 4]), np.array([1.5, 2.5, 3.5, 4.5])
    value = difference(a, b)
    half = t_quantile(0.95, 6) * a.std(ddof=1) * np.sqrt(2 / 4)
    assert (value.mean, value.low, value.high) == pytest.approx((-0.5, -0.5 - half, -0.5 + half))


# ---------------------------------------------------------------- sweeps


def short(**settings):
    return make_config("bandit", "rl2", trials=200, hidden_size=4, **settings)


def test_sweep_equals_single_runs(tmp_path):
    """Contract: seed k of a sweep is the same run as seed k alone; a second call changes nothing; others are refused."""
    results = sweep(tmp_path / "s", short(), 3, workers=2)
    assert list(results) == [0, 1, 2]
    train_one(tmp_path / "one", short(seed=1))
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
    return train_one(path, config, resume, overwrite)


def dying(path, config, resume, overwrite):
    """Seed 1's process is killed the first time, in the middle of its run."""
    if config.settings.seed == 1 and not resume:
        RunFolder(path).create(config)
        os.kill(os.getpid(), signal.SIGKILL)
    return train_one(path, config, resume, overwrite)


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
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert len(sweep(tmp_path, short(), 3, executor=client.get_executor())) == 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupting_a_sweep_leaves_resumable_runs(number, code, tmp_path):
    """A signal to the parent alone: exit code 128 + its number, every begun run has a checkpoint, no child is left."""
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
        _, errors = process.communicate(timeout=60)
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
    assert cli.run(lambda: train.main([*argv, "--seeds", "2"])) == 0
    assert "2 seeds" in capsys.readouterr().out
    assert cli.run(lambda: train.main([*argv, "--workers", "2"])) == 2
    assert "--workers 2 without --seeds" in capsys.readouterr().err
