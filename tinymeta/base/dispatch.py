"""One kernel, several implementations: which one is pasted in depends on the class of the first argument.

A kernel calls `step(world, …)` and knows nothing of worlds. `step` is declared once with `by_class`; each class of
worlds, a NamedTuple, brings its own with ``@step.of(ItsClass)``. With ``@by_class(ItsClass)`` the declaration is the
first implementation at the same time. Numba sees the class in the argument's type, so the choice is made when the
caller is compiled and costs nothing when it runs: by `tinymeta.base.compiler` before types are inferred or, failing
that, by numba as for any overload.

What a caller is made of then depends on classes that its own source does not name. `compiled_for` gives it for such a
class: the same kernel under a cache folder of its own, told by the class's source as well. So an edited world is
compiled anew, and a file of machine code that needs a stranger's module is never opened without it.
"""

import functools
import inspect
import sys
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

from numba.extending import overload

from tinymeta.base.jit import FASTMATH, NOWHERE, jit, sources


class ByClass:
    """The implementations of a kernel, by the class of its first argument."""

    def __init__(self, function: Callable):
        self.name = function.__name__
        self.signature = inspect.signature(function)
        self.implementations: dict[Any, Callable] = {}

    def of(self, kind: Any) -> Callable[[Callable], Callable]:
        """A decorator: this is the implementation for class `kind`, or, for `object`, of all that have none."""

        def register(implementation: Callable) -> Callable:
            given = inspect.signature(implementation)
            if list(given.parameters) != list(self.signature.parameters):
                raise TypeError(f"{self.name} for {kind.__name__} has parameters {given}, expected {self.signature}")
            self.implementations[kind] = implementation
            return implementation

        return register

    def chosen(self, kind: Any) -> Callable | None:
        """The implementation for a class; None if there is none."""
        return self.implementations.get(kind, self.implementations.get(object))


def by_class(declared: Any) -> Any:
    """Declare a kernel by its signature and docstring; implementations follow with ``@<kernel>.of(Class)``.

    Examples
    --------
    >>> from typing import NamedTuple
    >>> class Square(NamedTuple):
    ...     side: float
    >>> class Circle(NamedTuple):
    ...     radius: float
    >>> @by_class(Square)
    ... def area(shape):
    ...     "How large it is."
    ...     return shape.side * shape.side
    >>> @area.of(Circle)
    ... def area_of_circle(shape):
    ...     return 3.14 * shape.radius * shape.radius
    >>> area(Square(2.0)), area(Circle(1.0))
    (4.0, 3.14)
    """
    if not isinstance(declared, type):
        return _declare(declared)

    def declare(implementation: Callable) -> Any:
        call = _declare(implementation)
        call.of(declared)(implementation)
        return call

    return declare


def _declare(function: Callable) -> Any:
    table = ByClass(function)

    @functools.wraps(function)
    def call(*args: Any) -> Any:  # from Python
        implementation = table.chosen(type(args[0]))
        if implementation is None:
            raise TypeError(f"{table.name} has no implementation for {type(args[0]).__name__}")
        return getattr(implementation, "py_func", implementation)(*args)

    def choose(*types: Any) -> Callable | None:  # from kernels
        return table.chosen(getattr(types[0], "instance_class", None))

    choose.__signature__ = table.signature  # type: ignore[attr-defined]
    overload(call, inline="always", jit_options={"fastmath": FASTMATH, "error_model": "numpy"})(choose)
    call.of = table.of  # type: ignore[attr-defined]
    call.table = table  # type: ignore[attr-defined]
    return call


@functools.cache
def compiled_for(kernel: Any, kind: Hashable) -> Any:
    """`kernel` for arguments of class `kind`: itself, where its own source tells of the class.

    A class that was typed in, or that stands in the file that is being run (``__main__``), has no module that another
    process could find: its kernels are compiled by every process.
    """
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if file is None or kind.__module__ == "__main__":
        return jit(kernel.py_func, also=Path(NOWHERE))
    if Path(file) in sources(Path(kernel.py_func.__code__.co_filename)):
        return kernel
    return jit(kernel.py_func, also=Path(file))
