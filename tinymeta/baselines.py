"""python -m tinymeta.baselines ENV: what the yardsticks are worth on a task set, exactly.

bayes-optimal                the best that an agent can do that knows the task set but not the task
informed                     the best that an agent can do that is told the task
informed-after-first         the best that an agent can do that is told the task after the first episode, as `rl1` is (where an
                             episode's end cannot be seen, being told then also announces it, and can be worth more than `informed`)
greedy, thompson             see `tinymeta.belief_agents`
random                       actions chosen uniformly

With --runs, trained agents stand beside them: the mean over a sweep's seeds and the gap to the Bayes optimum, with 95 % intervals.

Where more beliefs are reachable than can be enumerated, the Bayes optimum is given as certified bounds: the informed optimum above,
the exact worth of the greedy agent below; and agents whose beliefs cannot be enumerated are sampled. Both are labelled so.
"""

import sys

from tinymeta.learning.evaluation import yardsticks
from tinymeta.optimum.planning import Value
from tinymeta.runs.comparison import trained


def table(values):
    """The values as readable lines."""
    lines = [f"{'':26}{'reward per trial':>18}{'steps per trial':>18}{'discounted value':>18}"]
    for name, value in values.items():
        label = name.replace("_", "-")
        if "bounds" in value:
            lines += [
                _line(f"{label} ≥ (bound)", value["bounds"]["lower"]),
                _line(f"{label} ≤ (bound)", value["bounds"]["upper"]),
            ]
        elif "sampled" in value:
            lines.append(
                _line(f"{label} (sampled)", value) + f"   reward ± {1.96 * value['sampled']['reward_sem']:.3f}"
            )
        else:
            lines.append(_line(label, value))
    return "\n".join(lines)


def _line(label, value):
    cells = (value[key] for key in Value._fields)
    return f"{label:26}" + "".join(f"{'—' if number is None else format(number, '.6f'):>18}" for number in cells)


def _trained_line(row):
    cells = [row["reward_per_trial"], row["steps_per_trial"]]
    texts = [f"{cell['mean']:.3f} ± {cell['high'] - cell['mean']:.3f}" for cell in cells]
    gap = row.get("gap_to_bayes_optimal")
    note = "" if gap is None else f"   gap to Bayes-optimal {gap['mean']:.3f} [{gap['low']:.3f}, {gap['high']:.3f}]"
    return f"{row['agent']} ({row['seeds']} seeds)".ljust(26) + "".join(f"{text:>18}" for text in texts) + note


def main(argv=None):
    from tinymeta import cli
    from tinymeta.environments.registry import ENVIRONMENTS

    parser = cli.parser(
        "baselines", "What the Bayes-optimal, informed, greedy, Thompson and random policies are worth."
    )
    cli.add_task_arguments(parser)
    parser.add_argument(
        "--gamma", type=float, metavar="G", help="discount; the environment's training default if left out"
    )
    parser.add_argument(
        "--runs",
        nargs="+",
        default=[],
        metavar="SWEEP",
        help="folders of train --seeds, to stand beside the exact values",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(argv)
    tasks = cli.make_tasks(args)
    gamma = ENVIRONMENTS[args.env].defaults["gamma"] if args.gamma is None else args.gamma
    values = yardsticks(tasks, gamma)
    kwargs, best = cli.parse_env_kwargs(args.env_kwargs), values["bayes_optimal"]["reward_per_trial"]
    rows = [trained(sweep, args.env, kwargs, best) for sweep in args.runs]
    if args.json:
        cli.print_json({"env": args.env, "gamma": gamma, **values, **({"runs": rows} if rows else {})})
    else:
        print(f"{args.env}, discount {gamma:g}, exact where not labelled otherwise\n{table(values)}")
        for row in rows:
            print(_trained_line(row))
    return 0


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
