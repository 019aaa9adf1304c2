"""python -m tinymeta.evaluate RUN: frozen-weight rollouts of a trained agent, beside the exact optimum of its task set.

In place of a run folder RUN may be bayes, greedy or thompson, the agents on the exact belief; then --env names the environment.
"""

import sys

from tinymeta.base.errors import InputError, integer
from tinymeta.environments.registry import ENVIRONMENTS
from tinymeta.learning.belief_agents import BELIEF_AGENTS, BeliefAgent
from tinymeta.learning.evaluation import evaluate, trace
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.loading import load


def report(result):
    """The result as readable lines."""
    lines = [f"{result['env']} {result['agent']}, {result['rollouts']} rollouts, actions {'greedy' if result['greedy'] else 'sampled'}",
             f"{'':22}{'reward per trial':>22}{'steps per trial':>22}"]  # fmt: skip
    lines.append(
        f"{result['agent']:22}{_interval(result['reward_per_trial']):>22}{_interval(result['steps_per_trial']):>22}"
    )
    for name in ("bayes_optimal", "informed"):
        exact = result[name]
        lines.append(
            f"{name.replace('_', '-') + ' (exact)':22}{_number(exact['reward_per_trial']):>22}{_number(exact['steps_per_trial']):>22}"
        )
    for name, gap in result["gap_to_bayes_optimal"].items():
        unit = name.replace("_", " ")
        lines.append(
            f"gap to Bayes-optimal, {unit}: {gap['mean']:.3f}, 95 % interval [{gap['low']:.3f}, {gap['high']:.3f}]"
        )
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
    parser.add_argument(
        "run", metavar="RUN", help=f"a run folder, or one of {', '.join(BELIEF_AGENTS)} together with --env"
    )
    cli.add_task_arguments(parser, option=True)
    parser.add_argument("--rollouts", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--greedy", action="store_true", help="take the most probable action instead of sampling")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--trace", metavar="FILE.npz", help="store inputs, states, outputs and exact beliefs of the rollouts"
    )
    args = parser.parse_args(argv)
    if (args.env is None) == (args.run in BELIEF_AGENTS):
        raise InputError(
            f"RUN = {args.run!r} with --env {args.env}, expected --env together with {', '.join(BELIEF_AGENTS)} and only then"
        )
    if args.env is None and args.env_kwargs:
        raise InputError(
            f"--env-kwargs {args.env_kwargs[0]} without --env, expected neither: a run folder knows its environment"
        )
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
