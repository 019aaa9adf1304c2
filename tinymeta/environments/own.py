"""One's own environment in every command: `--env-module FILE.py:FUNCTION`.

FUNCTION takes --env-kwargs as keywords and returns a `TaskSet` or a `World`; its name is the environment's. Training
begins from the bandit's column of Table 1, or from what a dict `FUNCTION.defaults` says. Files are executed only where
the user names them: a run folder holds the environment's name alone, so a stranger's folder makes nothing run, and who
wants to use it gives the option again. Worker processes find it in the variable `VARIABLE`, which the command sets for
them.
"""

import hashlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tinymeta.base.errors import InputError, shown
from tinymeta.environments.gymnasium_world import PythonWorld
from tinymeta.environments.kinds import AnyWorld
from tinymeta.environments.table import TaskSet
from tinymeta.environments.world import World

VARIABLE = "TINYMETA_ENV_MODULE"  # FILE.py:FUNCTION, several on lines of their own


def load_function(where: str) -> tuple[str, Callable[..., AnyWorld]]:
    """(name, function) of "FILE.py:FUNCTION".

    Raises
    ------
    InputError
        If there is no such file or function, or if the file cannot be executed.
    """
    file, colon, name = where.rpartition(":")
    if not colon or not file.endswith(".py") or not name.isidentifier():
        raise InputError(f"--env-module {shown(where)}, expected FILE.py:FUNCTION")
    path = Path(file).resolve()
    if not path.is_file():
        raise InputError(f"--env-module: there is no file {path}")
    module = _executed(path)
    function = getattr(module, name, None)
    if not callable(function):
        raise InputError(f"--env-module: {path} has no function {name!r}")
    return name, _checked(name, function)


def _executed(path: Path) -> ModuleType:
    """The file as a module, executed once in a process and version of it.

    It goes by a name that tells its contents, under which machine code for its classes is found again.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    name = f"tinymeta_env_module_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"--env-module: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise InputError(f"--env-module: {path} failed: {type(error).__name__}: {error}") from error
    return module


def _checked(name: str, function: Callable[..., Any]) -> Callable[..., AnyWorld]:
    """The function, whose failures are told in one line."""

    def build(**kwargs: Any) -> AnyWorld:
        try:
            tasks = function(**kwargs)
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"environment {name!r} failed: {type(error).__name__}: {error}") from error
        if not isinstance(tasks, (TaskSet, World, PythonWorld)):
            raise InputError(f"environment {name!r} returned {shown(tasks)}, expected a TaskSet or a World")
        return tasks

    build.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    build.defaults = getattr(function, "defaults", {})  # type: ignore[attr-defined]
    return build


def remember(where: str) -> None:
    """Let worker processes that this one begins load the function, too."""
    file, _, name = where.rpartition(":")
    entry = f"{Path(file).resolve()}:{name}"
    known = [other for other in os.environ.get(VARIABLE, "").splitlines() if other]
    if entry not in known:
        os.environ[VARIABLE] = "\n".join([*known, entry])


def remembered() -> list[str]:
    """What `remember` noted, here or in the process that began this one."""
    return [entry for entry in os.environ.get(VARIABLE, "").splitlines() if entry]
