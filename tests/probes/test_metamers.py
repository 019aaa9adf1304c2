"""Metamers (oracle): a filter of evidence does not tell them apart, a memory of something else does."""

import numpy as np
import pytest
from networks import action_counter, evidence_counter
from support import small

import tinymeta
from tinymeta.learning.agent import Agent
from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import num_parameters
from tinymeta.probes import matching
from tinymeta.probes.metamers import FEWEST, FLOOR, metamers
from tinymeta.probes.recording import record, record_random_actions, untrained


def counting_bandit(pulls=12):
    return tinymeta.make("bandit", p=(0.25, 0.75), pulls=pulls)


def test_a_filter_of_the_evidence_scores_nothing_and_another_memory_everything():
    tasks = counting_bandit()
    found = {}
    for agent in (evidence_counter(tasks), action_counter(tasks)):
        recording = record_random_actions(agent, 150)
        found[agent.theta.size] = metamers(agent, untrained(agent, 0), recording)["trained"]
    counter, other = (found[size] for size in sorted(found, reverse=True))
    assert counter["ratio"] < 1e-3
    assert counter["ratio_nearest"] < 0.02
    assert counter["other"] > 0.3
    assert other["ratio"] == pytest.approx(1, abs=0.25)


def test_ratios_are_compared_by_their_logarithm():
    agent = evidence_counter(counting_bandit())
    found = metamers(agent, untrained(agent, 0), record_random_actions(agent, 150))
    expected = np.log(found["untrained"]["ratio"] / found["trained"]["ratio"])
    assert found["log_ratio"] == pytest.approx(expected)
    assert found["untrained"]["ratio"] > 0.2
    assert found["trained"]["metamer"] >= FLOOR


WORLDS = (counting_bandit(), small("corridor"), small("tiger"), small("gridworld"), small("bandit-informative"))


@pytest.mark.parametrize("tasks", WORLDS, ids=lambda tasks: tasks.name)
def test_what_is_swapped_is_what_it_is_called(tasks):
    """Property: metamers have equal beliefs and other inputs, the others another belief; step and place agree."""
    zeros = np.zeros(num_parameters(make_layout(tasks, "rl2", 4)), np.float32)
    agent = untrained(Agent(tasks, "rl2", zeros, 4), 1)
    recording = record_random_actions(agent, 200)
    swaps = matching.metamer_swaps(tasks, recording)
    assert len(swaps.step) > 20
    distance = {}
    for kind in ("metamer", "other", "nearest"):
        donor = getattr(swaps, kind)
        own, given = (recording.belief[trial, swaps.step] for trial in (swaps.recipient, donor))
        distance[kind] = np.abs(own - given).sum(axis=(1, 2))
        episodes = [recording.episode[trial, swaps.step] for trial in (swaps.recipient, donor)]
        np.testing.assert_array_equal(*episodes)
        if tasks.num_tasks > 1:
            np.testing.assert_allclose(own.sum(axis=1), given.sum(axis=1), atol=1e-8)
        assert recording.valid[donor, swaps.step].all()
    assert distance["metamer"].max() < 1e-7
    assert min(distance["nearest"].min(), distance["other"].min()) > 1e-9
    assert (distance["nearest"] <= distance["other"] + 1e-8).all()
    for recipient, donor, step in zip(swaps.recipient, swaps.metamer, swaps.step, strict=True):
        assert (recording.inputs[recipient, : step + 1] != recording.inputs[donor, : step + 1]).any()


def test_a_state_that_is_reset_before_it_matters_gives_no_ratio():
    tasks = counting_bandit()
    agent = evidence_counter(tasks, "memoryless")
    with pytest.raises(ValueError, match="its state is reset before it acts again"):
        metamers(agent, untrained(agent, 0), record_random_actions(agent, 100))


def test_too_few_metamers_give_no_ratio():
    """Always the same action in a deterministic world: every belief has one history."""
    agent = evidence_counter(tinymeta.make("bandit", pulls=4))
    parameters = agent.parameters
    parameters["policy.weight"][:] = 0
    parameters["policy.bias"][:] = 50, 0
    stubborn = Agent.from_parameters(agent.tasks, "rl2", parameters, np.float64)
    with pytest.raises(ValueError, match=f"0 moments of this recording have metamers, expected at least {FEWEST}"):
        metamers(stubborn, untrained(stubborn, 0), record(stubborn, 100))
