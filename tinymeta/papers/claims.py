"""TODO papers.claims."""

from typing import NamedTuple


class Measurement(NamedTuple):
    """What was measured and whether the claim's threshold is met."""

    estimates: dict  # {what: Estimate}
    holds: bool


class Claim(NamedTuple):
    """One row of the table."""

    name: str
    text: str
    place: str  # in the paper
    statistic: str
    threshold: str
    measure: object  # Results -> Measurement


def within(value, low, high):
    """The whole interval of an `Estimate` lies in [low, high]."""
    return bool(low <= value.low and value.high <= high)


# ---------------------------------------------------------------- the table


def judge(results, claims):
    """[(Claim, Measurement)], all of them.

    Raises
    ------
    ValueError
        If a run is missing; there is no verdict without its data.
    """
    return [(claim, claim.measure(results)) for claim in claims]


def to_json(judged, seeds):
    rows = []
    for claim, measurement in judged:
        row = {field: getattr(claim, field) for field in Claim._fields if field != "measure"}
        row["measured"] = {name: value._asdict() for name, value in measurement.estimates.items()}
        rows.append({**row, "holds": measurement.holds})
    return {"seeds": seeds, "claims": rows}


def to_markdown(judged, seeds):
    """The table that the README shows."""
    lines = [f"Measured over {seeds} seeds a row, or as many as its experiments in tinymeta/reproduction.py have if that is fewer; test of",
             "100 rollouts a seed; intervals are 95 % where not said otherwise.", "",
             "| claim | in the paper | measured | threshold | verdict |", "|---|---|---|---|---|"]  # fmt: skip
    for claim, measurement in judged:
        shown = "<br>".join(f"{name}: {_text(value)}" for name, value in measurement.estimates.items())
        verdict = "holds" if measurement.holds else "**does not hold**"
        lines.append(f"| {claim.text} | {claim.place} | {shown} | {claim.threshold} | {verdict} |")
    return "\n".join(lines) + "\n"


def _text(value):
    number = "{:.0f}" if abs(value.mean) >= 1000 or value.low == value.high == round(value.mean) else "{:.2f}"
    if value.low == value.high:
        return number.format(value.mean)
    return f"{number.format(value.mean)} [{number.format(value.low)}, {number.format(value.high)}]"
