"""The cheaper way to inline (property): the same machine code as numba's own compiler, and nothing left over."""

import copy

import numba
import numpy as np
from numba.core import event, ir

from tinymeta.base.compiler import Inlining, KernelCompiler, shared_scopes, telling_of_compilation


def inner(x, k):
    total = 0.0
    for i in range(k):
        total += x[i] / (i + 1.0) if x[i] > 0 else -x[i]
    return total


def test_kernels_are_the_same_as_those_of_numba():
    """A callee with branches and loops, pasted in at two levels and twice: equal LLVM code but for the names in it."""
    codes = []
    x = np.random.default_rng(0).normal(size=100)
    for options in ({}, {"pipeline_class": KernelCompiler}):
        first = numba.njit(inline="always", **options)(inner)

        def middle(x, k, first=first):
            return first(x, k) + 2.0 * first(x, k // 2)

        second = numba.njit(inline="always", **options)(middle)

        def outer(x, second=second):
            return second(x, x.shape[0]) - second(x, 7)

        compiled = numba.njit(**options)(outer)
        codes.append((compiled(x), instructions(compiled)))
    assert codes[0] == codes[1]


def instructions(compiled):
    """The opcodes of a kernel's machine code, in order."""
    lines = next(iter(compiled.inspect_asm().values())).splitlines()
    return [line.split()[0] for line in lines if line.startswith("\t") and not line.startswith("\t.")]


def test_kernels_are_compiled_by_our_pass():
    """Should numba rename its pass, kernels would compile all the same, only in twice the time."""
    with event.install_recorder("numba:run_pass") as recorder:
        numba.njit(pipeline_class=KernelCompiler)(lambda x: x + 1)(1)
    assert any(e.data["name"].startswith(Inlining._name) for _, e in recorder.buffer)


def test_scopes_are_copied_again_afterwards():
    scope = ir.Scope(parent=None, loc=ir.unknown_loc)
    with shared_scopes():
        assert copy.deepcopy(scope) is scope
    assert copy.deepcopy(scope) is not scope


def test_a_slow_kernel_is_told_of_once_and_only_where_it_is_compiled():
    def run_updates(x):
        return x + 1

    def quick(x):
        return x - 1

    said = []
    slow = numba.njit(run_updates)
    with telling_of_compilation(said.append):
        numba.njit(quick)(1)
        assert said == []
        slow(1)
        slow(1.0)
        slow(1)
    assert len(said) == 1
    assert "the training kernel" in said[0]
    slow(np.float32(1))
    assert len(said) == 1
