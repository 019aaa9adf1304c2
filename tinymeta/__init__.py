"""tinymeta: a small laboratory for recurrent meta-reinforcement learning.

Read the folders in this order, each imports only from those before it: `base` (errors, files, statistics),
`environments` (a set of tasks as arrays), `optimum` (the exact belief and the best that can be done), `network` (the
LSTM and its gradients), `learning` (from tasks and network to a trained agent), `runs` (keeping, resuming, many
seeds), `probes` (what is inside an agent), `papers` (their runs, claims and figures), `page` (a web page of trained
networks). The modules beside this one are commands.

The names below are imported when first used, so that `import tinymeta` stays quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tinymeta._version import __version__

if TYPE_CHECKING:
    from tinymeta.environments.registry import make
    from tinymeta.environments.table import TaskSet
    from tinymeta.learning.agent import Agent
    from tinymeta.learning.settings import Settings
    from tinymeta.optimum.belief import Belief, belief_along
    from tinymeta.optimum.exact_values import exact_values
    from tinymeta.runs.loading import learn, load

_HOME = {
    "TaskSet": "environments.table",
    "make": "environments.registry",
    "Belief": "optimum.belief",
    "belief_along": "optimum.belief",
    "exact_values": "optimum.exact_values",
    "Settings": "learning.settings",
    "Agent": "learning.agent",
    "learn": "runs.loading",
    "load": "runs.loading",
}
__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tinymeta' has no attribute {name!r}")
    value = getattr(import_module(f"tinymeta.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME))
