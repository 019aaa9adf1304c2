"""Compiled code: made once for all sizes, never older than its sources, shared by processes, from nobody else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import every_table, small

import tinymeta
from tinymeta.base import jit
from tinymeta.learning.learner import Learner, run_updates
from tinymeta.learning.settings import Settings
from tinymeta.learning.wirings import WIRINGS

INNER = "from tinymeta.base.jit import jit\n\n@jit\ndef inner(x):\n    return {} * x\n"
OUTER = INNER.replace("inner(x)", "outer(x)").replace("{} * x", "inner(x) + 1")
OUTER = f"from tinymeta.inner import inner\n{OUTER}"
CALL = "from tinymeta.outer import outer; print(outer(3))"
HITS = f"{CALL}; print(sum(outer.stats.cache_hits.values()))"
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
    environment = {**os.environ, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": NOWHERE}
    environment["TINYMETA_CACHE_DIR"] = str(cache)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", code], cwd=package, env=environment, **pipes)


def output(process, told=""):
    """What a process printed; its stderr holds `told`, and nothing where that is empty."""
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    assert (told in error) if told else (error == "")
    return out.split()


def test_an_edited_callee_is_compiled_again(package, tmp_path):
    assert output(start(package, tmp_path / "cache")) == ["7"]
    (package / "tinymeta" / "inner.py").write_text(INNER.format(5))
    assert output(start(package, tmp_path / "cache", HITS)) == ["16", "0"]


def test_an_edit_elsewhere_compiles_nothing_again(package, tmp_path):
    assert output(start(package, tmp_path / "cache")) == ["7"]
    for name in ("claims.py", "runs/folder.py", "optimum/belief.py"):
        file = package / "tinymeta" / name
        file.write_text(file.read_text(encoding="utf-8") + "\n# an afterthought\n", encoding="utf-8")
    assert output(start(package, tmp_path / "cache", HITS)) == ["7", "1"]


def test_a_kernel_is_made_of_what_its_module_imports():
    made_of = {path.relative_to(jit.PACKAGE).as_posix() for path in jit.sources(jit.PACKAGE / "learning/rollout.py")}
    assert {
        "learning/rollout.py",
        "learning/update.py",
        "network/lstm.py",
        "network/tiles.py",
        "base/jit.py",
    } <= made_of
    assert not any(path.startswith(("runs/", "probes/", "papers/", "optimum/")) for path in made_of)


def test_several_processes_start_at_once(package, tmp_path):
    processes = [start(package, tmp_path / "cache") for _ in range(4)]
    assert [output(process) for process in processes] == [["7"]] * 4
    assert output(start(package, tmp_path / "cache", HITS)) == ["7", "1"]


def test_a_read_only_install_works_and_says_that_nothing_is_kept(package):
    before = sorted(package.rglob("*"))
    assert output(start(package, NOWHERE), "compiled anew in every process: /dev/null/nowhere cannot be made") == ["7"]
    assert sorted(package.rglob("*")) == before


def test_code_is_not_loaded_from_a_folder_that_others_can_write_to(package, tmp_path):
    """What is cached is unpickled, so whoever can write there could have anything executed."""
    cache = tmp_path / "cache"
    assert output(start(package, cache)) == ["7"]
    assert cache.stat().st_mode & 0o077 == 0
    inside = next(folder for folder in cache.iterdir() if any(folder.rglob("*outer*.nbc")))
    inside.chmod(0o777)
    assert output(start(package, cache, HITS), "can be written to by others") == ["7", "0"]
    cache.chmod(0o777)
    assert output(start(package, cache, HITS), "can be written to by others") == ["7", "0"]


def test_code_is_not_loaded_from_another_users_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: os.stat(tmp_path).st_uid + 1)
    assert "not this user's own" in jit.refusal(tmp_path)


@every_table
def test_nothing_is_compiled_for_another_size(env):
    Learner(tinymeta.make("bandit"), Settings(trials=4))
    compiled = len(run_updates.signatures)
    for agent, hidden_size, num_envs in zip(WIRINGS, (3, 16, 21, 48, 5), (1, 2, 5, 16, 3), strict=True):
        sizes = {"hidden_size": hidden_size, "num_envs": num_envs, "seed": num_envs}
        Learner(small(env), Settings(agent=agent, optimizer="rmsprop", **sizes))
    assert len(run_updates.signatures) == compiled
