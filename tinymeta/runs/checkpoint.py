"""checkpoint.npz: all that a run needs to go on, in a file that proves itself.

    lstm.weight_ih … value.bias    weights under PyTorch's names and shapes, see `tinymeta.network.parameters`
    first.<name>, second.<name>    the optimiser's moments
    scaling.<name>, <name>.taken   float64, where numbers are scaled, where an update makes several gradient steps; see
                                   `tinymeta.learning.kept`
    updates, env_steps             int64, how far the run is
    metrics_bytes                  int64, length of metrics.csv up to its last whole interval
    open_interval (n, 8)           float64, statistics of the n updates since then
    config                         text, config.json as it was
    format                         int64, `CHECKPOINT_FORMAT`
    checksum (32,)                 uint8, SHA-256 of all the above

`np.load(file, allow_pickle=False)` reads it. Here it is read by the stricter rules of `tinymeta.runs.npz`, for the
file may be damaged or a stranger's, and is no larger than its arrays can be.
"""

import io
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tinymeta.base.errors import InputError, integer, shown
from tinymeta.base.files import AnyPath, read_bounded
from tinymeta.learning.kept import TAKEN, kept_shapes
from tinymeta.learning.learner import STATISTICS
from tinymeta.learning.settings import DTYPES, Settings
from tinymeta.learning.wirings import Layout
from tinymeta.network.parameters import num_parameters, parameter_shapes, to_dict, to_flat
from tinymeta.runs.npz import checksum, read_arrays

CHECKPOINT_FORMAT = 2
OVERHEAD = 2**20  # bytes that config, zip and .npy headers may take together
MOMENTS = ("", "first.", "second.")  # prefixes: the weights themselves and the optimiser's moments
COUNTERS = ("updates", "env_steps", "metrics_bytes")

Arrays = Mapping[str, np.ndarray]


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
    kept: dict[str, np.ndarray]  # what not every run has, see `tinymeta.learning.kept`


def write(checkpoint: Checkpoint, layout: Layout) -> bytes:
    """The file's bytes; equal checkpoints give equal bytes."""
    arrays: dict[str, np.ndarray] = {}
    for prefix, flat in zip(MOMENTS, checkpoint[:3], strict=True):
        arrays |= {prefix + name: array for name, array in to_dict(flat, layout).items()}
    for name in COUNTERS:
        arrays[name] = np.array(getattr(checkpoint, name), np.int64)
    arrays |= checkpoint.kept
    arrays["open_interval"] = checkpoint.open_interval
    arrays["config"] = np.array(checkpoint.config)
    arrays["format"] = np.array(CHECKPOINT_FORMAT, np.int64)
    arrays["checksum"] = checksum(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def read(path: AnyPath, layout: Layout, settings: Settings, log_interval: int) -> Checkpoint:
    """The `Checkpoint` in a file, for a run of this layout, these settings and interval.

    Raises
    ------
    FileNotFoundError
    FormatError
        If the file is sound but of another format.
    DamagedError
        Names the file, and the array where one is to blame.
    """
    dtype = np.dtype(DTYPES[settings.dtype])
    shapes = kept_shapes(settings, layout)
    limit = 3 * num_parameters(layout) * dtype.itemsize + 8 * len(STATISTICS) * log_interval + OVERHEAD
    limit += 16 * layout.num_features
    try:
        arrays = read_arrays(read_bounded(path, limit))
        if "checksum" not in arrays or arrays.pop("checksum").tobytes() != checksum(arrays).tobytes():
            raise InputError("its checksum is not that of its arrays")
        _check_arrays(arrays, _expected(layout, dtype, shapes))
        _check_values(arrays, log_interval)
        theta, first, second = (_flat(arrays, prefix, layout, dtype) for prefix in MOMENTS)
    except FormatError as error:
        raise FormatError(f"{path} has {error}; it was made by another version of tinymeta") from None
    except InputError as error:
        raise DamagedError(f"{path} is damaged: {error}") from None
    updates, env_steps, metrics_bytes = (int(arrays[name]) for name in COUNTERS)
    config = arrays["config"].item()
    kept = {name: arrays[name] for name in shapes}
    return Checkpoint(theta, first, second, updates, env_steps, metrics_bytes, arrays["open_interval"], config, kept)


def _check_arrays(arrays: Arrays, expected: Mapping[str, tuple[str, tuple[int, ...] | None]]) -> None:
    """Names, dtypes and shapes, as `write` makes them for this layout."""
    if "format" in arrays and arrays["format"].tobytes() != np.int64(CHECKPOINT_FORMAT).tobytes():
        raise FormatError(f"format {shown(arrays['format'].tolist())}, expected {CHECKPOINT_FORMAT}")
    for name in sorted(expected.keys() ^ arrays.keys()):
        raise InputError(f"array {shown(name)} is {'missing' if name in expected else 'unknown'}")
    for name, (code, shape) in expected.items():
        array = arrays[name]
        if not array.dtype.str.startswith(code) or shape not in (None, array.shape):
            got = f"shape {array.shape} and dtype {array.dtype.str}"
            raise InputError(f"array {name} has {got}, expected {shape} of {code}")


def _expected(
    layout: Layout, dtype: np.dtype, kept: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[str, tuple[int, ...] | None]]:
    """{name: (how the dtype's code begins, shape or None for any)} of all arrays but the checksum."""
    shapes = parameter_shapes(layout)
    expected = {prefix + name: (dtype.str, shape) for prefix in MOMENTS for name, shape in shapes.items()}
    expected |= {name: ("<f8", shape) for name, shape in kept.items()}
    expected |= dict.fromkeys((*COUNTERS, "format"), ("<i8", ()))
    return expected | {"config": ("|S", ()), "open_interval": ("<f8", None)}


def _check_values(arrays: Arrays, log_interval: int) -> None:
    """Counters count, and the open interval has as many updates as they say."""
    for name in COUNTERS:
        integer(name, int(arrays[name]), low=0)
    for name, array in arrays.items():
        if name.startswith(("scaling.", *TAKEN.values())) and not np.isfinite(array).all():
            raise InputError(f"array {name} holds a value that is not finite")
    for name in ("scaling.squares", *TAKEN.values()):
        if (arrays.get(name, np.zeros(1)) < 0).any():
            raise InputError(f"array {name} holds a negative value")
    expected = int(arrays["updates"]) % log_interval, len(STATISTICS)
    statistics = arrays["open_interval"]
    if statistics.shape != expected or not np.isfinite(statistics).all():
        raise InputError(f"array open_interval has shape {statistics.shape}, expected {expected} of finite numbers")


def _flat(arrays: Arrays, prefix: str, layout: Layout, dtype: np.dtype) -> np.ndarray:
    """Weights or one of the moments as the kernels' flat vector."""
    parts = {name: arrays[prefix + name] for name in parameter_shapes(layout)}
    for name, array in parts.items():
        if not np.isfinite(array).all() or (prefix == "second." and (array < 0).any()):
            raise InputError(f"array {prefix}{name} holds a value that is not finite, or a negative second moment")
    return to_flat(parts, layout, dtype)
