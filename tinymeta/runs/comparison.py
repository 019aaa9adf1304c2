"""What the seeds of a sweep earn, beside the exact optimum of their task set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinymeta.base.errors import InputError
from tinymeta.base.files import AnyPath
from tinymeta.base.intervals import estimate
from tinymeta.runs.config import listed
from tinymeta.runs.folder import RunFolder


def trained(sweep: AnyPath, env: str, env_kwargs: Mapping[str, Any], best: float | None) -> dict[str, Any]:
    """The means over a sweep's finished seeds, and their gap to `best`, the optimal reward per trial.

    Parameters
    ----------
    sweep : str or Path
        A folder with seed-0, seed-1, …, as ``train --seeds`` makes it.
    env, env_kwargs
        The environment that they must have been trained on.
    best : float, optional
        None where the optimum is not known; then there is no gap.

    Returns
    -------
    {"agent", "seeds", "reward_per_trial", "steps_per_trial", "gap_to_bayes_optimal"}
        The last three are `Estimate`s as dicts.

    Raises
    ------
    ValueError
        If the folder holds no finished seed-<k>, or runs of another environment.
    """
    folders = [RunFolder(path) for path in sorted(Path(sweep).glob("seed-*"))]
    runs = [folder for folder in folders if folder.finished]
    if not runs:
        raise InputError(f"{sweep} holds no finished run, expected seed-0, seed-1, … as train --seeds makes them")
    for run in runs:
        config = run.read_config()
        if (config.env, listed(config.env_kwargs)) != (env, listed(env_kwargs)):
            trained_on = f"{config.env} with {config.env_kwargs}"
            raise InputError(f"{run.path} is a run of {trained_on}, expected {env} with {env_kwargs}")
    tests = [run.read_result()["evaluation"] for run in runs]
    row: dict[str, Any] = {"agent": runs[-1].read_config().settings.agent, "seeds": len(runs)}
    for key in ("reward_per_trial", "steps_per_trial"):
        row[key] = estimate([test[key]["mean"] for test in tests])._asdict()
    if best is not None:
        gaps = [best - test["reward_per_trial"]["mean"] for test in tests]
        row["gap_to_bayes_optimal"] = estimate(gaps)._asdict()
    return row
