"""Evaluation: what stands beside the rewards (oracle on agents whose policy is known)."""

import numpy as np
import pytest
from support import every_env, small

from tinymeta.learning.agent import Agent
from tinymeta.learning.belief_agents import BeliefAgent
from tinymeta.learning.evaluation import evaluate, first_action
from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import num_parameters


def constant(tasks, logits):
    """An agent whose policy has these logits whatever it sees."""
    theta = np.zeros(num_parameters(make_layout(tasks, "rl2", 3)), np.float32)
    theta[-len(logits) - 1 : -1] = logits
    return Agent(tasks, "rl2", theta, 3)


def test_the_first_action_is_read_from_the_policy():
    """An agent that always pulls the same arm is paid half of its first pulls; its policy says what it is."""
    result = evaluate(constant(small("bandit"), [np.log(0.8), np.log(0.2)]), 0.8, rollouts=200)
    assert result["reward_per_episode"][0] == pytest.approx(0.5, abs=0.1)
    np.testing.assert_allclose(result["first_action"], [0.8, 0.2], rtol=1e-6)
    np.testing.assert_allclose(first_action(BeliefAgent(small("bandit"), "bayes", 0.8), 20), [0.5, 0.5])


def test_greedy_stands_beside_sampled():
    """With logits 1 and 0 the sampled actions are mixed, the greedy ones are all the first arm: half of all pulls."""
    tasks = small("bandit")
    result = evaluate(constant(tasks, [1.0, 0.0]), 0.8, rollouts=400)
    assert result["actions"] == "sampled"
    assert result["greedy"]["reward_per_trial"]["mean"] == pytest.approx(5.0, abs=0.05)
    again = evaluate(constant(tasks, [1.0, 0.0]), 0.8, rollouts=400, greedy=True)
    assert again["actions"] == "greedy"
    assert again["reward_per_trial"] == result["greedy"]["reward_per_trial"]
    assert again["reward_per_trial"] != result["reward_per_trial"]


@every_env
def test_first_actions_are_distributions(env):
    policy = first_action(constant(small(env), np.zeros(small(env).num_actions)), 10)
    np.testing.assert_allclose(policy, 1 / small(env).num_actions)
