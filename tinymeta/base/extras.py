"""What is not installed with the package but with one of its extras, such as ``pip install 'tinymeta[cluster]'``."""

import importlib
import importlib.util
from types import ModuleType

from tinymeta.base.errors import MissingExtraError


def extra_module(module: str, extra: str, option: str) -> ModuleType:
    """The module, which `option` needs; where it is missing, a MissingExtraError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        install = f"python -m pip install 'tinymeta[{extra}]'"
        raise MissingExtraError(
            f"{option} needs {module.partition('.')[0]} ({error}); expected after: {install}"
        ) from None


def look_for(modules: tuple[str, ...], extra: str, option: str) -> None:
    """A MissingExtraError as from `extra_module` where one of the modules is not installed; imports none of them."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            what = f"{option} needs {module}, which is not installed"
            raise MissingExtraError(f"{what}; expected after: {_install(extra)}")


def _install(extra: str) -> str:
    return f"python -m pip install 'tinymeta[{extra}]'"
