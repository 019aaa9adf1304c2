"""Transplants (oracle) on networks whose answer is known, and which pairs may exchange (contract)."""

import numpy as np
import pytest
from networks import evidence_counter, hand_made, telling_taskset, untrained_agent

import tinymeta
from tinymeta.probes import transplants
from tinymeta.probes.continuing import boundary_of
from tinymeta.probes.recording import record, record_random_actions
from tinymeta.probes.transplants import DOSED, DOSES, PUT_IN, transplant, wanted_actions

GAMMA = 0.9


def outcomes_of(agent, trials=120, **options):
    return transplant(agent, record(agent, trials), wanted_actions(agent.tasks, GAMMA), **options)


def test_a_network_that_is_the_bayes_filter_follows_what_is_put_in():
    outcomes = outcomes_of(hand_made(telling_taskset()))
    assert outcomes["donor"]["both"].donor == 1
    assert outcomes["own"]["both"].donor == 0  # this filter believes the last reward: the own input overwrites all
    masked = {what: outcome.donor for what, outcome in outcomes["masked"].items()}
    assert masked["both"] == masked["c"] == masked["pattern"] == 1
    assert masked["none"] == masked["h"] == masked["same"] == masked["complement"] == 0


def test_a_network_that_ignores_its_inputs_behaves_alike_whatever_is_put_in():
    outcomes = outcomes_of(hand_made(telling_taskset(), sees=False))["masked"]
    assert len({outcomes[what] for what in PUT_IN if what != "same"}) == 1
    assert 0.3 < outcomes["both"].donor < 0.7


def test_a_counter_of_evidence_follows_its_pattern_and_nothing_else():
    outcomes = outcomes_of(evidence_counter(tinymeta.make("bandit", p=(0.25, 0.75), pulls=40)), 200)
    share = {what: outcome.donor for what, outcome in outcomes["donor"].items()}
    assert min(share["both"], share["c"], share["pattern"]) > 0.95
    assert max(share["h"], share["same"], share["complement"], share["none"]) < 0.05
    doses = outcomes["dose"]
    assert tuple(doses) == DOSED
    for what in ("both", "pattern"):
        assert doses[what][0] == share["none"]
        assert doses[what][DOSES.index(1.0)] == share[what]
        assert np.diff(doses[what]).min() >= -0.05  # the more, the more of them follow


def test_actions_wanted_in_each_task():
    """One who knows the task pulls the arm that pays, and walks to the goal's side."""
    np.testing.assert_array_equal(wanted_actions(tinymeta.make("bandit"), GAMMA)[:, 0], np.eye(2, dtype=bool)[::-1])
    wanted = wanted_actions(tinymeta.make("corridor", left=2, right=2), GAMMA)
    inner = slice(1, 4)
    np.testing.assert_array_equal(wanted[0, inner], [[True, False]] * 3)
    np.testing.assert_array_equal(wanted[1, inner], [[False, True]] * 3)


def test_states_put_in():
    """Oracle: the parts, and moves of one length; what is left of the difference without the pattern."""
    agent = evidence_counter(tinymeta.make("bandit", p=(0.25, 0.75), pulls=40))
    recording = record(agent, 60)
    boundary = boundary_of(recording, 20)
    pairs = transplants._pairs(boundary, certain_only=False, match_time=False, seed=0)
    states = transplants._states_put_in(boundary.state, pairs, transplants._moves(recording, 0), seed=0)
    assert tuple(states) == PUT_IN
    own = boundary.state[pairs.recipient]
    given = boundary.state[pairs.donor]
    np.testing.assert_array_equal(states["both"], given)
    np.testing.assert_array_equal(states["h"] + states["c"], own + given)
    np.testing.assert_allclose(states["pattern"] + states["complement"], own + given, atol=1e-12)
    length = {what: np.linalg.norm(state - own, axis=1) for what, state in states.items()}
    for what in ("axis", "random", "orthogonal"):
        np.testing.assert_allclose(length[what], length["pattern"], rtol=1e-9)
        assert (np.linalg.norm(states[what] - states["pattern"], axis=1) > 1e-3 * length["pattern"]).any()


def test_pairs_are_of_other_tasks_certain_and_matched():
    """Contract, in a corridor that is walked at random, where lengths and beliefs differ."""
    tasks = tinymeta.make("corridor", left=2, right=2, max_steps=60)
    boundary = boundary_of(record_random_actions(untrained_agent(tasks), 600), 1)
    for certain_only in (False, True):
        for match_time in (False, True):
            pairs = transplants._pairs(boundary, certain_only, match_time, seed=0)
            assert len(pairs.recipient) > 30
            assert (boundary.task[pairs.recipient] != boundary.task[pairs.donor]).all()
            assert (boundary.task[pairs.recipient] == boundary.task[pairs.same]).all()
            assert (pairs.recipient != pairs.same).all()
            for index in pairs:
                known = boundary.belief[index, boundary.task[index]]
                assert (known >= transplants.CERTAIN).all() == certain_only
                matched = boundary.step[index] == boundary.step[pairs.recipient]
                assert matched.all() == (match_time or index is pairs.recipient)


def test_where_nothing_can_be_exchanged():
    agent = hand_made(telling_taskset())
    assert outcomes_of(agent, 16, inputs=("own",), dosed=False).keys() == {"own"}
    for episode in (0, 6):
        with pytest.raises(ValueError, match=f"episode = {episode}, expected 1…5"):
            outcomes_of(agent, 16, episode=episode)
    with pytest.raises(ValueError, match="one task or one episode"):
        outcomes_of(hand_made(telling_taskset(episodes=1)), 16)


def test_an_agent_that_resets_its_state_follows_nobody():
    """RL¹'s wiring zeroes what was put in: every state gives the same actions."""
    outcomes = outcomes_of(untrained_agent(telling_taskset(), "rl1"), 64, inputs=("own",))["own"]
    assert outcomes["both"].actions > 0
    assert len({outcomes[what] for what in PUT_IN if what != "same"}) == 1
