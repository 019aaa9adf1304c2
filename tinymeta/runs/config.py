"""config.json: what a run was asked to do, and by which versions.

A `Config` is a registered environment with its keyword arguments, the `Settings` of learning, and how often the run
writes something down. Two runs of equal configs and versions have equal bits.

A setting that a later version adds gets a default that does what was done before there was that setting. So a folder
in whose config.json it is missing can still be read; the settings in `REQUIRED` are in every config.json, for no
default would be right for every run, and an unknown setting is an error.
"""

import json
import platform
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import llvmlite.binding
import numba
import numpy as np

from tinymeta._version import __version__
from tinymeta.base.errors import InputError, choice, instance, integer, real, shown
from tinymeta.base.files import AnyPath
from tinymeta.environments.registry import environment, make
from tinymeta.learning.settings import Settings

CONFIG_FORMAT = 2
TRIALS_PER_ROW = 200  # of metrics.csv, by default
WITHOUT_EFFECT = ("checkpoint_interval", "snapshots", "test_trials")  # on metrics and weights
CHANGEABLE = ("trials", *WITHOUT_EFFECT)  # when a run is resumed; not trials where it is annealed
SAME_BITS = ("tinymeta", "numpy", "numba", "cpu")  # versions on which the last bits of a run depend
REQUIRED = (
    "env", "env_kwargs", "agent", "seed", "trials", "num_envs", "learning_rate", "gamma", "ent_coef", "vf_coef",
    "max_grad_norm", "log_interval",
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """What a run folder's config.json holds."""

    env: str
    env_kwargs: dict[str, Any]
    settings: Settings
    log_interval: int  # updates per row of metrics.csv
    checkpoint_interval: int = 100  # rows of metrics.csv per checkpoint
    snapshots: int = 0  # networks kept along the way, evenly spaced, the last one included
    test_trials: int = 100  # that the finished run is tested on
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        environment(self.env)
        object.__setattr__(self, "env_kwargs", listed(instance("env_kwargs", self.env_kwargs, dict)))
        integer("log_interval", self.log_interval, 1, 100_000)
        integer("checkpoint_interval", self.checkpoint_interval, 1, 1_000_000)
        integer("snapshots", self.snapshots, 0, 10_000)
        integer("test_trials", self.test_trials, 2, 1_000_000)
        for name, version in instance("versions", self.versions, dict).items():
            instance(f"versions[{name!r}]", version, str)

    @property
    def snapshot_updates(self) -> list[int]:
        """The updates after which a snapshot is taken, ascending."""
        n = self.snapshots
        return sorted({-(-i * self.settings.updates // n) for i in range(1, n + 1)})

    def flat(self) -> dict[str, Any]:
        """{setting: value} of everything but the versions, as config.json lists it."""
        return {
            "env": self.env,
            "env_kwargs": self.env_kwargs,
            **asdict(self.settings),
            "log_interval": self.log_interval,
            "checkpoint_interval": self.checkpoint_interval,
            "snapshots": self.snapshots,
            "test_trials": self.test_trials,
        }

    def to_json(self) -> str:
        """The text of config.json."""
        return json.dumps({"format": CONFIG_FORMAT, **self.flat(), "versions": self.versions}, indent=2) + "\n"

    def difference(self, other: "Config", ignoring: Collection[str] = WITHOUT_EFFECT) -> tuple[str, Any, Any] | None:
        """(name, here, there) of the first setting in which two configs differ, or None. Versions are not
        compared."""
        there = other.flat()
        for name, value in self.flat().items():
            if name not in ignoring and value != there[name]:
                return name, value, there[name]
        return None

    def check_resumable(self, asked: "Config", source: AnyPath) -> None:
        """Refuse to go on as `asked` with a run of this config: equal bits need equal settings and versions."""
        changeable = [name for name in CHANGEABLE if name != "trials" or not self.settings.annealed]
        difference = self.difference(asked, changeable)
        if difference is not None:
            name, made, now = difference
            raise InputError(
                f"{source}: the run was made with {name} = {made!r}, and --resume was asked to go on with {now!r}"
            )
        for name in SAME_BITS:
            version = self.versions.get(name)
            here = asked.versions.get(name)
            if version != here:
                raise InputError(
                    f"{source}: the run was made with {name} {version}, and here is {here}; expected the same to go on "
                    "bit by bit, or --overwrite to begin anew"
                )


def make_config(
    env: str,
    agent: str,
    env_kwargs: Mapping[str, Any] | None = None,
    log_interval: int | None = None,
    checkpoint_interval: int = 100,
    snapshots: int = 0,
    test_trials: int = 100,
    **settings: Any,
) -> Config:
    """A `Config` whose unnamed settings are the environment's training defaults.

    Parameters
    ----------
    env, agent : str
        A row of `ENVIRONMENTS` and one of `WIRINGS`.
    env_kwargs : dict, optional
        Keyword arguments of the environment's builder.
    log_interval : int, optional
        Updates per row of metrics.csv; some `TRIALS_PER_ROW` trials if left out.
    checkpoint_interval, snapshots, test_trials : int
        See `Config`.
    **settings
        Fields of `Settings`.

    Examples
    --------
    >>> make_config("corridor", "rl2", {"left": 10}, seed=3).settings.gamma
    0.9
    """
    defaults = environment(env).defaults
    for name in defaults:
        choice(f"setting in the defaults of environment {env!r}", name, [f.name for f in fields(Settings)])
    learning = Settings(**{**defaults, **settings, "agent": agent})
    if log_interval is None:
        log_interval = max(1, TRIALS_PER_ROW // learning.num_envs)
    kwargs = dict(env_kwargs or {})
    return Config(env, kwargs, learning, log_interval, checkpoint_interval, snapshots, test_trials, versions())


def versions() -> dict[str, str]:
    """{name: version} of what the numbers of a run may depend on, the processor that numba compiles for included."""
    return {
        "tinymeta": __version__,
        "numpy": np.__version__,
        "numba": numba.__version__,
        "python": platform.python_version(),
        "cpu": vars(numba.config)["CPU_NAME"] or llvmlite.binding.get_host_cpu_name(),
    }


def parse_config(flat: Mapping[str, Any], source: AnyPath) -> Config:
    """The `Config` in what config.json holds.

    Raises
    ------
    ValueError
        If a setting is unknown or out of range, or a required one is missing; names it and `source`.
    """
    given = dict(flat)
    version = given.pop("format", None)
    if version != CONFIG_FORMAT:
        wrong = f"{source} has format {shown(version)}, expected {CONFIG_FORMAT}"
        raise InputError(f"{wrong}; it was made by another version of tinymeta")
    learning = [f.name for f in fields(Settings)]
    known = {*learning, *(f.name for f in fields(Config))} - {"settings"}
    for name in sorted(given.keys() - known):
        raise InputError(f"{source}: setting {shown(name)} is unknown")
    for name in sorted(set(REQUIRED) - given.keys()):
        raise InputError(f"{source}: setting {shown(name)} is missing")
    try:
        settings = Settings(**{name: given.pop(name) for name in learning if name in given})
        return Config(settings=settings, **given)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def build(config: Config) -> Any:
    """The task set or world of a config."""
    return make(config.env, **_tuples(config.env_kwargs))


def parse_kwargs(text: str) -> dict[str, Any]:
    """Keyword arguments of `tinymeta.make` from JSON, such as json.dumps(config.env_kwargs)."""
    return _tuples(json.loads(text))


def listed(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments as JSON gives them back: tuples and arrays as lists, of plain finite numbers and texts."""
    return {instance("a keyword", key, str): _plain(key, value) for key, value in kwargs.items()}


def _tuples(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in kwargs.items()}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(name, part) for part in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return real(name, value)
