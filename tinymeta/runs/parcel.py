"""A run folder's files as bytes, to be sent to where no folder is shared.

Only the files that a run consists of are taken, by name, so that a parcel can neither read nor write anything else.
They are put down in an order in which a crash in between leaves a run that can go on: rows before the checkpoint that
counts them, the result last.
"""

import re
from collections.abc import Mapping

from tinymeta.base.errors import InputError, shown
from tinymeta.base.files import write_whole, writing
from tinymeta.runs.folder import RunFolder

Parcel = dict[str, bytes]  # {name within the run folder: contents}

FILES = ("config.json", "metrics.csv", "checkpoint.npz", "timing.json", "result.json")  # in the order of writing
SNAPSHOT = re.compile(r"snapshots/update-\d+\.npz")


def pack(folder: RunFolder) -> Parcel:
    """All files of the run that are needed to go on, and its snapshots."""
    paths = [folder.path / name for name in FILES]
    paths += sorted(folder.snapshots_path.glob("update-*.npz"))
    return {path.relative_to(folder.path).as_posix(): path.read_bytes() for path in paths if path.exists()}


def without_snapshots(parcel: Mapping[str, bytes]) -> Parcel:
    """What is needed to go on: earlier snapshots are not."""
    return {name: data for name, data in parcel.items() if name in FILES}


def unpack(parcel: Mapping[str, bytes], folder: RunFolder) -> None:
    """Put the files of a parcel where they belong; what it does not have stays, but a result that is older.

    Raises
    ------
    InputError
        If it has a name that is none of a run's files.
    WriteError
    """
    for name in parcel:
        if name not in FILES and not SNAPSHOT.fullmatch(name):
            raise InputError(f"a parcel for {folder.path} holds {shown(name)}, expected files of a run")
    snapshots = [name for name in parcel if name not in FILES]
    with writing(folder.path):
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.result_path.unlink(missing_ok=True)
        if snapshots:
            folder.snapshots_path.mkdir(exist_ok=True)
    for name in (*snapshots, *(name for name in FILES if name in parcel)):
        previous = folder.previous_path if name == "checkpoint.npz" else None
        write_whole(folder.path / name, parcel[name], previous)
