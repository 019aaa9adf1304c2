"""The one numba decorator of the package: how every kernel is compiled and where its machine code is kept.

- ``fastmath`` lets LLVM reorder and contract sums, which vectorises reductions. ``nnan`` and ``ninf`` are left out on
  purpose: a NaN stays a NaN and reaches the check that stops the run.
- ``error_model="numpy"`` drops the zero check before each division; that branch would stop loops from vectorising.
- ``inline="always"`` pastes each kernel into the one that calls it before types are inferred, so that only what Python
  calls is compiled, once and as a whole. As separate functions, every level of the call tree would be optimised anew
  (twice the time), and a process that has just compiled could run another version of an inner kernel than one that
  loads it from the cache: the last bits of a training run would depend on what was compiled when.
- ``_nrt=False`` leaves out numba's memory manager. A kernel then cannot allocate, which the compiler checks, and no
  view of an array costs the two atomic operations of its reference count: a third of a training step at one trial per
  update. Such a kernel must not return an array.
- Numba's cache looks only at a kernel's own file, so after an edit in a *callee* from another file it would keep
  serving the old machine code. Here the cache folder of a module's kernels carries a hash of the module's source and
  of every module of the package that it imports, directly or not: what its kernels can be made of, and nothing else.
- Cached code is unpickled, that is, executed. So a cache folder is used only if it belongs to this user and nobody
  else can write to it.
"""

import functools
import hashlib
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
from numba.core import config

from tinymeta.base.compiler import KernelCompiler

NOWHERE = "/nonexistent"  # as Debian names the home of those who have none
numba_config: Any = config  # its attributes are made at run time
FASTMATH = {"reassoc", "contract", "nsz", "arcp"}
PACKAGE = Path(__file__).parent.parent
IMPORT = re.compile(r"^[ \t]*(?:from tinymeta([\w.]*) import ([\w, ]*)|import tinymeta([\w.]*))", re.MULTILINE)


def jit(function: Callable, inline: str = "always", allocates: bool = False, also: Path | None = None) -> Any:
    """Compile `function` lazily for the types it is called with, without the GIL; the machine code is kept on disk.

    Where there is no folder to keep it in, every process compiles for itself. `also` is a file that the kernel is made
    of, too, though its own source does not import it.
    """
    folder = cache_folder(function, also)
    before = numba_config.CACHE_DIR
    numba_config.CACHE_DIR = folder or before  # read only while the decorator runs: other packages keep theirs
    options: dict[str, Any] = {"inline": inline, "_nrt": allocates, "error_model": "numpy", "fastmath": FASTMATH}
    options["pipeline_class"] = KernelCompiler
    try:
        return numba.njit(cache=bool(folder), nogil=True, **options)(function)
    finally:
        numba_config.CACHE_DIR = before


def jit_called(function: Callable) -> Any:
    """Like `jit`, for a kernel that stays a call: one whose arithmetic is spelled out, so the same however compiled."""
    return jit(function, inline="never")


def jit_allocating(function: Callable) -> Any:
    """Like `jit`, for a kernel that makes arrays."""
    return jit(function, allocates=True)


def cache_folder(function: Callable, also: Path | None = None) -> str:
    """Where the machine code of a kernel is kept: a folder of this user's alone, or "" if there is none."""
    root = _cache_root()
    files = [Path(function.__code__.co_filename), *([] if also is None else [also])]
    if root is None or not all(file.is_file() for file in files):  # what was typed in has no source to be told by
        return ""
    return _usable((root / _hash(*files),)) or ""


@functools.cache
def _cache_root() -> Path | None:
    """$TINYMETA_CACHE_DIR or, failing that, the user's cache folder."""
    wanted = os.environ.get("TINYMETA_CACHE_DIR")
    if wanted and refusal(Path(wanted)) is None:
        return Path(wanted)
    try:
        user_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # a user without a home
        user_cache = Path(NOWHERE)
    found = _usable((*([Path(wanted)] if wanted else []), user_cache / "tinymeta"))
    return None if found is None else Path(found)


@functools.cache
def _usable(candidates: tuple[Path, ...]) -> str | None:
    """The first folder that can hold machine code, or None; what was refused is told on stderr."""
    refusals = []
    found = None
    for folder in candidates:
        reason = refusal(folder)
        if reason is None:
            found = str(folder)
            break
        refusals.append(f"{folder} {reason}")
    if refusals:
        what = "compiled anew in every process" if found is None else f"kept in {found}"
        print(f"tinymeta: kernels are {what}: {'; '.join(refusals)}", file=sys.stderr)
    return found


def refusal(folder: Path) -> str | None:
    """Why a folder, made if need be, cannot hold machine code; None if it belongs to this user and to nobody else."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = os.lstat(folder)
    except OSError as error:
        return f"cannot be made: {error.strerror}"
    if not os.access(folder, os.W_OK):
        return "is not writable"
    if hasattr(os, "getuid"):  # on Windows a profile's folders are its user's by their access lists
        if stat.S_ISLNK(status.st_mode):
            return "is a link, expected a folder"
        if status.st_uid != os.getuid():
            return "is not this user's own folder"
        if status.st_mode & 0o022:
            return "can be written to by others, expected mode 700"
    return None


@functools.cache
def _hash(*files: Path) -> str:
    """A hash of all that the kernels in `files` are made of, and of the compiler's and Python's version."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version_info[:2]}".encode())
    for path in sorted(set().union(*(sources(file) for file in files))):
        digest.update(f"{path.name} ".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def sources(file: Path) -> set[Path]:
    """The file and every file of this package that it imports, directly or not."""
    found: set[Path] = set()
    waiting = {file}
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting |= set(_imported(path)) - found
    return found


@functools.cache
def _imported(file: Path) -> tuple[Path, ...]:
    return tuple(_files(file.read_text(encoding="utf-8")))


def _files(source: str) -> Iterator[Path]:
    """The files that a source imports from this package."""
    for match in IMPORT.finditer(source):
        module = PACKAGE.joinpath(*(match[1] or match[3] or "").strip(".").split("."))
        names = [name.split()[0] for name in (match[2] or "").split(",") if name.strip()]
        for path in (module, *(module / name for name in names)):
            if path.with_suffix(".py").is_file():
                yield path.with_suffix(".py")
