"""python -m tinymeta.page [RUN…] --out lab.html: trained agents in one self-contained web page.

RUN is a run folder, or a folder of them (seed-0, seed-1, …), of which the first is shown. Runs of one task set are
shown beside each other, with the network of the first as it was before training. Without RUN it is the runs of
`bash runs.sh`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tinymeta import cli
from tinymeta.base.errors import integer
from tinymeta.base.files import write_whole, writing
from tinymeta.page.assembly import page_of
from tinymeta.page.worlds import worlds_of
from tinymeta.papers.experiments import FIRST_SEED

SHOWN = ("corridor", "bandit", "bandit-0.25-0.75-100", "gridworld", "tiger")  # experiments without their agent
AGENTS = ("rl2", "rl1")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = cli.parser("page", "Put trained agents into one self-contained web page.")
    parser.add_argument("runs_shown", nargs="*", metavar="RUN", help="run folders, or folders of seed-<k>")
    parser.add_argument("--out", default="lab.html", metavar="FILE", help="lab.html by default")
    parser.add_argument("--runs", default="runs", metavar="DIR", help="without RUN: where `bash runs.sh` left its runs")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, metavar="S", help="without RUN: their seed")
    args = parser.parse_args(argv)
    seed = integer("first_seed", args.first_seed, low=0, high=2**63 - 1)
    default = [Path(args.runs) / f"{task}-{agent}" / f"seed-{seed}" for task in SHOWN for agent in AGENTS]
    out = Path(args.out)
    with writing(out):  # before the work: a place that cannot be written to is told at once
        out.parent.mkdir(parents=True, exist_ok=True)
    page = page_of(worlds_of(args.runs_shown or default))
    write_whole(out, page.encode())
    print(f"{out}: {len(page.encode()) / 1e6:.2f} MB; open it in any browser, it needs nothing else")
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(main))
