"""python -m tinymeta.plot RUN_OR_SWEEP…: learning curves of any runs, finished or not, with the exact optima.

A sweep's folder is one curve: the mean over its seeds, with a 95 % band and the single seeds. With --watch the picture
is drawn again while the runs go on.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tinymeta import cli
from tinymeta.base.errors import InputError, choice
from tinymeta.runs.curve_figure import check_output, draw
from tinymeta.runs.curves import AXES, SHOWN, Source, find
from tinymeta.runs.watching import going_on, state

OUT = "learning-curves.png"
WAIT = 2.0  # seconds between two looks at the runs

PATIENCE = 3  # looks at what cannot be read


def make_parser() -> cli.Parser:
    """The command's arguments."""
    parser = cli.parser("plot", "Learning curves of any runs and sweeps, with their numbers as CSV beside the picture.")
    folders = "run folders, and folders of train --seeds, each of which is one curve"
    parser.add_argument("paths", nargs="+", metavar="RUN_OR_SWEEP", help=folders)
    metrics = f"{SHOWN[0]} if left out; one of {', '.join(SHOWN)}"
    parser.add_argument("--metric", default=SHOWN[0], metavar="NAME", help=metrics)
    parser.add_argument("--x", default=AXES[0], metavar="AXIS", help=f"{AXES[0]} if left out; one of {', '.join(AXES)}")
    parser.add_argument("--out", default=OUT, metavar="FILE", help=f"PNG or SVG, by its ending; {OUT} if left out")
    parser.add_argument("--watch", action="store_true", help="draw again and again while the runs go on")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Draw as the arguments say; returns the exit code."""
    args = make_parser().parse_args(argv)
    choice("--metric", args.metric, SHOWN)
    choice("--x", args.x, AXES)
    out = check_output(args.out)
    if args.watch:
        _watch(args.paths, args.metric, args.x, out)
    else:
        _draw([find(path) for path in args.paths], args.metric, args.x, out)
    return 0


def _draw(sources: Sequence[Source], metric: str, axis: str, out: Path) -> None:
    for curve in draw(sources, metric, axis, out):
        print(f"{curve.label}: {metric} {curve.mean[-1]:.6g} at {axis} {curve.x[-1]:.6g}")
    print(f"{out} and {out.with_suffix('.csv')}", flush=True)


def _watch(paths: Sequence[str], metric: str, axis: str, out: Path) -> None:
    """Draw whenever the runs have changed, until none goes on.

    What cannot be read may be half written: it is read again a few times before it is told.
    """
    drawn = None
    failures = 0
    while True:
        last = not going_on(paths)  # looked up first: what is drawn after the end is all there is
        now = state(paths)
        try:
            if now != drawn:
                _draw([find(path) for path in paths], metric, axis, out)
                drawn = now
            failures = 0
        except InputError:
            failures += 1
            if last or failures == PATIENCE:
                raise
        if last:
            return
        time.sleep(WAIT)


if __name__ == "__main__":
    sys.exit(cli.run(main))
