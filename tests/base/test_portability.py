"""Where the system is not Linux (contract): what Unix alone has is done without, and the promises are kept.

Windows is imitated: `fcntl` cannot be imported, `msvcrt` is a stub with its rules (a locked byte belongs to one open
file, an open file cannot be removed), the flags and functions of `os` that Windows lacks are taken away.
"""

import ast
import errno
import math
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

import tinymeta
from tinymeta.base import files, memory, processes
from tinymeta.base.errors import InputError
from tinymeta.base.locks import LOCKED_BYTE, FolderLock

UNIX_ONLY = {"curses", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
PACKAGE = Path(tinymeta.__file__).parent


class Windows(types.ModuleType):
    """`msvcrt`, as far as locks need it, and the rule that open files cannot be removed."""

    LK_NBLCK = 2
    LK_UNLCK = 0

    def __init__(self):
        super().__init__("msvcrt")
        self.owners = {}  # {inode: descriptor}

    def locking(self, descriptor, mode, count):
        assert (count, os.lseek(descriptor, 0, os.SEEK_CUR)) == (1, LOCKED_BYTE)
        inode = os.fstat(descriptor).st_ino
        if mode == self.LK_UNLCK:
            assert self.owners.pop(inode) == descriptor
        elif self.owners.setdefault(inode, descriptor) != descriptor:
            raise PermissionError(errno.EACCES, "Permission denied")

    def unlink(self, path):
        if path.stat().st_ino in self.owners:
            raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))
        os.unlink(path)


@pytest.fixture
def windows(monkeypatch):
    stub = Windows()
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", stub)
    for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_DIRECTORY", "sysconf", "sched_getaffinity", "getuid"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok=False: stub.unlink(path))
    monkeypatch.setattr(memory, "MEMINFO", Path("nowhere"))
    monkeypatch.setattr(memory, "GROUP_LIMIT", Path("nowhere"))
    return stub


def top_level_imports(source):
    """Names of the modules that are imported when a file is, also inside `if` and `try`."""
    for node in ast.walk(ast.Module([n for n in ast.parse(source).body if not isinstance(n, ast.FunctionDef)], [])):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def test_no_module_imports_what_only_unix_has():
    assert "fcntl" in top_level_imports("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None\n")
    for path in PACKAGE.rglob("*.py"):
        assert not UNIX_ONLY & set(top_level_imports(path.read_text(encoding="utf-8"))), path


def test_training_does_without_unix(tmp_path):
    """The whole of it in a process of its own, where importing fcntl and its like fails: a run, its lock,
    --resume."""
    code = f"""
import os, subprocess, sys, types  # subprocess itself looks for msvcrt
for name in {sorted(UNIX_ONLY - {"posix"})}:
    sys.modules[name] = None
sys.modules["msvcrt"] = types.SimpleNamespace(locking=lambda *arguments: None, LK_NBLCK=2, LK_UNLCK=0)
for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_DIRECTORY", "sysconf", "sched_getaffinity", "getuid"):
    if hasattr(os, name):
        delattr(os, name)
from tinymeta import cli, train
words = ["bandit", "rl2", "--hidden-size", "4", "--quiet", "--out", sys.argv[1], "--trials"]
assert cli.run(lambda: train.main([*words, "40"])) == 0
assert cli.run(lambda: train.main([*words, "80", "--resume"])) == 0
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert tinymeta.load(tmp_path / "run").layout.hidden_size == 4
    assert not (tmp_path / "run" / "lock").exists()


def test_a_folder_has_one_writer(tmp_path):
    """On this machine's own locks."""
    check_one_writer(tmp_path / "run")


def test_a_folder_has_one_writer_on_windows(tmp_path, windows):
    check_one_writer(tmp_path / "run")
    assert not windows.owners


def check_one_writer(folder):
    with FolderLock(folder):
        for _ in range(2):  # to be refused must change nothing
            with pytest.raises(InputError, match=f"is in use by process {os.getpid()} on"), FolderLock(folder):
                pass
    assert list(folder.iterdir()) == []
    (folder / "lock").write_text("process 1 on a machine that crashed, whose name was longer than ours\n" * 3)
    with FolderLock(folder):
        assert (folder / "lock").read_text().startswith(f"process {os.getpid()} on ")
        assert len((folder / "lock").read_text().splitlines()) == 1
    assert list(folder.iterdir()) == []


def test_the_next_owner_keeps_the_lock_file_on_windows(tmp_path, windows, monkeypatch):
    """Between our closing the file and removing it somebody may have opened it: then it stays."""
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError(errno.EACCES, "in use")))
    with FolderLock(tmp_path):
        pass
    assert (tmp_path / "lock").exists()


def test_files_are_written_and_read_on_windows(tmp_path, windows):
    path = tmp_path / "file"
    for content in (b"one\r\ntwo\n", b"three"):
        files.write_whole(path, content, tmp_path / "previous")
        assert files.read_bounded(path, 100) == content
    assert (tmp_path / "previous").read_bytes() == b"one\r\ntwo\n"


def test_a_system_that_does_not_tell_has_memory_enough(windows):
    assert memory.available() == math.inf
    memory.require(2**60, "a large array")
    assert processes.cores() == os.cpu_count()


def test_memory_is_looked_up_here():
    assert 2**20 < memory.available() < 2**50
    with pytest.raises(InputError, match="a large array would take 1,152,921,504,606,846,976 bytes of memory"):
        memory.require(2**60, "a large array")


@pytest.mark.parametrize(("limit", "expected"), [("max", math.inf), ("5000", 3000)])
def test_a_control_groups_limit_counts(limit, expected, tmp_path, monkeypatch):
    """A container's: what its group may take, less what it has taken."""
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text("2000\n")
    monkeypatch.setattr(memory, "GROUP_LIMIT", tmp_path / "memory.max")
    assert memory.available() == pytest.approx(min(expected, memory._free()), rel=0.5)
