"""TODO base.locks."""

import contextlib
import fcntl
import os
import socket
from pathlib import Path

from tinymeta.base.errors import InputError
from tinymeta.base.files import writing


class FolderLock:
    """Within it this process is the only one that writes into a folder, which is made if need be.

    The lock is an exclusive `flock` on the file `lock`; the system drops it when its owner ends, however it ends, so a file
    that a killed process left behind holds nobody up. In the file stands who the owner is.

    Raises
    ------
    ValueError
        If another process has the lock; names its pid and host.
    WriteError
        If the folder cannot be made or written to.
    """

    def __init__(self, folder):
        self.folder, self.path = Path(folder), Path(folder) / "lock"

    def __enter__(self):
        with writing(self.path):
            self.folder.mkdir(parents=True, exist_ok=True)
            while True:
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
                try:
                    self._take()
                    if self._is_current():
                        return self
                except BaseException:
                    os.close(self._descriptor)
                    raise
                os.close(self._descriptor)  # its last owner removed it while we took it: there is a new one, or none

    def _take(self):
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._descriptor, 300).decode(errors="replace").strip() or "another process"
            raise InputError(
                f"{self.folder} is in use by {owner}; expected to be the only one that writes there"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def _is_current(self):
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self.path))
        return False

    def __exit__(self, *exception):
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)
