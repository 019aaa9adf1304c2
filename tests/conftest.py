"""Which test files are collected where: nothing is skipped, but some files ask what a system or an install has not.

Comparisons with PyTorch are collected where PyTorch is installed. Crashes, signals and others' folders are tested in
Unix's own terms (SIGKILL, fork, modes); Windows has the rest.
"""

import importlib.util
import sys

UNIX_ONLY = (
    "test_reliability.py",
    "test_progress.py",
    "test_portability.py",
    "test_jit.py",
    "test_sweep.py",
    "test_cluster.py",
    "test_plot.py",
    "test_commands.py",
)

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["*_pytorch.py"]
if sys.platform == "win32":
    collect_ignore_glob += [f"*{name}" for name in UNIX_ONLY]
