"""TODO claims."""

import json
import sys
from pathlib import Path

from tinymeta.base.errors import InputError
from tinymeta.base.files import write_whole
from tinymeta.papers.alver_precup_2021.claims import CLAIMS, PROBE_CLAIMS
from tinymeta.papers.alver_precup_2021.experiments import ALL
from tinymeta.papers.claims import judge, to_json, to_markdown
from tinymeta.papers.experiments import add_arguments, seeds_of
from tinymeta.papers.results import Results


def main(argv=None):
    from tinymeta import cli

    parser = cli.parser("claims", "Judge each claim of the paper on finished runs; writes claims.md and claims.json.")
    add_arguments(parser)
    parser.add_argument("--out", default="figures", metavar="DIR")
    args = parser.parse_args(argv)
    seeds = seeds_of(args)
    try:
        judged = judge(Results(args.runs, ALL, seeds), CLAIMS + PROBE_CLAIMS)
    except InputError as error:
        print(f"tinymeta: {error}", file=sys.stderr)
        return cli.FAILED
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "claims.json", (json.dumps(to_json(judged, seeds), indent=2, allow_nan=False) + "\n").encode())
    write_whole(out / "claims.md", to_markdown(judged, seeds).encode())
    for claim, measurement in judged:
        print(f"{'holds' if measurement.holds else 'DOES NOT HOLD':15}{claim.text}")
    print(f"{sum(m.holds for _, m in judged)} of {len(judged)} claims hold; {out}/claims.md")
    return 0


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
