"""The exact filter: hand-derived posteriors (oracle), refusal of impossible evidence, batch against stepwise (contract)."""

import numpy as np
import pytest
from support import every_env, noisy_taskset, small
from test_rollout import untrained

import tinymeta
from tinymeta.optimum.belief import belief_along


def test_bandit_posterior_by_hand():
    """After w wins and l losses of arm 0, P(p = 0.9) = 0.9^w 0.1^l / (0.9^w 0.1^l + 0.1^w 0.9^l)."""
    belief = tinymeta.Belief(tinymeta.make("bandit", p=(0.1, 0.9))).begin(0)
    for w, lost in ((1, 0), (2, 0), (2, 1)):
        belief.update(0, 0, float(not lost))
        odds = 9.0 ** (w - lost)
        np.testing.assert_allclose(belief.tasks_marginal, [1 / (1 + odds), odds / (1 + odds)], rtol=1e-14)
    assert belief.log_likelihood == pytest.approx(np.log(0.5 * 0.9**2 * 0.1 + 0.5 * 0.1**2 * 0.9), rel=1e-13)
    np.testing.assert_allclose(belief.episode, np.eye(10)[3])


def test_uniform_bandit_follows_laplace():
    """With p ~ U[0, 1] the posterior mean of p after w wins and l losses of arm 0 is (w + 1) / (w + l + 2)."""
    pulls = 20
    tasks = tinymeta.make("bandit", p="uniform", pulls=pulls)
    p = tasks.transition[:, 0, 0, 2]
    belief, wins = tinymeta.Belief(tasks), 0
    for n, reward in enumerate([1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1], 1):
        belief.update(0, 0, reward)
        wins += reward
        assert belief.tasks_marginal @ p == pytest.approx((wins + 1) / (n + 2), rel=1e-12)


def test_corridor_absence_of_reward_is_evidence():
    belief = tinymeta.Belief(tinymeta.make("corridor", left=2, right=3)).begin(2)
    np.testing.assert_allclose(belief.update(0, 1, 0).tasks_marginal, [0.5, 0.5])
    np.testing.assert_allclose(belief.update(0, 0, 0).tasks_marginal, [0, 1])
    assert belief.joint[1, 0] == 1


@pytest.mark.parametrize(("action", "observation", "reward"), [(0, 1, 10.0), (0, 3, 0.0), (1, 3, 0.5), (0, None, 0.0)])
def test_impossible_evidence_is_an_error(action, observation, reward):
    """Contract: never a silent renormalisation; the message names step, action, observation and reward; the belief stays."""
    belief = tinymeta.Belief(tinymeta.make("corridor", left=2, right=3)).begin(2).update(1, 3, 0).update(0, 2, 0)
    before = belief.joint.copy()
    seen = "the trial's end" if observation is None else f"observation {observation}"
    with pytest.raises(ValueError, match=rf"step 3: action {action}, {seen} and reward {reward:g}"):
        belief.update(action, observation, reward)
    np.testing.assert_array_equal(belief.joint, before)
    with pytest.raises(ValueError, match="impossible evidence at step 0: first observation 5"):
        belief.begin(5)


def test_nothing_follows_the_end():
    belief = tinymeta.Belief(tinymeta.make("bandit", pulls=1)).update(0, None, 1)
    with pytest.raises(ValueError, match="the trial has ended"):
        belief.update(0, 0, 1)


@pytest.mark.parametrize("changes", [{}, {"episode_length": 2, "max_steps": None}])
def test_hidden_episode_ends(changes):
    """The noisy set does not announce ends: the episode itself is uncertain, and all marginals stay distributions."""
    tasks = noisy_taskset(**changes)
    _, trace = untrained(tasks, "rl2").play(30, trace=True)
    uncertain = 0
    for b in range(30):
        belief = tinymeta.Belief(tasks).begin(trace["observation"][b, 0])
        for t in range(1, int(trace["valid"][b].sum())):
            belief.update(trace["action"][b, t - 1], trace["observation"][b, t], trace["reward"][b, t - 1])
            assert belief.joint.sum() == pytest.approx(1, abs=1e-12)
            assert belief.episode[trace["episode"][b, t]] > 0
            uncertain += 0 < belief.episode.max() < 1 - 1e-9
    assert uncertain > 0


@every_env
def test_batch_agrees_with_stepwise(env):
    tasks = small(env)
    totals, trace = untrained(tasks, "rl2").play(10, trace=True)
    joint, log_likelihood = belief_along(
        tasks, *(trace[k] for k in ("observation", "action", "reward", "valid")), ended=~totals.cut
    )
    for b in range(10):
        T = int(trace["valid"][b].sum())
        belief = tinymeta.Belief(tasks).begin(trace["observation"][b, 0])
        for t in range(T):
            np.testing.assert_allclose(joint[b, t], belief.joint, atol=1e-14)
            ends = t + 1 == T
            if not ends or not totals.cut[b]:
                belief.update(
                    trace["action"][b, t], None if ends else trace["observation"][b, t + 1], trace["reward"][b, t]
                )
        assert log_likelihood[b] == pytest.approx(belief.log_likelihood, abs=1e-12)
        assert not joint[b, T:].any()


def test_batch_names_trial_and_step():
    tasks = tinymeta.make("corridor", left=2, right=2)
    observation, action = np.array([[2, 1, 2], [2, 1, 4]]), np.array([[0, 1, 1], [0, 1, 1]])
    with pytest.raises(
        ValueError, match=r"trial 1: impossible evidence at step 2: action 1, observation 4 and reward 0"
    ):
        belief_along(tasks, observation, action, np.zeros((2, 3)), np.ones((2, 3), bool), np.zeros(2, bool))


@every_env
def test_the_belief_is_calibrated(env):
    """Oracle: over 4000 random trials the mean belief in the true task equals the mean sum of squares of the belief (both are
    E[b(true task)]), within sampling error."""
    tasks = small(env)
    totals, trace = untrained(tasks, "rl2").play(4000, trace=True, step_limit=min(tasks.step_limit, 25))
    joint, _ = belief_along(tasks, *(trace[k] for k in ("observation", "action", "reward", "valid")), ended=~totals.cut)
    last = trace["valid"].sum(axis=1) - 1
    marginal = joint.sum(axis=-1)[np.arange(4000), last]
    difference = marginal[np.arange(4000), totals.task] - (marginal**2).sum(axis=1)
    assert abs(difference.mean()) <= 4 * difference.std() / np.sqrt(4000) + 1e-12
