"""python -m tinymeta.baselines ENV: what the yardsticks are worth on a task set, exactly.

bayes-optimal                the best that an agent can do that knows the task set but not the task
informed                     the best that an agent can do that is told the task
informed-after-first         the best that an agent can do that is told the task after the first episode, as `rl1` is (where an
                             episode's end cannot be seen, being told then also announces it, and can be worth more than `informed`)
greedy, thompson             see `tinymeta.belief_agents`
random                       actions chosen uniformly

Where more beliefs are reachable than can be enumerated, the Bayes optimum is given as certified bounds: the informed optimum above,
the exact worth of the greedy agent below; and agents whose beliefs cannot be enumerated are sampled. Both are labelled so.
"""

import math
import sys

import numpy as np

from tinymeta import planning
from tinymeta.belief_agents import BeliefAgent, greedy_value, thompson_value
from tinymeta.belief_graph import NODE_LIMIT, NodeLimitError

SAMPLED_ROLLOUTS = 400
YARDSTICKS = ("bayes_optimal", "informed", "informed_after_first", "greedy", "thompson", "random")


def exact_values(tasks, gamma, node_limit=NODE_LIMIT, which=("bayes_optimal", "informed", "random")):
    """{name: {"reward_per_trial", "steps_per_trial", "discounted_value"}} for the names in `which`, by default without sampling.

    Rewards and steps are undiscounted, of the policy that maximises the discounted return of a trial at `gamma`. A number that is
    infinite or out of reach is None. A Bayes optimum that is out of reach has "bounds": {"lower", "upper"}, each with the three
    numbers; a sampled "greedy" or "thompson" has "sampled": {"rollouts", "reward_sem"}.
    """
    return {name: _value(name, tasks, gamma, node_limit) for name in which}


def _value(name, tasks, gamma, node_limit):
    if tasks.dedicated is not None and name in ("bayes_optimal", "informed"):
        reward, value = tasks.dedicated(gamma)[name]
        return {"reward_per_trial": reward, "steps_per_trial": float(tasks.horizon), "discounted_value": value}
    exact = {
        "bayes_optimal": lambda: planning.plan_value(planning.bayes_optimal(tasks, gamma, node_limit), gamma),
        "informed": lambda: planning.plan_value(planning.informed(tasks, gamma, node_limit=node_limit), gamma),
        "informed_after_first": lambda: planning.plan_value(planning.informed(tasks, gamma, 1, node_limit), gamma),
        "greedy": lambda: greedy_value(tasks, gamma, node_limit),
        "thompson": lambda: thompson_value(tasks, gamma, node_limit),
        "random": lambda: planning.random_value(tasks, gamma, node_limit),
    }
    try:
        return _numbers(exact[name]())
    except NodeLimitError:
        unknown = dict.fromkeys(planning.Value._fields)
        if name == "bayes_optimal":
            bounds = {side: _value(other, tasks, gamma, node_limit) for side, other in (("lower", "greedy"), ("upper", "informed"))}
            return {**unknown, "bounds": bounds}
        if name in ("greedy", "thompson"):
            return _sampled(name, tasks, gamma)
        if name == "informed_after_first":
            return unknown
        raise


def _numbers(value):
    return {key: number if math.isfinite(number) else None for key, number in value._asdict().items()}


def _sampled(name, tasks, gamma):
    totals, trace = BeliefAgent(tasks, name, gamma).play(SAMPLED_ROLLOUTS, trace=True)
    reward = totals.reward.sum(axis=1)
    discounted = (trace["reward"] * gamma ** np.arange(trace["reward"].shape[1])).sum(axis=1)
    return {
        "reward_per_trial": float(reward.mean()), "steps_per_trial": float(totals.steps.sum(axis=1).mean()),
        "discounted_value": float(discounted.mean()),
        "sampled": {"rollouts": SAMPLED_ROLLOUTS, "reward_sem": float(reward.std(ddof=1) / math.sqrt(SAMPLED_ROLLOUTS))},
    }  # fmt: skip


def table(values):
    """The values as readable lines."""
    lines = [f"{'':26}{'reward per trial':>18}{'steps per trial':>18}{'discounted value':>18}"]
    for name, value in values.items():
        label = name.replace("_", "-")
        if "bounds" in value:
            lines += [_line(f"{label} ≥ (bound)", value["bounds"]["lower"]), _line(f"{label} ≤ (bound)", value["bounds"]["upper"])]
        elif "sampled" in value:
            lines.append(_line(f"{label} (sampled)", value) + f"   reward ± {1.96 * value['sampled']['reward_sem']:.3f}")
        else:
            lines.append(_line(label, value))
    return "\n".join(lines)


def _line(label, value):
    cells = (value[key] for key in planning.Value._fields)
    return f"{label:26}" + "".join(f"{'—' if number is None else format(number, '.6f'):>18}" for number in cells)


def main(argv=None):
    from tinymeta import cli
    from tinymeta.tasks import ENVIRONMENTS

    parser = cli.parser("baselines", "What the Bayes-optimal, informed, greedy, Thompson and random policies are worth.")
    cli.add_task_arguments(parser)
    parser.add_argument("--gamma", type=float, metavar="G", help="discount; the environment's training default if left out")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(argv)
    tasks = cli.make_tasks(args)
    gamma = ENVIRONMENTS[args.env].defaults["gamma"] if args.gamma is None else args.gamma
    values = exact_values(tasks, gamma, which=YARDSTICKS)
    if args.json:
        cli.print_json({"env": args.env, "gamma": gamma, **values})
    else:
        print(f"{args.env}, discount {gamma:g}, exact where not labelled otherwise\n{table(values)}")
    return 0


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
