"""Every kind of environment that agents learn in: a table of tasks, or a world without one."""

from typing import Any

from tinymeta.base.errors import InputError, shown
from tinymeta.environments.gymnasium_world import PythonWorld
from tinymeta.environments.table import TaskSet
from tinymeta.environments.world import World

AnyWorld = TaskSet | World | PythonWorld


def world_or_table(tasks: Any) -> AnyWorld:
    """The argument, if agents can learn in it.

    Raises
    ------
    InputError
        If it is neither a `TaskSet` nor a `World`.
    """
    if not isinstance(tasks, (TaskSet, World, PythonWorld)):
        raise InputError(f"tasks = {shown(tasks)}, expected a TaskSet or a World")
    return tasks


def table(tasks: Any, what: str) -> TaskSet:
    """The argument, if it is a table, which `what` needs.

    Raises
    ------
    InputError
        If it is a world without one; says why.
    """
    if isinstance(tasks, (World, PythonWorld)):
        raise InputError(f"{what} needs the exact belief, and {tasks.name!r} has no table of tasks to compute it from")
    if not isinstance(tasks, TaskSet):
        raise InputError(f"tasks = {shown(tasks)}, expected a TaskSet")
    return tasks
