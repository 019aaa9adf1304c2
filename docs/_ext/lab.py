"""The directive ``lab``: the self-contained page docs/lab.html, linked and embedded where it exists.

The file is copied as it is; without it the page says that this build has none.
"""

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

FILE = Path(__file__).parent.parent / "lab.html"
FRAME = (
    '<p><a href="lab.html">Open it on a page of its own.</a></p>\n'
    '<iframe class="lab" src="lab.html" title="A trained network"></iframe>'
)
MISSING = "This build has no such page: docs/lab.html was not there when the site was built."


class Lab(Directive):
    """The page, or a sentence that there is none."""

    def run(self):
        env = self.state.document.settings.env
        env.note_dependency(str(FILE))
        if FILE.exists():
            return [nodes.raw("", FRAME, format="html")]
        return [nodes.paragraph(MISSING, MISSING)]


def setup(app):
    app.add_directive("lab", Lab)
    if FILE.exists():
        app.config.html_extra_path = [str(FILE)]
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
