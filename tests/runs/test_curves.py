"""Learning curves of any runs (oracle and contract): the runs' own numbers, honest means, names that tell apart."""

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest

import tinymeta
from tinymeta.base.errors import InputError
from tinymeta.base.intervals import estimate
from tinymeta.environments.registry import ENVIRONMENTS, Environment
from tinymeta.runs import curve_figure
from tinymeta.runs.config import make_config
from tinymeta.runs.curve_figure import check_output, draw, exact_optima
from tinymeta.runs.curves import GRID, SHOWN, curves, find, labels
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.metrics import METRICS
from tinymeta.runs.sweep import sweep
from tinymeta.runs.training import train

FIRST = 1000
SHORT = {"trials": 400, "hidden_size": 4, "num_envs": 4, "log_interval": 10}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A sweep of three seeds in the corridor, whose runs take different numbers of steps. Not to be changed."""
    folder = tmp_path_factory.mktemp("curves")
    sweep(folder / "corridor", make_config("corridor", "rl2", {"left": 1, "right": 2}, seed=FIRST, **SHORT), 3, 1)
    train(folder / "bandit", make_config("bandit", "rl1", {"pulls": 4}, seed=FIRST, **SHORT))
    return folder


@pytest.fixture
def copy(trained, tmp_path):
    """The same, to be changed."""
    shutil.copytree(trained, tmp_path / "copy")
    return tmp_path / "copy"


def rewrite(run, **columns):
    """Replace columns of a run's metrics.csv; the others are cut to their length."""
    old = run.read_metrics()
    rows = len(next(iter(columns.values())))
    new = {name: columns.get(name, old[name][:rows]) for name in METRICS}
    lines = [",".join(METRICS), *(",".join(repr(float(x)) for x in row) for row in zip(*new.values(), strict=True))]
    run.metrics_path.write_text("\n".join(lines) + "\n")


def seeds_of(folder):
    return [RunFolder(folder / "corridor" / f"seed-{FIRST + k}") for k in range(3)]


@pytest.mark.parametrize("metric", SHOWN)
def test_a_sweep_is_the_mean_over_its_seeds_with_students_interval(metric, trained):
    (curve,) = curves([find(trained / "corridor")], metric, "trials")
    own = np.array([run.read_metrics()[metric] for run in seeds_of(trained)])
    assert curve.seeds == [FIRST, FIRST + 1, FIRST + 2]
    np.testing.assert_array_equal([y for _, y in curve.runs], own)
    np.testing.assert_array_equal(curve.x, np.arange(40, 401, 40))
    expected = [estimate(own[:, g]) for g in range(len(curve.x))]
    found = list(zip(curve.mean, curve.low, curve.high, curve.n, strict=True))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_a_run_is_its_own_mean(trained):
    (curve,) = curves([find(trained / "bandit")], "loss", "env_steps")
    columns = RunFolder(trained / "bandit").read_metrics()
    np.testing.assert_array_equal(curve.x, columns["env_steps"])
    for band in (curve.mean, curve.low, curve.high):
        np.testing.assert_array_equal(band, columns["loss"])


def test_unfinished_seeds_count_as_far_as_they_are(copy):
    first, second, third = seeds_of(copy)
    for run in (second, third):
        run.result_path.unlink()
    rewrite(second, loss=np.arange(4.0))
    rewrite(third, loss=np.empty(0))  # begun, and no row yet
    (curve,) = curves([find(copy / "corridor")], "loss", "trials")
    assert curve.seeds == [FIRST, FIRST + 1]
    assert curve.n.tolist() == [2] * 4 + [1] * 6
    own = first.read_metrics()["loss"]
    np.testing.assert_allclose(curve.mean, [*(own[:4] + np.arange(4.0)) / 2, *own[4:]])
    np.testing.assert_array_equal(curve.low[4:], curve.mean[4:])


def test_against_steps_finished_runs_keep_their_last_value_and_others_end(copy):
    """By hand: seeds at steps 10, 20 and 10, 30 and 20, 40, values 0, 2 and 4, 8 and 6, 6; the second is unfinished."""
    rows = (([10, 20], [0, 2]), ([10, 30], [4, 8]), ([20, 40], [6, 6]))
    for run, (steps, values) in zip(seeds_of(copy), rows, strict=True):
        rewrite(run, env_steps=steps, loss=values)
    seeds_of(copy)[1].result_path.unlink()
    (curve,) = curves([find(copy / "corridor")], "loss", "env_steps")
    assert (curve.x[0], curve.x[-1], len(curve.x)) == (20, 40, GRID)
    at = {x: np.argmin(np.abs(curve.x - x)) for x in (20, 25, 40)}
    assert curve.mean[at[20]] == pytest.approx((2 + 6 + 6) / 3)
    assert curve.mean[at[25]] == pytest.approx((2 + 7 + 6) / 3, abs=0.01)
    assert (curve.mean[at[40]], curve.n[at[40]]) == (4, 2)


def test_seconds_are_the_runs_own_shared_out_by_steps(copy):
    run = seeds_of(copy)[0]
    result = run.read_result()
    (curve,) = curves([find(run.path)], "loss", "seconds")
    steps = run.read_metrics()["env_steps"]
    np.testing.assert_allclose(curve.x, steps / steps[-1] * result["train_seconds"])
    run.result_path.unlink()  # then timing.json tells
    (unfinished,) = curves([find(run.path)], "loss", "seconds")
    np.testing.assert_allclose(unfinished.x, curve.x)
    timing = json.loads(run.timing_path.read_text())
    del timing["env_steps"]
    run.timing_path.write_text(json.dumps(timing))
    with pytest.raises(InputError, match=r"timing\.json: env_steps = None, expected an integer"):
        curves([find(run.path)], "loss", "seconds")
    run.timing_path.unlink()
    with pytest.raises(InputError, match=r"has no timing\.json; seconds are known from the first checkpoint on"):
        curves([find(run.path)], "loss", "seconds")


def test_a_name_is_what_tells_apart(tmp_path, trained):
    """Exactly the settings that differ: not what is the same, nor what changes no number, nor a default said aloud."""
    for name, kwargs, settings in (
        ("a", {}, {}),
        ("b", {"pulls": 10, "p": (0, 1)}, {"snapshots": 1}),
        ("c", {"pulls": 5}, {"learning_rate": 0.003, "seed": 7}),
    ):
        train(tmp_path / name, make_config("bandit", "rl2", kwargs, **{**SHORT, "trials": 8, **settings}))
    a, b, c = (find(tmp_path / name) for name in "abc")
    assert labels([a]) == ["bandit rl2, seed 0"]
    assert labels([a, c]) == [
        "pulls 10, learning_rate 0.001, seed 0",
        "pulls 5, learning_rate 0.003, seed 7",
    ]
    assert labels([a, b]) == [str(tmp_path / "a"), str(tmp_path / "b")]  # equal runs: only the folders tell
    assert labels([find(trained / "corridor")]) == [f"corridor rl2, seeds {FIRST}–{FIRST + 2}"]
    both = labels([find(trained / "corridor"), find(trained / "bandit")])
    assert both[1].startswith("bandit rl1, gamma 0.8, ")
    assert "pulls" not in both[1]  # the corridor has none to differ in


def test_runs_of_several_sweeps_are_no_sweep(copy):
    run = seeds_of(copy)[1]
    config = run.read_config()
    run.write_config(dataclasses.replace(config, settings=dataclasses.replace(config.settings, gamma=0.5)))
    with pytest.raises(InputError, match=r"seed-1001 has gamma = 0\.5 and .*seed-1000 0\.9; expected the seeds of one"):
        find(copy / "corridor")


def test_optima_are_those_of_the_task_sets(copy, monkeypatch):
    bandit, corridor = find(copy / "bandit"), find(copy / "corridor")
    (bayes, informed) = exact_optima([bandit], "reward_per_trial")
    assert bayes[2:] == ("Bayes optimum (exact)", pytest.approx(3.5))  # T - 1/2
    assert informed[2:] == ("informed optimum (exact)", pytest.approx(4))
    assert exact_optima([bandit], "entropy") == []
    several = exact_optima([corridor, bandit], "reward_per_trial")
    assert {(o.curve, o.label.split(" of ")[1]) for o in several} == {
        (0, "corridor, gamma 0.9"),
        (1, "bandit, gamma 0.8"),
    }
    assert len(exact_optima([bandit, bandit], "reward_per_trial")) == 2  # one line each for both
    RunFolder(copy / "bandit").result_path.unlink()
    assert exact_optima([find(copy / "bandit")], "reward_per_trial") == [bayes, informed]
    monkeypatch.setattr(curve_figure, "exact_for", lambda config: pytest.fail("worked out though it is known"))
    assert exact_optima([corridor], "reward_per_trial")[0].value == pytest.approx(20)


def test_where_no_optimum_is_known_there_is_no_line(copy):
    path = copy / "bandit" / "result.json"
    result = json.loads(path.read_text())
    nothing = {"reward_per_trial": None, "steps_per_trial": None, "discounted_value": None, "reason": "no table"}
    result["evaluation"] |= {"bayes_optimal": nothing}
    path.write_text(json.dumps(result))
    assert [optimum.kind for optimum in exact_optima([find(copy / "bandit")], "reward_per_trial")] == ["informed"]


def lamp(flips: int = 3):
    """One's own environment: of two switches one lights the lamp."""
    light = np.zeros((2, 1, 2, 1))
    light[[0, 1], 0, [0, 1], 0] = 1
    ones = np.ones((2, 1, 2, 1))
    return tinymeta.TaskSet(ones, light, np.ones((2, 1, 1)), [[1], [1]], [[False]] * 2, episodes=flips,
                            episode_length=1, name="lamp")  # fmt: skip


def test_ones_own_environment_has_its_curves_and_its_optimum(tmp_path, monkeypatch):
    monkeypatch.setitem(ENVIRONMENTS, "lamp", Environment(lamp, {}))
    train(
        tmp_path / "run",
        make_config("lamp", "rl2", **SHORT, gamma=0.9, learning_rate=1e-3, ent_coef=0.01, vf_coef=0.5, max_grad_norm=1),
    )
    (curve,) = draw([find(tmp_path / "run")], "reward_per_trial", "trials", tmp_path / "a.svg")
    assert len(curve.x) == 10
    assert exact_optima([find(tmp_path / "run")], "reward_per_trial")[0].value == pytest.approx(2.5)


@pytest.mark.parametrize("kind", ["png", "svg", "PNG"])
def test_a_picture_has_its_numbers_beside_it(kind, trained, tmp_path):
    sources = [find(trained / "corridor"), find(trained / "bandit")]
    drawn = draw(sources, "reward_per_trial", "env_steps", check_output(tmp_path / f"out.{kind}"))
    data = (tmp_path / f"out.{kind}").read_bytes()
    assert data.startswith(b"\x89PNG") if kind.lower() == "png" else b"<svg" in data[:2000]
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    means = [row for row in rows if row["seed"] == "mean"]
    assert [row["curve"] for row in means] == [drawn[0].label] * GRID + [drawn[1].label] * 10
    last = [float(means[-1][name]) for name in ("env_steps", "reward_per_trial", "low", "high", "seeds")]
    assert last == [drawn[1].x[-1], drawn[1].mean[-1], drawn[1].low[-1], drawn[1].high[-1], 1]
    for name, values in (("low", drawn[0].low), ("high", drawn[0].high), ("seeds", drawn[0].n)):
        np.testing.assert_array_equal([float(row[name]) for row in means[:GRID]], values)
    single = [float(row["reward_per_trial"]) for row in rows if row["seed"] == str(FIRST + 1)]
    assert single == seeds_of(trained)[1].read_metrics()["reward_per_trial"].tolist()
    exact = {row["curve"]: float(row["reward_per_trial"]) for row in rows if "exact" in row["curve"]}
    assert exact["Bayes optimum (exact) of bandit, gamma 0.8"] == pytest.approx(3.5)


def test_no_run_and_no_row_are_told(copy, tmp_path):
    (tmp_path / "empty" / "seed-x").mkdir(parents=True)
    for path in (tmp_path / "empty", tmp_path / "nowhere", copy):
        with pytest.raises(InputError, match="holds no run and no sweep; expected"):
            find(path)
    rewrite(RunFolder(copy / "bandit"), loss=[])
    with pytest.raises(InputError, match=r"bandit has no row of metrics\.csv yet"):
        curves([find(copy / "bandit")], "loss", "trials")


@pytest.mark.parametrize("cut", [1, 3, 100])
def test_a_line_that_is_cut_off_is_told(cut, copy):
    """Also where only the line's end is missing, or digits of its last number."""
    path = copy / "bandit" / "metrics.csv"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(InputError, match=r"metrics\.csv, line 11: .* is cut off, expected a whole line"):
        curves([find(copy / "bandit")], "loss", "trials")
