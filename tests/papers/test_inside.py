"""Claims on probes: each holds on numbers that meet its threshold and fails on numbers that do not; and the whole chain on tiny runs."""

import json

import pytest

from tinymeta import claims, inside, reproduction
from tinymeta.base.intervals import Estimate
from tinymeta.papers.alver_precup_2021.experiments import PROBED
from tinymeta.papers.results import Results
from tinymeta.runs.folder import RunFolder

GOOD = {
    "gap to optimum, sampled": 0.4, "transplant both, trained": 0.99, "transplant both, untrained": 0.5,
    "transplant pattern, trained": 0.98, "transplant random, trained": 0.05, "transplant axis, trained": 0.0,
    "decoding R², trained": 0.99, "decoding R², untrained": 0.97, "decoding R², shuffled": 0.0,
    "D_s agent → Bayes, trained": 0.01, "D_s agent → Bayes, untrained": 0.1,
}  # fmt: skip
BREAKING = {  # claim: numbers that must break it
    "regret": {"gap to optimum, sampled": 1.2},
    "exact": {"exact": 0.2},
    "transplant": {"transplant both, trained": 0.5},
    "direction": {"transplant random, trained": 0.95},
    "decoding-control": {"decoding R², untrained": 0.6},
    "decoding": {"decoding R², untrained": 0.995},
    "simulation": {"D_s agent → Bayes, untrained": 0.001},
}


class Numbers:
    """In place of `Probes`: every run of a kind has the same numbers, RL¹ those of an agent that stays with its own task."""

    def __init__(self, numbers):
        self.numbers = numbers

    def estimate(self, name, quantity):
        value = 0.01 if name.endswith("rl1") and quantity.startswith("transplant") else self.numbers[quantity]
        return Estimate(value, value - 0.001, value + 0.001, 5)

    def of(self, name):
        sampled = {"mean": 9.4 + self.numbers.get("exact", 0.0), "sem": 0.02}
        return [{"exact": {"reward": 9.41, "optimum": {"reward_per_trial": 9.5}}, "evaluation": {"reward_per_trial": sampled}},
                {"exact": {"reason": "too many histories"}}]  # fmt: skip


def verdicts(monkeypatch, numbers):
    monkeypatch.setattr(claims, "Probes", lambda results: Numbers(numbers))
    return {claim.name: claim.measure(None).holds for claim in claims.PROBE_CLAIMS}


def test_claims_on_probes_hold_and_break(monkeypatch):
    assert set(BREAKING) == {claim.name for claim in claims.PROBE_CLAIMS}
    assert all(verdicts(monkeypatch, GOOD).values())
    for name, numbers in BREAKING.items():
        assert not verdicts(monkeypatch, {**GOOD, **numbers})[name], name


def test_the_whole_chain_on_tiny_runs(tmp_path, monkeypatch):
    """Train, probe, tabulate and draw; a second call probes nothing again; a missing probe is named."""
    tiny = {"hidden_size": 4, "trials": 48, "num_envs": 4}
    shorter = {"bandit": {"pulls": 6}, "bandit-informative": {}, "tiger": {"horizon": 4}, "corridor": {"left": 1, "right": 1},
               "gridworld": {"size": 3, "steps": 3, "episodes": 2}}  # fmt: skip
    tiny_of = lambda e: e._replace(settings={**e.settings, **tiny}, env_kwargs={**e.env_kwargs, **shorter[e.env]})  # noqa: E731
    paper = {name: e for name, e in reproduction.EXPERIMENTS.items() if name in inside.names()}
    for module in (reproduction, inside):
        monkeypatch.setattr(module, "EXPERIMENTS", {name: tiny_of(e) for name, e in paper.items()})
        monkeypatch.setattr(module, "PROBED", {name: tiny_of(e) for name, e in PROBED.items()})
    reproduction.train_all(tmp_path / "runs", 1, workers=1, progress=False)
    probes = inside.Probes(Results(tmp_path / "runs", 1))
    with pytest.raises(ValueError, match="bandit-rl2/seed-0 has no probe.json"):
        probes.of("bandit-rl2")
    for name in inside.names():
        for folder in probes.runs(name):
            inside.probe_to_file(folder.path)
    with pytest.raises(ValueError, match="seed-1 is missing or unfinished"):
        inside.main(["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--quick", "--workers", "1"])
    inside.draw_all(probes.results, tmp_path / "out", say=lambda line: None)
    assert inside.table(probes).count("\n| ") == 1 + len(inside.names())
    drawn = {path.stem for path in (tmp_path / "out").glob("*.svg")}
    assert drawn == {
        "state-space",
        "decoding-training",
        "calibration",
        "simulation",
        "transplants",
        "belief-along-a-trial",
    }
    snapshots = RunFolder(tmp_path / "runs" / "corridor-rl2" / "seed-0").load_snapshots()
    assert [updates for updates, _ in snapshots] == [2, 3, 5, 6, 8, 9, 11, 12]
    result = json.loads((tmp_path / "runs" / "tiger-rl2" / "seed-0" / "probe.json").read_text())
    assert "reason" in result["transplants"]
