"""One writer per folder: a lock that the operating system holds, and drops when its owner ends, however it ends.

Two processes that write into one run folder would spoil it. `FolderLock` therefore takes an exclusive lock on the
file `lock` inside. What is locked is the open file, not its existence: a file that a killed process left behind holds
nobody up. In the file stands who the owner is, for the message to those that come second.

Unix has `flock`, Windows has `msvcrt.locking`. The latter locks bytes and keeps others from reading them, so there a
byte far behind the owner's name is locked. Windows also lets nobody remove a file that is open, and Unix lets
everybody: so a Unix process that has the lock must look whether the file it locked is still the one in the folder.
"""

import contextlib
import errno
import importlib
import os
import socket
from pathlib import Path
from types import ModuleType
from typing import Any

from tinymeta.base.errors import InputError
from tinymeta.base.files import AnyPath, writing

OWNER_BYTES = 300  # of the lock file that are read
LOCKED_BYTE = 2**30  # of the lock file on Windows; it need not exist


class FolderLock:
    """Within it this process is the only one that writes into a folder, which is made if need be.

    Parameters
    ----------
    folder : str or Path

    Raises
    ------
    ValueError
        If somebody else has the lock; names its process and host.
    WriteError
        If the folder cannot be made or written to.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, FolderLock(folder):
    ...     os.listdir(folder)
    ['lock']
    """

    def __init__(self, folder: AnyPath) -> None:
        self.folder = Path(folder)
        self.path = self.folder / "lock"
        self._system: _Unix | _Windows = _system()

    def __enter__(self) -> "FolderLock":
        with writing(self.path):
            self.folder.mkdir(parents=True, exist_ok=True)
            while True:
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
                try:
                    self._take()
                    if self._system.is_current(self._descriptor, self.path):
                        return self
                except BaseException:
                    os.close(self._descriptor)
                    raise
                os.close(self._descriptor)  # its last owner removed it while we took it: there is a new one, or none

    def _take(self) -> None:
        if not self._system.lock(self._descriptor):
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            owner = os.read(self._descriptor, OWNER_BYTES).decode(errors="replace").strip() or "another process"
            raise InputError(
                f"{self.folder} is in use by {owner}; expected to be the only one that writes there"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def __exit__(self, *exception: Any) -> None:
        self._system.release(self._descriptor, self.path)


class _Unix:
    """`flock` and its promises."""

    def __init__(self, fcntl: ModuleType) -> None:
        self._fcntl = fcntl

    def lock(self, descriptor: int) -> bool:
        """Take the lock; False if somebody has it."""
        try:
            self._fcntl.flock(descriptor, self._fcntl.LOCK_EX | self._fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_current(self, descriptor: int, path: Path) -> bool:
        """Whether the open file still has its name: its last owner may have removed it, and somebody made another."""
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(descriptor), os.stat(path))
        return False

    def release(self, descriptor: int, path: Path) -> None:
        """Remove the file while it is still locked, so that nobody else's is removed."""
        path.unlink(missing_ok=True)
        os.close(descriptor)


class _Windows:
    """The same with `msvcrt.locking`."""

    def __init__(self, msvcrt: ModuleType) -> None:
        self._msvcrt = msvcrt

    def lock(self, descriptor: int) -> bool:
        """Take the lock; False if somebody has it."""
        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        try:
            self._msvcrt.locking(descriptor, self._msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EDEADLK):
                raise
            return False
        return True

    def is_current(self, descriptor: int, path: Path) -> bool:
        """Always: nobody can remove a file that is open here."""
        return True

    def release(self, descriptor: int, path: Path) -> None:
        """Close the file, then remove it unless the next owner has opened it already."""
        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        self._msvcrt.locking(descriptor, self._msvcrt.LK_UNLCK, 1)
        os.close(descriptor)
        with contextlib.suppress(PermissionError, FileNotFoundError):
            path.unlink()


def _system() -> _Unix | _Windows:
    try:
        return _Unix(importlib.import_module("fcntl"))
    except ImportError:
        return _Windows(importlib.import_module("msvcrt"))
