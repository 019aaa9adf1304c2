"""Command-line options that the commands of a paper share: which paper, which runs, which seeds, where to."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tinymeta.base.errors import MissingExtraError, integer
from tinymeta.base.processes import cores
from tinymeta.environments.registry import environment
from tinymeta.papers.experiments import FIRST_SEED, MOST, QUICK_SEEDS, SEEDS
from tinymeta.papers.registry import DEFAULT, PAPERS, Paper
from tinymeta.papers.results import Results
from tinymeta.runs.config import build


def add_arguments(parser: ArgumentParser) -> None:
    """--paper, --runs, --quick and --first-seed, which every command of a paper has."""
    parser.add_argument("--paper", default=DEFAULT, metavar="NAME", help=f"one of {', '.join(PAPERS)}")
    parser.add_argument("--runs", default="runs", metavar="DIR", help="folder of the run folders")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds instead of {SEEDS}")
    parser.add_argument(
        "--first-seed", type=int, default=FIRST_SEED, metavar="S", help="seeds S, S+1, … of every experiment"
    )


def add_output(parser: ArgumentParser) -> None:
    """--out and --finished, for commands that write pictures or tables."""
    parser.add_argument("--finished", action="store_true", help="leave out experiments that are not finished yet")
    parser.add_argument("--out", metavar="DIR", help="figures for the default paper, else figures/NAME")


def add_workers(parser: ArgumentParser) -> None:
    """--workers, for commands that share their work out."""
    parser.add_argument("--workers", type=int, metavar="W", help="processes; as many as there are cores by default")


def results_of(args: Namespace, paper: Paper) -> Results:
    """The paper's runs that --runs, --quick and --first-seed name.

    Experiments whose environment needs what is not installed are left out, and a line on stderr says how to get it;
    with --finished also those of which a run is missing.
    """
    left_out, reasons = missing(paper)
    for reason in reasons:
        left = f"left out: {len(left_out)} of {len(paper.experiments)} experiments"
        print(f"tinymeta: {reason}; {left}", file=sys.stderr)
    seeds = QUICK_SEEDS if args.quick else MOST
    results = Results(args.runs, paper.experiments, seeds, args.first_seed, left_out, paper.command)
    if not getattr(args, "finished", False):
        return results
    unfinished = {name for name in results.experiments if not results.finished(name)}
    print(f"tinymeta: not finished yet, left out: {', '.join(sorted(unfinished)) or 'nothing'}", file=sys.stderr)
    return Results(args.runs, paper.experiments, seeds, args.first_seed, left_out | unfinished, paper.command)


def missing(paper: Paper) -> tuple[set[str], list[str]]:
    """The experiments whose environment cannot be made for want of an extra, and why, a line each."""
    why: dict[str, str] = {}  # by environment
    for experiment in paper.experiments.values():
        if experiment.env not in why and environment(experiment.env).needs_extra:
            try:
                build(experiment.config())
                why[experiment.env] = ""
            except MissingExtraError as error:
                why[experiment.env] = str(error)
    names = {name for name, experiment in paper.experiments.items() if why.get(experiment.env)}
    return names, sorted(set(filter(None, why.values())))


def output_of(args: Namespace, paper: Paper) -> Path:
    """The folder that --out names."""
    return paper.output if args.out is None else Path(args.out)


def workers_of(args: Namespace) -> int:
    """The number that --workers gives."""
    return cores() if args.workers is None else integer("workers", args.workers, 1, 4096)
