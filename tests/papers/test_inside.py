"""Looking inside a paper's runs (contract): train, probe, tabulate and draw on tiny runs."""

import json

import pytest
from synthetic import PAPER, SHORTER

from tinymeta import inside
from tinymeta.papers.alver_precup_2021.experiments import SNAPSHOTS
from tinymeta.papers.probe_results import Probes, probe_all, probe_table
from tinymeta.papers.registry import load_paper
from tinymeta.papers.results import Results, train_all

SHORT = {**SHORTER, "corridor": {"left": 1, "right": 1}}


def _tiny(experiment):
    settings = {**experiment.settings, "hidden_size": 4, "trials": 48, "num_envs": 4}
    return experiment._replace(settings=settings, env_kwargs={**experiment.env_kwargs, **SHORT[experiment.env]})


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    experiments = {name: _tiny(load_paper("alver").experiments[name]) for name in PAPER.probed}
    results = Results(tmp_path_factory.mktemp("inside") / "runs", experiments, 1)
    train_all(results, workers=1, progress=False)
    return results


def test_the_whole_chain_on_tiny_runs(results, tmp_path, capsys):
    """A missing probe is named; then all is probed, tabulated and drawn; a second call probes nothing again."""
    probes = Probes(results)
    with pytest.raises(ValueError, match="bandit-rl2/seed-0 has no probe.json"):
        probes.of("bandit-rl2")
    inside.look_inside(PAPER, results, tmp_path / "out", workers=1)
    assert (tmp_path / "out" / "inside.md").read_text() == probe_table(Probes(results), PAPER.probed)
    decoding, simulation = probe_table(probes, PAPER.probed).split("## Simulation")
    assert simulation.count("\n| ") == 1 + len(PAPER.probed)
    assert decoding.count("| RL² |") == decoding.count("| RL¹ |") > len(PAPER.probed)  # a row for each statistic
    assert {path.stem for path in (tmp_path / "out").glob("*.svg")} == set(PAPER.probe_figures)
    assert {path.stem for path in (tmp_path / "out").glob("*.csv")} == set(PAPER.probe_figures)
    written = {name: (results.path(name, 0) / "probe.json").stat().st_mtime_ns for name in PAPER.probed}
    capsys.readouterr()
    probe_all(results, PAPER.probed, workers=1)
    assert capsys.readouterr().out == ""
    assert written == {name: (results.path(name, 0) / "probe.json").stat().st_mtime_ns for name in PAPER.probed}
    found = json.loads((results.path("tiger-rl2", 0) / "probe.json").read_text())
    assert "reason" in found["transplants"]


def test_a_missing_run_is_named_before_any_is_probed(results, tmp_path):
    more = Results(results.folder, results.experiments, 2)
    with pytest.raises(ValueError, match="seed-1 is missing or unfinished"):
        inside.look_inside(PAPER, more, tmp_path / "out", workers=1)


def test_runs_that_are_drawn_over_training_keep_their_networks(results):
    snapshots = results.run("corridor-rl2", 0).load_snapshots()
    assert len(snapshots) == SNAPSHOTS
    assert [updates for updates, _ in snapshots] == [2, 3, 5, 6, 8, 9, 11, 12]
