"""Files that survive crashes, and files from strangers: whole writes, bounded reads, checked JSON.

A crash may end the process between any two system calls. So nothing is written in place: `write_whole` writes a
temporary file, brings it to the disk (fsync), gives it the final name in one step (rename), and brings the folder's
new entry to the disk. Whoever looks finds the old file or the new one, never half of either.

A file that is read may be damaged or sent by a stranger: `read_bounded` looks at its kind and size before it reads,
and `parse_json` refuses what is no JSON object.

What a system lacks is left out: Windows has no pipes to wait for in a folder (`O_NONBLOCK`) and cannot bring a folder
to the disk.
"""

import contextlib
import errno
import io
import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from tinymeta.base.errors import InputError, shown

AnyPath = str | os.PathLike[str]

JSON_LIMIT = 2**20  # bytes of a .json file that are read, where nothing else is said


class WriteError(OSError):
    """A file could not be written: the disk is full, the folder read-only. Commands end with exit code 1."""

    def __str__(self) -> str:
        return f"cannot write {self.filename}: {self.strerror}, expected a writable place with room for it"


@contextlib.contextmanager
def writing(path: AnyPath) -> Iterator[None]:
    """An OSError inside becomes a `WriteError` that names `path`."""
    try:
        yield
    except OSError as error:
        raise WriteError(error.errno, error.strerror or str(error), str(path)) from None


def write_whole(path: AnyPath, data: bytes, previous: AnyPath | None = None) -> None:
    """Replace `path` by `data` so that a crash leaves either the old file or the new one.

    Parameters
    ----------
    path : str or Path
    data : bytes
    previous : str or Path, optional
        Keep the old file under this name. A crash may then leave it there and nothing at `path`.

    Raises
    ------
    WriteError
        If the folder is not writable or the disk full; the old file is still there, at `path` or at `previous`.
    """
    path = Path(path)
    temporary = path.with_name(path.name + ".tmp")
    with writing(path):
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if previous is not None and path.exists():
                os.replace(path, previous)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):  # the write's own error is the one to tell
                temporary.unlink()
            raise
        sync_folder(path.parent)


def write_arrays(path: AnyPath, arrays: Mapping[str, np.ndarray]) -> None:
    """Write {name: array} to an .npz file, packed, whole or not at all; see `write_whole` and `check_writable`."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    check_writable(path)
    write_whole(path, buffer.getvalue())


def check_writable(path: AnyPath) -> None:
    """Refuse a name under which no file can be written, before the work is done that it is for."""
    checked = checked_path("file", path)
    if str(path) in ("", ".") or checked.is_dir() or not checked.parent.is_dir():
        raise InputError(f"cannot write {str(path)!r}: expected the name of a file in an existing folder")
    if not os.access(checked.parent, os.W_OK):
        raise InputError(f"cannot write {str(path)!r}: expected a folder that may be written to")


def sync_folder(folder: AnyPath) -> None:
    """Bring the names in a folder to the disk: a renamed file may otherwise be lost with the power.

    Nothing where a folder cannot be opened as a file (Windows).
    """
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checked_path(name: str, path: AnyPath) -> Path:
    """`path` as a Path; what can be no file's name is an InputError that calls it `name`."""
    try:
        checked = Path(path)
        os.lstat(checked)
    except TypeError:
        raise InputError(f"{name} = {shown(path)}, expected a path") from None
    except ValueError as error:  # a NUL inside
        raise InputError(f"{name} = {shown(str(path))}, expected a path: {error}") from None
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            raise InputError(f"{name} = {shown(str(path))}, expected a path: {error.strerror}") from None
    return checked


def read_bounded(path: AnyPath, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes.

    Raises
    ------
    FileNotFoundError
    ValueError
        If it is larger, no regular file, or cannot be read.
    """
    without_waiting = getattr(os, "O_NONBLOCK", 0)  # a pipe would block
    as_it_is = getattr(os, "O_BINARY", 0)  # Windows would turn \r\n into \n
    try:
        with open(os.open(path, os.O_RDONLY | without_waiting | as_it_is), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"{path} is no regular file, expected one")
            if status.st_size > limit:
                raise InputError(f"{path} has {status.st_size} bytes, expected at most {limit}")
            return file.read(limit)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def read_json(path: AnyPath, limit: int = JSON_LIMIT) -> dict[str, Any]:
    """The object in a .json file of at most `limit` bytes; see `read_bounded` and `parse_json`."""
    return parse_json(read_bounded(path, limit), path)


def parse_json(text: str | bytes, source: AnyPath) -> dict[str, Any]:
    """A JSON object as a dict; anything else, NaN and infinities included, is an InputError that names `source`.

    Examples
    --------
    >>> parse_json('{"gamma": 0.8}', "config.json")
    {'gamma': 0.8}
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:  # decoding errors are ValueErrors
        raise InputError(f"{source} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{source} holds {shown(value)}, expected a JSON object")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
