"""Bounds and thresholds (contract): what an interval must meet, and that the text says so."""

import pytest

from tinymeta.base.intervals import Estimate
from tinymeta.papers.claims import (
    BROKEN,
    HOLDS,
    UNDECIDED,
    Above,
    AtLeast,
    AtMost,
    Below,
    Never,
    Threshold,
    Within,
    WithinFactor,
)


def interval(low, high):
    return Estimate((low + high) / 2, low, high, 5)


@pytest.mark.parametrize(("bound", "text", "met", "missed", "open_"), [
    (Within(9.5, 0.1), "within 9.5 ± 0.1", [(9.45, 9.55)], [(9.2, 9.3), (9.7, 9.8)], [(9.3, 9.5), (9.3, 9.7)]),
    (Within(0, 0.1), "within ± 0.1", [(-0.1, 0.1)], [(-0.3, -0.2)], [(-0.2, 0.0), (0.0, 0.2)]),
    (WithinFactor(1.5), "within a factor 1.5", [(0.7, 1.4)], [(0.1, 0.6), (2, 3)], [(0.6, 1.0), (1.0, 1.6)]),
    (AtLeast(0.9), "at least 0.9", [(0.9, 1.0), (2, 3)], [(0.7, 0.8)], [(0.8, 0.9), (0.8, 1.0)]),
    (AtMost(4), "at most 4", [(3, 4)], [(4.1, 5)], [(3, 4.1), (4, 5)]),
    (Below(1.0), "below 1.0", [(0.5, 0.9)], [(1.0, 1.1)], [(0.5, 1.0)]),
    (Above(1.0), "above 1.0", [(1.1, 2)], [(0.5, 1.0)], [(1.0, 2)]),
    (Below("other"), "below other", [(0, 1.9)], [(3, 4)], [(0, 2.0), (2.5, 4)]),
    (Above("other"), "above other", [(3.1, 4)], [(0, 2)], [(3.0, 4), (0, 2.5)]),
    (Never(), "no", [(0, 0)], [(0, 1), (1, 1)], []),
])  # fmt: skip
def test_bounds_look_at_the_whole_interval(bound, text, met, missed, open_):
    case = {"other": interval(2, 3)}
    assert str(bound) == text
    for verdict, intervals in ((HOLDS, met), (BROKEN, missed), (UNDECIDED, open_)):
        assert [bound.verdict(interval(*ends), case) for ends in intervals] == [verdict] * len(intervals)


def test_a_threshold_wants_every_bound_in_every_case():
    threshold = Threshold("{} and {}", {"reward": AtLeast(1), "steps": AtMost(2)})
    good = {"reward": interval(1, 2), "steps": interval(1, 2)}
    assert threshold.verdict({"rl2": good, "rl1": good, "optimum": {"exact": interval(9, 9)}}) == HOLDS
    assert threshold.verdict({"rl2": good, "rl1": {**good, "steps": interval(1, 3)}}) == UNDECIDED
    assert threshold.verdict({"rl2": good, "rl1": {"reward": interval(0, 2), "steps": interval(3, 4)}}) == BROKEN
    assert threshold.verdict({"rl2": {"reward": interval(1, 2)}}) == BROKEN  # nothing has steps
    assert threshold.verdict({}) == BROKEN


def test_equal_bounds_are_written_once_and_unequal_ones_never_are():
    assert str(Threshold("{}, both", {"a": AtLeast(0.9), "b": AtLeast(0.9)})) == "at least 0.9, both"
    assert str(Threshold("{}, {}", {"a": AtLeast(0.9), "b": AtMost(0.9)})) == "at least 0.9, at most 0.9"
