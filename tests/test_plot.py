"""`python -m tinymeta.plot` (contract): files, exit codes, one-line errors, and looking on while a run goes on."""

import os
import subprocess
import sys

import pytest

from tinymeta import cli, plot
from tinymeta.base.errors import InputError
from tinymeta.runs.config import make_config
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.training import train
from tinymeta.runs.watching import going_on, state


def run(*argv):
    return cli.run(lambda: plot.main([str(word) for word in argv]))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("plot") / "run"
    train(path, make_config("bandit", "rl2", trials=400, hidden_size=4, seed=1000))
    return path


def test_a_picture_and_its_numbers(finished, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(finished) == 0
    assert "learning-curves.png and learning-curves.csv" in capsys.readouterr().out
    assert run(finished, "--metric", "entropy", "--x", "seconds", "--out", "e.svg") == 0
    assert sorted(os.listdir()) == ["e.csv", "e.svg", "learning-curves.csv", "learning-curves.png"]
    assert (tmp_path / "e.csv").read_text().startswith("curve,seed,seconds,entropy,low,high,seeds\n")
    assert b"seconds of training (a run" in (tmp_path / "e.svg").read_bytes()


WRONG = {
    "metric": (["--metric", "entropi"], "unknown --metric 'entropi', expected one of reward_per_trial, .*'entropy'"),
    "axis": (["--x", "steps"], "unknown --x 'steps', expected one of trials, env_steps, seconds"),
    "ending": (["--out", "a.pdf"], r"--out 'a\.pdf', expected a file name that ends with \.png or \.svg"),
    "no ending": (["--out", "a"], "--out 'a', expected a file name that ends"),
    "no folder": (
        ["--out", "no/a.png"],
        r"cannot write 'no/a\.png': expected the name of a file in an existing folder",
    ),
    "no run": (["nowhere"], "nowhere holds no run and no sweep"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_exit_code_2(case, finished, tmp_path, capsys, monkeypatch):
    import re

    monkeypatch.chdir(tmp_path)
    words, message = WRONG[case]
    assert run(finished, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert re.search(message, line)
    assert os.listdir() == []


def test_a_folder_that_may_not_be_written_to_is_told(finished, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(tmp_path))  # root may write everywhere
    assert run(finished, "--out", tmp_path / "a.png") == 2
    assert "expected a folder that may be written to" in capsys.readouterr().err


def test_a_damaged_run_is_told(finished, tmp_path, capsys):
    path = tmp_path / "run"
    path.mkdir()
    for file in finished.iterdir():
        (path / file.name).write_bytes(file.read_bytes())
    (path / "metrics.csv").write_bytes((path / "metrics.csv").read_bytes()[:-5])
    assert run(path, "--out", tmp_path / "a.png") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "metrics.csv, line 3: " in line


def test_watching_draws_until_the_run_has_ended(tmp_path, capsys, monkeypatch):
    """A run of another process, interrupted from here: the last picture has its last row."""
    monkeypatch.setattr(plot, "WAIT", 0.2)
    words = ["corridor", "rl2", "--trials", "100000000", "--quiet", "--seed", "1000", "--out", str(tmp_path / "run")]
    pictures = []
    with subprocess.Popen([sys.executable, "-m", "tinymeta.train", *words], stderr=subprocess.PIPE) as process:
        metrics = tmp_path / "run" / "metrics.csv"
        while not (metrics.exists() and len(metrics.read_text().splitlines()) > 2):
            assert process.poll() is None

        def sleep(seconds):
            pictures.append((tmp_path / "a.csv").read_text())
            if len(pictures) == 3:
                process.terminate()
                process.wait()

        monkeypatch.setattr(plot.time, "sleep", sleep)
        assert run(tmp_path / "run", "--watch", "--out", tmp_path / "a.png") == 0
    assert len(pictures) == 3
    rows = (tmp_path / "a.csv").read_text().splitlines()
    last = next(row for row in reversed(rows) if "mean" in row)
    assert float(last.split(",")[3]) == RunFolder(tmp_path / "run").read_metrics()["trials"][-1]
    assert len(rows) > len(pictures[0].splitlines())


def test_nothing_goes_on_is_drawn_once(finished, tmp_path, capsys):
    assert not going_on([finished])
    assert run(finished, "--watch", "--out", tmp_path / "a.png") == 0
    assert capsys.readouterr().out.count("a.png") == 1


def test_a_sweep_goes_on_while_it_or_a_seed_is_locked(tmp_path):
    (tmp_path / "seed-3").mkdir()
    assert not going_on([tmp_path])
    before = state([tmp_path])
    (tmp_path / "seed-3" / "lock").write_text("")
    assert going_on([tmp_path])
    (tmp_path / "seed-3" / "metrics.csv").write_text("")
    assert state([tmp_path]) != before


@pytest.mark.parametrize("failures", [2, 3])
def test_what_is_half_written_is_read_again_and_what_stays_so_is_told(
    failures, finished, tmp_path, monkeypatch, capsys
):
    left = [failures]
    goes_on = iter([True, True, True, False])
    real = plot.draw

    def failing(*arguments):
        if left[0]:
            left[0] -= 1
            raise InputError("a line is cut off")
        return real(*arguments)

    monkeypatch.setattr(plot, "WAIT", 0.0)
    monkeypatch.setattr(plot, "draw", failing)
    monkeypatch.setattr(plot, "going_on", lambda paths: next(goes_on))
    assert run(finished, "--watch", "--out", tmp_path / "a.png") == (0 if failures == 2 else 2)
    assert (tmp_path / "a.png").exists() == (failures == 2)
    assert capsys.readouterr().err.count("cut off") == (failures == 3)
