"""The house is kept: imports run one way, files and functions stay short, public functions carry types (contract)."""

import ast
from pathlib import Path

import pytest

import tinymeta

PACKAGE = Path(tinymeta.__file__).parent
ROOMS = ("base", "environments", "optimum", "network", "learning", "runs", "probes", "papers", "commands")
FILES = sorted(PACKAGE.rglob("*.py"))
KERNEL = ("jit", "jit_called", "jit_allocating", "overload", "intrinsic")
# From a table of tasks to a trained RL²: what the README's reading table calls the core.
CORE = (
    "learning/wirings.py", "learning/rows.py", "network/flat.py", "network/lstm.py", "network/heads.py",
    "network/losses.py", "network/optim.py", "learning/update.py", "learning/rollout.py", "learning/learner.py",
)  # fmt: skip

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())


def room_of(parts):
    """The folder that a module lives in; what lies on top of the folders are the commands."""
    return parts[0] if parts and parts[0] in ROOMS else "commands"


def imported(tree):
    """The parts of every module of the package that a file imports, at its top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tinymeta":
            yield node.module.split(".")[1:] or [node.names[0].name]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1:] for alias in node.names if alias.name.split(".")[0] == "tinymeta")


def backward_imports(file, source):
    """[module] of the imports in a file that run back up the house."""
    here = ROOMS.index(room_of(file.relative_to(PACKAGE).parts))
    return [".".join(parts) for parts in imported(ast.parse(source))
            if parts[0] != "_version" and ROOMS.index(room_of(parts)) > here]  # fmt: skip


@every_file
def test_imports_run_one_way(file):
    """A folder imports only from itself and from those before it in `ROOMS`."""
    assert backward_imports(file, file.read_text(encoding="utf-8")) == []


def test_an_import_that_runs_back_is_seen():
    inside = "def f():\n    from tinymeta.network import lstm\n"
    assert backward_imports(PACKAGE / "optimum/belief.py", inside) == ["network"]
    assert backward_imports(PACKAGE / "base/files.py", "import tinymeta.runs.folder\n") == ["runs.folder"]
    assert backward_imports(PACKAGE / "papers/claims.py", "from tinymeta import cli\n") == ["cli"]


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@every_file
def test_modules_and_functions_are_short(file):
    source = file.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 300
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions(ast.parse(source)) if f.end_lineno - f.lineno >= 50}
    assert long == {}


def test_the_core_fits_one_sitting():
    assert sum(len((PACKAGE / name).read_text(encoding="utf-8").splitlines()) for name in CORE) <= 1000


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
