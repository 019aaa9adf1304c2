"""Agents on the exact belief: played against computed (oracle), by hand against in batches (contract)."""

import math

import numpy as np
import pytest
from support import every_table, small

import tinymeta
from tinymeta.learning.belief_agents import BELIEF_AGENTS, BeliefAgent, sample
from tinymeta.learning.evaluation import trace
from tinymeta.optimum.exact_values import exact_values

YARDSTICK = {"bayes": "bayes_optimal", "greedy": "greedy", "thompson": "thompson"}


@every_table
@pytest.mark.parametrize("name", BELIEF_AGENTS)
def test_played_agents_earn_what_is_computed(name, env):
    """Oracle: rollouts of each agent against its exact worth, within four standard errors."""
    tasks = small(env)
    rollouts = 4000 if env == "tiger" else 600  # the tiger's losses are rare and large
    totals = BeliefAgent(tasks, name, 0.9).play(rollouts)
    exact = exact_values(tasks, 0.9, which=(YARDSTICK[name],))[YARDSTICK[name]]
    for played, number in ((totals.reward, "reward_per_trial"), (totals.steps, "steps_per_trial")):
        per_trial = played.sum(axis=1)
        assert abs(per_trial.mean() - exact[number]) <= 4 * per_trial.std() / math.sqrt(rollouts) + 1e-9


@every_table
@pytest.mark.parametrize("name", BELIEF_AGENTS)
def test_stepping_by_hand_gives_the_played_policies(name, env):
    """Contract: `act`, fed what a trial showed, gives the trial's policies."""
    tasks = small(env)
    agent = BeliefAgent(tasks, name, 0.9)
    _, played = agent.play(4, trace=True, step_limit=15)
    for b in range(4):
        agent.reset()
        episode = 0
        for t in range(int(played["valid"][b].sum())):
            now = int(played["episode"][b, t])
            last = {}
            if t > 0:
                last["prev_reward"] = played["reward"][b, t - 1]
                last["prev_action"] = played["action"][b, t - 1]
                last["new_episode"] = now != episode
            episode = now
            _, info = agent.act(played["observation"][b, t], **last)
            if name != "thompson":  # whose draws are its own
                np.testing.assert_array_equal(info["logits"], played["logits"][b, t])
            assert info["probabilities"].sum() == pytest.approx(1)


def indistinct_taskset(episodes):
    """Two tasks, one-step episodes: the task's own arm pays 1 with probability 0.6, the other with 0.4."""
    transition = np.zeros((2, 3, 2, 3))
    transition[..., 1:] = [0.4, 0.6]  # state 1 pays nothing, state 2 one
    transition[[0, 1], :, [1, 0], 1:] = [0.6, 0.4]
    reward = np.broadcast_to([0.0, 0.0, 1.0], transition.shape)
    initial = np.array([[1.0, 0, 0]] * 2)
    terminal = np.array([[False, True, True]] * 2)
    observation = np.ones((2, 3, 1))
    return tinymeta.TaskSet(
        transition, reward, observation, initial=initial, terminal=terminal, episodes=episodes, name="indistinct"
    )


def test_thompson_draws_anew_in_every_episode():
    """Oracle: nothing is ruled out, so at each episode's beginning the policy is the belief itself, never certainty."""
    tasks = indistinct_taskset(episodes=4)
    played = trace(BeliefAgent(tasks, "thompson", 0.9), 200)
    np.testing.assert_allclose(np.exp(played["logits"]), played["belief"].sum(axis=3), atol=1e-6)
    assert (played["action"] != played["action"][:, :1]).any(axis=1).mean() > 0.5


def test_thompson_holds_its_task_within_an_episode():
    """Contract, step by step: its first action tells the draw, and while the episode lasts it acts on that alone."""
    tasks = tinymeta.make("corridor", left=3, right=3)
    agent = BeliefAgent(tasks, "thompson", 0.9, seed=1)
    action, info = agent.act(3)
    assert sorted(info["probabilities"]) == [0.5, 0.5]
    _, info = agent.act(2 if action == 0 else 4, 0.0, action)
    assert info["probabilities"][action] == 1


def test_impossible_evidence_is_refused_by_every_agent():
    """Contract: a reward that cannot be is an error, not a guess."""
    for name in BELIEF_AGENTS:
        agent = BeliefAgent(tinymeta.make("corridor", left=2, right=2), name, 0.9)
        agent.act(2)
        with pytest.raises(ValueError, match="impossible evidence"):
            agent.act(0, 0.0, 1)


def test_what_is_left_of_a_number_is_uniform_and_independent():
    """Oracle: the actions have their probabilities, and within each what is left is spread evenly over [0, 1)."""
    probabilities = np.array([0.2, 0.0, 0.5, 0.3])
    numbers = (np.arange(10_000) + 0.5) / 10_000
    actions, left_over = zip(*(sample(probabilities, u, greedy=False) for u in numbers), strict=True)
    for action, probability in enumerate(probabilities):
        own = np.array(left_over)[np.array(actions) == action]
        assert len(own) == pytest.approx(10_000 * probability, abs=1)
        if probability > 0:
            np.testing.assert_allclose(own, (np.arange(len(own)) + 0.5) / len(own), atol=1e-3)
