"""python -m tinymeta.gradcheck ENV AGENT: the kernels' gradients against numerical ones, one row a parameter.

The check itself is `tinymeta.learning.gradient_check`. The exit code is 0 if the largest relative error is within its
tolerance, else 1. An error that is not a finite number is null in the JSON object, and never within the tolerance.
"""

import math
import sys
from collections.abc import Sequence

from tinymeta import cli
from tinymeta.learning.gradient_check import TOLERANCE, check


def make_parser() -> cli.Parser:
    """The command's arguments."""
    parser = cli.parser("gradcheck", "Compare analytic and numerical gradients, one row a parameter.")
    cli.add_task_arguments(parser)
    cli.add_agent_argument(parser)
    parser.add_argument("--hidden-size", type=int, default=48, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Check and print; returns the exit code."""
    args = make_parser().parse_args(argv)
    tasks = cli.make_tasks(args)
    entries = check(tasks, args.agent, args.hidden_size, args.seed)
    errors = [entry.relative_error for entry in entries.values()]
    largest = max(errors) if all(map(math.isfinite, errors)) else math.nan
    passed = largest <= TOLERANCE
    if args.json:
        parameters = {
            name: {"norm": _finite(e.norm), "relative_error": _finite(e.relative_error), "worst_index": e.worst_index}
            for name, e in entries.items()
        }
        result = {"env": args.env, "agent": args.agent, "max_relative_error": _finite(largest)}
        cli.print_json(result | {"tolerance": TOLERANCE, "parameters": parameters})
    else:
        print(f"{'parameter':16}{'gradient norm':>16}{'relative error':>18}   worst index")
        for name, e in entries.items():
            print(f"{name:16}{e.norm:16.6e}{e.relative_error:18.1e}   {list(e.worst_index)}")
        print(f"largest relative error {largest:.1e}, tolerance {TOLERANCE:.0e}: {'ok' if passed else 'FAILED'}")
    return 0 if passed else cli.FAILED


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


if __name__ == "__main__":
    sys.exit(cli.run(main))
