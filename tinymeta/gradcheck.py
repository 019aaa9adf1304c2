"""python -m tinymeta.gradcheck ENV AGENT: the kernels' gradients against numerical ones, one row a parameter.

The check itself is `tinymeta.learning.gradient_check`. The exit code is 0 if the largest relative error is within its
tolerance, else 1. An error that is not a finite number is null in the JSON object, and never within the tolerance.
"""

import math
import sys
from collections.abc import Sequence

from tinymeta import cli
from tinymeta.base.errors import choice
from tinymeta.learning.gradient_check import TOLERANCE, Network, check
from tinymeta.learning.settings import ALGORITHMS, RETURNS


def make_parser() -> cli.Parser:
    """The command's arguments."""
    parser = cli.parser("gradcheck", "Compare analytic and numerical gradients, one row a parameter.")
    cli.add_task_arguments(parser)
    cli.add_agent_argument(parser)
    parser.add_argument("--hidden-size", type=int, default=48, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--algorithm", default="a2c", metavar="NAME", help=" or ".join(ALGORITHMS))
    layers = "dense tanh layers before the LSTM, such as 64,64"
    parser.add_argument("--encoder", type=cli.widths, default=(), metavar="N,N", help=layers)
    parser.add_argument("--separate-value", action="store_true", help="a network of its own for the value")
    returns = "discounted over the whole trial, or up to each episode's end"
    parser.add_argument("--returns", default="trial", metavar="NAME", help=returns)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Check and print; returns the exit code."""
    args = make_parser().parse_args(argv)
    tasks = cli.make_tasks(args)
    algorithm = choice("algorithm", args.algorithm, ALGORITHMS)
    per_episode = choice("returns", args.returns, RETURNS) == "episode"
    network = Network(args.encoder, args.separate_value, algorithm, per_episode)
    entries = check(tasks, args.agent, args.hidden_size, args.seed, network=network)
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
        width = max(16, *(len(name) + 2 for name in entries))
        print(f"{'parameter':{width}}{'gradient norm':>16}{'relative error':>18}   worst index")
        for name, e in entries.items():
            print(f"{name:{width}}{e.norm:16.6e}{e.relative_error:18.1e}   {list(e.worst_index)}")
        print(f"largest relative error {largest:.1e}, tolerance {TOLERANCE:.0e}: {'ok' if passed else 'FAILED'}")
    return 0 if passed else cli.FAILED


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


if __name__ == "__main__":
    sys.exit(cli.run(main))
