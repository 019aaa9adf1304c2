"""A real Chromium for the tests of the page: where it is, and what to do where there is none."""

import importlib.util
import os
import shutil
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REQUIRED = os.environ.get("TINYMETA_BROWSER") == "required"  # then a missing browser fails the tests
ADVICE = "install one: apt-get install chromium, or python -m playwright install chromium"


def chromium():
    """The path of a Chromium, from PATH or Playwright's own; None where there is none, or no Playwright."""
    if importlib.util.find_spec("playwright") is None:
        return None
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    return found or _playwrights_own()


def _playwrights_own():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def until(tab, condition, seconds=20):
    """Wait for a condition in a page; Playwright's own way evaluates strings there, which the page's policy forbids."""
    deadline = time.monotonic() + seconds
    while not tab.evaluate(condition):
        assert time.monotonic() < deadline, condition
        tab.wait_for_timeout(50)
