"""The one numba decorator of the package: how every kernel is compiled and where its machine code is kept.

- ``fastmath`` lets LLVM reorder and contract sums, which vectorises reductions. ``nnan`` and ``ninf`` are left out on
  purpose: a NaN stays a NaN and reaches the check that stops the run.
- ``error_model="numpy"`` drops the zero check before each division; that branch would stop loops from vectorising.
- ``inline="always"`` pastes each kernel into the one that calls it before types are inferred, so that only what Python calls is
  compiled, once and as a whole. As separate functions, every level of the call tree would be optimised anew (twice the
  time), and a process that has just compiled could run another version of an inner kernel than one that loads it from the
  cache, optimised differently: the last bits of a training run would depend on what was compiled when.
- ``_nrt=False`` leaves out numba's memory manager. A kernel then cannot allocate, which the compiler checks, and no view of an
  array costs the two atomic operations of its reference count: a third of a training step at one trial per update.
- The cache folder carries a hash of the package's sources. Numba looks only at a kernel's own file, so after an edit in
  a *callee* from another file it would keep serving the old machine code.
"""

import hashlib
import os
import tempfile
from pathlib import Path

import numba
from numba.core import config as numba_config

FASTMATH = {"reassoc", "contract", "nsz", "arcp"}


def _source_hash():
    package = Path(__file__).parent
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_folder():
    """The first writable of $TINYMETA_CACHE_DIR, the user's cache folder and the temporary folder, plus the hash."""
    user_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    candidates = [os.environ.get("TINYMETA_CACHE_DIR"), Path(user_cache) / "tinymeta"]
    candidates.append(Path(tempfile.gettempdir()) / f"tinymeta-{os.getuid() if hasattr(os, 'getuid') else 'cache'}")
    for candidate in filter(None, candidates):
        folder = Path(candidate) / _source_hash()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return str(folder)
    return ""  # no writable place at all: every process compiles for itself


CACHE_FOLDER = _cache_folder()


def jit(function, inline="always", allocates=False):
    """Compile `function` lazily for the types it is called with, without the GIL, and cache the result on disk if there is a place."""
    outer = numba_config.CACHE_DIR
    numba_config.CACHE_DIR = CACHE_FOLDER or outer  # read only while the decorator runs: other packages keep theirs
    try:
        compiled = numba.njit(
            cache=bool(CACHE_FOLDER), nogil=True, inline=inline, _nrt=allocates, error_model="numpy", fastmath=FASTMATH
        )
        return compiled(function)
    finally:
        numba_config.CACHE_DIR = outer


def jit_called(function):
    """Like `jit`, for a kernel that stays a call: for those whose arithmetic is spelled out and so the same however compiled."""
    return jit(function, inline="never")


def jit_allocating(function):
    """Like `jit`, for a kernel that makes arrays."""
    return jit(function, allocates=True)
