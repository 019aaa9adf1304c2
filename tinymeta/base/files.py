"""Files that survive crashes and do not trust their authors: whole writes, bounded reads, one writer per folder."""

import contextlib
import errno
import json
import os
import stat
from pathlib import Path

from tinymeta.base.errors import InputError, shown

JSON_LIMIT = 2**20  # bytes of a .json file that are read, where nothing else is said


class WriteError(OSError):
    """A file could not be written: the disk is full, the folder read-only. Commands print it as one line; exit code 1."""

    def __str__(self):
        return f"cannot write {self.filename}: {self.strerror}, expected a writable place with room for it"


@contextlib.contextmanager
def writing(path):
    """An OSError inside becomes a `WriteError` that names `path`."""
    try:
        yield
    except OSError as error:
        raise WriteError(error.errno, error.strerror or str(error), str(path)) from None


def write_whole(path, data, previous=None):
    """Replace `path` by `data` (bytes) so that a crash leaves either the old file or the new one.

    With `previous` the old file is kept under that name; a crash may then leave it there and nothing at `path`.

    Raises
    ------
    WriteError
        If the place is not writable or full; the old file is still there, at `path` or at `previous`.
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


def sync_folder(folder):
    """Bring the names in a folder to the disk: a renamed file may otherwise be lost with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checked_path(name, path):
    """`path` as a Path; what can be no file's name is an InputError."""
    try:
        path = Path(path)
        os.lstat(path)
    except TypeError:
        raise InputError(f"{name} = {shown(path)}, expected a path") from None
    except ValueError as error:  # a NUL inside
        raise InputError(f"{name} = {shown(str(path))}, expected a path: {error}") from None
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            raise InputError(f"{name} = {shown(str(path))}, expected a path: {error.strerror}") from None
    return path


def read_bounded(path, limit):
    """The bytes of a regular file of at most `limit` bytes.

    Raises
    ------
    FileNotFoundError
    ValueError
        If it is larger, no regular file, or cannot be read.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # a pipe would block
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


def read_json(path, limit=JSON_LIMIT):
    """The object in a .json file of at most `limit` bytes; see `read_bounded` and `parse_json`."""
    return parse_json(read_bounded(path, limit), path)


def parse_json(text, where):
    """A JSON object as a dict; anything else, NaN and infinities included, is an InputError."""

    def refuse(constant):
        raise ValueError(f"{constant} is no JSON number")

    try:
        value = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:  # decoding errors are ValueErrors
        raise InputError(f"{where} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{where} holds {shown(value)}, expected a JSON object")
    return value
