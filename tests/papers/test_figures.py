"""Pictures against the runs (oracle): every one is made, and the tables beside them hold the runs' own numbers."""

import csv
import os
import subprocess

import numpy as np
import pytest
from synthetic import PAPER, results_in

import tinymeta
from tinymeta.base.intervals import estimate
from tinymeta.optimum.exact_values import exact_values
from tinymeta.optimum.planning import bayes_optimal, by_episode
from tinymeta.papers.alver_precup_2021.performance_figures import draw_episodes
from tinymeta.papers.plotting import draw_figures, drawing


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture(scope="module")
def drawn(good, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    said = []
    draw_figures(PAPER.figures, results_in(good), folder, say=said.append)
    assert said == [str(folder / name) for name in PAPER.figures]
    return folder


def test_every_picture_is_made(drawn):
    for name in PAPER.figures:
        if name.startswith("animation"):
            assert (drawn / f"{name}.gif").read_bytes().startswith(b"GIF")
        else:
            assert (drawn / f"{name}.png").read_bytes().startswith(b"\x89PNG")
            assert b"<svg" in (drawn / f"{name}.svg").read_bytes()[:2000]


def test_learning_curves_hold_the_runs_own_means_and_exact_bands(good, drawn):
    rows = rows_of(drawn / "learning-bandit.csv")
    curves = results_in(good).metrics("bandit-rl1")["reward_per_trial"]
    last = [row for row in rows if row["agent"] == "rl1"][-1]
    final = estimate(curves[:, -3:].mean(axis=1))
    assert [float(last[k]) for k in ("mean", "low", "high")] == pytest.approx(list(final[:3]), rel=1e-9)
    exact = {row["agent"]: row for row in rows if row["agent"].endswith("(exact)")}
    assert float(exact["bayes_optimal (exact)"]["mean"]) == pytest.approx(9.5)  # T - 1/2
    assert len(rows_of(drawn / "learning-bandit-by-steps.csv")) == 4 * 399 + 3


def test_episodes_hold_the_optimum(drawn):
    rows = rows_of(drawn / "episodes.csv")
    shown = {row["environment"]: row for row in rows if row["agent"] == "bayes"}  # the last episode of each
    assert float(shown["corridor"]["mean"]) == pytest.approx(5)
    assert float(shown["bandit"]["mean"]) == pytest.approx(1)


def test_paths_go_from_the_start_to_the_goal(drawn):
    """Every episode begins in the middle, and every step moves one cell or meets a wall."""
    rows = rows_of(drawn / "corridor-paths.csv")
    for agent in ("rl2", "rl1"):
        for goal in ("left", "right"):
            for episode in ("1", "2"):
                path = [int(r["cell"]) for r in rows if (r["agent"], r["goal"], r["episode"]) == (agent, goal, episode)]
                assert path[0] == 0
                assert abs(np.diff(path)).max(initial=0) <= 1


def test_figures_are_reproducible(good, tmp_path):
    for folder in ("a", "b"):
        with drawing():
            draw_episodes(results_in(good), tmp_path / folder)
    for name in ("episodes.png", "episodes.svg", "episodes.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(("env", "kwargs"), [("bandit", {"p": (0.1, 0.9)}), ("corridor", {}),
                                             ("gridworld", {"size": 3, "steps": 4, "episodes": 2})])  # fmt: skip
def test_episode_values_add_up(env, kwargs):
    tasks = tinymeta.make(env, **kwargs)
    solved = bayes_optimal(tasks, 0.9)
    reward, steps = by_episode(tasks, solved.graph, solved.policy)
    exact = exact_values(tasks, 0.9)["bayes_optimal"]
    assert reward.sum() == pytest.approx(exact["reward_per_trial"], rel=1e-9)
    assert steps.sum() == pytest.approx(exact["steps_per_trial"], rel=1e-9)


def test_runs_script_refuses_unknown_words():
    script = os.path.join(os.path.dirname(__file__), "..", "..", "runs.sh")
    done = subprocess.run(["bash", script, "everything"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "unknown argument 'everything'" in done.stderr
