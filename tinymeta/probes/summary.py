"""From the probes of single runs to means over runs that differ only in their seed, as numbers, text and JSON."""

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinymeta.base.intervals import Estimate, estimate, ratio
from tinymeta.probes.belief_statistics import STATISTICS
from tinymeta.probes.decoding import ERROR_FLOOR
from tinymeta.probes.transplants import PUT_IN

WAYS = {"agent → Bayes": "agent_to_bayes", "Bayes → agent": "bayes_to_agent"}
CONTROLS = {"trained": "hc", "untrained": "hc", "shuffled": "hc", "last input": "x"}  # and the features that it has

HISTORIES = ("own", "random")  # actions that made them

# {name in tables: where it is in a result}. Those of `RATIOS` are logarithms there and ratios in tables.
RATIOS: dict[str, tuple] = {
    **{
        f"{words} unexplained, untrained / trained": ("decoding", "log_ratio", "hc", statistic)
        for statistic, words in STATISTICS.items()
    },
    **{f"D_s {arrow}, untrained / trained": ("simulation", "log_ratio", way) for arrow, way in WAYS.items()},
    **{f"metamers, {h} histories, untrained / trained": ("metamers", h, "log_ratio") for h in HISTORIES},
}
DECODING: dict[str, tuple] = {
    f"{words} unexplained, {control}": ("decoding", control.replace("last input", "inputs"), features, "error", name)
    for name, words in STATISTICS.items()
    for control, features in CONTROLS.items()
}
SIMULATION: dict[str, tuple] = {
    f"{dissimilarity} {arrow}, {network}": ("simulation", network, way, dissimilarity)
    for arrow, way in WAYS.items()
    for dissimilarity in ("D_s", "D_o")
    for network in ("trained", "untrained", "shuffled")
}
INTERVENTIONS: dict[str, tuple] = {
    **{
        f"{name}, {histories} histories, {network}": ("metamers", histories, network, key)
        for name, key in (("metamers", "ratio"), ("metamers to the nearest belief", "ratio_nearest"))
        for histories in HISTORIES
        for network in ("trained", "untrained")
    },
    **{
        f"transplant {what}, {network}": ("transplants", network, "donor", what, 0)
        for network in ("trained", "untrained")
        for what in PUT_IN
    },
    **{
        f"transplant {what}, own input, {network}": ("transplants", network, "own", what, 0)
        for network in ("trained", "untrained")
        for what in ("both", "pattern", "none")
    },
    "mid-episode exchange, trained": ("exchange", "trained", "donor"),
    "mid-episode exchange, own state": ("exchange", "trained", "none"),
    "mid-episode exchange, untrained": ("exchange", "untrained", "donor"),
    **{f"switch, {which}": ("switching", "trained", f"switch_{which}") for which in ("moved", "recorded", "optimal")},
    **{
        f"evidence after a transplant, {what}": ("updating", "trained", "transplanted", what)
        for what in ("carried", "followed", "own")
    },
    **{
        f"evidence without a transplant, {what}": ("updating", "trained", "recorded", what)
        for what in ("carried", "followed")
    },
    "evidence after a transplant, carried, untrained": ("updating", "untrained", "transplanted", "carried"),
}
ERRORS = frozenset(name for name in (*DECODING, *SIMULATION) if not name.startswith("D_o"))  # fractions of variance
QUANTITIES: dict[str, tuple] = {
    **DECODING,
    "top hypothesis found, trained": ("decoding", "trained", "hc", "posterior", "accuracy"),
    "top hypothesis found, untrained": ("decoding", "untrained", "hc", "posterior", "accuracy"),
    "bits, trained": ("decoding", "trained", "hc", "posterior", "bits"),
    **SIMULATION,
    **RATIOS,
    "KL(agent‖Bayes)": ("divergence", "agent_bayes"),
    "KL(Bayes‖agent)": ("divergence", "bayes_agent"),
    "gap to optimum, exact": ("gap", "exact"),
    "optimal actions, exact": ("exact", "optimal"),
    "gap to optimum, sampled": ("gap", "sampled"),
    **INTERVENTIONS,
}


def find(result: dict[str, Any], keys: Iterable) -> float:
    """The number under `keys`, or NaN where it is not defined.

    Examples
    --------
    >>> find({"exact": {"optimal": 0.5}}, ("exact", "optimal")), find({"exact": {"reason": "…"}}, ("exact", "optimal"))
    (0.5, nan)
    """
    found: Any = result
    for key in keys:
        if found is None or (isinstance(found, dict) and key not in found):
            return math.nan
        found = found[key]
    return math.nan if found is None else float(found)


def estimate_of(quantity: str, results: Iterable[dict[str, Any]]) -> Estimate | None:
    """`Estimate` over runs of one of `QUANTITIES`, None where none of them has it; of ratios the geometric mean."""
    values = np.array([find(result, QUANTITIES[quantity]) for result in results])
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return None
    return ratio(values) if quantity in RATIOS else estimate(values)


def summarise(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each group of runs that differ only in their seed.

    Returns
    -------
    list of {"env", "env_kwargs", "agent", "runs", quantity: {"mean", "low", "high", "n"} or None where it is not
    defined}
    """
    groups: dict[tuple[str, str, str], list] = {}
    for result in results:
        key = (result["env"], json.dumps(result["env_kwargs"], sort_keys=True), result["agent"])
        groups.setdefault(key, []).append(result)
    table = []
    for (env, kwargs, agent), members in groups.items():
        row = {"env": env, "env_kwargs": json.loads(kwargs), "agent": agent, "runs": len(members)}
        for name in QUANTITIES:
            found = estimate_of(name, members)
            row[name] = None if found is None else found._asdict()
        table.append(row)
    return table


def report(summary: list[dict[str, Any]]) -> str:
    """The summary as readable lines."""
    lines = []
    for row in summary:
        kwargs = "".join(f" {key}={value}" for key, value in row["env_kwargs"].items())
        lines.append(f"{row['env']}{kwargs}, {row['agent']}, {row['runs']} runs; mean and 95 % interval over runs")
        for name in QUANTITIES:
            value = row[name]
            if value is not None:
                lines.append(f"  {name:50}{shown(name, Estimate(**value))}")
        lines.append("")
    return "\n".join(lines)


def shown(quantity: str, value: Estimate) -> str:
    """An estimate of one of `QUANTITIES` as text: three digits of each number, and its interval where it has one.

    Errors that are nothing but rounding are said to be below `ERROR_FLOOR`.

    Examples
    --------
    >>> shown("D_s agent → Bayes, trained", Estimate(0.000364, 0.000301, 0.000427, 20))
    '0.000364 [0.000301, 0.000427]'
    >>> shown("D_s agent → Bayes, untrained / trained", Estimate(2.5, 1.87, 3.35, 20))
    '2.50x [1.87, 3.35]'
    >>> shown("posterior unexplained, trained", Estimate(3e-17, 1e-17, 5e-17, 20))
    '< 1e-08'
    """
    if quantity in ERRORS and value.high < ERROR_FLOOR:
        return f"< {ERROR_FLOOR:g}"
    sign = "x" if quantity in RATIOS else ""
    spread = f" [{three_digits(value.low)}, {three_digits(value.high)}]" if value.n > 1 else ""
    return f"{three_digits(value.mean)}{sign}{spread}"


def three_digits(value: float) -> str:
    """A number with three significant digits, written out where that is readable, -0 as 0.

    Examples
    --------
    >>> [three_digits(value) for value in (0.99951, 41.26, 0.000034, -0.0, 12345.0, math.inf)]
    ['1.00', '41.3', '3.40e-05', '0', '12345', 'inf']
    """
    if value == 0 or not math.isfinite(value):
        return f"{abs(value) if value == 0 else value:g}"
    size = math.floor(math.log10(abs(float(f"{value:.2e}"))))
    return f"{value:.2e}" if size < -4 else f"{value:.{max(0, 2 - size)}f}"


def plain(value: Any) -> Any:
    """A result as JSON takes it: NaN and infinity as null, tuples as lists.

    Examples
    --------
    >>> plain({"share": (np.float32(0.5), float("nan"))})
    {'share': [0.5, None]}
    """
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
