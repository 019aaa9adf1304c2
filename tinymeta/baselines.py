"""python -m tinymeta.baselines ENV: what the yardsticks are worth on a task set, exactly.

bayes-optimal                the best that an agent can do that knows the task set but not the task
informed                     the best that an agent can do that is told the task
informed-after-first         the best that an agent can do that is told the task after the first episode, as `rl1` is
greedy, thompson             see `tinymeta.learning.belief_agents`
random                       actions chosen uniformly

Where an episode's end cannot be seen, being told the task also announces it: there informed-after-first can be worth
more than informed.

With --runs, trained agents stand beside them: the mean over a sweep's seeds and the gap to the Bayes optimum, with 95
% intervals.

Where more beliefs are reachable than can be enumerated, the Bayes optimum is given as certified bounds, see
`tinymeta.optimum.exact_values`; and agents whose beliefs cannot be enumerated are sampled. Both are labelled so.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tinymeta import cli
from tinymeta.base.intervals import NORMAL_95
from tinymeta.environments.registry import ENVIRONMENTS
from tinymeta.learning.evaluation import yardsticks
from tinymeta.optimum.planning import Value
from tinymeta.runs.comparison import trained


def table(values: Mapping[str, Any]) -> str:
    """The values as readable lines."""
    lines = [_row("", "reward per trial", "steps per trial", "discounted value")]
    for name, value in values.items():
        label = name.replace("_", "-")
        if "bounds" in value:
            lines.append(_line(f"{label} ≥ (bound)", value["bounds"]["lower"]))
            lines.append(_line(f"{label} ≤ (bound)", value["bounds"]["upper"]))
        elif "sampled" in value:
            width = NORMAL_95 * value["sampled"]["reward_sem"]
            lines.append(_line(f"{label} (sampled)", value) + f"   reward ± {width:.3f}")
        else:
            lines.append(_line(label, value))
    return "\n".join(lines)


def trained_line(row: Mapping[str, Any]) -> str:
    """What a sweep's agents earn, see `tinymeta.runs.comparison.trained`, as a line of the table."""
    cells = [row["reward_per_trial"], row["steps_per_trial"]]
    texts = [f"{cell['mean']:.3f} ± {cell['high'] - cell['mean']:.3f}" for cell in cells]
    gap = row.get("gap_to_bayes_optimal")
    line = _row(f"{row['agent']} ({row['seeds']} seeds)", *texts)
    if gap is None:
        return line
    return f"{line}   gap to Bayes-optimal {gap['mean']:.3f} [{gap['low']:.3f}, {gap['high']:.3f}]"


def _line(label: str, value: Mapping[str, float | None]) -> str:
    cells = [value[key] for key in Value._fields]
    return _row(label, *("—" if number is None else format(number, ".6f") for number in cells))


def _row(label: str, *cells: str) -> str:
    return f"{label:26}" + "".join(f"{cell:>18}" for cell in cells)


def make_parser() -> cli.Parser:
    """The command's arguments."""
    description = "What the Bayes-optimal, informed, greedy, Thompson and random policies are worth."
    parser = cli.parser("baselines", description)
    cli.add_task_arguments(parser)
    discount = "discount; the environment's training default if left out"
    parser.add_argument("--gamma", type=float, metavar="G", help=discount)
    sweeps = "folders of train --seeds, to stand beside the exact values"
    parser.add_argument("--runs", nargs="+", default=[], metavar="SWEEP", help=sweeps)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Compute and print; returns the exit code."""
    args = make_parser().parse_args(argv)
    tasks = cli.make_tasks(args)
    gamma = ENVIRONMENTS[args.env].defaults["gamma"] if args.gamma is None else args.gamma
    values = yardsticks(tasks, gamma)
    best = values["bayes_optimal"]["reward_per_trial"]
    env_kwargs = cli.parse_env_kwargs(args.env_kwargs)
    rows = [trained(sweep, args.env, env_kwargs, best) for sweep in args.runs]
    if args.json:
        cli.print_json({"env": args.env, "gamma": gamma, **values, **({"runs": rows} if rows else {})})
    else:
        print(f"{args.env}, discount {gamma:g}, exact where not labelled otherwise\n{table(values)}")
        for row in rows:
            print(trained_line(row))
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(main))
