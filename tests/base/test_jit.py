"""Compiled code: made once for all sizes, never older than its sources, shared by processes, and not in need of a writable disk."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import every_env, small

import tinymeta
from tinymeta.learning.learner import Learner, run_updates
from tinymeta.learning.settings import Settings
from tinymeta.learning.wirings import WIRINGS

INNER = "from tinymeta.base.jit import jit\n\n@jit\ndef inner(x):\n    return {} * x\n"
OUTER = "from tinymeta.base.jit import jit\nfrom tinymeta.inner import inner\n\n@jit\ndef outer(x):\n    return inner(x) + 1\n"
CALL = "from tinymeta.outer import outer; print(outer(3))"
NOWHERE = "/dev/null/nowhere"  # no folder can be made there, not even by root


@pytest.fixture
def package(tmp_path):
    """A folder with a copy of tinymeta and two kernels in it, one calling the other from another file."""
    copy = tmp_path / "installed" / "tinymeta"
    shutil.copytree(Path(tinymeta.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "inner.py").write_text(INNER.format(2))
    (copy / "outer.py").write_text(OUTER)
    return copy.parent


def start(package, cache, code=CALL):
    environment = {
        **os.environ,
        "PYTHONPATH": str(package),
        "TINYMETA_CACHE_DIR": str(cache),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", code], cwd=package, env=environment, **pipes)


def output(process):
    out, error = process.communicate(timeout=120)
    assert (process.returncode, error) == (0, "")
    return out.split()


def test_an_edited_callee_is_compiled_again(package, tmp_path):
    assert output(start(package, tmp_path / "cache")) == ["7"]
    (package / "tinymeta" / "inner.py").write_text(INNER.format(5))
    assert output(start(package, tmp_path / "cache")) == ["16"]


def test_several_processes_start_at_once(package, tmp_path):
    processes = [start(package, tmp_path / "cache") for _ in range(4)]
    assert [output(process) for process in processes] == [["7"]] * 4
    hits = "print(sum(outer.stats.cache_hits.values()))"
    assert output(start(package, tmp_path / "cache", f"{CALL}; {hits}")) == ["7", "1"]


@pytest.mark.parametrize("temporary", [True, False])
def test_a_read_only_install(package, tmp_path, temporary):
    """Without a place for the cache the temporary folder serves, and without that one nothing is kept; the package stays as it is."""
    before = sorted(package.rglob("*"))
    place = str(tmp_path / "temporary") if temporary else NOWHERE
    code = f"import os, tempfile; os.environ['XDG_CACHE_HOME'] = {NOWHERE!r}; tempfile.gettempdir = lambda: {place!r}; {CALL}"
    assert output(start(package, NOWHERE, code)) == ["7"]
    assert (tmp_path / "temporary").exists() == temporary
    assert sorted(package.rglob("*")) == before


@every_env
def test_nothing_is_compiled_for_another_size(env):
    Learner(tinymeta.make("bandit"), Settings(trials=4))
    compiled = len(run_updates.signatures)
    for agent, hidden_size, num_envs in zip(WIRINGS, (3, 16, 21, 48), (1, 2, 5, 16), strict=True):
        Learner(
            small(env),
            Settings(agent=agent, hidden_size=hidden_size, num_envs=num_envs, seed=num_envs, optimizer="rmsprop"),
        )
    assert len(run_updates.signatures) == compiled
