"""Reading .npz files of strangers, by stricter rules than NumPy's.

An .npz file is a zip archive of .npy members; a member is a header, which tells dtype and shape, and the array's
bytes. `np.load(allow_pickle=False)` reads it, but unpacks what is packed and takes the memory that a header announces
before it looks for the bytes. Here nothing is unpickled, inflated or evaluated: each header must be of the one form
that NumPy writes for plain arrays, and what it announces must be what its member holds. So no header makes us
allocate more than the file's own size.
"""

import hashlib
import io
import math
import re
import zipfile
from collections.abc import Mapping

import numpy as np

from tinymeta.base.errors import InputError, shown

HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<|](?:f4|f8|i8|u1|S\d{1,7}))', "
    rb"'fortran_order': False, 'shape': \(([\d, ]{0,60})\), \} *\n",
    re.DOTALL,
)


def read_arrays(data: bytes) -> dict[str, np.ndarray]:
    """{name: array} of an .npz file's bytes, by the rules above. The arrays are read-only views.

    Raises
    ------
    ValueError
        Says what is wrong; names the array if there is one.
    """
    members = _members(data)
    return {name.removesuffix(".npy"): _array(name, content) for name, content in members.items()}


def checksum(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """SHA-256 of names, dtypes, shapes and contents, array (32,) uint8."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.tobytes())
    return np.frombuffer(digest.digest(), np.uint8)


def _members(data: bytes) -> dict[str, bytes]:
    """{file name: contents} of a zip archive in which nothing is packed and every name occurs once."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise InputError("it is packed, expected plain arrays")
            size = sum(member.file_size for member in members)
            if size > len(data):
                raise InputError(f"it announces {size} bytes and has {len(data)}")
            contents = {member.filename: archive.read(member) for member in members}
    except InputError:
        raise
    except Exception as error:  # zipfile raises whatever its parser stumbles over
        raise InputError(f"it is no readable .npz file ({type(error).__name__}: {error})") from None
    if len(contents) < len(members):
        raise InputError("a name occurs twice, expected every array once")
    return contents


def _array(name: str, content: bytes) -> np.ndarray:
    """The array in one .npy member."""
    header = HEADER.match(content)
    if header is None:
        raise InputError(f"array {shown(name)} has no .npy header of a plain array")
    dtype = np.dtype(header[1].decode())
    shape = tuple(int(size) for size in header[2].decode().split(",") if size.strip())
    size = len(content) - header.end()
    if size != math.prod(shape) * dtype.itemsize:
        raise InputError(f"array {shown(name)} holds {size} bytes, expected {shape} of {dtype.str}")
    return np.frombuffer(content, dtype, offset=header.end()).reshape(shape)
