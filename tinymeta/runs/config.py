"""What a training run was asked to do: settings, environment, intervals and versions; config.json."""

from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
import json
import llvmlite.binding
import numba
import numpy as np
import platform

from tinymeta._version import __version__
from tinymeta.base.errors import InputError, choice, instance, integer, real, shown
from tinymeta.environments.registry import ENVIRONMENTS, make
from tinymeta.learning.settings import Settings


FORMAT = 2

TRIALS_PER_ROW = 200  # of metrics.csv, by default

MAY_CHANGE = ("trials", "checkpoint_interval", "snapshots")  # settings of a run that is resumed

SAME_BITS = ("tinymeta", "numpy", "numba", "cpu")  # versions on which the last bits of a run depend

@dataclass(frozen=True)
class Config:
    """What a run folder's config.json holds."""

    env: str
    env_kwargs: dict
    settings: Settings
    log_interval: int  # updates per row of metrics.csv
    checkpoint_interval: int = 100  # rows of metrics.csv per checkpoint
    snapshots: int = 0  # networks kept along the way, evenly spaced, the last one included
    versions: dict = field(default_factory=dict)

    def __post_init__(self):
        choice("environment", self.env, ENVIRONMENTS)
        object.__setattr__(self, "env_kwargs", listed(instance("env_kwargs", self.env_kwargs, dict)))
        integer("log_interval", self.log_interval, 1, 100_000)
        integer("checkpoint_interval", self.checkpoint_interval, 1, 1_000_000)
        integer("snapshots", self.snapshots, 0, 10_000)
        for name, version in instance("versions", self.versions, dict).items():
            instance(f"versions[{name!r}]", version, str)

    def difference(self, other, ignoring=("checkpoint_interval", "snapshots")):
        """(name, here, there) of the first setting in which two configs differ, or None. Versions are not compared."""
        here, there = ({"env": c.env, "env_kwargs": c.env_kwargs, **asdict(c.settings), "log_interval": c.log_interval,
                        "checkpoint_interval": c.checkpoint_interval, "snapshots": c.snapshots} for c in (self, other))  # fmt: skip
        names = (name for name in here if name not in ignoring and here[name] != there[name])
        return next(((name, here[name], there[name]) for name in names), None)

    def check_resumable(self, asked, where):
        """Refuse to go on as `asked` with a run of this config: equal bits need equal settings and versions."""
        difference = self.difference(asked, MAY_CHANGE)
        if difference is not None:
            name, then, now = difference
            raise InputError(f"{where}: the run was made with {name} = {then!r}, and --resume was asked to go on with {now!r}")
        for name in SAME_BITS:
            then, now = self.versions.get(name), asked.versions.get(name)
            if then != now:
                raise InputError(f"{where}: the run was made with {name} {then}, and here is {now}; expected the same to go on bit by "
                                 "bit, or --overwrite to begin anew")  # fmt: skip

    @property
    def snapshot_updates(self):
        """The updates after which a snapshot is taken, ascending."""
        n, updates = self.snapshots, self.settings.updates
        return sorted({-(-i * updates // n) for i in range(1, n + 1)}) if n else []

    def to_json(self):
        flat = {"format": FORMAT, "env": self.env, "env_kwargs": self.env_kwargs, **asdict(self.settings)}
        flat |= {"log_interval": self.log_interval, "checkpoint_interval": self.checkpoint_interval, "snapshots": self.snapshots}
        flat |= {"versions": self.versions}
        return json.dumps(flat, indent=2) + "\n"

def make_config(env, agent, env_kwargs=None, log_interval=None, checkpoint_interval=100, snapshots=0, **settings):
    """A `Config` whose unnamed settings are the environment's column of the paper's Table 1."""
    defaults = ENVIRONMENTS[choice("environment", env, ENVIRONMENTS)].defaults
    settings = Settings(**{**defaults, **settings, "agent": agent})
    if log_interval is None:
        log_interval = max(1, TRIALS_PER_ROW // settings.num_envs)
    return Config(env, dict(env_kwargs or {}), settings, log_interval, checkpoint_interval, snapshots, versions())

def versions():
    cpu = numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name()  # numba compiles for this one's instructions
    return {
        "tinymeta": __version__, "numpy": np.__version__, "numba": numba.__version__, "python": platform.python_version(), "cpu": cpu,
    }  # fmt: skip

def parse_config(flat, where):
    """The `Config` in what config.json holds.

    Raises
    ------
    ValueError
        If a setting is missing, unknown or out of range; names it and `where`.
    """
    found = flat.pop("format", None)
    if found != FORMAT:
        raise InputError(f"{where} has format {shown(found)}, expected {FORMAT}; it was made by another version of tinymeta")
    expected = {f.name for f in fields(Settings)} | {f.name for f in fields(Config)} - {"settings"}
    for name in sorted(expected ^ set(flat)):
        raise InputError(f"{where}: setting {shown(name)} is {'missing' if name in expected else 'unknown'}")
    try:
        settings = Settings(**{f.name: flat.pop(f.name) for f in fields(Settings)})
        return Config(settings=settings, **flat)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None

def build(config):
    """The task set of a config."""
    return make(config.env, **_tuples(config.env_kwargs))

def parse_kwargs(text):
    """Keyword arguments of `tinymeta.tasks.make` from JSON, such as json.dumps(config.env_kwargs)."""
    return _tuples(json.loads(text))

def _tuples(kwargs):
    return {key: tuple(value) if isinstance(value, list) else value for key, value in kwargs.items()}

def listed(kwargs):
    """Keyword arguments as JSON gives them back: tuples and arrays as lists, of plain finite numbers and texts."""
    return {instance("a keyword", key, str): _plain(key, value) for key, value in kwargs.items()}

def _plain(name, value):
    value = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
    if isinstance(value, (list, tuple)):
        return [_plain(name, part) for part in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return real(name, value)
