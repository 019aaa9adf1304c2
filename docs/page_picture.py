"""python docs/page_picture.py: figures/page.png, the README's picture of docs/lab.html, taken in a real Chromium.

Needs `pip install playwright` and a Chromium: the system's, or that of `playwright install chromium`.
"""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
WIDTH, HEIGHT = 1240, 1190
LAST_STEP = 4  # of the tour: a state from the other task is put in
STEPS_ON = 10


def main() -> None:
    """Take the picture: the tour's last step, some pulls after the transplant."""
    system = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=system)
        tab = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        tab.goto((ROOT / "docs/lab.html").as_uri())
        tab.wait_for_selector("#check[data-sound=true]")
        tab.click("#begin-tour")
        for _ in range(LAST_STEP):
            tab.click("#tour-next")
        for _ in range(STEPS_ON):
            tab.click("#step")
        tab.click("#tour-close")
        tab.click("#tab-watch")
        tab.evaluate("scrollTo(0, document.querySelector('#lab').offsetTop)")
        tab.screenshot(path=ROOT / "figures/page.png", animations="disabled")
        chromium.close()


if __name__ == "__main__":
    main()
