"""What interventions found in the runs that were trained on: one dips.json in each run folder; claims' measurements.

A run of Table 1's settings, 150 000 trials long, has there {"cause": see `cause_of_dip`, or null without a dip,
"forced": see `force`, at the run's snapshots, or null if it is in a dip at all of them}.
"""

import json
import math
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.base.files import read_json, write_whole
from tinymeta.base.intervals import Estimate, difference, estimate, share
from tinymeta.papers.alver_precup_2021.dips import (
    CONVERGED,
    CONVERGED_ROWS,
    VARIANTS,
    cause_of_dip,
    first_dip,
    force,
    lost_window,
)
from tinymeta.papers.alver_precup_2021.replay import State
from tinymeta.papers.claims import Case, Cases
from tinymeta.papers.measures import per_trial, trials_to_level
from tinymeta.papers.results import Results
from tinymeta.runs.config import build
from tinymeta.runs.folder import RunFolder

TRAINED_ON = "bandit-rl2-trained-on"
CLIPPED = "bandit-rl2-clipped"
DIPS_LIMIT = 2**20  # bytes of a dips.json that are read
LEVEL = 9.025  # 95 % of the optimum, 9.5


def intervene(results: Results) -> list[dict[str, Any]]:
    """What dips.json holds, seed by seed; the interventions that are missing are made and kept."""
    runs = results.runs(TRAINED_ON)
    for run in runs:
        if not (run.path / "dips.json").exists():
            text = json.dumps(_intervened(run), allow_nan=False) + "\n"
            write_whole(run.path / "dips.json", text.encode())
    return interventions(results)


def interventions(results: Results) -> list[dict[str, Any]]:
    """What dips.json holds, seed by seed.

    Raises
    ------
    InputError
        If one is missing.
    """
    found = []
    for run in results.runs(TRAINED_ON):
        try:
            found.append(read_json(run.path / "dips.json", DIPS_LIMIT))
        except FileNotFoundError:
            raise InputError(f"{run.path} has no dips.json; expected it from: python -m tinymeta.figures") from None
    return found


def _intervened(run: RunFolder) -> dict[str, Any]:
    """The interventions in one run."""
    config = run.read_config()
    reward = run.read_metrics()["reward_per_trial"]
    row = first_dip(reward)
    layout = config.settings.layout(build(config))
    paths = sorted(run.snapshots_path.glob("update-*.npz"))
    if not paths:
        raise InputError(f"{run.path} has no snapshots, expected those of: bash runs.sh")
    snapshots = [run.read_checkpoint(path, config, layout)[0] for path in paths]
    calm = [
        State(kept.theta, kept.first, kept.second, kept.updates)
        for kept in snapshots
        if (reward[: kept.updates // config.log_interval][-CONVERGED_ROWS:] >= CONVERGED).all()
    ]
    return {
        "cause": None if row is None else cause_of_dip(config, row),
        "forced": force(config, calm) if calm else None,
    }


def runs_with_a_dip(results: Results, name: str) -> Estimate:
    """Share of an experiment's runs that lose the policy after they had it, with its Clopper-Pearson interval."""
    dips = [first_dip(curve) is not None for curve in results.metrics(name)["reward_per_trial"]]
    return share(sum(dips), len(dips))


def dip_causes(results: Results) -> Cases:
    """The rare action masked where a dip followed it, and forced where no dip was near; shares that lose the policy."""
    found = interventions(results)
    case = {f"{place}, with - without": value for place, value in _fewer(found, "without").items()}
    causes = [run["cause"] for run in found if run["cause"] is not None]
    if causes:
        left = float(np.mean([lost_window(np.array(cause["masked"])) is not None for cause in causes]))
        case["dips left, masked"] = Estimate(left, left, left, len(causes))
        case["dips left, placebo"] = estimate([cause["lost"]["placebo"] for cause in causes])
    return {"": case}


def dip_mechanism(results: Results) -> Cases:
    """How many fewer dips follow the rare action with one part of the optimiser changed."""
    found = interventions(results)
    cases: Cases = {}
    for other in VARIANTS:
        if other not in ("without", "with"):
            for place, value in _fewer(found, other).items():
                cases.setdefault(place, {})[f"with - {other}"] = value
    return cases


def _fewer(found: list[dict[str, Any]], other: str) -> Case:
    """Share of continuations with the rare action that lose the policy, minus that of another of `VARIANTS`, paired:
    at the beginnings of dips, and forced in runs.
    """
    shares = {
        "dips": [run["cause"]["lost"] for run in found if run["cause"] is not None],
        "forced": [run["forced"] for run in found if run["forced"] is not None],
    }
    return {
        place: estimate([lost["with"] - lost[other] for lost in several])
        for place, several in shares.items()
        if several
    }


def dip_remedy(results: Results) -> Cases:
    """Runs with a dip, at Table 1's clipping and at a closer one; what the latter costs in reward and in time."""
    reward = estimate(per_trial(results, CLIPPED, "reward"))
    clipped: Case = {"runs with a dip": runs_with_a_dip(results, CLIPPED), "reward per trial": reward}
    trials = {name: trials_to_level(results, name, "reward_per_trial", LEVEL, True) for name in (CLIPPED, TRAINED_ON)}
    if all(np.isfinite(reached).all() for reached in trials.values()):
        mean, low, high, n = difference(np.log(trials[CLIPPED]), np.log(trials[TRAINED_ON]))
        clipped["trials to 95 %, ratio (90 %)"] = Estimate(math.exp(mean), math.exp(low), math.exp(high), n)
    return {"Table 1's": {"dips in runs": runs_with_a_dip(results, TRAINED_ON)}, "clipped": clipped}
