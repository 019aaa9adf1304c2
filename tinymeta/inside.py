"""TODO inside."""

import sys
from pathlib import Path

from tinymeta import cli
from tinymeta.base.files import write_whole
from tinymeta.papers.alver_precup_2021.experiments import ALL
from tinymeta.papers.alver_precup_2021.inside import names, table
from tinymeta.papers.alver_precup_2021.probe_figures import draw_all
from tinymeta.papers.experiments import add_arguments, add_workers, seeds_of, workers_of
from tinymeta.papers.probe_results import Probes, probe_everything
from tinymeta.papers.results import Results


def main(argv=None):
    parser = cli.parser("inside", "Probe every trained run; write inside.md and the pictures.")
    add_arguments(parser)
    parser.add_argument("--out", default="figures", metavar="DIR")
    add_workers(parser)
    args = parser.parse_args(argv)
    results, workers = Results(args.runs, ALL, seeds_of(args)), workers_of(args)
    probes = Probes(results)
    probe_everything(probes, names(), workers)
    Path(args.out).mkdir(parents=True, exist_ok=True)
    write_whole(Path(args.out) / "inside.md", table(probes).encode())
    draw_all(results, args.out, workers)
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(main))
