"""Results (contract): which runs are an experiment's, which seeds, and what training them leaves."""

import numpy as np
import pytest
from synthetic import EXPERIMENTS, PAPER

from tinymeta import reproduction
from tinymeta.papers.results import Results, train_all
from tinymeta.runs.config import make_config
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.parcel import pack
from tinymeta.runs.training import train

FEW = {name: EXPERIMENTS[name] for name in ("bandit-rl2", "bandit-rl1", "bandit-memoryless")}


def test_other_peoples_runs_are_not_taken_for_the_experiments(tmp_path):
    train(tmp_path / "bandit-rl2" / "seed-0", make_config("bandit", "rl2", trials=2, hidden_size=3, gamma=0.5))
    with pytest.raises(ValueError, match=r"is another one: gamma = 0\.5, expected 0\.8"):
        Results(tmp_path, FEW).run("bandit-rl2", 0)


def test_unknown_experiments_are_named(tmp_path):
    with pytest.raises(ValueError, match="unknown experiment 'bandit-rl3'"):
        Results(tmp_path, FEW).seeds_of("bandit-rl3")


def test_an_experiment_with_fewer_seeds_has_fewer(tmp_path):
    few = {"bandit-rl2": FEW["bandit-rl2"]._replace(seeds=2)}
    assert Results(tmp_path, few, 20, 100).seeds_of("bandit-rl2") == range(100, 102)
    assert Results(tmp_path, few, 1, 100).seeds_of("bandit-rl2") == range(100, 101)


def test_training_makes_what_claims_and_figures_read(tmp_path, capsys):
    results = Results(tmp_path, FEW, 2)
    train_all(results, workers=2, progress=False)
    assert all(run.finished for name in FEW for run in results.runs(name))
    assert results.metrics("bandit-rl2")["trials"].shape[0] == 2
    capsys.readouterr()
    train_all(results, workers=2, progress=False)
    assert capsys.readouterr().out.count("already finished") == len(FEW)


def test_training_at_other_seeds(tmp_path, capsys):
    """Seeds 100 and 101 are trained beside others, and are the runs that they are anywhere else."""
    few = {"bandit-rl2": FEW["bandit-rl2"]}
    results = Results(tmp_path / "runs", few, 2, 100)
    train_all(results, workers=1, progress=False)
    assert sorted(path.name for path in (tmp_path / "runs" / "bandit-rl2").glob("seed-*")) == ["seed-100", "seed-101"]
    assert [run.read_config().settings.seed for run in results.runs("bandit-rl2")] == [100, 101]
    assert results.first_run("bandit-rl2").path.name == "seed-100"
    train(tmp_path / "alone", few["bandit-rl2"].config(101))
    assert (tmp_path / "alone" / "checkpoint.npz").read_bytes() == results.run(
        "bandit-rl2", 101
    ).checkpoint_path.read_bytes()
    train_all(Results(tmp_path / "runs", few, 3, 100), workers=1, progress=False)
    assert len(Results(tmp_path / "runs", few, 3, 100).evaluations("bandit-rl2")) == 3


def test_curves_stand_seed_by_seed(good):
    results = Results(good, FEW, 2, 1)
    for row, seed in enumerate((1, 2)):
        own = results.run("bandit-rl2", seed).read_metrics()["reward_per_trial"]
        np.testing.assert_array_equal(results.metrics("bandit-rl2")["reward_per_trial"][row], own)


def test_a_paper_is_reproduced_on_a_cluster(tmp_path, monkeypatch, capsys):
    """`reproduction --cluster local`: the experiments' runs, as they are when they are trained here."""
    few = {name: FEW[name] for name in ("bandit-rl2", "bandit-rl1")}
    monkeypatch.setattr(reproduction, "load_paper", lambda name: PAPER._replace(experiments=few))
    arguments = ["--runs", str(tmp_path / "cluster"), "--quick", "--workers", "2", "--cluster", "local"]
    assert reproduction.main(arguments) == 0
    assert reproduction.main(["--runs", str(tmp_path / "here"), "--quick", "--workers", "1"]) == 0
    assert "already finished" not in capsys.readouterr().out
    for name in few:
        for seed in range(100, 103):
            files = [pack(RunFolder(tmp_path / where / name / f"seed-{seed}")) for where in ("cluster", "here")]
            for kept in ("config.json", "metrics.csv", "checkpoint.npz"):
                assert files[0][kept] == files[1][kept]
