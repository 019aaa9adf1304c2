"""python -m tinymeta.evaluate RUN: frozen-weight rollouts of a trained agent, beside the exact optimum of its task set.

In place of a run folder RUN may be bayes, greedy or thompson, the agents on the exact belief; then --env names the environment.
"""

import copy
import functools
import json
import math
import sys

import numpy as np

from tinymeta.baselines import exact_values
from tinymeta.belief import belief_along
from tinymeta.belief_agents import BELIEF_AGENTS, BeliefAgent
from tinymeta.belief_graph import NODE_LIMIT
from tinymeta.configs import parse_kwargs
from tinymeta.errors import InputError, PlanningError, integer
from tinymeta.planning import Value
from tinymeta.runs import RunFolder, load
from tinymeta.tasks import ENVIRONMENTS, make

RUN_NODE_LIMIT = 200_000  # beliefs among which a training run looks for the optimum, some two seconds


def evaluate(agent, gamma, rollouts=100, seed=0, greedy=False, baselines=None):
    """Play frozen-weight trials and set them beside the exact values.

    Parameters
    ----------
    agent : Agent
        Anything with `tasks`, `name` and `play`.
    gamma : float
        Discount at which the Bayes-optimal and the informed policy are optimal.
    rollouts : int
    seed : int
    greedy : bool
        Take the most probable action instead of sampling.
    baselines : dict, optional
        `exact_values` of the same task set and gamma, if already known.

    Returns
    -------
    dict, as `--json` prints it. `sem` is the standard error of the mean over rollouts, None with one rollout. Rewards are
    undiscounted sums; episodes that a trial cut by the step limit never reached count 0 reward and 0 steps.
    `gap_to_bayes_optimal` is optimum minus agent with a 95 % interval from the standard error, for the undiscounted reward and for the
    discounted return, which is what the Bayes-optimal policy maximises; empty where the optimum is unknown or there is one rollout.
    """
    totals = agent.play(rollouts, seed=seed, greedy=greedy, gamma=gamma)
    baselines = exact_or_reason(agent.tasks, gamma) if baselines is None else baselines
    result = {
        "env": agent.tasks.name, "agent": agent.name, "rollouts": rollouts, "seed": seed, "greedy": greedy,
        "reward_per_trial": mean_and_sem(totals.reward.sum(axis=1)), "steps_per_trial": mean_and_sem(totals.steps.sum(axis=1)),
        "discounted_return": mean_and_sem(totals.discounted), "reward_per_episode": totals.reward.mean(axis=0).tolist(),
        "steps_per_episode": totals.steps.mean(axis=0).tolist(),
        "cut_trials": int(totals.cut.sum()), "bayes_optimal": baselines["bayes_optimal"], "informed": baselines["informed"],
    }  # fmt: skip
    result["gap_to_bayes_optimal"] = {}
    for name, exact in (("reward_per_trial", "reward_per_trial"), ("discounted_return", "discounted_value")):
        best, mine = baselines["bayes_optimal"][exact], result[name]
        if best is not None and mine["sem"] is not None:
            gap, width = best - mine["mean"], 1.96 * mine["sem"]
            result["gap_to_bayes_optimal"][name] = {"mean": gap, "low": gap - width, "high": gap + width}
    return result


def exact_or_reason(tasks, gamma, node_limit=NODE_LIMIT):
    """`exact_values`; where they are out of reach or undefined, None with the "reason": an agent can be tested all the same."""
    values = {}
    for name in ("bayes_optimal", "informed"):
        try:
            values |= exact_values(tasks, gamma, node_limit, which=(name,))
        except PlanningError as error:
            values[name] = {**dict.fromkeys(Value._fields), "reason": str(error)}
    return values


def exact_for(config):
    """`exact_or_reason` for a run's config, from at most `RUN_NODE_LIMIT` beliefs. In one process, runs that differ in their seed alone
    share the work."""
    return copy.deepcopy(_exact_for(config.env, json.dumps(config.env_kwargs), config.settings.gamma))


@functools.lru_cache(maxsize=16)
def _exact_for(env, env_kwargs, gamma):
    return exact_or_reason(make(env, **parse_kwargs(env_kwargs)), gamma, RUN_NODE_LIMIT)


def mean_and_sem(values):
    """{"mean", "sem"} of independent trials."""
    sem = float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "sem": sem}


def trace(agent, rollouts, seed=0, greedy=False):
    """{name: array}: all that a third party needs to replay the rollouts, and the exact joint belief before each action.

    Shapes are those of `tinymeta.policies.make_trace`, and belief (N, T, M, S).
    """
    totals, arrays = agent.play(rollouts, seed=seed, greedy=greedy, trace=True)
    evidence = (arrays[name] for name in ("observation", "action", "reward", "valid"))
    arrays["belief"], _ = belief_along(agent.tasks, *evidence, ended=~totals.cut)
    return arrays


def report(result):
    """The result as readable lines."""
    lines = [f"{result['env']} {result['agent']}, {result['rollouts']} rollouts, actions {'greedy' if result['greedy'] else 'sampled'}",
             f"{'':22}{'reward per trial':>22}{'steps per trial':>22}"]  # fmt: skip
    lines.append(f"{result['agent']:22}{_interval(result['reward_per_trial']):>22}{_interval(result['steps_per_trial']):>22}")
    for name in ("bayes_optimal", "informed"):
        exact = result[name]
        lines.append(
            f"{name.replace('_', '-') + ' (exact)':22}{_number(exact['reward_per_trial']):>22}{_number(exact['steps_per_trial']):>22}"
        )
    for name, gap in result["gap_to_bayes_optimal"].items():
        unit = name.replace("_", " ")
        lines.append(f"gap to Bayes-optimal, {unit}: {gap['mean']:.3f}, 95 % interval [{gap['low']:.3f}, {gap['high']:.3f}]")
    for name in ("reward", "steps"):
        per = result[f"{name}_per_episode"]
        shown = " ".join(f"{value:.2f}" for value in per[:12]) + (" …" if len(per) > 12 else "")
        lines.append(f"{name} per episode: {shown}")
    if result["cut_trials"]:
        lines.append(f"{result['cut_trials']} trials were cut by the step limit")
    return "\n".join(lines)


def _interval(value):
    return f"{value['mean']:.3f}" + ("" if value["sem"] is None else f" ± {1.96 * value['sem']:.3f}")


def _number(value):
    return "beyond reach" if value is None else f"{value:.3f}"


def main(argv=None):
    from tinymeta import cli

    parser = cli.parser("evaluate", "Frozen-weight rollouts of a trained agent; ± is a 95 % interval.")
    parser.add_argument("run", metavar="RUN", help=f"a run folder, or one of {', '.join(BELIEF_AGENTS)} together with --env")
    cli.add_task_arguments(parser, option=True)
    parser.add_argument("--rollouts", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--greedy", action="store_true", help="take the most probable action instead of sampling")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--trace", metavar="FILE.npz", help="store inputs, states, outputs and exact beliefs of the rollouts")
    args = parser.parse_args(argv)
    if (args.env is None) == (args.run in BELIEF_AGENTS):
        raise InputError(
            f"RUN = {args.run!r} with --env {args.env}, expected --env together with {', '.join(BELIEF_AGENTS)} and only then"
        )
    if args.env is None and args.env_kwargs:
        raise InputError(f"--env-kwargs {args.env_kwargs[0]} without --env, expected neither: a run folder knows its environment")
    integer("rollouts", args.rollouts, 1, 10**9)
    integer("seed", args.seed, 0, 2**63 - 1)
    if args.trace is not None:
        cli.check_file(args.trace)
    if args.env is None:
        agent, gamma = load(args.run), RunFolder(args.run).read_config().settings.gamma
    else:
        tasks, gamma = cli.make_tasks(args), ENVIRONMENTS[args.env].defaults["gamma"]
        agent = BeliefAgent(tasks, args.run, gamma)
    if args.trace is not None:
        cli.save_arrays(args.trace, trace(agent, args.rollouts, args.seed, args.greedy))
    result = evaluate(agent, gamma, args.rollouts, args.seed, args.greedy)
    if args.json:
        cli.print_json(result)
    else:
        print(report(result))
    return 0


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
