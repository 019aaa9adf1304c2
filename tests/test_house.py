"""The house is kept: imports run one way, files and functions stay short, public functions carry types (contract)."""

import ast
from pathlib import Path

import pytest

import tinymeta

PACKAGE = Path(tinymeta.__file__).parent
FOLDERS = (
    "base", "environments", "optimum", "network", "learning", "runs", "probes", "papers", "page", "gym", "commands",
)  # fmt: skip
FILES = sorted(PACKAGE.rglob("*.py"))
PAPERS = [file.parent.name for file in PACKAGE.glob("papers/*/__init__.py")]
KERNEL = ("jit", "jit_called", "jit_allocating", "overload", "intrinsic", "by_class", "of")
# From a table of tasks to a trained RL²: what the README's reading table calls the core.
CORE = (
    "learning/wirings.py", "learning/rows.py", "network/flat.py", "network/lstm.py", "network/heads.py",
    "network/losses.py", "network/optim.py", "learning/update.py", "learning/policies.py", "learning/rollout.py",
    "learning/a2c.py", "learning/learner.py",
)  # fmt: skip

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())


def folder_of(parts):
    """The folder that a module lives in; what lies on top of the folders, or is run as one, are the commands."""
    is_command = parts[-1:] == ("__main__.py",)
    return parts[0] if parts and parts[0] in FOLDERS and not is_command else "commands"


def imported(tree, package):
    """The dotted names, with what is taken from them, that a file of `package` imports, at its top or anywhere in it.

    Relative imports are resolved; a module's name given to `import_module` as a literal counts.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            origin = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*origin, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__"):
            yield from (word.value for word in node.args[:1] if isinstance(word, ast.Constant))


def called(node):
    """The last part of the name by which a function is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", None))


def backward_imports(file, source):
    """[module] of the imports in a file that run back: from a later folder, or from one paper into what all share."""
    here = file.relative_to(PACKAGE).parts
    backward = []
    for name in imported(ast.parse(source), ("tinymeta", *here[:-1])):
        package, *parts = name.split(".")
        if package != "tinymeta" or parts[:1] == ["_version"]:
            continue
        later = FOLDERS.index(folder_of(parts)) > FOLDERS.index(folder_of(here))
        one_paper = here[0] == "papers" and parts[:1] == ["papers"] and set(parts[1:2]) & set(PAPERS) - {here[1]}
        if later or one_paper:
            backward.append(".".join(parts))
    return backward


@every_file
def test_imports_run_one_way(file):
    """A folder imports only from itself and from those before it in `FOLDERS`; a paper only from what papers share."""
    assert backward_imports(file, file.read_text(encoding="utf-8")) == []


BACKWARD = {
    "inside a function": ("optimum/belief.py", "def f():\n    from tinymeta.network import lstm\n", ["network.lstm"]),
    "import": ("base/files.py", "import tinymeta.runs.folder\n", ["runs.folder"]),
    "a command": ("papers/claims.py", "from tinymeta import cli\n", ["cli"]),
    "a command, from the page": ("page/worlds.py", "from tinymeta import cli\n", ["cli"]),
    "the second name": ("base/files.py", "from tinymeta import _version, cli\n", ["cli"]),
    "relative": ("optimum/belief.py", "from ..runs import folder\n", ["runs.folder"]),
    "relative, the whole folder": ("optimum/belief.py", "from .. import base, runs\n", ["runs"]),
    "from deeper": ("papers/alver_precup_2021/claims.py", "from ... import cli\n", ["cli"]),
    "by name": ("base/files.py", "importlib.import_module('tinymeta.probes.probing')\n", ["probes.probing"]),
    "by bare name": ("base/files.py", "import_module('tinymeta.cli')\n", ["cli"]),
    "the whole package": ("papers/claims.py", "import tinymeta\n", [""]),
    "one paper in what all share": (
        "papers/claims.py",
        "from tinymeta.papers.alver_precup_2021 import paper\n",
        ["papers.alver_precup_2021.paper"],
    ),
    "one paper, as a name": (
        "papers/registry.py",
        "from tinymeta.papers import alver_precup_2021\n",
        ["papers.alver_precup_2021"],
    ),
}


@pytest.mark.parametrize(("file", "source", "found"), BACKWARD.values(), ids=BACKWARD)
def test_an_import_that_runs_back_is_seen(file, source, found):
    assert backward_imports(PACKAGE / file, source) == found


FORWARD = [
    ("papers/alver_precup_2021/claims.py", "from tinymeta.papers.alver_precup_2021.measurements import RANDOM\n"),
    ("papers/alver_precup_2021/claims.py", "from . import measurements\nfrom ..claims import Claim\n"),
    ("runs/folder.py", "import json\nfrom tinymeta import _version\nfrom tinymeta._version import __version__\n"),
    ("cli.py", "import tinymeta\nfrom . import train\n"),
    ("page/__main__.py", "from tinymeta import cli\n"),
]


@pytest.mark.parametrize(("file", "source"), FORWARD)
def test_an_import_that_does_not_is_let_pass(file, source):
    assert backward_imports(PACKAGE / file, source) == []


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@every_file
def test_modules_and_functions_are_short(file):
    source = file.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 300
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions(ast.parse(source)) if f.end_lineno - f.lineno >= 50}
    assert long == {}


def test_the_core_fits_one_sitting():
    assert sum(len((PACKAGE / name).read_text(encoding="utf-8").splitlines()) for name in CORE) <= 1250


def decorators(function):
    for node in function.decorator_list:
        node = node.func if isinstance(node, ast.Call) else node
        yield node.attr if isinstance(node, ast.Attribute) else node.id


def untyped(tree):
    """Public functions and methods without a full set of type hints; kernels are typed by numba."""
    owners = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))]
    for function in (node for owner in owners for node in owner.body if isinstance(node, ast.FunctionDef)):
        if (function.name.startswith("_") and function.name != "__init__") or set(KERNEL) & set(decorators(function)):
            continue
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        arguments += [argument for argument in (function.args.vararg, function.args.kwarg) if argument is not None]
        hinted = all(argument.annotation is not None or argument.arg in ("self", "cls") for argument in arguments)
        if not hinted or (function.returns is None and function.name != "__init__"):
            yield function.name


@every_file
def test_public_functions_have_types_and_docstrings(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert list(untyped(tree)) == []
    assert ast.get_docstring(tree)
