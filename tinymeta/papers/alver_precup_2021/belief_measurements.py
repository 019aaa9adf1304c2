"""What the claims about decoding and simulation are measured by: probes of RL², trained and before training.

Where trained and untrained network are compared, the number of a run is the logarithm of its own untrained error /
trained error (they share seed, inputs and split); shown are the geometric mean over runs and its interval.
"""

from collections.abc import Mapping, Sequence

from tinymeta.papers.alver_precup_2021.measurements import Measure
from tinymeta.papers.claims import Cases
from tinymeta.papers.probe_results import Probes
from tinymeta.papers.results import Results

BEFORE_AND_AFTER = ("trained", "untrained", "shuffled")
RATIO = "{}, untrained / trained"  # of errors


def posterior_unexplained_of(tasks: Sequence[str]) -> Measure:
    """Fraction of the posterior's variance that decoding leaves unexplained, on each of `tasks`, with controls."""

    def measure(results: Results) -> Cases:
        probes = Probes(results)
        return {
            task: {what: probes.required(f"{task}-rl2", f"posterior unexplained, {what}") for what in BEFORE_AND_AFTER}
            for task in tasks
        }

    return measure


def error_ratios_of(tasks: Sequence[str], quantities: Mapping[str, str]) -> Measure:
    """Paired ratios of errors on each of `tasks`.

    Parameters
    ----------
    tasks : sequence of str
    quantities : {name in the claim: its part of one of `tinymeta.probes.summary.RATIOS`}
        One that is undefined on a task set, such as the log-odds of a posterior over many nodes, is left out there.
    """

    def measure(results: Results) -> Cases:
        probes = Probes(results)
        cases: Cases = {}
        for task in tasks:
            found = {
                name: probes.estimate(f"{task}-rl2", RATIO.format(quantity)) for name, quantity in quantities.items()
            }
            cases[task] = {RATIO.format(name): value for name, value in found.items() if value is not None}
        return cases

    return measure
