"""Graded evidence (oracle): networks that count it switch where the optimum does and go on from what was put in."""

import numpy as np
import pytest
from networks import action_counter, evidence_counter, listener, untrained_agent

import tinymeta
from tinymeta.optimum.belief_graph import evidence_parts
from tinymeta.optimum.joint import JointIndex
from tinymeta.optimum.planning import bayes_optimal
from tinymeta.probes import exchanges
from tinymeta.probes.exchanges import exchange
from tinymeta.probes.graded import count_of_evidence, switching, updating
from tinymeta.probes.recording import nodes_along, record, record_random_actions, untrained


@pytest.fixture(scope="module")
def bandit():
    return tinymeta.make("bandit", p=(0.25, 0.75), pulls=30)


@pytest.fixture(scope="module")
def tiger():
    return tinymeta.make("tiger", horizon=12)


def test_evidence_is_counted_from_the_trials(bandit, tiger):
    """Oracle: the posterior log-odds are the count times what one observation says."""
    for tasks, agent, unit in ((bandit, evidence_counter(bandit), np.log(3)), (tiger, listener(tiger), np.log(17 / 3))):
        recording = record_random_actions(agent, 50)
        odds = np.log(recording.hypotheses[..., 0]) - np.log(recording.hypotheses[..., 1])
        count = count_of_evidence(tasks, recording)
        sign = 1 if tasks is tiger else -1  # task 0 of the bandit pays on arm 1
        np.testing.assert_allclose(odds, sign * unit * count, atol=1e-6)


def test_what_counts_evidence_switches_at_zero_moved_or_not(bandit):
    agent = evidence_counter(bandit)
    found = switching(agent, record(agent, 200), bayes_optimal(bandit, 0.9))
    for name in ("moved", "recorded", "optimal"):
        assert found[f"switch_{name}"] == pytest.approx(0, abs=0.1)
    np.testing.assert_allclose(found["moved"], found["recorded"], atol=0.05)


def test_the_listener_opens_at_two_moved_or_not(tiger):
    agent = listener(tiger)
    found = switching(agent, record(agent, 300), bayes_optimal(tiger, 0.95))
    assert found["switch_moved"] == pytest.approx(1.5, abs=0.1)
    assert found["switch_recorded"] == pytest.approx(1.5, abs=0.1)
    assert 1 < found["switch_optimal"] <= 2


def test_another_memory_does_not_switch_by_evidence(bandit):
    agent = action_counter(bandit)
    moved = switching(agent, record(agent, 200), bayes_optimal(bandit, 0.9))["moved"]
    assert np.nanmax(moved) - np.nanmin(moved) < 0.9


def test_evidence_goes_on_from_what_was_put_in(bandit):
    agent = evidence_counter(bandit)
    found = updating(agent, record(agent, 200))
    assert found["transplanted"] == pytest.approx({"carried": 1, "followed": 1, "own": 0}, abs=0.02)
    assert found["recorded"] == pytest.approx({"carried": 1, "followed": 1}, abs=0.02)


def test_another_memory_does_not_go_on_from_it(bandit):
    agent = action_counter(bandit)
    assert abs(updating(agent, record(agent, 200))["transplanted"]["carried"]) < 0.5


def test_the_listener_follows_the_belief_that_it_was_given(tiger):
    agent = listener(tiger)
    solved = bayes_optimal(tiger, 0.95)
    recording = record(agent, 300)
    found = exchange(agent, recording, solved)
    assert found["donor"] > 0.95
    assert found["none"] < 0.05
    assert found["pairs"] > 100
    before = untrained(agent, 0)
    assert exchange(before, record(before, 300), solved)["donor"] == pytest.approx(0.5, abs=0.2)


def test_where_evidence_is_no_count():
    corridor = tinymeta.make("corridor", left=2, right=2)
    agent = untrained(evidence_counter(tinymeta.make("bandit")), 0)
    recording = record(agent, 16)
    with pytest.raises(ValueError, match="not one count of evidence"):
        count_of_evidence(corridor, recording._replace(hypotheses=np.ones((16, 10, 3)) / 3))
    with pytest.raises(ValueError, match="no dependent bandit of more than 18 pulls"):
        updating(agent, recording)
    with pytest.raises(ValueError, match="every episode has one step"):
        exchange(agent, recording, bayes_optimal(agent.tasks, 0.9))


def test_the_donors_belief_takes_in_what_the_recipient_did_and_saw(monkeypatch):
    """Property, in a corridor walked at random: the evidence is where the action leads from the common place."""
    tasks = tinymeta.make("corridor", left=3, right=3)
    before = untrained_agent(tasks)
    solved = bayes_optimal(tasks, 0.9)
    taken = []
    real = exchanges.Successors.after

    def after(successors, node, action, seen):
        taken.append((node, action, seen))
        return real(successors, node, action, seen)

    recording = record_random_actions(before, 200)
    nodes = nodes_along(tasks, solved.graph, recording)
    monkeypatch.setattr(exchanges, "nodes_along", lambda *arguments: nodes)
    monkeypatch.setattr(exchanges.Successors, "after", after)
    assert exchange(before, recording, solved)["pairs"] > 50
    ((node, action, seen),) = taken
    place = JointIndex(tasks).state(solved.graph.entry_state[solved.graph.entry_start[node]])
    there = np.clip(place + np.where(action == 1, 1, -1), 0, 6)
    np.testing.assert_array_equal(evidence_parts(tasks, seen)[0], there)
