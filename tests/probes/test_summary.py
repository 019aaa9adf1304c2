"""Summaries (oracle): means over runs, ratios as geometric means, and what is written of them."""

import math

import pytest
from networks import untrained_agent

import tinymeta
from tinymeta.base.intervals import estimate
from tinymeta.probes import probing, summary
from tinymeta.probes.recording import record

RATIO = "net evidence unexplained, untrained / trained"


def result(error, logarithm):
    found = {"decoding": {"trained": {"hc": {"error": {"net_evidence": error}}}}}
    found["decoding"]["log_ratio"] = {"hc": {"net_evidence": logarithm}}
    return {"env": "bandit", "env_kwargs": {}, "agent": "rl2", **found}


def test_ratios_have_geometric_means_and_intervals_on_the_log_scale():
    results = [result(0.1, math.log(2)), result(0.3, math.log(8)), result(0.2, None)]
    assert summary.estimate_of("net evidence unexplained, trained", results).mean == pytest.approx(0.2)
    ratio = summary.estimate_of(RATIO, results)
    logarithm = estimate([math.log(2), math.log(8)])
    assert ratio.mean == pytest.approx(4)
    assert (ratio.low, ratio.high, ratio.n) == pytest.approx((math.exp(logarithm.low), math.exp(logarithm.high), 2))
    assert summary.estimate_of("posterior unexplained, trained", results) is None


def test_the_report_marks_ratios():
    (row,) = summary.summarise([result(0.1, math.log(2))])
    lines = summary.report([row]).splitlines()
    assert [line.split("  ")[-1].strip() for line in lines if line.startswith("  ")] == ["0.100", "2.00x"]


def test_every_ratio_is_a_quantity_and_has_the_two_errors_that_it_is_made_of():
    for name in summary.RATIOS:
        what, _, networks = name.rpartition(", ")
        assert networks == "untrained / trained"
        assert {name, f"{what}, trained", f"{what}, untrained"} <= summary.QUANTITIES.keys()


@pytest.mark.parametrize(("pulls", "trials", "expected"), [(100, 200, 120), (10, 200, 1000), (10, 16, 80)])
def test_short_trials_are_recorded_in_greater_number(pulls, trials, expected):
    """12 000 steps are 120 trials of 100; of 10 steps there are 1000 trials at most, and five times those asked for."""
    agent = untrained_agent(tinymeta.make("bandit", pulls=pulls))
    samples = probing._samples(agent, record(agent, trials), seed=0)
    assert len(samples.valid) == expected
