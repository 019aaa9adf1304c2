"""What the probes of a paper's runs found: one probe.json in each run folder, estimates over seeds, and their table."""

import json
import multiprocessing
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.base.files import read_json, write_whole
from tinymeta.base.intervals import Estimate, estimate
from tinymeta.base.processes import one_thread_each
from tinymeta.papers.plotting import LABEL
from tinymeta.papers.results import Results
from tinymeta.probes.many import probe_run
from tinymeta.probes.summary import QUANTITIES, find, plain

PROBE_LIMIT = 2**26  # bytes of a probe.json that are read

COLUMNS = (  # of the table: heading, one of `QUANTITIES`
    ("R² trained", "decoding R², trained"),
    ("untrained", "decoding R², untrained"),
    ("shuffled", "decoding R², shuffled"),
    ("last input", "decoding R², last input"),
    ("D_s → trained", "D_s agent → Bayes, trained"),
    ("untrained", "D_s agent → Bayes, untrained"),
    ("shuffled", "D_s agent → Bayes, shuffled"),
    ("D_o → trained", "D_o agent → Bayes, trained"),
    ("D_s ← trained", "D_s Bayes → agent, trained"),
    ("untrained", "D_s Bayes → agent, untrained"),
    ("shuffled", "D_s Bayes → agent, shuffled"),
    ("D_o ← trained", "D_o Bayes → agent, trained"),
    ("untrained", "D_o Bayes → agent, untrained"),
)

TABLE_TEXT = """\
Mean and 95 % interval over runs. R²: held-out linear decoding of the exact belief from [h, c], all trials weighing
the same. D_s, D_o: dissimilarity of states and of outputs when the agent simulates the Bayes-optimal machine (→) and
the other way round (←); 0 is a perfect simulation. Gap: what is missing in reward per trial to the best policy with
the agent's own information (RL¹ is told the task), exact where the tree of histories can be walked, else from 1000
rollouts or more. Where there are more than 1000 tasks, nothing but the gap is measured.
"""


class Probes:
    """The probes of a paper's runs, read once and when asked for."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self._found: dict[str, list[dict[str, Any]]] = {}

    def of(self, name: str) -> list[dict[str, Any]]:
        """What the probe of each seed's run found.

        Raises
        ------
        InputError
            If one is missing.
        """
        if name not in self._found:
            self._found[name] = [_read(run.path / "probe.json") for run in self.results.runs(name)]
        return self._found[name]

    def estimate(self, name: str, quantity: str) -> Estimate | None:
        """`Estimate` over seeds of one of `tinymeta.probes.summary.QUANTITIES`, None where it is undefined."""
        values = np.array([find(result, QUANTITIES[quantity]) for result in self.of(name)])
        values = values[np.isfinite(values)]
        return estimate(values) if len(values) else None

    def required(self, name: str, quantity: str) -> Estimate:
        """`estimate` of what must be defined: a verdict needs it.

        Raises
        ------
        InputError
            If it is undefined in every run.
        """
        value = self.estimate(name, quantity)
        if value is None:
            raise InputError(
                f"{quantity!r} is undefined in every probed run of {name}, expected a number in one of them"
            )
        return value


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_json(path, PROBE_LIMIT)
    except FileNotFoundError:
        raise InputError(f"{path.parent} has no probe.json; expected it from: bash runs.sh") from None


def probe_to_file(path: str | Path) -> str | Path:
    """Probe one run, leave the result in its folder, and return the folder."""
    result = plain(probe_run(path))
    write_whole(Path(path) / "probe.json", (json.dumps(result, allow_nan=False) + "\n").encode())
    return path


def probe_all(results: Results, names: Iterable[str], workers: int, say: Callable[..., object] = print) -> None:
    """Probe the runs of these experiments that are not probed yet, the last names first: their optima take longest."""
    folders = [run.path for name in reversed(list(names)) for run in results.runs(name)]
    waiting = [str(folder) for folder in folders if not (folder / "probe.json").exists()]
    with one_thread_each(), ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done, path in enumerate(pool.map(probe_to_file, waiting, chunksize=5), 1):
            if done % 10 == 0 or done == len(waiting):
                say(f"{done} of {len(waiting)} runs probed, the last one {path}", flush=True)


def probe_table(probes: Probes, titles: Mapping[str, str]) -> str:
    """inside.md: one row per experiment of {experiment: its task set's title}, controls beside it."""
    headings = ("task set", "agent", "runs", "gap to optimum", *(heading for heading, _ in COLUMNS))
    lines = [TABLE_TEXT, f"| {' | '.join(headings)} |", "|" + "---|" * len(headings)]
    for name, title in titles.items():
        exact = probes.estimate(name, "gap to optimum, exact")
        gap = probes.estimate(name, "gap to optimum, sampled") if exact is None else exact
        cells = [
            title,
            LABEL[probes.results.experiments[name].agent],
            str(len(probes.of(name))),
            "optimum out of reach" if gap is None else _rounded(gap, 2),
            *(_rounded(probes.estimate(name, quantity), 3) for _, quantity in COLUMNS),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _rounded(value: Estimate | None, digits: int) -> str:
    if value is None:
        return "–"
    return f"{value.mean:.{digits}f} [{value.low:.{digits}f}, {value.high:.{digits}f}]"
