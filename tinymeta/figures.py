"""TODO figures."""

import sys

from tinymeta.papers.alver_precup_2021.experiments import ALL
from tinymeta.papers.alver_precup_2021.figures import draw_all
from tinymeta.papers.experiments import add_arguments, add_workers, seeds_of, workers_of
from tinymeta.papers.results import Results


def main(argv=None):
    from tinymeta import cli

    parser = cli.parser("figures", "Draw every figure from finished runs.")
    add_arguments(parser)
    parser.add_argument("--out", default="figures", metavar="DIR")
    add_workers(parser)
    args = parser.parse_args(argv)
    draw_all(Results(args.runs, ALL, seeds_of(args)), args.out, workers_of(args))
    return 0


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
