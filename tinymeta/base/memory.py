"""What fits into memory. Sizes that do not are refused with their bytes, before the system ends the process for
it."""

import math
import os
from pathlib import Path

from tinymeta.base.errors import InputError

MEMINFO = Path("/proc/meminfo")
GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of the control group that a container is, beside memory.current
SMALL = 2**24  # bytes that are not worth the look


def available() -> float:
    """Bytes that this process may still take; infinity where the system does not tell (Windows).

    On Linux what the machine has free, or what is left of the control group's limit; elsewhere the machine's whole
    memory.
    """
    return min(_free(), _left_in_group())


def _free() -> float:
    if MEMINFO.exists():
        lines = dict(line.split(":") for line in MEMINFO.read_text().splitlines())
        return 1024 * int(lines["MemAvailable"].split()[0])
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return math.inf


def _left_in_group() -> float:
    if not GROUP_LIMIT.exists():
        return math.inf
    limit = GROUP_LIMIT.read_text().strip()
    if limit == "max":
        return math.inf
    return int(limit) - int(GROUP_LIMIT.with_name("memory.current").read_text())


def require(size: int, what: str) -> None:
    """Refuse `what` if it needs more bytes than are available.

    Raises
    ------
    ValueError
        Names what, how many bytes it takes and how many there are.
    """
    if size <= SMALL:
        return
    free = available()
    if size > free:
        raise InputError(
            f"{what} would take {size:,} bytes of memory, expected at most the {free:,} that are available"
        )
