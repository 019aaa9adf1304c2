"""What the claims about exchanged and moved states are measured by."""

from collections.abc import Sequence

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.base.intervals import Estimate, estimate
from tinymeta.papers.alver_precup_2021.measurements import Measure
from tinymeta.papers.claims import Case, Cases
from tinymeta.papers.probe_results import Probes
from tinymeta.papers.results import Results
from tinymeta.probes.summary import QUANTITIES, find

COUNTED = ("bandit-0.1-0.9-100", "bandit-0.25-0.75-100", "bandit-uniform-100", "tiger")  # where evidence is counted


def metamers_of(tasks: Sequence[str], histories: str) -> Measure:
    """Ratios of change by equal and by different beliefs, trained and before training, and the two compared by seed."""
    names = {
        "trained": f"metamers, {histories} histories, trained",
        "untrained": f"metamers, {histories} histories, untrained",
        "untrained / trained": f"metamers, {histories} histories, untrained / trained",
    }
    return _quantities(tasks, names)


def transplants_of(tasks: Sequence[str], whats: Sequence[str]) -> Measure:
    """Share of telling actions that follow the donor, for each of `whats` that was put in; RL² on each of `tasks`."""
    return _quantities(tasks, {what: f"transplant {what}, trained" for what in whats})


def whole_states(results: Results) -> Cases:
    """Of whole states: RL², RL¹, RL² before training, and with a state of the recipient's own task."""
    probes = Probes(results)
    cases: Cases = {}
    for task in ("bandit", "corridor"):
        cases[task] = {
            "rl2": probes.required(f"{task}-rl2", "transplant both, trained"),
            "same task": probes.required(f"{task}-rl2", "transplant same, trained"),
            "rl1": probes.required(f"{task}-rl1", "transplant both, trained"),
            "untrained rl2": probes.required(f"{task}-rl2", "transplant both, untrained"),
        }
    return cases


def mid_episode(results: Results) -> Cases:
    """Share that follows the donor's belief when states are exchanged in mid-episode."""
    probes = Probes(results)
    cases: Cases = {}
    for name in ("corridor-rl2", "corridor-rl1", "tiger-rl2"):
        cases[name] = {
            "follows": probes.required(name, "mid-episode exchange, trained"),
            "own state": probes.required(name, "mid-episode exchange, own state"),
            "untrained": probes.required(name, "mid-episode exchange, untrained"),
        }
    return cases


def switches_of(tasks: Sequence[str]) -> Measure:
    """By how many observations moved states switch later than the optimum does, and in how many seeds they do."""

    def measure(results: Results) -> Cases:
        probes = Probes(results)
        cases: Cases = {}
        for task in tasks:
            found = probes.of(f"{task}-rl2")
            moved, best = (
                np.array([find(result, QUANTITIES[f"switch, {which}"]) for result in found])
                for which in ("moved", "optimal")
            )
            known = np.isfinite(moved - best)
            if not known.any():
                raise InputError(f"no moved state of {task}-rl2 switches, expected one run in which it does")
            share = float(known.mean())
            cases[task] = {
                "moved - optimal": estimate((moved - best)[known]),
                "seeds that switch": Estimate(share, share, share, len(found)),
            }
        return cases

    return measure


def updates(results: Results) -> Cases:
    """Coefficients of decoded evidence on what was carried, what followed, and the recipient's own."""
    names = {what: f"evidence after a transplant, {what}" for what in ("carried", "followed", "own")}
    return _quantities(COUNTED[:3], names)(results)


def _quantities(tasks: Sequence[str], names: dict[str, str]) -> Measure:
    """{task: {name: quantity of `tinymeta.probes.summary.QUANTITIES`}} of RL²."""

    def measure(results: Results) -> Cases:
        probes = Probes(results)
        cases: Cases = {}
        for task in tasks:
            case: Case = {name: probes.required(f"{task}-rl2", quantity) for name, quantity in names.items()}
            cases[task] = case
        return cases

    return measure
