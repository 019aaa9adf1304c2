"""python -m tinymeta.reproduction [--paper NAME]: train every run that a paper's figures, probes and claims need.

Finished runs are skipped and interrupted ones resumed, so the same command goes on where it stopped.
"""

import sys
from collections.abc import Sequence

from tinymeta import cli
from tinymeta.papers.options import add_arguments, add_workers, results_of, workers_of
from tinymeta.papers.registry import load_paper
from tinymeta.papers.results import train_all
from tinymeta.runs.cluster import check_workers
from tinymeta.runs.sweep import SweepError
from tinymeta.runs.training import Interrupted


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = cli.parser("reproduction", "Train every run that a paper's figures, probes and claims need.")
    add_arguments(parser)
    add_workers(parser)
    cluster = "train on the Dask scheduler at ADDRESS, or on one started here (local); see docs/cluster.md"
    parser.add_argument("--cluster", metavar="ADDRESS", help=cluster)
    args = parser.parse_args(argv)
    check_workers(args.workers, args.cluster)
    results = results_of(args, load_paper(args.paper))
    try:
        train_all(results, workers_of(args), cluster=args.cluster)
    except SweepError as error:
        cli.complain(error)
        return cli.FAILED
    except (Interrupted, KeyboardInterrupt):
        cli.complain("interrupted; the same command goes on where it stopped")
        return cli.INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(main))
