"""Sweeps (contract), statistics (oracle), claims on synthetic runs that must pass and that must fail, figures against the runs."""

import csv
import dataclasses
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import matplotlib.pyplot as plt
import numpy as np
import pytest

import tinymeta
from tinymeta import baselines, claims, cli, figures, plotting, reproduction, train
from tinymeta.base.errors import InputError
from tinymeta.base.files import WriteError, write_whole
from tinymeta.base.intervals import difference, estimate, t_quantile
from tinymeta.learning.learner import DivergenceError
from tinymeta.optimum.exact_values import exact_values
from tinymeta.optimum.nodes import NodeLimitError
from tinymeta.papers.alver_precup_2021.experiments import EXPERIMENTS
from tinymeta.papers.results import Results
from tinymeta.runs.config import build, make_config
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.metrics import METRICS
from tinymeta.runs.sweep import SweepError, sweep
from tinymeta.runs.training import Interrupted
from tinymeta.runs.training import train as train_one


def test_other_peoples_runs_are_not_taken_for_the_experiments(good, tmp_path):
    write = make_config("bandit", "rl2", trials=40, gamma=0.5)
    train_one(tmp_path / "bandit-rl2" / "seed-0", write)
    with pytest.raises(ValueError, match="is another one"):
        Results(tmp_path, 1).run("bandit-rl2", 0)


def test_reproduction_trains_what_claims_and_figures_read(tmp_path, monkeypatch, capsys):
    few = {
        name: e._replace(settings={**e.settings, "trials": 40, "hidden_size": 3})
        for name, e in EXPERIMENTS.items()
        if "bandit" in name
    }
    monkeypatch.setattr(reproduction, "EXPERIMENTS", few)
    monkeypatch.setattr(reproduction, "PROBED", {})
    reproduction.train_all(tmp_path, 2, workers=2, progress=False)
    assert all(Results(tmp_path, 2).run(name, seed).finished for name in few for seed in range(2))
    capsys.readouterr()
    reproduction.train_all(tmp_path, 2, workers=2, progress=False)
    assert capsys.readouterr().out.count("already finished") == len(few)


# ---------------------------------------------------------------- claims and figures on synthetic runs

SEEDS = 4
TINY = {  # the experiments on networks that train in no time; without training they reach the corridor's goal given the time
    name: e._replace(
        settings={**e.settings, "hidden_size": 3, "trials": 2},
        env_kwargs=e.env_kwargs | ({"max_steps": 2000} if e.env == "corridor" else {}),
    )
    for name, e in EXPERIMENTS.items()
}


@pytest.fixture(scope="module", autouse=True)
def tiny_experiments():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reproduction, "EXPERIMENTS", TINY)
        patch.setattr(reproduction, "PROBED", {})
        patch.setattr(claims, "EXPERIMENTS", TINY)
        patch.setattr(claims, "PROBE_CLAIMS", ())  # they have tests of their own, in test_inside.py
        yield


def write_runs(folder, reward, steps, first=0.5, learned_at=None, returns=None):
    """Finished runs of every experiment with given test results; no training. `reward` and `steps` map names to per-trial values."""
    rng = np.random.default_rng(0)
    for name, experiment in TINY.items():
        config = experiment.config()
        tasks = build(config)
        for seed in range(SEEDS):
            path = folder / name / f"seed-{seed}"
            train_one(path, dataclasses.replace(config, settings=dataclasses.replace(config.settings, seed=seed)))
            run, K = RunFolder(path), tasks.episodes
            r, s = reward[name] + rng.normal() * 1e-3, steps[name] + rng.normal() * 1e-3
            result = run.read_result()
            by_reward = [first] + [(r - first) / (K - 1)] * (K - 1)
            by_steps = [s * 2 / 3, s / 3] if K == 2 else [1.0] * K
            result["evaluation"] |= {
                "discounted_return": {"mean": (returns or {}).get(name, 0.5), "sem": 0.05},
                "reward_per_trial": {"mean": r, "sem": 0.05}, "steps_per_trial": {"mean": s, "sem": 0.05},
                "reward_per_episode": by_reward, "steps_per_episode": by_steps,
            }  # fmt: skip
            run.result_path.write_text(json.dumps(result))
            trials = np.arange(200, 40_001, 200)
            fast = trials >= (learned_at or {}).get(name, 2000) * (1 + 0.02 * rng.random())
            rows = {key: np.ones(len(trials)) for key in METRICS} | {"trials": trials, "env_steps": trials * 10}
            rows |= {"reward_per_trial": np.where(fast, r, 5), "steps_per_trial": np.where(fast, s, 100)}
            run.metrics_path.write_text(plotting.csv_text({key: rows[key].tolist() for key in METRICS}))


GOOD_REWARD = {
    name: {"memoryless": 5.0, "informed": 9.99}.get(e.agent, 9.5) if e.env == "bandit" else 20.0
    for name, e in EXPERIMENTS.items()
}
GOOD_REWARD["bandit-rl2-zero"] = 5.0
GOOD_STEPS = {
    name: {"memoryless": 20.0, "informed": 10.1}.get(e.agent, 15.2) if e.env == "corridor" else 10.0
    for name, e in EXPERIMENTS.items()
}
GOOD_STEPS |= {name: 31.0 for name in EXPERIMENTS if "10-11" in name}
IMPOSSIBLE = {"15.5-short-episode", "15.5-long-trial"}  # readings of 15.5 that no agent can meet


def verdicts(folder):
    return {claim.name: measurement.holds for claim, measurement in claims.judge(Results(folder, SEEDS))}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    write_runs(folder, GOOD_REWARD, GOOD_STEPS)
    return folder


def test_runs_as_the_paper_says_pass(good):
    assert {name for name, holds in verdicts(good).items() if not holds} == IMPOSSIBLE


BROKEN = {
    "bandit-rl2": ({"bandit-rl2": 9.2}, {}, {}), "bandit-rl1": ({"bandit-rl1": 9.2}, {}, {}),
    "asymptote-bandit": ({"bandit-rl1": 9.35}, {}, {}), "asymptote-corridor": ({}, {"corridor-rl1": 16.0}, {}),
    "search": ({}, {"corridor-rl2": 17.0}, {}), "15.5-short-trial": ({}, {"corridor-rl2": 17.0}, {}),
    "15.5-long-episode": ({}, {"corridor-10-11-rl2": 36.0}, {}), "first-pull": ({}, {}, {"first": 0.7}),
    "speed-bandit": ({}, {}, {"learned_at": {"bandit-rl1": 8000}}), "speed-corridor": ({}, {}, {"learned_at": {"corridor-rl2": 9000}}),
    "zero": ({"bandit-rl2-zero": 7.0}, {}, {}), "controls": ({"bandit-memoryless": 8.0}, {}, {}),
    "optimum": ({}, {}, {"returns": {"corridor-rl2": 7.5}}),  # the optimum is 7.037
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_runs_that_contradict_a_claim_fail_it(name, tmp_path):
    reward, steps, options = BROKEN[name]
    write_runs(tmp_path, GOOD_REWARD | reward, GOOD_STEPS | steps, **options)
    assert not verdicts(tmp_path)[name]


def test_every_claim_is_known_to_fail():
    assert {claim.name for claim in claims.CLAIMS} == set(BROKEN) | IMPOSSIBLE


def test_zero_claim_looks_at_the_weights(good, tmp_path, monkeypatch):
    """A run whose reward stays at chance but whose weights moved does not support the claim."""
    real = tinymeta.load

    def moved(path):
        agent = real(path)
        agent.theta[0] = 1
        return agent

    monkeypatch.setattr(claims, "load", moved)
    assert not verdicts(good)["zero"]


def test_a_missing_run_gives_no_verdict(good, tmp_path, capsys):
    import shutil

    shutil.copytree(good, tmp_path / "runs")
    (tmp_path / "runs" / "corridor-rl1" / "seed-2" / "result.json").unlink()
    monkey = ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    original, claims.seeds_of = claims.seeds_of, lambda args: SEEDS
    try:
        assert cli.run(lambda: claims.main(monkey)) == 1
    finally:
        claims.seeds_of = original
    assert "corridor-rl1/seed-2 is missing or unfinished" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_claims_files(good, tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "seeds_of", lambda args: SEEDS)
    assert claims.main(["--runs", str(good), "--out", str(tmp_path)]) == 0
    table = json.loads((tmp_path / "claims.json").read_text())
    assert [row["name"] for row in table["claims"]] == [claim.name for claim in claims.CLAIMS]
    assert all({"text", "place", "statistic", "threshold", "measured", "holds"} <= set(row) for row in table["claims"])
    assert (tmp_path / "claims.md").read_text().count("\n| ") == len(claims.CLAIMS) + 1


def test_pictures_are_drawn_by_several_processes(tmp_path):
    said = []
    plotting.draw_each(
        {name: (write_whole, (tmp_path / name, name.encode())) for name in "abc"}, workers=2, say=said.append
    )
    assert sorted(said) == ["a", "b", "c"]
    assert [(tmp_path / name).read_text() for name in "abc"] == ["a", "b", "c"]
    with pytest.raises(WriteError, match="nowhere"):
        plotting.draw_each({"bad": (write_whole, (tmp_path / "nowhere" / "file", b""))}, workers=2)


def test_figures_draw_the_runs(good, tmp_path):
    """Every picture is made, and the CSV beside the learning curves holds the runs' own means and exact bands."""
    figures.draw_all(Results(good, SEEDS), tmp_path, say=lambda line: None)
    for name in ("architecture", "corridor-paths", "learning-bandit", "learning-corridor", "episodes"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in (tmp_path / f"{name}.svg").read_bytes()[:2000]
    for name in ("animation-bandit", "animation-corridor"):
        assert (tmp_path / f"{name}.gif").read_bytes().startswith(b"GIF")
    rows = list(csv.DictReader((tmp_path / "learning-bandit.csv").read_text().splitlines()))
    curves = Results(good, SEEDS).metrics("bandit-rl1")["reward_per_trial"]
    last = [row for row in rows if row["agent"] == "rl1"][-1]
    final = estimate(curves[:, -3:].mean(axis=1))
    assert [float(last[k]) for k in ("mean", "low", "high")] == pytest.approx(list(final[:3]), rel=1e-9)
    shown = {
        row["environment"]: row
        for row in csv.DictReader((tmp_path / "episodes.csv").read_text().splitlines())
        if row["agent"] == "bayes"
    }
    assert float(shown["corridor"]["mean"]) == pytest.approx(5)
    assert float(shown["bandit"]["mean"]) == pytest.approx(1)


def test_figures_are_reproducible(good, tmp_path):
    for folder in ("a", "b"):
        with plt.rc_context(plotting.SETTINGS):
            figures.draw_episodes(Results(good, SEEDS), tmp_path / folder)
    for name in ("episodes.png", "episodes.svg", "episodes.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_episode_values_add_up():
    from tinymeta.optimum.planning import bayes_optimal, by_episode

    for env, kwargs in (
        ("bandit", {"p": (0.1, 0.9)}),
        ("corridor", {}),
        ("gridworld", {"size": 3, "steps": 4, "episodes": 2}),
    ):
        tasks = tinymeta.make(env, **kwargs)
        solved = bayes_optimal(tasks, 0.9)
        reward, steps = by_episode(tasks, solved.graph, solved.policy)
        exact = exact_values(tasks, 0.9)["bayes_optimal"]
        assert reward.sum() == pytest.approx(exact["reward_per_trial"], rel=1e-9)
        assert steps.sum() == pytest.approx(exact["steps_per_trial"], rel=1e-9)


def test_runs_script_refuses_unknown_words():
    script = os.path.join(os.path.dirname(__file__), "..", "runs.sh")
    done = subprocess.run(["bash", script, "everything"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "unknown argument 'everything'" in done.stderr
