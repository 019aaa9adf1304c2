"""Which test files are collected where: nothing is skipped, but some files ask what a system or an install has not.

Comparisons with PyTorch are collected where PyTorch is installed, the quadruped where MetaGym is. Crashes, signals and
others' folders are tested in Unix's own terms (SIGKILL, fork, modes); Windows has the rest. The page is opened where
there is a Chromium; where there is none the last lines say so, and with TINYMETA_BROWSER=required, as in .ci/run, its
tests fail.
"""

import importlib.util
import sys

import browser

UNIX_ONLY = (
    "test_reliability.py",
    "test_progress.py",
    "test_portability.py",
    "test_jit.py",
    "test_sweep.py",
    "test_cluster.py",
    "test_plot.py",
    "test_commands.py",
    "test_gym_pool.py",
)

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["*_pytorch.py"]
collect_ignore_glob += [] if importlib.util.find_spec("metagym") else ["*_metagym.py"]
if sys.platform == "win32":
    collect_ignore_glob += [f"*{name}" for name in UNIX_ONLY]

page_is_opened = browser.REQUIRED or browser.chromium() is not None
if not page_is_opened:
    collect_ignore_glob.append("*_browser.py")


def pytest_terminal_summary(terminalreporter):
    if not page_is_opened:
        terminalreporter.write_line(f"tests of the page in a browser were left out: no Chromium; {browser.ADVICE}")
