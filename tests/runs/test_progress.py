"""Progress (contract): a bar where somebody looks at it, elsewhere nothing that a forked process could hang on."""

import io
import subprocess
import sys
import threading

import pytest
import tqdm

from tinymeta.runs import progress
from tinymeta.runs.config import make_config
from tinymeta.runs.progress import progress_bar
from tinymeta.runs.sweep import sweep
from tinymeta.runs.training import train

SHORT = make_config("bandit", "rl2", trials=40, hidden_size=3)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def no_tqdm(monkeypatch):
    """Whoever makes a bar of any kind fails."""
    monkeypatch.setattr(tqdm.std.tqdm, "__new__", lambda *_, **__: pytest.fail("a tqdm object was made"))


def monitors():
    return [thread for thread in threading.enumerate() if type(thread).__name__ == "TMonitor"]


def test_without_progress_there_is_no_bar(tmp_path, no_tqdm, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    train(tmp_path / "run", SHORT, progress=False)
    sweep(tmp_path / "sweep", SHORT, 1, progress=False)
    assert sys.stderr.getvalue() == ""
    assert not monitors()


@pytest.mark.parametrize("stderr", [io.StringIO(), None])
def test_without_a_terminal_there_is_no_bar(stderr, tmp_path, no_tqdm, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stderr)
    train(tmp_path / "run", SHORT, progress=True)
    assert not monitors()


def test_at_a_terminal_there_is_a_bar_and_no_thread(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    train(tmp_path / "run", SHORT, progress=True)
    assert "bandit rl2 seed 0: 100%" in sys.stderr.getvalue()
    assert "40.0/40.0" in sys.stderr.getvalue()
    assert not monitors()


def test_a_bar_shows_what_it_is_told(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bar(8, "seed", "a sweep", done=2) as report:
        report(3, {})
        report(8, {"reward/trial": "9.50"})
    assert "8/8" in sys.stderr.getvalue()
    assert "reward/trial=9.50" in sys.stderr.getvalue()
    assert progress._Bar.monitor_interval == 0 != tqdm.tqdm.monitor_interval  # the user's own bars keep theirs


FORKING = """
import os, signal, sys, threading, tqdm
from tinymeta.runs.config import make_config
from tinymeta.runs.training import train

config = make_config("bandit", "rl2", trials=40, hidden_size=3)
train(sys.argv[1] + "/compiled", config)
held, done = threading.Event(), threading.Event()

def hold():
    with tqdm.tqdm.get_lock():
        held.set()
        done.wait()

threading.Thread(target=hold).start()
held.wait()
child = os.fork()
if child == 0:
    signal.alarm(30)  # what hangs ends all the same
    train(sys.argv[1] + "/forked", config)
    os._exit(0)
done.set()
sys.exit(os.waitpid(child, 0)[1])
"""


def test_a_forked_process_trains_while_anothers_bar_is_locked(tmp_path):
    """The lock is held for ever in the child, by a thread that it does not have."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "forked" / "result.json").read_bytes()
