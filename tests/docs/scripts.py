"""The scripts of docs/ as modules, for tests."""

import importlib.util
import sys
from pathlib import Path

DOCS = Path(__file__).parent.parent.parent / "docs"


def module_of(*parts):
    """The module of a file under docs/."""
    path = DOCS.joinpath(*parts)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
