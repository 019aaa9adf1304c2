"""One's own environment in every command (contract): trained, resumed, swept, probed, plotted; bad files are told."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinymeta
from tinymeta import baselines, cli, evaluate, gradcheck, plot, probe, train
from tinymeta.environments import own, registry

LAMPS = """
import numpy as np
import tinymeta

def lamps(working=0.8, evenings=2):
    transition = np.zeros((2, 2, 2, 2))
    transition[:, :, :, 0] = 1
    for task in range(2):
        transition[task, 0, task] = [1 - working, working]
    reward = np.zeros((2, 2, 2, 2))
    reward[..., 1] = 1
    return tinymeta.TaskSet(transition, reward, np.ones((2, 2, 1)), initial=[[1, 0]] * 2,
                            terminal=[[False, True]] * 2, episodes=evenings, episode_length=3, name="lamps")

lamps.defaults = {"gamma": 1.0, "trials": 400}
wrong = lambda: 3
def broken():
    raise KeyError("no lamp")
bandit = lamps
badly = lambda: lamps()
badly.defaults = 5
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A file of one's own, in the current folder; what commands note of it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(own.VARIABLE, "")
    (tmp_path / "mine.py").write_text(LAMPS)
    yield "mine.py:lamps"
    for name in set(registry.ENVIRONMENTS) - registry.SHIPPED:
        del registry.ENVIRONMENTS[name]


def command(main, *arguments):
    return cli.run(lambda: main(list(arguments)))


def test_every_command_takes_it(mine, capsys):
    given = ("--env-module", mine)
    assert command(train.main, "lamps", "rl2", "--quiet", "--out", "run", *given) == 0
    assert command(train.main, "lamps", "rl2", "--trials", "800", "--resume", "--quiet", "--out", "run", *given) == 0
    assert command(evaluate.main, "run", "--rollouts", "20", *given) == 0
    assert command(baselines.main, "lamps", "--env-kwargs", "working=0.5", *given) == 0
    assert command(gradcheck.main, "lamps", "rl1", *given) == 0
    assert command(probe.main, "run", "--trials", "16", *given) == 0
    assert command(plot.main, "run", "--out", "curve.png", *given) == 0
    assert "bayes-optimal" in capsys.readouterr().out


def test_its_defaults_are_its_own(mine):
    registry.bring(mine)
    assert tinymeta.make("lamps", evenings=3).episodes == 3
    assert tinymeta.make("lamps").defaults["gamma"] == 1.0
    assert tinymeta.make("lamps").defaults["ent_coef"] == registry.BANDIT["ent_coef"]
    with pytest.raises(ValueError, match="unknown keyword of environment 'lamps' 'evening', expected one of working"):
        tinymeta.make("lamps", evening=3)


def test_workers_have_it(mine):
    """A sweep in processes of its own, begun by a command that knows nothing but its arguments."""
    arguments = ["lamps", "rl2", "--seeds", "2", "--workers", "2", "--quiet", "--out", "sweep", "--env-module", mine]
    done = subprocess.run([sys.executable, "-m", "tinymeta.train", *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_run_folder_alone_executes_nothing(mine, tmp_path, capsys, monkeypatch):
    assert command(train.main, "lamps", "rl2", "--quiet", "--out", "run", "--env-module", mine) == 0
    registry.ENVIRONMENTS.pop("lamps")
    monkeypatch.setenv(own.VARIABLE, "")
    (tmp_path / "mine.py").write_text("open('executed', 'w')\n" + LAMPS)
    assert command(evaluate.main, "run") == 2
    assert "one's own is given with --env-module FILE.py:FUNCTION" in capsys.readouterr().err
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(("where", "told"), [
    ("mine.py", "expected FILE.py:FUNCTION"),
    ("mine.txt:lamps", "expected FILE.py:FUNCTION"),
    ("nowhere.py:lamps", "there is no file"),
    ("mine.py:lantern", "has no function 'lantern'"),
    ("mine.py:bandit", "'bandit' is an environment of tinymeta, expected another name"),
    ("mine.py:badly", "badly.defaults is 5, expected a dict of settings"),
    ("raises.py:lamps", "failed: ZeroDivisionError: division by zero"),
])  # fmt: skip
def test_bad_files_are_told(mine, tmp_path, where, told, capsys):
    (tmp_path / "raises.py").write_text("1 / 0\n")
    assert command(baselines.main, "lamps", "--env-module", where) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(("name", "told"), [("wrong", "returned 3, expected a TaskSet"),
                                            ("broken", "failed: KeyError: 'no lamp'")])  # fmt: skip
def test_bad_functions_are_told(mine, name, told):
    registry.bring(f"mine.py:{name}")
    with pytest.raises(ValueError, match=told):
        tinymeta.make(name)


BALL = Path(__file__).parents[2] / "docs" / "ball.py"


@pytest.mark.usefixtures("mine")
def test_the_documented_world_runs_in_every_command(capsys):
    """docs/worlds.md shows docs/ball.py: a world of one's own, with vectors to see and to do."""
    given = ("--env-module", f"{BALL}:ball")
    learning = ("--algorithm", "a2c", "--num-envs", "4", "--hidden-size", "4", "--quiet", "--out", "run")
    assert command(train.main, "ball", "rl2", *learning, "--trials", "16", *given) == 0
    assert command(train.main, "ball", "rl2", *learning, "--trials", "24", "--resume", *given) == 0
    assert command(evaluate.main, "run", "--rollouts", "6", "--trace", "t.npz", *given) == 0
    assert command(baselines.main, "ball", *given) == 0
    assert command(probe.main, "run", "--trials", "16", *given) == 0
    assert command(plot.main, "run", "--out", "curve.png", *given) == 0
    assert "beyond reach" in capsys.readouterr().out
    assert len(BALL.read_text(encoding="utf-8").splitlines()) <= 45
    with np.load("t.npz") as trace:
        assert trace["action"].shape == (*trace["valid"].shape, 1)
        assert trace["features"].shape == (*trace["valid"].shape, 1)
