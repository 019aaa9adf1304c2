"""Run folders: what a training run was asked to do, how it went, and the weights it ended with.

    config.json      all settings, versions, seed
    metrics.csv      one row an interval of updates; a pure function of the settings, bit for bit
    checkpoint.npz   weights (PyTorch's names and shapes), optimiser moments, counters
    timing.json      seconds so far; kept apart, so that checkpoints of equal runs are equal files
    result.json      written last; a run that has it is finished

metrics.csv is appended to, and cut back to the checkpoint on resuming. Every other file is replaced whole (temporary file, fsync,
rename), so that a crash leaves the old one or the new one.
"""

import contextlib
import csv
import io
import json
import math
import os
import platform
import zipfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np

from tinymeta._version import __version__
from tinymeta.agents import make_layout, parameter_shapes, to_dict, to_flat
from tinymeta.errors import InputError, choice, integer
from tinymeta.learner import DTYPES, STATISTICS, Learner, Settings
from tinymeta.policies import Agent
from tinymeta.tasks import ENVIRONMENTS, make

FORMAT = 1
METRICS = (
    "update",
    "trials",
    "env_steps",
    "reward_per_trial",
    "steps_per_trial",
    "policy_loss",
    "value_loss",
    "entropy",
    "loss",
    "grad_norm",
)
TRIALS_PER_ROW = 200  # of metrics.csv, by default


@dataclass(frozen=True)
class Config:
    """What a run folder's config.json holds."""

    env: str
    env_kwargs: dict
    settings: Settings
    log_interval: int  # updates per row of metrics.csv
    checkpoint_interval: int = 50  # rows of metrics.csv per checkpoint
    versions: dict = field(default_factory=dict)

    def __post_init__(self):
        integer("log_interval", self.log_interval, low=1)
        integer("checkpoint_interval", self.checkpoint_interval, low=1)

    def difference(self, other):
        """(name, here, there) of the first setting in which two configs differ, or None. Versions are not compared."""
        here, there = (
            {"env": c.env, "env_kwargs": listed(c.env_kwargs), **asdict(c.settings), "log_interval": c.log_interval}
            for c in (self, other)
        )
        return next(((name, value, there[name]) for name, value in here.items() if value != there[name]), None)

    def to_json(self):
        flat = {"format": FORMAT, "env": self.env, "env_kwargs": self.env_kwargs, **asdict(self.settings)}
        flat |= {"log_interval": self.log_interval, "checkpoint_interval": self.checkpoint_interval, "versions": self.versions}
        return json.dumps(flat, indent=2) + "\n"


def make_config(env, agent, env_kwargs=None, log_interval=None, checkpoint_interval=50, **settings):
    """A `Config` whose unnamed settings are the environment's column of the paper's Table 1."""
    defaults = ENVIRONMENTS[choice("environment", env, ENVIRONMENTS)].defaults
    settings = Settings(**{**defaults, **settings, "agent": agent})
    if log_interval is None:
        log_interval = max(1, TRIALS_PER_ROW // settings.num_envs)
    return Config(env, dict(env_kwargs or {}), settings, log_interval, checkpoint_interval, versions())


def versions():
    import numba

    return {"tinymeta": __version__, "numpy": np.__version__, "numba": numba.__version__, "python": platform.python_version()}


def write_whole(path, data):
    """Replace `path` by `data` (bytes) so that a crash leaves either the old file or the new one."""
    path = Path(path)
    temporary = path.with_name(path.name + ".tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):  # the write's own error is the one to tell
            temporary.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class RunFolder:
    """The files of one run; see the module's docstring."""

    def __init__(self, path):
        self.path = Path(path)
        self.config_path, self.metrics_path = self.path / "config.json", self.path / "metrics.csv"
        self.checkpoint_path, self.result_path = self.path / "checkpoint.npz", self.path / "result.json"
        self.timing_path = self.path / "timing.json"

    @property
    def exists(self):
        files = self.config_path, self.metrics_path, self.checkpoint_path, self.timing_path, self.result_path
        return any(path.exists() for path in files)

    @property
    def finished(self):
        return self.result_path.exists()

    def create(self, config):
        """Make the folder for a new run, dropping an earlier run's files."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make run folder {self.path}: {error.strerror}, expected a writable place") from None
        try:
            for path in (self.result_path, self.checkpoint_path, self.timing_path, self.metrics_path):
                path.unlink(missing_ok=True)
            write_whole(self.config_path, config.to_json().encode())
            write_whole(self.metrics_path, (",".join(METRICS) + "\n").encode())
        except OSError as error:
            raise InputError(f"cannot write into run folder {self.path}: {error.strerror}, expected a writable place") from None

    def read_config(self):
        """The run's `Config`.

        Raises
        ------
        ValueError
            If there is none, or a setting is missing, unknown or out of range.
        """
        try:
            flat = json.loads(self.config_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"{self.path} is no run folder, expected one with a config.json") from None
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise InputError(f"{self.config_path} cannot be read: {error}") from None
        if not isinstance(flat, dict) or flat.pop("format", None) != FORMAT:
            raise InputError(f"{self.config_path} has no format {FORMAT}, expected a config.json of this version of tinymeta")
        expected = {f.name for f in fields(Settings)} | {f.name for f in fields(Config)} - {"settings"}
        for name in sorted(expected ^ set(flat)):
            raise InputError(f"{self.config_path}: setting {name!r} is {'missing' if name in expected else 'unknown'}")
        if not isinstance(flat["env_kwargs"], dict):
            raise InputError(f"{self.config_path}: env_kwargs = {flat['env_kwargs']!r}, expected an object")
        try:
            settings = Settings(**{f.name: flat.pop(f.name) for f in fields(Settings)})
            return Config(settings=settings, **flat)
        except InputError as error:
            raise InputError(f"{self.config_path}: {error}") from None

    def write_checkpoint(self, learner):
        """Write weights, moments and counters, after making sure that metrics.csv is on the disk as far as this update."""
        arrays = to_dict(learner.theta, learner.layout)
        for moment in ("first", "second"):
            arrays |= {f"{moment}.{name}": array for name, array in to_dict(getattr(learner, moment), learner.layout).items()}
        arrays["updates"] = np.int64(learner.updates_done)
        arrays["env_steps"] = np.int64(learner.env_steps_done)
        arrays["metrics_bytes"] = np.int64(self.metrics_path.stat().st_size)
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        with open(self.metrics_path, "rb") as file:
            os.fsync(file.fileno())
        write_whole(self.checkpoint_path, buffer.getvalue())

    def read_checkpoint(self, layout, dtype):
        """{array name: array} of checkpoint.npz, with the flat vectors `theta`, `first`, `second` built from its arrays.

        Raises
        ------
        ValueError
            If the file cannot be read, or an array is missing or does not fit.
        """
        try:
            with open(self.checkpoint_path, "rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except FileNotFoundError:
            raise InputError(f"{self.path} has no checkpoint.npz, expected a run that got at least that far") from None
        except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
            raise InputError(f"{self.checkpoint_path} cannot be read: {error}") from None
        names = list(parameter_shapes(layout))
        try:
            flat = {"theta": to_flat({name: arrays[name] for name in names if name in arrays}, layout, dtype)}
            for moment in ("first", "second"):
                flat[moment] = to_flat({n: arrays[f"{moment}.{n}"] for n in names if f"{moment}.{n}" in arrays}, layout, dtype)
            for counter in ("updates", "env_steps", "metrics_bytes"):
                flat[counter] = integer(counter, arrays[counter][()] if counter in arrays else None, low=0)
        except InputError as error:
            raise InputError(f"{self.checkpoint_path}: {error}") from None
        return flat

    def restore(self, learner):
        """Bring a fresh learner and metrics.csv to where the checkpoint stood; rows past it are dropped."""
        state = self.read_checkpoint(learner.layout, learner.theta.dtype)
        size = self.metrics_path.stat().st_size if self.metrics_path.exists() else 0
        if size < state["metrics_bytes"]:
            raise InputError(
                f"{self.metrics_path} has {size} bytes, expected at least the {state['metrics_bytes']} of its checkpoint"
            )
        os.truncate(self.metrics_path, state["metrics_bytes"])
        learner.theta[:], learner.first[:], learner.second[:] = state["theta"], state["first"], state["second"]
        learner.updates_done, learner.env_steps_done = state["updates"], state["env_steps"]

    def append_metrics(self, learner, statistics):
        """Add one row to metrics.csv from the statistics of an interval's updates; returns the row as a dict."""
        row = metrics_row(learner, statistics)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow([repr(value) for value in row.values()])
        with open(self.metrics_path, "a", encoding="utf-8") as file:
            file.write(text.getvalue())
        return row

    def read_metrics(self):
        """{column: array}, one entry per interval."""
        with open(self.metrics_path, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        if not rows or tuple(rows[0]) != METRICS:
            raise InputError(f"{self.metrics_path} does not begin with the columns {', '.join(METRICS)}")
        return {name: np.array([float(row[i]) for row in rows[1:]]) for i, name in enumerate(METRICS)}

    def read_result(self):
        try:
            return json.loads(self.result_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"{self.path} has no result.json, expected a finished run") from None
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise InputError(f"{self.result_path} cannot be read: {error}") from None

    def read_timing(self):
        if not self.timing_path.exists():
            return {"train_seconds": 0.0, "compile_seconds": 0.0}
        return json.loads(self.timing_path.read_text(encoding="utf-8"))


def metrics_row(learner, statistics):
    """One row of metrics.csv: means over the interval's trials (reward, steps) and updates (losses, entropy, gradient norm)."""
    column = dict(zip(STATISTICS, statistics.T, strict=True))
    trials = column["trials"].sum()
    row = {"update": learner.updates_done, "trials": learner.trials_done, "env_steps": learner.env_steps_done,
           "reward_per_trial": math.fsum(column["reward"]) / trials, "steps_per_trial": column["env_steps"].sum() / trials}  # fmt: skip
    row |= {name: math.fsum(column[name]) / len(statistics) for name in METRICS[5:]}
    return {name: value if isinstance(value, int) else float(value) for name, value in row.items()}


def build(config):
    """The task set of a config."""
    return make(config.env, **{key: tuple(value) if isinstance(value, list) else value for key, value in config.env_kwargs.items()})


def listed(kwargs):
    """Keyword arguments as JSON gives them back: tuples as lists."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in kwargs.items()}


def load(path, seed=0):
    """The agent of a run folder, with its latest checkpoint's weights.

    Parameters
    ----------
    path : str or Path
    seed : int
        Of the actions that `Agent.act` samples.

    Raises
    ------
    ValueError
        If `path` is no run folder or its files do not fit together.
    """
    folder = RunFolder(path)
    config = folder.read_config()
    settings, tasks = config.settings, build(config)
    layout = make_layout(tasks, settings.agent, settings.hidden_size)
    theta = folder.read_checkpoint(layout, DTYPES[settings.dtype])["theta"]
    return Agent(tasks, settings.agent, theta, settings.hidden_size, seed)


def learn(tasks, agent="rl2", **settings):
    """Train an agent on any task set, in memory, and return it.

    Parameters
    ----------
    tasks : TaskSet
        One of ours or your own.
    agent : str
        A row of `tinymeta.agents.WIRINGS`.
    **settings
        Fields of `tinymeta.learner.Settings`, such as trials=20_000 or learning_rate=1e-3.

    Returns
    -------
    Agent
    """
    for name in settings:
        choice("setting", name, [f.name for f in fields(Settings)])
    settings = Settings(**settings, agent=agent)
    learner = Learner(tasks, settings)
    learner.advance(settings.updates)
    return Agent(tasks, agent, learner.theta, settings.hidden_size)
