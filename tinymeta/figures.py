"""python -m tinymeta.figures [--paper NAME]: finished runs → a paper's pictures as PNG, SVG, CSV; never trains."""

import sys
from collections.abc import Sequence

from tinymeta import cli
from tinymeta.papers.options import add_arguments, add_output, add_workers, output_of, results_of, workers_of
from tinymeta.papers.plotting import draw_figures
from tinymeta.papers.registry import load_paper


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = cli.parser("figures", "Draw every figure of a paper from finished runs.")
    add_arguments(parser)
    add_output(parser)
    add_workers(parser)
    args = parser.parse_args(argv)
    paper = load_paper(args.paper)
    draw_figures(paper.figures, results_of(args, paper), output_of(args, paper), workers_of(args))
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(main))
