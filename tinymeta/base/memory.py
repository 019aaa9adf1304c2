"""What fits into memory. Sizes that do not are refused with their bytes, before the system ends the process for them."""

import os
from pathlib import Path

from tinymeta.base.errors import InputError


def available():
    """Bytes that this process may still take: what the machine has free, or what is left of its control group's limit."""
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = dict(line.split(":") for line in meminfo.read_text().splitlines())
        free = 1024 * int(lines["MemAvailable"].split()[0])
    group = Path("/sys/fs/cgroup/memory.max")
    if group.exists() and (limit := group.read_text().strip()) != "max":
        free = min(free, int(limit) - int(group.with_name("memory.current").read_text()))
    return free


def require(size, what):
    """Refuse `what` if it needs more bytes than are available.

    Raises
    ------
    ValueError
        Names what, how many bytes it takes and how many there are.
    """
    if size > 2**24 and size > (free := available()):  # small sizes are not worth the look
        raise InputError(
            f"{what} would take {size:,} bytes of memory, expected at most the {free:,} that are available"
        )
