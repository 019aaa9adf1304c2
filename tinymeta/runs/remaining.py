"""How long a sweep will take, from what its runs have taken so far.

A run's remaining work is its remaining trials, at the mean seconds per trial of the runs of its own sweep: those of
other environments or agents take other times. Workers share the work, but a run is one worker's at a time. So the rest
takes at least the whole work divided by the workers, and at least the longest run; the larger of the two is told.
Where no run of some sweep has been measured yet, its work is unknown, and what is told is a lower bound.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Pace:
    """How far a run is, and what it took.

    Parameters
    ----------
    sweep : str
        Runs of one sweep have one pace.
    trials : int
        That the run is to come to.
    reached : int
        Where it goes on.

    Attributes
    ----------
    left, done : int
        Trials yet to do, and trials done since the beginning of the measurement.
    seconds : float
        That those done took.
    """

    def __init__(self, sweep: str, trials: int, reached: int = 0) -> None:
        self.sweep = sweep
        self.left = trials - reached
        self.done = 0
        self.seconds = 0.0
        self._trials = trials
        self._reached = reached

    def advance(self, reached: int, seconds: float) -> None:
        """The run is now so many trials far, which took it so many more seconds."""
        self.done += reached - self._reached
        self.seconds += seconds
        self._reached = reached
        self.left = max(0, self._trials - reached)

    def end(self) -> None:
        """Nothing is left to do, be it that the run is finished or that it failed."""
        self.left = 0


class Remaining(NamedTuple):
    """How long it will take."""

    seconds: float
    bound: bool  # it takes at least so long: of some of the work nothing is known yet


def remaining(paces: Sequence[Pace], workers: int) -> Remaining:
    """The `Remaining` time of runs that `workers` share.

    Examples
    --------
    >>> paces = [Pace("bandit", 1000), Pace("bandit", 1000), Pace("corridor", 10)]
    >>> paces[0].advance(reached=500, seconds=5.0)
    >>> remaining(paces, workers=2)
    Remaining(seconds=10.0, bound=True)
    """
    done: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for pace in paces:
        done[pace.sweep] = done.get(pace.sweep, 0) + pace.done
        seconds[pace.sweep] = seconds.get(pace.sweep, 0.0) + pace.seconds
    unfinished = [pace for pace in paces if pace.left]
    work = [pace.left * seconds[pace.sweep] / done[pace.sweep] for pace in unfinished if done[pace.sweep]]
    longest = max(work, default=0.0)
    return Remaining(max(longest, sum(work) / max(1, workers)), len(work) < len(unfinished))


def remaining_text(left: Remaining) -> str:
    """A `Remaining` time as it is shown.

    Examples
    --------
    >>> remaining_text(Remaining(42.3, False)), remaining_text(Remaining(8000, True))
    ('42 s', '≥ 2 h 13 min')
    """
    minutes = round(left.seconds / 60)
    text = f"{left.seconds:.0f} s"
    if left.seconds >= 100:
        text = f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
    return f"≥ {text}" if left.bound else text
