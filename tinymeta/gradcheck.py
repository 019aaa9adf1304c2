"""TODO gradcheck."""

import sys

import numpy as np

from tinymeta.learning.gradient_check import TOLERANCE, check


def main(argv=None):
    from tinymeta import cli

    parser = cli.parser("gradcheck", "Compare analytic and numerical gradients, one row a parameter.")
    cli.add_task_arguments(parser)
    cli.add_agent_argument(parser)
    parser.add_argument("--hidden-size", type=int, default=48, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(argv)
    tasks = cli.make_tasks(args)
    entries = check(tasks, args.agent, args.hidden_size, args.seed)
    largest = float(np.max([entry.relative_error for entry in entries.values()]))  # NaN if any of them is
    passed = largest <= TOLERANCE
    if args.json:
        parameters = {
            name: {"norm": e.norm, "relative_error": e.relative_error, "worst_index": e.worst_index}
            for name, e in entries.items()
        }
        cli.print_json(
            {
                "env": args.env,
                "agent": args.agent,
                "max_relative_error": largest,
                "tolerance": TOLERANCE,
                "parameters": parameters,
            }
        )
    else:
        print(f"{'parameter':16}{'gradient norm':>16}{'relative error':>18}   worst index")
        for name, e in entries.items():
            print(f"{name:16}{e.norm:16.6e}{e.relative_error:18.1e}   {list(e.worst_index)}")
        print(f"largest relative error {largest:.1e}, tolerance {TOLERANCE:.0e}: {'ok' if passed else 'FAILED'}")
    return 0 if passed else 1


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
