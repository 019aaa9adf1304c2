"""python -m tinymeta.inside [--paper NAME]: probe the runs of a paper that are to be probed; inside.md and pictures.

`tinymeta.probe` looks into any runs and prints what it finds; here the runs are a paper's, each keeps its probe.json,
and what is probed already is skipped.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tinymeta import cli
from tinymeta.base.errors import InputError
from tinymeta.base.files import write_whole, writing
from tinymeta.papers.options import add_arguments, add_output, add_workers, output_of, results_of, workers_of
from tinymeta.papers.plotting import draw_figures
from tinymeta.papers.probe_results import Probes, probe_all, probe_table
from tinymeta.papers.registry import Paper, load_paper
from tinymeta.papers.results import Results


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = cli.parser("inside", "Probe a paper's trained runs; write inside.md and the pictures.")
    add_arguments(parser)
    add_output(parser)
    add_workers(parser)
    args = parser.parse_args(argv)
    paper = load_paper(args.paper)
    look_inside(paper, results_of(args, paper), output_of(args, paper), workers_of(args))
    return 0


def look_inside(paper: Paper, results: Results, out: Path, workers: int = 1) -> None:
    """Probe the runs that the paper names and are not probed yet; write inside.md and the pictures into `out`.

    Raises
    ------
    InputError
        If the paper names no runs to probe, or one of them is missing.
    """
    if not paper.probed:
        raise InputError(f"paper {paper.name!r} names no runs to probe, expected a paper that does")
    with writing(out):  # before the work: a place that cannot be written to is told at once
        out.mkdir(parents=True, exist_ok=True)
    probe_all(results, paper.probed, workers)
    write_whole(out / "inside.md", probe_table(Probes(results), paper.probed).encode())
    draw_figures(paper.probe_figures, results, out, workers)


if __name__ == "__main__":
    sys.exit(cli.run(main))
