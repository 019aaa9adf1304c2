"""python -m tinymeta.baselines ENV: exact values of the yardsticks on a task set.

bayes_optimal   the best that an agent can do that knows the task set but not the task
informed        the best that an agent can do that is told the task
random          actions chosen uniformly
"""

import math
import sys

from tinymeta import planning


def exact_values(tasks, gamma, node_limit=planning.NODE_LIMIT):
    """{"bayes_optimal", "informed", "random"}: {"reward_per_trial", "steps_per_trial", "discounted_value"}, no sampling.

    Rewards and steps are undiscounted, of the policy that maximises the discounted return of a trial at `gamma`; a number that is
    infinite (a policy that need not finish) is None.
    """
    values = {
        "bayes_optimal": planning.plan_value(planning.bayes_optimal(tasks, gamma, node_limit), gamma),
        "informed": planning.plan_value(planning.informed(tasks, gamma, node_limit=node_limit), gamma),
        "random": planning.random_value(tasks, gamma, node_limit),
    }
    return {
        name: {key: number if math.isfinite(number) else None for key, number in value._asdict().items()}
        for name, value in values.items()
    }


def main(argv=None):
    from tinymeta import cli
    from tinymeta.tasks import ENVIRONMENTS

    parser = cli.parser("baselines", "Exact values of the Bayes-optimal, the informed and the random policy.")
    cli.add_task_arguments(parser)
    parser.add_argument("--gamma", type=float, metavar="G", help="discount; the environment's training default if left out")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(argv)
    tasks = cli.make_tasks(args)
    gamma = ENVIRONMENTS[args.env].defaults["gamma"] if args.gamma is None else args.gamma
    values = exact_values(tasks, gamma)
    if args.json:
        cli.print_json({"env": args.env, "gamma": gamma, **values})
        return 0
    print(f"{args.env}, discount {gamma:g}, exact\n{'':16}{'reward per trial':>18}{'steps per trial':>18}{'discounted value':>18}")
    for name, value in values.items():
        numbers = "".join(f"{'infinite' if number is None else format(number, '.6f'):>18}" for number in value.values())
        print(f"{name.replace('_', '-'):16}{numbers}")
    return 0


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
