"""python docs/check_site.py DIR: check a built site: its links into itself, anchors included, and its reference.

Sphinx checks what it resolves itself; this looks at what came out: links in raw HTML, images, frames, anchors, and a
page for every module of the package. Nothing is fetched.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

PACKAGE = Path(__file__).parent.parent / "tinymeta"
LINKS = {"a": "href", "link": "href", "img": "src", "script": "src", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """What a page links to, and the anchors that it has."""

    def __init__(self, html):
        super().__init__()
        self.links = []
        self.anchors = set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.anchors |= {named[key] for key in ("id", "name") if named.get(key)}
        target = named.get(LINKS.get(tag, ""))
        if target:
            self.links.append(target)


def broken(site):
    """["page: link"] of all links of the HTML files in a folder that lead to nothing in it."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].anchors):
                found.append(f"{path.relative_to(site.resolve())}: {link}")
    return found


def undocumented(site, package=PACKAGE):
    """["module: …"] of the package's modules that have no page in the reference."""
    modules = [path.relative_to(package.parent).with_suffix("").parts for path in sorted(package.rglob("*.py"))]
    names = [".".join(parts).removesuffix(".__init__") for parts in modules]
    names = [name for name in names if not name.rsplit(".", 1)[-1].startswith("_")]
    return [f"module: {name}" for name in names if not (site / "api" / "generated" / f"{name}.html").exists()]


def main(argv=None):
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1 or not Path(arguments[0], "index.html").exists():
        print("docs/check_site.py: expected one folder with an index.html", file=sys.stderr)
        return 2
    found = broken(Path(arguments[0])) + undocumented(Path(arguments[0]))
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
