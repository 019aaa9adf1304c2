"""checkpoint.npz: all that a run needs to go on, in a file that proves itself.

    lstm.weight_ih … value.bias              weights under PyTorch's names and shapes, see `tinymeta.agents`
    first.<name>, second.<name>              the optimiser's moments
    updates, env_steps                       int64, how far the run is
    metrics_bytes                            int64, length of metrics.csv up to its last whole interval
    open_interval (n, 8)                     float64, statistics of the n updates since then
    config                                   text, config.json as it was
    format                                   int64, `FORMAT`
    checksum (32,)                           uint8, SHA-256 of all the above

`np.load(file, allow_pickle=False)` reads it. Here it is read by stricter rules, for the file may be damaged or a stranger's: nothing is
unpickled, inflated or evaluated, the file is no larger than its arrays can be, each .npy header is of the one form that NumPy writes
for plain arrays, and what it announces is what its zip member holds. So no header makes us allocate more than the file's own size.
"""

from typing import NamedTuple
import hashlib
import io
import math
import numpy as np
import re
import zipfile

from tinymeta.base.errors import InputError, integer, shown
from tinymeta.base.files import read_bounded
from tinymeta.learning.learner import STATISTICS
from tinymeta.network.parameters import num_parameters, parameter_shapes, to_dict, to_flat


FORMAT = 2

OVERHEAD = 2**20  # bytes that config, zip and .npy headers may take together

MOMENTS = ("", "first.", "second.")  # prefixes: the weights themselves and the optimiser's moments

COUNTERS = ("updates", "env_steps", "metrics_bytes")

NPY = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<|](?:f4|f8|i8|u1|S\d{1,7}))', "
    rb"'fortran_order': False, 'shape': \(([\d, ]{0,60})\), \} *\n",
    re.DOTALL,
)

class DamagedError(InputError):
    """The file is not what was written."""

class FormatError(InputError):
    """The file is sound, and of another format."""

class Checkpoint(NamedTuple):
    """A run at one moment."""

    theta: np.ndarray  # (P,)
    first: np.ndarray  # (P,)
    second: np.ndarray  # (P,)
    updates: int
    env_steps: int
    metrics_bytes: int
    open_interval: np.ndarray  # (n, 8)
    config: bytes

def write(checkpoint, layout):
    """The file's bytes; equal checkpoints give equal bytes."""
    arrays = {}
    for prefix, flat in zip(MOMENTS, checkpoint[:3], strict=True):
        arrays |= {prefix + name: array for name, array in to_dict(flat, layout).items()}
    arrays |= {name: np.int64(getattr(checkpoint, name)) for name in COUNTERS}
    arrays |= {
        "open_interval": checkpoint.open_interval,
        "config": np.array(checkpoint.config),
        "format": np.array(FORMAT, np.int64),
    }
    arrays["checksum"] = checksum(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()

def read(path, layout, dtype, log_interval):
    """The `Checkpoint` in a file, for a run of this layout, dtype and interval.

    Raises
    ------
    FileNotFoundError
    FormatError
        If the file is sound but of another format.
    DamagedError
        Names the file, and the array where one is to blame.
    """
    limit = 3 * num_parameters(layout) * np.dtype(dtype).itemsize + 8 * len(STATISTICS) * log_interval + OVERHEAD
    try:
        arrays = read_arrays(read_bounded(path, limit))
        if "checksum" not in arrays or arrays.pop("checksum").tobytes() != checksum(arrays).tobytes():
            raise InputError("its checksum is not that of its arrays")
        _check(arrays, layout, np.dtype(dtype), log_interval)
        return Checkpoint(
            *(_flat(arrays, prefix, layout, dtype) for prefix in MOMENTS), *(int(arrays[name]) for name in COUNTERS),
            arrays["open_interval"], arrays["config"].item(),
        )  # fmt: skip
    except FormatError as error:
        raise FormatError(f"{path} has {error}; it was made by another version of tinymeta") from None
    except InputError as error:
        raise DamagedError(f"{path} is damaged: {error}") from None

def checksum(arrays):
    """SHA-256 of names, dtypes, shapes and contents, array (32,) uint8."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.tobytes())
    return np.frombuffer(digest.digest(), np.uint8)

def read_arrays(data):
    """{name: array} of an .npz file's bytes, by the rules above. The arrays are read-only views.

    Raises
    ------
    ValueError
        Says what is wrong; names the array if there is one.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise InputError("it is packed, expected plain arrays")
            if (size := sum(member.file_size for member in members)) > len(data):
                raise InputError(f"it announces {size} bytes and has {len(data)}")
            contents = {member.filename: archive.read(member) for member in members}
    except InputError:
        raise
    except Exception as error:  # zipfile raises whatever its parser stumbles over
        raise InputError(f"it is no readable .npz file ({type(error).__name__}: {error})") from None
    if len(contents) < len(members):
        raise InputError("a name occurs twice, expected every array once")
    return {name.removesuffix(".npy"): _array(name, content) for name, content in contents.items()}

def _array(name, content):
    header = NPY.match(content)
    if header is None:
        raise InputError(f"array {shown(name)} has no .npy header of a plain array")
    dtype, shape = np.dtype(header[1].decode()), tuple(int(size) for size in header[2].decode().split(",") if size.strip())
    if len(content) - header.end() != math.prod(shape) * dtype.itemsize:
        raise InputError(f"array {shown(name)} holds {len(content) - header.end()} bytes, expected {shape} of {dtype.str}")
    return np.frombuffer(content, dtype, offset=header.end()).reshape(shape)

def _check(arrays, layout, dtype, log_interval):
    """Names, dtypes, shapes and values, as `write` makes them for this layout."""
    if "format" in arrays and arrays["format"].tobytes() != np.int64(FORMAT).tobytes():
        raise FormatError(f"format {shown(arrays['format'].tolist())}, expected {FORMAT}")
    expected = {prefix + name: (dtype.str, shape) for prefix in MOMENTS for name, shape in parameter_shapes(layout).items()}
    expected |= dict.fromkeys((*COUNTERS, "format"), ("<i8", ())) | {"config": ("|S", ()), "open_interval": ("<f8", None)}
    for name in sorted(expected.keys() ^ arrays.keys()):
        raise InputError(f"array {shown(name)} is {'missing' if name in expected else 'unknown'}")
    for name, (code, shape) in expected.items():
        array = arrays[name]
        if not array.dtype.str.startswith(code) or shape not in (None, array.shape):
            raise InputError(f"array {name} has shape {array.shape} and dtype {array.dtype.str}, expected {shape} of {code}")
    for name in COUNTERS:
        integer(name, int(arrays[name]), low=0)
    opened, rows = arrays["open_interval"], int(arrays["updates"]) % log_interval
    if opened.shape != (rows, len(STATISTICS)) or not np.isfinite(opened).all():
        raise InputError(f"array open_interval has shape {opened.shape}, expected {(rows, len(STATISTICS))} of finite numbers")

def _flat(arrays, prefix, layout, dtype):
    """Weights or one of the moments as the kernels' flat vector."""
    parts = {name: arrays[prefix + name] for name in parameter_shapes(layout)}
    for name, array in parts.items():
        if not np.isfinite(array).all() or (prefix == "second." and (array < 0).any()):
            raise InputError(f"array {prefix}{name} holds a value that is not finite, or a negative second moment")
    return to_flat(parts, layout, dtype)
