"""From the probes of single runs to means over runs that differ only in their seed, as numbers, text and JSON."""

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinymeta.base.intervals import estimate

WAYS = {"agent → Bayes": "agent_to_bayes", "Bayes → agent": "bayes_to_agent"}

QUANTITIES: dict[str, tuple] = {  # name in tables: where it is in a result
    "decoding R², trained": ("decoding", "trained", "hc", "r2"),
    "decoding R², untrained": ("decoding", "untrained", "hc", "r2"),
    "decoding R², shuffled": ("decoding", "shuffled", "hc", "r2"),
    "decoding R², last input": ("decoding", "inputs", "x", "r2"),
    "log-odds R², trained": ("decoding", "trained", "hc", "r2_log_odds"),
    "log-odds R², untrained": ("decoding", "untrained", "hc", "r2_log_odds"),
    "accuracy, trained": ("decoding", "trained", "hc", "accuracy"),
    "accuracy, untrained": ("decoding", "untrained", "hc", "accuracy"),
    "bits, trained": ("decoding", "trained", "hc", "bits"),
    **{
        f"{dissimilarity} {arrow}, {network}": ("simulation", network, way, dissimilarity)
        for arrow, way in WAYS.items()
        for dissimilarity in ("D_s", "D_o")
        for network in ("trained", "untrained", "shuffled")
    },
    "KL(agent‖Bayes)": ("divergence", "agent_bayes"),
    "KL(Bayes‖agent)": ("divergence", "bayes_agent"),
    "gap to optimum, exact": ("gap", "exact"),
    "optimal actions, exact": ("exact", "optimal"),
    "gap to optimum, sampled": ("gap", "sampled"),
    **{
        f"transplant {what}, {network}": ("transplants", network, "own", what, 0)
        for network in ("trained", "untrained")
        for what in ("both", "h", "c", "axis", "pattern", "random", "none")
    },
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
        for name, keys in QUANTITIES.items():
            values = np.array([find(member, keys) for member in members])
            values = values[np.isfinite(values)]
            row[name] = estimate(values)._asdict() if len(values) else None
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
                spread = f"  [{value['low']:.4f}, {value['high']:.4f}]" if value["n"] > 1 else ""
                lines.append(f"  {name:36}{value['mean']:10.4f}{spread}")
        lines.append("")
    return "\n".join(lines)


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
