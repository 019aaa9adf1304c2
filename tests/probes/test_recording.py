"""Recordings (property): a network goes on from any of its states as it went on itself; random actions are random."""

import numpy as np
import pytest
from support import every_agent, every_table, small

import tinymeta
from tinymeta.learning.agent import Agent
from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import num_parameters
from tinymeta.probes.recording import record, record_random_actions, replay, softmax, untrained


def random_agent(tasks, name="rl2"):
    size = num_parameters(make_layout(tasks, name, 7))
    return Agent(tasks, name, np.random.default_rng(0).normal(size=size) * 0.5, 7)


@every_table
@every_agent
def test_a_network_goes_on_from_its_own_state_as_it_did(env, agent):
    recording = record(random_agent(small(env), agent), 12)
    step = min(3, recording.valid.shape[1] - 1)
    state = np.concatenate([recording.hidden[:, step - 1], recording.cell[:, step - 1]], axis=1)
    hidden, cell, logits = replay(
        random_agent(small(env), agent), recording.inputs[:, step:], recording.reset[:, step:], state
    )
    valid = recording.valid[:, step:]
    np.testing.assert_array_equal(hidden[valid], recording.hidden[:, step:][valid])
    np.testing.assert_array_equal(cell[valid], recording.cell[:, step:][valid])
    np.testing.assert_array_equal(logits[valid], recording.logits[:, step:][valid])


@pytest.mark.parametrize("deep", [{}, {"encoder": (6,), "separate_value": True}])
def test_inputs_of_numbers_go_through_as_they_did(deep):
    """In a world, by a network with and without dense layers: the states of the trial, from its inputs alone."""
    tasks = tinymeta.make("cartpole", gravity=(5, 10), episodes=2, max_steps=30)
    size = num_parameters(make_layout(tasks, "informed", 7, *deep.values()))
    agent = Agent(tasks, "informed", np.random.default_rng(0).normal(size=size) * 0.5, 7, 0, *deep.values())
    _, recorded = agent.play(12, trace=True)
    hidden, cell, logits = replay(agent, recorded["inputs"], recorded["reset"])
    valid = recorded["valid"]
    np.testing.assert_array_equal(hidden[valid], recorded["hidden"][valid])
    np.testing.assert_array_equal(cell[valid], recorded["cell"][valid])
    np.testing.assert_array_equal(logits[valid], recorded["logits"][valid])


def test_the_state_that_is_put_in_matters():
    recording = record(random_agent(tinymeta.make("bandit")), 12)
    other = np.zeros((12, 14))
    logits = replay(random_agent(tinymeta.make("bandit")), recording.inputs[:, 3:], recording.reset[:, 3:], other)[2]
    assert np.abs(logits - recording.logits[:, 3:]).max() > 0.01


def test_random_actions_do_not_depend_on_the_network():
    tasks = tinymeta.make("corridor", left=2, right=2)
    one = record_random_actions(random_agent(tasks), 300, seed=1)
    other = record_random_actions(untrained(random_agent(tasks), 4), 300, seed=1)
    np.testing.assert_array_equal(one.action, other.action)
    np.testing.assert_array_equal(one.reward, other.reward)
    assert one.action[one.valid].mean() == pytest.approx(0.5, abs=0.05)
    assert np.abs(one.logits - other.logits).max() > 0.01  # the logits are each network's own


def test_softmax():
    """Oracle: odds of 3 to 1, and numbers that overflow alone."""
    np.testing.assert_allclose(softmax(np.log(np.array([[3.0, 1.0]]))), [[0.75, 0.25]])
    np.testing.assert_allclose(softmax(np.array([[1e4, 1e4 - np.log(3)]])), [[0.75, 0.25]])
