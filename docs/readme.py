"""python docs/readme.py: fill in the parts of README.md and docs/ that are made from figures/; --check only compares.

A part stands between <!-- NAME: begin --> and <!-- NAME: end -->, and is never edited by hand.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def claims_table(figures, ours=True):
    """figures/claims.json as a table: claim, measurement, verdict; the paper's own claims, or ours as well."""
    from tinymeta.papers.claims import measured_text, verdict_text

    lines = ["| claim | measured | verdict |", "|---|---|---|"]
    for row in json.loads((figures / "claims.json").read_text(encoding="utf-8"))["claims"]:
        if ours or not row["text"].endswith("(ours)"):
            lines.append(f"| {row['text']} | {measured_text(row)} | {verdict_text(row)} |")
    return "\n".join(lines)


def verdicts_table(figures):
    """figures/claims.json as a table of claims and verdicts alone."""
    from tinymeta.papers.claims import verdict_text

    rows = json.loads((figures / "claims.json").read_text(encoding="utf-8"))["claims"]
    return "\n".join(
        ["| claim | verdict |", "|---|---|", *(f"| {row['text']} | {verdict_text(row)} |" for row in rows)]
    )


def text_file(name):
    """A file of figures/ as it stands, in a block of its own."""
    return lambda figures: f"```text\n{(figures / name).read_text(encoding='utf-8').rstrip()}\n```"


DOCUMENTS = {
    "README.md": {
        "the paper's claims": lambda figures: claims_table(figures, ours=False),
        "the second paper's claims": lambda figures: verdicts_table(figures / "conti"),
    },
    "docs/beyond.md": {"claims of wang": lambda figures: claims_table(figures / "wang")},
    "docs/conti.md": {"claims of conti": lambda figures: claims_table(figures / "conti")},
    "docs/worlds.md": {"claims of worlds": lambda figures: claims_table(figures / "worlds")},
    "docs/results.md": {
        "claims": claims_table,
        "figures/baselines-bandit.txt": text_file("baselines-bandit.txt"),
        "figures/baselines-corridor.txt": text_file("baselines-corridor.txt"),
    },
}


def filled(name, text, figures):
    """The text of one of `DOCUMENTS` with every part made anew."""
    for part, make in DOCUMENTS[name].items():
        begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        content = f"{begin}\n{make(figures)}\n{end}"
        text, found = pattern.subn(lambda _, content=content: content, text)
        if found != 1:
            raise ValueError(f"{name} has {found} parts {part!r}, expected one")
    return text


def main():
    stale = []
    for name in DOCUMENTS:
        path = ROOT / name
        old = path.read_text(encoding="utf-8")
        new = filled(name, old, ROOT / "figures")
        if old != new:
            stale.append(name)
            if "--check" not in sys.argv[1:]:
                path.write_text(new, encoding="utf-8")
    if stale and "--check" in sys.argv[1:]:
        print(f"{', '.join(stale)} is not what figures/ says, expected: python docs/readme.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
