"""Numbers, style and script → one HTML file that needs nothing else.

`STYLES` and `SCRIPTS` are joined in this order. A content security
policy forbids the page every connection.
"""

import json
from importlib import resources
from typing import Any

from tinymeta._version import __version__
from tinymeta.base.errors import InputError
from tinymeta.papers.plotting import COLOUR, INFORMED_GREEN, UNTRAINED_GREY

SCRIPTS = (
    "arrays.js", "network.js", "filter.js", "simulation.js", "inside.js", "elements.js", "charts.js", "scenes.js",
    "stage.js", "play.js", "watch.js", "intervene.js", "tour.js", "main.js",
)  # fmt: skip
STYLES = ("page.css", "controls.css", "pictures.css", "tour.css")
LIMIT = 2_000_000  # bytes of a page
ON_DARK = 65  # percent of a figure's colour that is left on a dark ground
BEGIN_DATA = '<script type="application/json" id="data">'
END_DATA = "</script>"


def page_of(worlds: list[dict[str, Any]]) -> str:
    """The page of `tinymeta.page.worlds.worlds_of`.

    Raises
    ------
    InputError
        If it would be larger than `LIMIT`.
    """
    page = assembled(_as_json({"version": __version__, "worlds": worlds}))
    size = len(page.encode())
    if size > LIMIT:
        raise InputError(f"the page would have {size} bytes, expected at most {LIMIT}: give fewer or smaller runs")
    return page


def assembled(data: str) -> str:
    """The page around its numbers, which are JSON without a "</"."""
    page = _asset("page.html")
    style = "\n".join(_asset(name) for name in STYLES)
    script = "\n".join(_asset(name) for name in SCRIPTS)
    page = page.replace("/* style */", f"{style}\n{_agent_colours()}")
    page = page.replace("/* script */", f'"use strict";\n{script}')
    return page.replace("<!-- data -->", f"{BEGIN_DATA}{data}{END_DATA}")


def _agent_colours() -> str:
    """One accent colour an agent, the figures' own, lightened where the ground is dark; --agent is that of a part."""
    rules = []
    for name, colour in {**COLOUR, "untrained": UNTRAINED_GREY, "you": INFORMED_GREEN}.items():
        both = f"light-dark({colour}, color-mix(in oklab, {colour} {ON_DARK}%, white))"
        rules.append(f':root {{ --{name}: {both}; }}\n[data-agent="{name}"] {{ --agent: var(--{name}); }}')
    return "\n".join(rules)


def data_in(page: str) -> str:
    """The numbers of an assembled page; `assembled` makes the same page of them again."""
    begin = page.index(BEGIN_DATA) + len(BEGIN_DATA)
    return page[begin : page.index(END_DATA, begin)]


def _asset(name: str) -> str:
    return (resources.files("tinymeta.page") / "assets" / name).read_text(encoding="utf-8")


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")
