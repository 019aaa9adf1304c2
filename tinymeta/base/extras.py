"""What is not installed with the package but with one of its extras, such as ``pip install 'tinymeta[cluster]'``."""

import importlib
import importlib.util
from types import ModuleType

from tinymeta.base.errors import InputError


def extra_module(module: str, extra: str, option: str) -> ModuleType:
    """The module, which `option` needs; where it is missing, an InputError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        install = f"python -m pip install 'tinymeta[{extra}]'"
        raise InputError(f"{option} needs {module.partition('.')[0]} ({error}); expected after: {install}") from None


def look_for(modules: tuple[str, ...], extra: str, option: str) -> None:
    """An InputError as from `extra_module` where one of the modules is not installed; none of them is imported."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            install = f"python -m pip install 'tinymeta[{extra}]'"
            raise InputError(f"{option} needs {module}, which is not installed; expected after: {install}")
