"""Command-line options that the commands of a paper share: which paper, which runs, which seeds, where to."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from tinymeta.base.errors import integer
from tinymeta.base.processes import cores
from tinymeta.papers.experiments import FIRST_SEED, MOST, QUICK_SEEDS, SEEDS
from tinymeta.papers.registry import DEFAULT, PAPERS, Paper
from tinymeta.papers.results import Results


def add_arguments(parser: ArgumentParser) -> None:
    """--paper, --runs, --quick and --first-seed, which every command of a paper has."""
    parser.add_argument("--paper", default=DEFAULT, metavar="NAME", help=f"one of {', '.join(PAPERS)}")
    parser.add_argument("--runs", default="runs", metavar="DIR", help="folder of the run folders")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds instead of {SEEDS}")
    parser.add_argument(
        "--first-seed", type=int, default=FIRST_SEED, metavar="S", help="seeds S, S+1, … of every experiment"
    )


def add_output(parser: ArgumentParser) -> None:
    """--out, for commands that write pictures or tables."""
    parser.add_argument("--out", metavar="DIR", help="figures for the default paper, else figures/NAME")


def add_workers(parser: ArgumentParser) -> None:
    """--workers, for commands that share their work out."""
    parser.add_argument("--workers", type=int, metavar="W", help="processes; as many as there are cores by default")


def results_of(args: Namespace, paper: Paper) -> Results:
    """The paper's runs that --runs, --quick and --first-seed name."""
    return Results(args.runs, paper.experiments, QUICK_SEEDS if args.quick else MOST, args.first_seed)


def output_of(args: Namespace, paper: Paper) -> Path:
    """The folder that --out names."""
    return paper.output if args.out is None else Path(args.out)


def workers_of(args: Namespace) -> int:
    """The number that --workers gives."""
    return cores() if args.workers is None else integer("workers", args.workers, 1, 4096)
