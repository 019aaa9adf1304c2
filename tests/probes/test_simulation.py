"""Simulation (oracle): machines that are each other, a clock that one of them needs, means that must not flatter."""

import numpy as np
import pytest
from networks import hand_made, telling_taskset, untrained_agent
from test_decoding import counting_recording, uneven_recording, with_state

import tinymeta
from tinymeta.optimum.planning import bayes_optimal
from tinymeta.probes import belief_statistics, simulation
from tinymeta.probes.decoding import trial_weights, unexplained
from tinymeta.probes.recording import record
from tinymeta.probes.simulation import SOFT, Machine, policy_divergence, simulate


def test_a_network_that_is_the_bayes_filter_simulates_and_is_simulated():
    tasks = telling_taskset()
    agent = hand_made(tasks)
    recording = record(agent, 120)
    found = simulate(agent, recording, Machine(tasks, recording, bayes_optimal(tasks, 0.9)))
    assert all(value < 1e-6 for way in found.values() for value in way.values())


def test_a_network_that_ignores_its_inputs_cannot_simulate():
    tasks = telling_taskset()
    agent = hand_made(tasks, sees=False)
    recording = record(agent, 120)
    found = simulate(agent, recording, Machine(tasks, recording, bayes_optimal(tasks, 0.9)))
    assert found["agent_to_bayes"]["D_s"] >= 1 - 1e-9
    assert found["agent_to_bayes"]["D_o"] > 0.3
    assert np.isnan(found["bayes_to_agent"]["D_s"])  # its state never varies: there is nothing to explain


def counting_agent(tasks, units=2):
    """A network of as many units whose states the test makes itself."""
    return untrained_agent(tasks, hidden_size=units)


def both_ways(recording, tasks, *units, shuffle=False):
    """D_s of both directions for an agent with these units."""
    made = with_state(recording, *units)
    found = simulate(counting_agent(tasks, len(units)), made, Machine(tasks, made), shuffle)
    return found["agent_to_bayes"]["D_s"], found["bayes_to_agent"]["D_s"]


def test_a_state_that_keeps_the_time_is_simulated_by_a_machine_that_knows_the_clock(monkeypatch):
    tasks, recording = counting_recording()
    evidence = belief_statistics.net_evidence(tasks, recording).astype(float)
    clock = np.broadcast_to(np.arange(20.0), evidence.shape)
    assert both_ways(recording, tasks, evidence, clock)[1] < 0.01
    monkeypatch.setattr(simulation, "clock", lambda tasks, recording: np.zeros(recording.valid.shape, int))
    assert both_ways(recording, tasks, evidence, clock)[1] > 0.1


def test_a_state_of_evidence_simulates_both_ways_and_shuffled_trials_do_not():
    tasks, recording = counting_recording()
    evidence = belief_statistics.net_evidence(tasks, recording).astype(float)
    assert max(both_ways(recording, tasks, evidence, 0 * evidence)) < 0.01
    assert min(both_ways(recording, tasks, evidence, 0 * evidence, shuffle=True)) > 0.8


def test_a_large_mean_does_not_flatter():
    """States of pure noise leave everything unexplained, wherever their mean is."""
    tasks, recording = counting_recording()
    noise = np.random.default_rng(0).normal(size=recording.valid.shape)
    near = both_ways(recording, tasks, noise, noise)
    far = both_ways(recording, tasks, noise + 1000, noise + 1000)
    assert min(near) > 0.9
    np.testing.assert_allclose(far, near, rtol=1e-3)


def test_dissimilarities_weigh_trials_alike():
    tasks, recording = uneven_recording()
    machine = Machine(tasks, recording)
    test = machine.split.test
    at = machine.samples.trial, machine.samples.step
    state = np.hstack([recording.hidden[at], recording.cell[at]])
    predicted = machine.features.predict(state)
    found = simulate(counting_agent(tasks, 1), recording, machine)["bayes_to_agent"]["D_s"]
    weight = trial_weights(machine.samples.trial)[test]
    assert found == pytest.approx(unexplained(predicted, state[test], weight))
    assert abs(found - unexplained(predicted, state[test])) > 1e-3


def test_with_p_uniform_the_machines_state_is_the_expected_reward():
    tasks, recording = counting_recording("uniform", pulls=30)
    machine = Machine(tasks, recording)
    assert machine.state.shape[1] == 2
    np.testing.assert_allclose(machine.state.sum(axis=1), 1)


def test_the_machines_output_depends_on_the_clock(monkeypatch):
    """The tiger's last steps: listening no longer pays, at the same belief. Exact states give exact outputs."""
    tasks = tinymeta.make("tiger", horizon=4)
    recording = record(untrained_agent(tasks), 300)
    solved = bayes_optimal(tasks, 0.9)

    def wrong():
        machine = Machine(tasks, recording, solved)
        return simulation._wrong_choice(machine.state[machine.split.test], machine, machine.optimal)

    assert wrong() == 0
    monkeypatch.setattr(simulation, "clock", lambda tasks, recording: np.zeros(recording.valid.shape, int))
    assert wrong() > 0


def test_a_choice_is_wrong_by_the_total_variation():
    """Oracle, by hand: ½ (|0.9 - 0.5| + |0.1 - 0.5|) = 0.4 between what was recorded and an even policy."""
    tasks = telling_taskset()
    agent = hand_made(tasks, sees=False)  # its head makes (½, ½) of any state that is zero
    recording = record(agent, 40)
    recording = recording._replace(logits=np.broadcast_to(np.log([0.9, 0.1]), recording.logits.shape))
    found = simulate(agent, recording, Machine(tasks, recording, bayes_optimal(tasks, 0.9)))
    assert found["bayes_to_agent"]["D_o"] == pytest.approx(0.4, abs=1e-6)


def test_policy_divergence_counts_any_mixture_of_ties_as_optimal():
    optimal = np.array([[True, True, False], [True, False, False]])
    none = policy_divergence(np.array([[0.3, 0.7, 0], [1.0, 0, 0]]), optimal)
    assert none["bayes_agent"] == pytest.approx(0)
    assert 0 <= none["agent_bayes"] < 2 * SOFT
    some = policy_divergence(np.array([[0.25, 0.25, 0.5]]), optimal[:1])
    assert some["bayes_agent"] == pytest.approx(np.log(2))
    soft = 0.5 * np.log(0.5 / (SOFT / 3)) + 2 * 0.25 * np.log(0.25 / ((1 - SOFT) / 2 + SOFT / 3))
    assert some["agent_bayes"] == pytest.approx(soft)
