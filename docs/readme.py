"""python docs/readme.py: fill in the parts of README.md that are made from figures/; with --check only compare.

A part stands between <!-- NAME: begin --> and <!-- NAME: end -->, and is never edited by hand.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def claims_table(figures):
    """figures/claims.json as the README shows it: claim, measurement, verdict."""
    from tinymeta.papers.claims import measured_text, verdict_text

    lines = ["| claim | measured | verdict |", "|---|---|---|"]
    for row in json.loads((figures / "claims.json").read_text(encoding="utf-8"))["claims"]:
        lines.append(f"| {row['text']} | {measured_text(row)} | {verdict_text(row)} |")
    return "\n".join(lines)


def text_file(name):
    """A file of figures/ as it stands, in a block of its own."""
    return lambda figures: f"```text\n{(figures / name).read_text(encoding='utf-8').rstrip()}\n```"


PARTS = {
    "claims": claims_table,
    "figures/baselines-bandit.txt": text_file("baselines-bandit.txt"),
    "figures/baselines-corridor.txt": text_file("baselines-corridor.txt"),
}


def filled(readme, figures):
    """README's text with every part made anew."""
    for name, make in PARTS.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        part = f"{begin}\n{make(figures)}\n{end}"
        readme, found = pattern.subn(lambda _, part=part: part, readme)
        if found != 1:
            raise ValueError(f"README.md has {found} parts {name!r}, expected one")
    return readme


def main():
    path = ROOT / "README.md"
    old = path.read_text(encoding="utf-8")
    new = filled(old, ROOT / "figures")
    if "--check" in sys.argv[1:]:
        if old != new:
            print("README.md is not what figures/ says, expected: python docs/readme.py", file=sys.stderr)
            return 1
        return 0
    path.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
