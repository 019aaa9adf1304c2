"""python -m tinymeta.evaluate RUN: frozen-weight rollouts of a trained agent, beside the exact optimum of its task
set.

In place of a run folder RUN may be bayes, greedy or thompson, the agents on the exact belief (see
`tinymeta.learning.belief_agents`); then --env names the environment.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tinymeta import cli
from tinymeta.base.errors import InputError, integer
from tinymeta.base.files import check_writable, write_arrays
from tinymeta.base.intervals import NORMAL_95
from tinymeta.environments.registry import ENVIRONMENTS
from tinymeta.learning.agent import Agent
from tinymeta.learning.belief_agents import BELIEF_AGENTS, BeliefAgent
from tinymeta.learning.evaluation import evaluate, trace
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.loading import load

SHOWN_EPISODES = 12


def report(result: Mapping[str, Any]) -> str:
    """The result as readable lines."""
    lines = [
        f"{result['env']} {result['agent']}, {result['rollouts']} rollouts",
        _row("", "reward per trial", "steps per trial"),
    ]
    measured = (
        {"greedy": result["greedy"]}
        if result["actions"] == "greedy"
        else {"sampled": result, "greedy": result["greedy"]}
    )
    for actions, measures in measured.items():
        label = f"{result['agent']}, actions {actions}"
        lines.append(_row(label, _interval(measures["reward_per_trial"]), _interval(measures["steps_per_trial"])))
    for name in ("bayes_optimal", "informed"):
        exact = result[name]
        label = f"{name.replace('_', '-')} (exact)"
        lines.append(_row(label, _number(exact["reward_per_trial"]), _number(exact["steps_per_trial"])))
    for name, gap in result["gap_to_bayes_optimal"].items():
        value = f"{gap['mean']:.3f}, 95 % interval [{gap['low']:.3f}, {gap['high']:.3f}]"
        lines.append(f"gap to Bayes-optimal, {name.replace('_', ' ')}: {value}")
    for name in ("reward", "steps"):
        values = result[f"{name}_per_episode"]
        shown = [f"{value:.2f}" for value in values[:SHOWN_EPISODES]] + ["…"] * (len(values) > SHOWN_EPISODES)
        lines.append(f"{name} per episode: {' '.join(shown)}")
    if result["cut_trials"]:
        lines.append(f"{result['cut_trials']} trials were cut by the step limit")
    return "\n".join(lines)


def _row(label: str, reward: str, steps: str) -> str:
    return f"{label:30}{reward:>18}{steps:>18}"


def _interval(value: Mapping[str, float | None]) -> str:
    sem = value["sem"]
    return f"{value['mean']:.3f}" + ("" if sem is None else f" ± {NORMAL_95 * sem:.3f}")


def _number(value: float | None) -> str:
    return "beyond reach" if value is None else f"{value:.3f}"


def make_parser() -> cli.Parser:
    """The command's arguments."""
    parser = cli.parser("evaluate", "Frozen-weight rollouts of a trained agent; ± is a 95 % interval.")
    known = ", ".join(BELIEF_AGENTS)
    parser.add_argument("run", metavar="RUN", help=f"a run folder, or one of {known} together with --env")
    cli.add_task_arguments(parser, option=True)
    parser.add_argument("--rollouts", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--greedy", action="store_true", help="take the most probable action instead of sampling")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    stored = "store inputs, states, outputs and exact beliefs of the rollouts"
    parser.add_argument("--trace", metavar="FILE.npz", help=stored)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate as the arguments say; returns the exit code."""
    args = make_parser().parse_args(argv)
    _check(args)
    agent, gamma = _agent(args)
    if args.trace is not None:
        write_arrays(args.trace, trace(agent, args.rollouts, args.seed, args.greedy))
    result = evaluate(agent, gamma, args.rollouts, args.seed, args.greedy)
    if args.json:
        cli.print_json(result)
    else:
        print(report(result))
    return 0


def _check(args: argparse.Namespace) -> None:
    if (args.env is None) == (args.run in BELIEF_AGENTS):
        expected = f"expected --env together with {', '.join(BELIEF_AGENTS)} and only then"
        raise InputError(f"RUN = {args.run!r} with --env {args.env}, {expected}")
    if args.env is None and args.env_kwargs:
        given = f"--env-kwargs {args.env_kwargs[0]} without --env"
        raise InputError(f"{given}, expected neither: a run folder knows its environment")
    integer("rollouts", args.rollouts, 1, 10**9)
    integer("seed", args.seed, 0, 2**63 - 1)
    if args.trace is not None:
        check_writable(args.trace)


def _agent(args: argparse.Namespace) -> tuple[Agent | BeliefAgent, float]:
    """The agent that RUN names, and the discount that it is judged by."""
    if args.env is None:
        return load(args.run), RunFolder(args.run).read_config().settings.gamma
    tasks = cli.make_tasks(args)
    gamma = ENVIRONMENTS[args.env].defaults["gamma"]
    return BeliefAgent(tasks, args.run, gamma), gamma


if __name__ == "__main__":
    sys.exit(cli.run(main))
