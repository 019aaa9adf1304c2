"""A claim is data: what a paper says, what is measured for it on finished runs, and the threshold that decides it.

A claim's `measure` returns estimates in cases, {case: {quantity: `Estimate`}}; a case is an agent or a task set. A
`Threshold` holds a bound for some of the quantities. A bound is met where the whole confidence interval meets it, and
missed where the whole interval does not; where it lies within the interval other seeds could turn the verdict, so it is
undecided. A claim holds if every bound is met in every case that has its quantity, and does not if one is missed. The
threshold's text is made from the same bounds, so that text and verdict cannot say different things.

A new claim is a new row in a paper's claims.py; a new measurement is a function in the same folder.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from tinymeta.base.intervals import Estimate
from tinymeta.papers.results import LeftOutError, Results
from tinymeta.probes.summary import plain

Case = dict[str, Estimate]  # {quantity: estimate}
Cases = dict[str, Case]  # {case: …}; the case "" stands for all there is


HOLDS = "holds"
BROKEN = "does not hold"
UNDECIDED = "undecided"  # the bound lies within the interval: a coin toss
DIGITS = 4  # decimals of what was measured, at most


class Bound(Protocol):
    """What a quantity's interval must meet; its text says so."""

    def verdict(self, value: Estimate, case: Case) -> str:
        """`HOLDS`, `BROKEN` or `UNDECIDED`; `case` are all quantities of the same case."""


def _verdict(met: bool, missed: bool) -> str:
    if met:
        return HOLDS
    return BROKEN if missed else UNDECIDED


@dataclass(frozen=True)
class Within:
    """The interval lies in centre ± margin."""

    centre: float
    margin: float

    def verdict(self, value: Estimate, case: Case) -> str:
        low = self.centre - self.margin
        high = self.centre + self.margin
        return _verdict(low <= value.low and value.high <= high, value.high < low or value.low > high)

    def __str__(self) -> str:
        return f"within {self.centre} ± {self.margin}" if self.centre else f"within ± {self.margin}"


@dataclass(frozen=True)
class WithinFactor:
    """The interval, of a ratio, lies in [1/factor, factor]."""

    factor: float

    def verdict(self, value: Estimate, case: Case) -> str:
        low = 1 / self.factor
        return _verdict(low <= value.low and value.high <= self.factor, value.high < low or value.low > self.factor)

    def __str__(self) -> str:
        return f"within a factor {self.factor}"


@dataclass(frozen=True)
class AtLeast:
    """No part of the interval lies below `least`."""

    least: float

    def verdict(self, value: Estimate, case: Case) -> str:
        return _verdict(value.low >= self.least, value.high < self.least)

    def __str__(self) -> str:
        return f"at least {self.least}"


@dataclass(frozen=True)
class AtMost:
    """No part of the interval lies above `most`."""

    most: float

    def verdict(self, value: Estimate, case: Case) -> str:
        return _verdict(value.high <= self.most, value.low > self.most)

    def __str__(self) -> str:
        return f"at most {self.most}"


@dataclass(frozen=True)
class Below:
    """The interval lies below a number, or below the interval of another quantity of its case."""

    other: float | str

    def verdict(self, value: Estimate, case: Case) -> str:
        low, high = _ends(self.other, case)
        return _verdict(value.high < low, value.low >= high)

    def __str__(self) -> str:
        return f"below {self.other}"


@dataclass(frozen=True)
class Above:
    """The interval lies above a number, or above the interval of another quantity of its case."""

    other: float | str

    def verdict(self, value: Estimate, case: Case) -> str:
        low, high = _ends(self.other, case)
        return _verdict(value.low > high, value.high <= low)

    def __str__(self) -> str:
        return f"above {self.other}"


def _ends(other: float | str, case: Case) -> tuple[float, float]:
    """A number, or a quantity's interval, as (low, high)."""
    return (case[other].low, case[other].high) if isinstance(other, str) else (other, other)


@dataclass(frozen=True)
class Never:
    """A count of what must not happen at all: it is 0."""

    def verdict(self, value: Estimate, case: Case) -> str:
        met = value.low == value.high == 0
        return _verdict(met, not met)

    def __str__(self) -> str:
        return "no"


class Threshold(NamedTuple):
    """When a claim holds.

    Examples
    --------
    >>> threshold = Threshold("first {}, later {}", {"first pull": Within(0.5, 0.05), "later pulls": AtLeast(0.99)})
    >>> print(threshold)
    first within 0.5 ± 0.05, later at least 0.99
    >>> first, later = Estimate(0.5, 0.48, 0.52, 20), Estimate(0.995, 0.985, 1.0, 20)
    >>> threshold.verdict({"rl2": {"first pull": first, "later pulls": later}})
    'undecided'
    """

    text: str  # with a field for each bound, as in str.format; equal bounds share one
    bounds: dict[str, Bound]  # {quantity: what its interval must meet}

    def __str__(self) -> str:
        return self.text.format(*dict.fromkeys(self.bounds.values()))

    def verdict(self, cases: Cases) -> str:
        """`HOLDS` if every bound is met in every case that has its quantity, and there is such a case."""
        verdicts = []
        for quantity, bound in self.bounds.items():
            having = [case for case in cases.values() if quantity in case]
            verdicts += [bound.verdict(case[quantity], case) for case in having] or [BROKEN]
        worst_first = (BROKEN, UNDECIDED, HOLDS)
        return min(verdicts, key=worst_first.index)


class Claim(NamedTuple):
    """One row of the table."""

    name: str
    text: str
    place: str  # in the paper
    statistic: str  # what is measured, in words
    threshold: Threshold
    measure: Callable[[Results], Cases]


class Measurement(NamedTuple):
    """What was measured and what that says of the claim."""

    estimates: dict[str, Estimate]  # {"case quantity": …}
    verdict: str


Judged = list[tuple[Claim, Measurement]]
Row = dict[str, Any]  # of claims.json: a claim's texts, what was measured, the verdict


def judge(results: Results, claims: Iterable[Claim]) -> Judged:
    """Every claim with its measurement and verdict; not those that need experiments which are left out.

    Raises
    ------
    InputError
        If a run or its probe is missing; there is no verdict without its data.
    """
    judged = []
    for claim in claims:
        try:
            cases = claim.measure(results)
        except LeftOutError:
            continue
        estimates = {f"{name} {what}".strip(): value for name, case in cases.items() for what, value in case.items()}
        judged.append((claim, Measurement(estimates, claim.threshold.verdict(cases))))
    return judged


def to_json(judged: Judged, seeds: int, first_seed: int = 0) -> dict[str, Any]:
    """What claims.json holds; what is infinite is null there."""
    rows = []
    for claim, measurement in judged:
        row: Row = {field: str(getattr(claim, field)) for field in ("name", "text", "place", "statistic", "threshold")}
        row["measured"] = {name: plain(value._asdict()) for name, value in measurement.estimates.items()}
        row["holds"] = measurement.verdict == HOLDS
        row["verdict"] = measurement.verdict
        rows.append(row)
    return {"seeds": seeds, "first_seed": first_seed, "claims": rows}


def to_markdown(table: dict[str, Any]) -> str:
    """claims.md, one row per claim, of what claims.json holds."""
    seeds, first_seed = table["seeds"], table["first_seed"]
    lines = [
        f"Measured over {seeds} seeds a row, from seed {first_seed} on, where its experiments ask for no other number",
        "(n in claims.json); test of 100 rollouts a seed; intervals are 95 % where not said otherwise. A claim is",
        "undecided where its threshold lies within an interval.",
        "",
        "| claim | in the paper | measured | threshold | verdict |",
        "|---|---|---|---|---|",
    ]
    for row in table["claims"]:
        cells = (row["text"], row["place"], measured_text(row), row["threshold"], verdict_text(row))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def measured_text(row: Row) -> str:
    """The estimates of a row of claims.json, a line each.

    Examples
    --------
    >>> measured_text({"measured": {"rl2 reward per trial": {"mean": 9.496, "low": 9.4912, "high": 9.5012, "n": 20}}})
    'rl2 reward per trial: 9.50 [9.49, 9.50]'
    >>> measured_text({"measured": {"trained": {"mean": 0.00117, "low": 0.00058, "high": 0.00176, "n": 20}}})
    'trained: 0.001 [0.001, 0.002]'
    """
    return "<br>".join(f"{name}: {_rounded(**estimate)}" for name, estimate in row["measured"].items())


def verdict_text(row: Row) -> str:
    """The verdict of a row of claims.json."""
    return HOLDS if row["holds"] else f"**{row['verdict']}**"


def _rounded(mean: float | None, low: float | None, high: float | None, n: int) -> str:
    """Mean and interval, in two decimals or as many as tell its ends apart; ∞ where claims.json has null.

    Whole numbers where they are large, or exactly whole.
    """
    if mean is None or low is None or high is None:
        return "∞"
    digits = 0 if abs(mean) >= 1000 or low == high == round(mean) else 2
    while low < high and digits < DIGITS and f"{low:.{digits}f}" == f"{high:.{digits}f}":
        digits += 1
    if low == high:
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
