"""TODO reproduction."""

import sys

from tinymeta.papers.alver_precup_2021.experiments import ALL
from tinymeta.papers.experiments import add_arguments, add_workers, seeds_of, workers_of
from tinymeta.papers.results import Results, train_all
from tinymeta.runs.sweep import SweepError


def main(argv=None):
    from tinymeta import cli
    from tinymeta.runs.training import Interrupted

    parser = cli.parser("reproduction", "Train every run that the paper's figures and claims need.")
    add_arguments(parser)
    add_workers(parser)
    args = parser.parse_args(argv)
    try:
        train_all(Results(args.runs, ALL, seeds_of(args)), workers_of(args))
    except SweepError as error:
        print(f"tinymeta: {error}", file=sys.stderr)
        return cli.FAILED
    except (Interrupted, KeyboardInterrupt):
        print("tinymeta: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return cli.INTERRUPTED
    return 0


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
