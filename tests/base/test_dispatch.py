"""Kernels chosen by class (contract): from Python and from kernels, what is refused, where machine code is kept."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tinymeta.base.dispatch import by_class, compiled_for
from tinymeta.base.jit import jit
from tinymeta.environments.outcomes import Outcomes
from tinymeta.learning.rollout import rollout


class Square(NamedTuple):
    side: float


class Circle(NamedTuple):
    radius: float


class Pair(NamedTuple):
    one: Square
    other: Circle


@by_class
def area(shape, factor):
    """How large it is."""


@area.of(Square)
def area_of_square(shape, factor):
    return factor * shape.side * shape.side


@area.of(Circle)
@jit
def area_of_circle(shape, factor):
    return factor * 3.0 * shape.radius * shape.radius


@jit
def total(pair):
    return area(pair.one, 1.0) + area(pair.other, 2.0)


@jit
def twice(shape):
    return area(shape, 2.0)


def test_the_class_decides():
    """In Python, in a kernel by its argument's class, and by the class of an argument's field."""
    assert area(Square(3.0), 1.0) == 9.0
    assert area(Circle(2.0), 1.0) == 12.0
    assert twice(Square(3.0)) == 18.0
    assert twice(Circle(2.0)) == 24.0
    assert total(Pair(Square(3.0), Circle(2.0))) == 33.0


def test_another_signature_is_refused():
    with pytest.raises(TypeError, match=r"area for Pair has parameters \(shape\), expected \(shape, factor\)"):

        @area.of(Pair)
        def area_of_pair(shape):
            return 0.0


def test_an_unknown_class_is_named():
    with pytest.raises(TypeError, match="area has no implementation for Pair"):
        area(Pair(Square(1.0), Circle(1.0)), 1.0)


def test_all_that_have_none_share_that_of_object():
    @by_class
    def sides(shape):
        """How many."""

    @sides.of(object)
    def many(shape):
        return 99

    @sides.of(Square)
    def four(shape):
        return 4

    assert sides(Square(1.0)) == 4
    assert sides(Circle(1.0)) == 99


def test_what_a_kernels_own_source_tells_of_is_kept_where_it_was():
    assert compiled_for(rollout, Outcomes) is rollout


def test_a_class_of_ones_own_has_a_cache_of_its_own():
    """Told by the class's file as well, so that an edited world is compiled anew."""
    own = compiled_for(rollout, Square)
    assert own is compiled_for(rollout, Square)
    assert own._cache.cache_path != rollout._cache.cache_path
    assert own.py_func is rollout.py_func


def test_a_class_that_no_other_process_finds_is_not_kept():
    code = (
        "from typing import NamedTuple\n"
        "from tinymeta.base.dispatch import compiled_for\n"
        "from tinymeta.learning.rollout import rollout\n"
        "class Mine(NamedTuple):\n    x: float\n"
        "print(type(compiled_for(rollout, Mine)._cache).__name__, type(rollout._cache).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.split() == ["NullCache", "FunctionCache"]
