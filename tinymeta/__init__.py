"""tinymeta: a small laboratory for recurrent meta-reinforcement learning.

Read the modules in this order: taskset, tasks, belief, planning, lstm, actor_critic, optim, agents, rollout, learner.
Names below are imported when first used, so that `import tinymeta` stays quick.
"""

from importlib import import_module

from tinymeta._version import __version__

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


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'tinymeta' has no attribute {name!r}")
    value = getattr(import_module(f"tinymeta.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(_HOME))
