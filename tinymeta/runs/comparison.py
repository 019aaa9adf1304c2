"""TODO runs.comparison."""

from pathlib import Path

from tinymeta.base.errors import InputError
from tinymeta.base.intervals import estimate
from tinymeta.runs.config import listed
from tinymeta.runs.folder import RunFolder


def trained(sweep, env, env_kwargs, best):
    """What a sweep's agents earn beside the exact optimum `best` (reward per trial): {"agent", "seeds", and `Estimate`s as dicts}.

    Raises
    ------
    ValueError
        If the folder holds no finished seed-<k>, or runs of another environment.
    """
    runs = [folder for path in sorted(Path(sweep).glob("seed-*")) if (folder := RunFolder(path)).finished]
    if not runs:
        raise InputError(f"{sweep} holds no finished run, expected seed-0, seed-1, … as train --seeds makes them")
    for run in runs:
        config = run.read_config()
        if (config.env, listed(config.env_kwargs)) != (env, listed(env_kwargs)):
            raise InputError(f"{run.path} is a run of {config.env} with {config.env_kwargs}, expected {env} with {env_kwargs}")
    tests = [run.read_result()["evaluation"] for run in runs]
    row = {"agent": config.settings.agent, "seeds": len(runs)}
    for key in ("reward_per_trial", "steps_per_trial"):
        row[key] = estimate([test[key]["mean"] for test in tests])._asdict()
    if best is not None:
        row["gap_to_bayes_optimal"] = estimate([best - test["reward_per_trial"]["mean"] for test in tests])._asdict()
    return row
