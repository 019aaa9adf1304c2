"""TODO probes.summary."""

import json
import math

import numpy as np

from tinymeta.base.intervals import estimate

QUANTITIES = {  # name in tables: where it is in a result
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
        f"{d} {arrow}, {who}": ("simulation", who, way, d)
        for way, arrow in (("agent_to_bayes", "agent → Bayes"), ("bayes_to_agent", "Bayes → agent"))
        for d in ("D_s", "D_o") for who in ("trained", "untrained", "shuffled")
    },
    "KL(agent‖Bayes)": ("divergence", "agent_bayes"), "KL(Bayes‖agent)": ("divergence", "bayes_agent"),
    "gap to optimum, exact": ("gap", "exact"), "optimal actions, exact": ("exact", "optimal"),
    "gap to optimum, sampled": ("gap", "sampled"),
    **{f"transplant {what}, {who}": ("transplants", who, "own", what, 0)
       for who in ("trained", "untrained") for what in ("both", "h", "c", "axis", "pattern", "random", "none")},
}  # fmt: skip


def find(result, keys):
    """The number under `keys`, or NaN where it is not defined."""
    for key in keys:
        if result is None or (isinstance(result, dict) and key not in result):
            return math.nan
        result = result[key]
    return math.nan if result is None else float(result)


def summarise(results):
    """[{"env", "env_kwargs", "agent", "runs", quantity: {"mean", "low", "high", "n"}}] of runs that differ only in their seed."""
    groups = {}
    for result in results:
        groups.setdefault(
            (result["env"], json.dumps(result["env_kwargs"], sort_keys=True), result["agent"]), []
        ).append(result)
    table = []
    for (env, kwargs, agent), members in groups.items():
        row = {"env": env, "env_kwargs": json.loads(kwargs), "agent": agent, "runs": len(members)}
        for name, keys in QUANTITIES.items():
            values = np.array([find(member, keys) for member in members])
            values = values[np.isfinite(values)]
            row[name] = estimate(values)._asdict() if len(values) else None
        table.append(row)
    return table


def report(summary):
    """The summary as readable lines."""
    lines = []
    for row in summary:
        kwargs = "".join(f" {key}={value}" for key, value in row["env_kwargs"].items())
        lines.append(f"{row['env']}{kwargs}, {row['agent']}, {row['runs']} runs; mean and 95 % interval over runs")
        for name in QUANTITIES:
            e = row[name]
            if e is not None:
                spread = f"  [{e['low']:.4f}, {e['high']:.4f}]" if e["n"] > 1 else ""
                lines.append(f"  {name:36}{e['mean']:10.4f}{spread}")
        lines.append("")
    return "\n".join(lines)


def plain(value):
    """A result as JSON takes it: NaN and infinity as null, tuples as lists."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
