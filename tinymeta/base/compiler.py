"""Numba's compiler with a cheaper way to inline: half of a cold start was spent on copying Python objects.

With ``inline="always"`` numba pastes the intermediate representation of a callee into its caller, and before that
copies it twice, block by block, again at every level of the call tree. A copy of a block takes along the scope that
its variables live in, with every variable of the function, so the work grows like blocks times variables. But the
copied representation was made for this one paste and is thrown away after it: its scope can be shared. That changes no
instruction, hence no bit.

The same pass pastes in what `tinymeta.base.dispatch.by_class` declares: the class of the first argument is known from
the kernel's own arguments, before types are inferred. (Numba could do that later, as an overload; that takes five
times as long.)

The compiler is put together through numba's own interface for that (`CompilerBase`, `pipeline_class`); only the
scope's way of being copied is exchanged, and only while a pass of ours runs. Should a future numba have no such pass,
this compiler is numba's own.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from numba.core import event, ir
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.ir_utils import GuardException, get_definition, guard
from numba.core.untyped_passes import InlineInlinables


def _itself(scope: ir.Scope, memo: dict) -> ir.Scope:
    return scope


@contextlib.contextmanager
def shared_scopes() -> Iterator[None]:
    """Within it a copied block has the scope of the block that it is a copy of. Numba compiles in one thread at a
    time.
    """
    scope: Any = ir.Scope
    before = scope.__dict__.get("__deepcopy__")
    scope.__deepcopy__ = _itself
    try:
        yield
    finally:
        if before is None:
            del scope.__deepcopy__
        else:
            scope.__deepcopy__ = before


@register_pass(mutates_CFG=True, analysis_only=False)
class Inlining(InlineInlinables):
    """Numba's pass that inlines, callees of callees included, with shared scopes."""

    _name = "tinymeta_inlining"

    def run_pass(self, state: Any) -> bool:
        with shared_scopes():
            return super().run_pass(state)

    def _do_work(self, state: Any, work_list: Any, block: Any, i: int, expr: Any, inline_worker: Any) -> bool:
        chosen = guard(_implementation, state, expr)
        if chosen is None:
            return super()._do_work(state, work_list, block, i, expr, inline_worker)
        work_list.extend(inline_worker.inline_function(state.func_ir, block, i, chosen)[3])
        return True


def _implementation(state: Any, expr: ir.Expr) -> Callable | None:
    """The Python function that a call of a `by_class` kernel means; None if it is another call."""
    function = getattr(get_definition(state.func_ir, expr.func), "value", None)
    table = getattr(function, "table", None)
    if table is None:
        return None
    chosen = table.chosen(getattr(_type(state, expr.args[0]), "instance_class", None))
    return getattr(chosen, "py_func", chosen)


def _type(state: Any, variable: ir.Var) -> Any:
    """The type of a kernel's argument, or of a field of one."""
    value = get_definition(state.func_ir, variable)
    if isinstance(value, ir.Arg):
        return state.args[value.index]
    if isinstance(value, ir.Expr) and value.op == "getattr":
        owner = _type(state, value.value)
        return tuple(owner)[owner.fields.index(value.attr)]
    raise GuardException


class KernelCompiler(CompilerBase):
    """Numba's compiler with `Inlining` in place of its own pass."""

    def define_pipelines(self) -> list:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(Inlining if kind is InlineInlinables else kind, text) for kind, text in passes.passes]
        passes.finalize()
        return [passes]


SLOW = {  # seconds each, on any machine
    "run_updates": "the training kernel",
    "rollout": "the kernel that plays trials",
    "take_turns": "the kernel that plays trials",
    "learn_from_rows": "the kernel that learns",
}


class _Telling(event.Listener):
    """Says once of each slow kernel that it is being compiled."""

    def __init__(self, say: Callable[[str], object]):
        self.say = say
        self.told: set[str] = set()

    def on_start(self, e: event.Event) -> None:
        name = e.data["dispatcher"].py_func.__name__
        if name in SLOW and name not in self.told:
            self.told.add(name)
            self.say(f"compiling {SLOW[name]} for this processor: 5 to 20 seconds, once; then it is kept")

    def on_end(self, e: event.Event) -> None:
        """Nothing to say."""


@contextlib.contextmanager
def telling_of_compilation(say: Callable[[str], object]) -> Iterator[None]:
    """Within it `say` is told before a kernel is compiled that takes long; nothing is said of one that is loaded."""
    with event.install_listener("numba:compile", _Telling(say)):
        yield
