"""What the probes of a paper's runs found: one probe.json in each run folder, estimates over seeds, and their table."""

import json
import multiprocessing
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tinymeta.base.errors import InputError
from tinymeta.base.files import read_json, write_whole
from tinymeta.base.intervals import Estimate
from tinymeta.base.processes import one_thread_each
from tinymeta.papers.plotting import LABEL
from tinymeta.papers.results import Results
from tinymeta.probes.belief_statistics import STATISTICS
from tinymeta.probes.decoding import ERROR_FLOOR
from tinymeta.probes.many import probe_run
from tinymeta.probes.summary import estimate_of, plain, shown

PROBE_LIMIT = 2**26  # bytes of a probe.json that are read

DECODING_COLUMNS = {  # heading: one of `QUANTITIES`, {} being the statistic
    "trained": "{} unexplained, trained",
    "untrained": "{} unexplained, untrained",
    "untrained / trained": "{} unexplained, untrained / trained",
    "shuffled": "{} unexplained, shuffled",
    "last input": "{} unexplained, last input",
}
SIMULATION_COLUMNS = {  # heading: one of `QUANTITIES`
    **{
        f"D_s {sign} {network}": f"D_s {way}, {network}"
        for sign, way in (("→", "agent → Bayes"), ("←", "Bayes → agent"))
        for network in ("trained", "untrained", "untrained / trained", "shuffled")
    },
    **{
        f"D_o {sign} {network}": f"D_o {way}, {network}"
        for sign, way in (("→", "agent → Bayes"), ("←", "Bayes → agent"))
        for network in ("trained", "untrained")
    },
}

DECODING_TEXT = f"""\
Mean and 95 % interval over runs, in three digits. 0 is perfect, 1 is no better than the mean.

## Decoding

Fraction of variance of a sufficient statistic of the exact belief that held-out linear decoding from [h, c] leaves
unexplained, all trials weighing the same. Untrained / trained: the ratio of errors paired by seed, geometric mean and
interval (errors below {ERROR_FLOOR:g} count as that). Posterior and log-odds are scored where hypotheses are few, else
the expected reward of either action; net evidence in dependent bandits.
"""

SIMULATION_TEXT = """\
## Simulation

Dissimilarity when the agent simulates the Bayes-optimal machine (→) and the other way round (←): D_s of states, the
fraction of variance unexplained, and D_o of outputs, the probability of a wrong choice. The machine's map to the agent
knows the clock. Gap: what is missing in reward per trial to the best policy with the agent's own information (RL¹ is
told the task), exact where the tree of histories can be walked, else from as many
rollouts as make its error small, 1000 or more. Where there are more than 1000 tasks, nothing but the gap is measured.
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
        """`estimate_of` the runs, one for each seed: one of `QUANTITIES`, None where it is undefined."""
        return estimate_of(quantity, self.of(name))

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
    """inside.md: for each experiment of {experiment: its task set's title} what was decoded and what simulated."""
    tables = ((DECODING_TEXT, _decoding_rows), (SIMULATION_TEXT, _simulation_rows))
    parts = []
    for text, rows_of in tables:
        rows = [row for name, title in titles.items() for row in rows_of(probes, name, title)]
        lines = [f"| {' | '.join(cells)} |" for cells in (rows[0], *([cells.values() for cells in rows]))]
        parts.append("\n".join([text, lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n")
    return "\n".join(parts)


def _experiment_cells(probes: Probes, name: str, title: str) -> dict[str, str]:
    """What the rows of both tables begin with, {heading: cell}."""
    agent = LABEL[probes.results.experiments[name].agent]
    return {"task set": title, "agent": agent, "runs": str(len(probes.of(name)))}


def _decoding_rows(probes: Probes, name: str, title: str) -> list[dict[str, str]]:
    """A row for each statistic that was decoded."""
    rows: list[dict[str, str]] = []
    for statistic, words in STATISTICS.items():
        if probes.estimate(name, f"{words} unexplained, trained") is None:
            continue
        if statistic == "expected_reward" and rows:
            continue
        quantities = {heading: quantity.format(words) for heading, quantity in DECODING_COLUMNS.items()}
        rows.append({**_experiment_cells(probes, name, title), "statistic": words, **_cells(probes, name, quantities)})
    return rows


def _simulation_rows(probes: Probes, name: str, title: str) -> list[dict[str, str]]:
    exact = probes.estimate(name, "gap to optimum, exact")
    gap = probes.estimate(name, "gap to optimum, sampled") if exact is None else exact
    shown_gap = "optimum out of reach" if gap is None else shown("gap to optimum, sampled", gap)
    cells = _cells(probes, name, SIMULATION_COLUMNS)
    return [{**_experiment_cells(probes, name, title), "gap to optimum": shown_gap, **cells}]


def _cells(probes: Probes, name: str, quantities: Mapping[str, str]) -> dict[str, str]:
    found = {heading: (quantity, probes.estimate(name, quantity)) for heading, quantity in quantities.items()}
    return {heading: "–" if value is None else shown(quantity, value) for heading, (quantity, value) in found.items()}
