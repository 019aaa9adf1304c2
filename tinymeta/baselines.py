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

import math
import sys
from pathlib import Path

from tinymeta import planning
from tinymeta.belief_agents import BeliefAgent, greedy_value, thompson_value
from tinymeta.belief_graph import NODE_LIMIT, NodeLimitError
from tinymeta.configs import listed
from tinymeta.errors import InputError, choice, instance, integer, real
from tinymeta.runs import RunFolder
from tinymeta.statistics import estimate
from tinymeta.taskset import TaskSet

SAMPLED_ROLLOUTS = 400
YARDSTICKS = ("bayes_optimal", "informed", "informed_after_first", "greedy", "thompson", "random")


def exact_values(tasks, gamma, node_limit=NODE_LIMIT, which=("bayes_optimal", "informed", "random")):
    """{name: {"reward_per_trial", "steps_per_trial", "discounted_value"}} for the names in `which`, by default without sampling.

    Rewards and steps are undiscounted, of the policy that maximises the discounted return of a trial at `gamma`. A number that is
    infinite or out of reach is None. A Bayes optimum that is out of reach has "bounds": {"lower", "upper"}, each with the three
    numbers; a sampled "greedy" or "thompson" has "sampled": {"rollouts", "reward_sem"}.
    """
    instance("tasks", tasks, TaskSet)
    gamma, node_limit = real("gamma", gamma, 0, 1), integer("node_limit", node_limit, low=1)
    names = [choice("yardstick", name, YARDSTICKS) for name in which]
    return {name: _value(name, tasks, gamma, node_limit) for name in names}


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
    except NodeLimitError as error:
        unknown = {**dict.fromkeys(planning.Value._fields), "reason": str(error)}
        if name == "bayes_optimal":
            sides = {"lower": _value("greedy", tasks, gamma, node_limit), "upper": _value("informed", tasks, gamma, node_limit)}
            if not any("sampled" in side or "reason" in side for side in sides.values()):  # a bound is exact or there is none
                return {**unknown, "bounds": sides}
        if name in ("greedy", "thompson"):
            try:
                return _sampled(name, tasks, gamma)
            except NodeLimitError:
                return unknown
        return unknown


def _numbers(value):
    return {key: number if math.isfinite(number) else None for key, number in value._asdict().items()}


def _sampled(name, tasks, gamma):
    totals = BeliefAgent(tasks, name, gamma).play(SAMPLED_ROLLOUTS, gamma=gamma)
    reward, discounted = totals.reward.sum(axis=1), totals.discounted
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


def trained(sweep, env, env_kwargs, best):
    """What a sweep's agents earn beside the exact optimum `best` (reward per trial): {"agent", "seeds", and `Estimate`s as dicts}.

    Raises
    ------
    ValueError
        If the folder holds no finished seed-<k>, or runs of another environment.
    """
    runs = [folder for path in sorted(Path(sweep).glob("seed-*")) if (folder := RunFolder(path)).finished]
    if not runs:
        raise InputError(f"{sweep} holds no finished run, expected seed-0, seed-1, … as train --seeds makes them")
    for run in runs:
        config = run.read_config()
        if (config.env, listed(config.env_kwargs)) != (env, listed(env_kwargs)):
            raise InputError(f"{run.path} is a run of {config.env} with {config.env_kwargs}, expected {env} with {env_kwargs}")
    tests = [run.read_result()["evaluation"] for run in runs]
    row = {"agent": config.settings.agent, "seeds": len(runs)}
    for key in ("reward_per_trial", "steps_per_trial"):
        row[key] = estimate([test[key]["mean"] for test in tests])._asdict()
    if best is not None:
        row["gap_to_bayes_optimal"] = estimate([best - test["reward_per_trial"]["mean"] for test in tests])._asdict()
    return row


def _trained_line(row):
    cells = [row["reward_per_trial"], row["steps_per_trial"]]
    texts = [f"{cell['mean']:.3f} ± {cell['high'] - cell['mean']:.3f}" for cell in cells]
    gap = row.get("gap_to_bayes_optimal")
    note = "" if gap is None else f"   gap to Bayes-optimal {gap['mean']:.3f} [{gap['low']:.3f}, {gap['high']:.3f}]"
    return f"{row['agent']} ({row['seeds']} seeds)".ljust(26) + "".join(f"{text:>18}" for text in texts) + note


def main(argv=None):
    from tinymeta import cli
    from tinymeta.tasks import ENVIRONMENTS

    parser = cli.parser("baselines", "What the Bayes-optimal, informed, greedy, Thompson and random policies are worth.")
    cli.add_task_arguments(parser)
    parser.add_argument("--gamma", type=float, metavar="G", help="discount; the environment's training default if left out")
    parser.add_argument(
        "--runs", nargs="+", default=[], metavar="SWEEP", help="folders of train --seeds, to stand beside the exact values"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(argv)
    tasks = cli.make_tasks(args)
    gamma = ENVIRONMENTS[args.env].defaults["gamma"] if args.gamma is None else args.gamma
    values = exact_values(tasks, gamma, which=YARDSTICKS)
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
