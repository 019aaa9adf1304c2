"""TODO papers.probe_results."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.base.files import read_json, write_whole
from tinymeta.base.intervals import estimate
from tinymeta.base.processes import one_thread_each
from tinymeta.probes.many import probe_run
from tinymeta.probes.summary import QUANTITIES, find, plain

PROBE_LIMIT = 2**26  # bytes of a probe.json that are read


class Probes:
    """The probes of all runs, one probe.json in each run folder."""

    def __init__(self, results):
        self.results, self._runs, self._found = results, {}, {}

    def runs(self, name):
        if name not in self._runs:
            self._runs[name] = [self.results.run(name, seed) for seed in range(self.results.seeds_for(name))]
        return self._runs[name]

    def of(self, name):
        """What each seed's probe found, a list.

        Raises
        ------
        ValueError
            If one is missing.
        """
        if name not in self._found:
            self._found[name] = [self._read(folder.path / "probe.json") for folder in self.runs(name)]
        return self._found[name]

    @staticmethod
    def _read(path):
        try:
            return read_json(path, PROBE_LIMIT)
        except FileNotFoundError:
            raise InputError(f"{path.parent} has no probe.json; expected it from: bash runs.sh") from None

    def estimate(self, name, quantity):
        """`Estimate` of one of `tinymeta.probe.QUANTITIES` over seeds, None where it is undefined."""
        values = np.array([find(result, QUANTITIES[quantity]) for result in self.of(name)])
        values = values[np.isfinite(values)]
        return estimate(values) if len(values) else None


def probe_to_file(path):
    """Probe one run and leave the result in its folder."""
    result = plain(probe_run(path))
    write_whole(Path(path) / "probe.json", (json.dumps(result, allow_nan=False) + "\n").encode())
    return path


def probe_everything(probes, names, workers, say=print):
    """Probe what is not probed yet, the last rows of the table first: their optima take longest."""
    folders = [folder for name in reversed(names) for folder in probes.runs(name)]
    waiting = [str(folder.path) for folder in folders if not (folder.path / "probe.json").exists()]
    with one_thread_each(), ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done, path in enumerate(pool.map(probe_to_file, waiting, chunksize=5), 1):
            if done % 10 == 0 or done == len(waiting):
                say(f"{done} of {len(waiting)} runs probed, the last one {path}", flush=True)
