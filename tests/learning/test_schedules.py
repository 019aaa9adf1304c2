"""Annealed settings: the formulas (oracle), what training makes of them, and that a resumed run goes on bit by bit."""

import json

import numpy as np
import pytest
from support import small

from tinymeta import cli, train
from tinymeta.learning.learner import Learner
from tinymeta.learning.schedules import anneal
from tinymeta.learning.settings import Settings


def test_linear_and_geometric_on_paper():
    np.testing.assert_allclose(anneal(3.0, 1.0, "linear", 5, 0, 5), [3, 2.5, 2, 1.5, 1], rtol=1e-15)
    np.testing.assert_allclose(anneal(8.0, 0.5, "geometric", 5, 0, 5), [8, 4, 2, 1, 0.5], rtol=1e-15)
    np.testing.assert_array_equal(anneal(0.1, None, "linear", 5, 3, 2), [0.1, 0.1])
    np.testing.assert_array_equal(anneal(2.0, 1.0, "linear", 1, 0, 1), [2.0])


@pytest.mark.parametrize("schedule", ["linear", "geometric"])
def test_a_piece_is_a_piece_of_the_whole(schedule):
    whole = anneal(1e-2, 1e-4, schedule, 100, 0, 100)
    np.testing.assert_array_equal(anneal(1e-2, 1e-4, schedule, 100, 40, 25), whole[40:65])


def test_training_follows_the_schedule():
    """One update with each pair of values, by learners that have these values throughout, gives the same weights."""
    tasks = small("bandit")
    settings = {"num_envs": 4, "hidden_size": 5, "trials": 12}
    learner = Learner(tasks, Settings(**settings, learning_rate=1e-2, final_learning_rate=1e-3, ent_coef=0.5,
                                      final_ent_coef=0.005, schedule="geometric"))  # fmt: skip
    learner.advance(3)
    other = Learner(tasks, Settings(**settings))
    for rate, entropy in zip(
        anneal(1e-2, 1e-3, "geometric", 3, 0, 3), anneal(0.5, 0.005, "geometric", 3, 0, 3), strict=True
    ):
        step = Learner(tasks, Settings(**settings, learning_rate=rate, ent_coef=entropy))
        step.restore(other.theta, other.first, other.second, other.updates_done, 0)
        step.advance(1)
        other = step
    np.testing.assert_array_equal(learner.theta, other.theta)


ANNEALED = ["bandit", "rl2", "--hidden-size", "5", "--final-learning-rate", "1e-5", "--final-ent-coef", "0", "--quiet"]


def test_a_resumed_run_is_annealed_on(tmp_path, monkeypatch):
    """Contract: stopped after a third and resumed, the run has the bits of one that was never stopped."""
    whole, parts = str(tmp_path / "whole"), str(tmp_path / "parts")
    assert train.main([*ANNEALED, "--trials", "600", "--out", whole]) == 0
    advance = Learner.advance

    def stopping(self, updates):
        if self.updates_done >= 50:
            raise KeyboardInterrupt
        return advance(self, updates)

    monkeypatch.setattr(Learner, "advance", stopping)
    assert cli.run(lambda: train.main([*ANNEALED, "--trials", "600", "--out", parts])) == 130
    monkeypatch.undo()
    assert train.main([*ANNEALED, "--trials", "600", "--out", parts, "--resume"]) == 0
    for name in ("checkpoint.npz", "metrics.csv"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()
    config = json.loads((tmp_path / "whole" / "config.json").read_text())
    assert (config["final_learning_rate"], config["final_ent_coef"], config["schedule"]) == (1e-5, 0.0, "linear")


def test_an_annealed_run_is_not_made_longer(tmp_path, capsys):
    """More trials would have been another schedule from the first update on."""
    assert train.main([*ANNEALED, "--trials", "200", "--out", str(tmp_path / "run")]) == 0
    assert cli.run(lambda: train.main([*ANNEALED, "--trials", "400", "--out", str(tmp_path / "run"), "--resume"])) == 2
    assert "made with trials = 200" in capsys.readouterr().err


@pytest.mark.parametrize(("settings", "message"), [
    ({"final_learning_rate": -1.0}, "final_learning_rate = -1"),
    ({"schedule": "cosine"}, "unknown schedule 'cosine'"),
    ({"schedule": "geometric", "final_ent_coef": 0.0}, "a geometric schedule does not reach 0"),
])  # fmt: skip
def test_nonsense_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)
