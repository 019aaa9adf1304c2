"""python -m tinymeta.probe RUN…: is the LSTM's state a belief? Decode, simulate, follow exactly, transplant.

RUN is a run folder, or a folder of them (seed-0, seed-1, …). Each run is probed alone, beside its own untrained
network; then runs that differ only in their seed are averaged, with 95 % intervals over them.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tinymeta import cli
from tinymeta.base.errors import integer
from tinymeta.base.files import write_whole, writing
from tinymeta.probes.many import probe_runs, run_folders
from tinymeta.probes.probing import RECORDED_TRIALS
from tinymeta.probes.summary import plain, report, summarise


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = cli.parser("probe", "Look inside trained agents: decoding, simulation, exact behaviour, transplants.")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, or folders of seed-<k>")
    parser.add_argument("--trials", type=int, default=RECORDED_TRIALS, metavar="N", help="trials to record")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--workers", type=int, default=1, metavar="W")
    parser.add_argument("--json", action="store_true", help="print one JSON object: runs and summary")
    parser.add_argument("--out", metavar="DIR", help="also write probe.json there")
    args = parser.parse_args(argv)
    integer("trials", args.trials, low=8, high=100_000)
    integer("seed", args.seed, low=0, high=2**63 - 1)
    workers = integer("workers", args.workers, 1, 4096)
    folders = run_folders(args.runs)
    if args.out is not None:
        with writing(args.out):  # before the work: a place that cannot be written to is told at once
            Path(args.out).mkdir(parents=True, exist_ok=True)
    results = probe_runs(folders, args.trials, args.seed, workers)
    summary = summarise(results)
    everything = plain({"runs": results, "summary": summary})
    if args.out is not None:
        write_whole(Path(args.out) / "probe.json", (json.dumps(everything, indent=1, allow_nan=False) + "\n").encode())
    if args.json:
        cli.print_json(everything)
    else:
        print(report(summary))
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(main))
