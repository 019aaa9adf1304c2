"""python -m tinymeta: what there is."""

import inspect
import sys
from collections.abc import Sequence
from typing import Any

from tinymeta import cli
from tinymeta._version import __version__
from tinymeta.environments.registry import ENVIRONMENTS
from tinymeta.learning.wirings import WIRINGS

COMMANDS = {
    "train ENV AGENT": "train one run, or with --seeds many",
    "evaluate RUN": "frozen-weight rollouts of a trained agent",
    "baselines ENV": "exact values of the Bayes-optimal, informed and random policies",
    "gradcheck ENV AGENT": "analytic against numerical gradients",
    "probe RUN…": "look inside: decoding, simulation, exact behaviour, transplants",
    "plot RUN_OR_SWEEP…": "learning curves of any runs, with the exact optima",
    "reproduction": "train every run of figures, claims and probes",
    "figures": "draw every figure from finished runs",
    "inside": "probe every finished run; table and pictures",
    "claims": "judge each claim of the paper on finished runs",
    "page [RUN…]": "trained agents in one self-contained web page",
}


def main(argv: Sequence[str] | None = None) -> int:
    """List commands, environments and agents."""
    parser = cli.Parser(prog="python -m tinymeta", description="List commands, environments and agents.")
    parser.parse_args(argv)
    print(f"tinymeta {__version__}: a small laboratory for recurrent meta-reinforcement learning")
    print("\ncommands (each takes --help)")
    for command, text in COMMANDS.items():
        print(f"  python -m tinymeta.{command:22}{text}")
    print("\nenvironments, with their --env-kwargs")
    for name, environment in ENVIRONMENTS.items():
        parameters = inspect.signature(environment.build).parameters.values()
        print(f"  {name:24}{' '.join(f'{p.name}={_shown(p.default)}' for p in parameters)}")
    print("\nagents")
    for name, wiring in WIRINGS.items():
        print(f"  {name:24}{wiring.role}")
    return 0


def _shown(default: Any) -> Any:
    if isinstance(default, tuple):
        return ",".join(str(value) for value in default)
    return "…" if default is None else default


if __name__ == "__main__":
    sys.exit(cli.run(main))
