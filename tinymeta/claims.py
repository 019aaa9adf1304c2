"""python -m tinymeta.claims [--paper NAME]: a paper's claims with measurements and verdicts; claims.md, claims.json."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tinymeta import cli
from tinymeta.base.errors import InputError
from tinymeta.base.files import write_whole, writing
from tinymeta.papers.claims import HOLDS, Judged, judge, to_json, to_markdown
from tinymeta.papers.experiments import SEEDS
from tinymeta.papers.options import add_arguments, add_output, output_of, results_of
from tinymeta.papers.registry import Paper, load_paper
from tinymeta.papers.results import Results


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = cli.parser("claims", "Judge each claim of a paper on finished runs; writes claims.md and claims.json.")
    add_arguments(parser)
    add_output(parser)
    args = parser.parse_args(argv)
    paper = load_paper(args.paper)
    results = results_of(args, paper)
    out = output_of(args, paper)
    try:
        judged = write_verdicts(paper, results, out)
    except InputError as error:  # the arguments are right: what is missing is the data
        cli.complain(error)
        return cli.FAILED
    for claim, measurement in judged:
        verdict = measurement.verdict
        print(f"{verdict if verdict == HOLDS else verdict.upper():15}{claim.text}")
    names = {claim.name for claim, _ in judged}
    for claim in paper.claims:
        if claim.name not in names:
            print(f"{'left out':15}{claim.text}")
    print(f"{sum(m.verdict == HOLDS for _, m in judged)} of {len(judged)} claims hold; {out}/claims.md")
    return 0


def write_verdicts(paper: Paper, results: Results, out: Path) -> Judged:
    """Judge the paper's claims and write claims.json and claims.md into `out`.

    Raises
    ------
    InputError
        If a run or its probe is missing; then nothing is written.
    """
    judged = judge(results, paper.claims)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    table = to_json(judged, min(results.seeds, SEEDS), results.first_seed)
    write_whole(out / "claims.json", (json.dumps(table, indent=2, allow_nan=False) + "\n").encode())
    write_whole(out / "claims.md", to_markdown(table).encode())
    return judged


if __name__ == "__main__":
    sys.exit(cli.run(main))
