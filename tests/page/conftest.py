"""A page of small, barely trained networks on every kind of task set, and a Chromium that opens it."""

import browser
import pytest

from tinymeta import cli, train
from tinymeta.page import __main__ as page_command

RUNS = {  # folder: environment, agent, its parameters
    "corridor-rl2": ("corridor", "rl2", "left=2", "right=3"),
    "corridor-rl1": ("corridor", "rl1", "left=2", "right=3"),
    "corridor-memoryless": ("corridor", "memoryless", "left=2", "right=3"),
    "corridor-informed": ("corridor", "informed", "left=2", "right=3"),
    "counting-rl2": ("bandit", "rl2", "p=0.25,0.75", "pulls=50"),
    "counting-rl1": ("bandit", "rl1", "p=0.25,0.75", "pulls=50"),
    "uniform-rl2": ("bandit", "rl2", "p=uniform", "pulls=8"),
    "gridworld-rl2": ("gridworld", "rl2", "size=3", "steps=5", "episodes=2"),
    "tiger-rl2": ("tiger", "rl2", "horizon=10"),
    "informative-rl2": ("bandit-informative", "rl2"),
}


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Folder of the finished runs of `RUNS`. Not to be changed."""
    folder = tmp_path_factory.mktemp("page-runs")
    for name, (env, agent, *kwargs) in RUNS.items():
        words = [env, agent, "--trials", "96", "--hidden-size", "8", "--quiet", "--out", str(folder / name)]
        words += ["--env-kwargs", *kwargs] if kwargs else []
        assert cli.run(lambda words=words: train.main(words)) == 0
    return folder


@pytest.fixture(scope="session")
def page_file(runs, tmp_path_factory):
    """The page of all these runs."""
    path = tmp_path_factory.mktemp("page") / "lab.html"
    words = [*(str(runs / name) for name in RUNS), "--out", str(path)]
    assert cli.run(lambda: page_command.main(words)) == 0
    return path


@pytest.fixture(scope="module")
def chromium():
    """A running headless Chromium. Its event loop holds the thread, so it is gone before other modules' tests."""
    path = browser.chromium()
    assert path is not None, f"no Chromium: {browser.ADVICE}"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path)
        yield running
        running.close()


@pytest.fixture
def open_page(chromium, page_file):
    """Opens the page, in a context with the given options. Whatever it complains about or asks a network for fails."""
    contexts = []
    complaints = []

    def opened(path=page_file, **context_options):
        context = chromium.new_context(**context_options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        tab.on("request", lambda request: request.url == path.as_uri() or complaints.append(f"asks for {request.url}"))
        tab.goto(path.as_uri())
        tab.wait_for_selector("#check[data-sound]")
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def tab(open_page):
    """The page in a window of a laptop."""
    return open_page(viewport={"width": 1280, "height": 900})
