"""python -m tinymeta.inside [--paper NAME]: probe the runs of a paper that are to be probed; inside.md and pictures.

`tinymeta.probe` looks into any runs and prints what it finds; here the runs are a paper's, each keeps its probe.json,
and what is probed already is skipped.
"""

import sys
from collections.abc import Sequence

from tinymeta import cli
from tinymeta.base.errors import InputError
from tinymeta.base.files import write_whole, writing
from tinymeta.papers.options import add_arguments, add_output, add_workers, output_of, results_of, workers_of
from tinymeta.papers.plotting import draw_each
from tinymeta.papers.probe_results import Probes, probe_all, probe_table
from tinymeta.papers.registry import load_paper


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = cli.parser("inside", "Probe a paper's trained runs; write inside.md and the pictures.")
    add_arguments(parser)
    add_output(parser)
    add_workers(parser)
    args = parser.parse_args(argv)
    paper = load_paper(args.paper)
    if not paper.probed:
        raise InputError(f"--paper {paper.name} names no runs to probe, expected a paper that does")
    results = results_of(args, paper)
    out = output_of(args, paper)
    workers = workers_of(args)
    with writing(out):  # before the work: a place that cannot be written to is told at once
        out.mkdir(parents=True, exist_ok=True)
    probe_all(results, paper.probed, workers)
    write_whole(out / "inside.md", probe_table(Probes(results), paper.probed).encode())
    draw_each({str(out / name): (draw, (results, out)) for name, draw in paper.probe_figures.items()}, workers)
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(main))
