"""The exact filter: posteriors by hand and calibration (oracle), impossible evidence and batches (contract)."""

import numpy as np
import pytest
from support import every_table, noisy_taskset, small

import tinymeta
from tinymeta.learning.agent import Agent
from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import num_parameters
from tinymeta.optimum.belief import belief_along

RECORDED = ("observation", "action", "reward", "valid")


def random_trials(tasks, count, step_limit=None):
    """(totals, trace) of trials played uniformly at random, which is what a network does whose weights are all zero."""
    theta = np.zeros(num_parameters(make_layout(tasks, "rl2", 1)))
    return Agent(tasks, "rl2", theta, hidden_size=1).play(count, step_limit=step_limit, trace=True)


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
    belief = tinymeta.Belief(tasks)
    wins = 0
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
    """Contract: never a silent renormalisation; the message names the evidence and its step; the belief stays."""
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
    _, trace = random_trials(tasks, 30)
    uncertain = 0
    for b in range(30):
        belief = tinymeta.Belief(tasks).begin(trace["observation"][b, 0])
        for t in range(1, int(trace["valid"][b].sum())):
            belief.update(trace["action"][b, t - 1], trace["observation"][b, t], trace["reward"][b, t - 1])
            assert belief.joint.sum() == pytest.approx(1, abs=1e-12)
            assert belief.episode[trace["episode"][b, t]] > 0
            uncertain += 0 < belief.episode.max() < 1 - 1e-9
    assert uncertain > 0


@every_table
def test_batch_agrees_with_stepwise(env):
    tasks = small(env)
    totals, trace = random_trials(tasks, 10)
    joint, log_likelihood = belief_along(tasks, *(trace[name] for name in RECORDED), ended=~totals.cut)
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


# ---------------------------------------------------------------- calibration

TRIALS = 4000
TIME = 3  # of the belief, at most; not a trial's last step: what ends a trial is no secret to the state
PLANTED = {
    "overconfident": lambda belief: belief**2,
    "timid": np.sqrt,
    "another trial's": lambda belief: np.roll(belief, 1, axis=0),
}


def beliefs(tasks, filtered_on=None):
    """(belief over (task, state) (N, M·S), the true one's index (N,)) in those of many random trials that got so far.

    The time is `TIME`, or an earlier one that half of the trials reach: the few that are left can all be alike.
    The filter may be told that the trials came from another task set than `tasks`.
    """
    totals, trace = random_trials(tasks, TRIALS, step_limit=TIME + 1)
    joint, _ = belief_along(filtered_on or tasks, *(trace[name] for name in RECORDED), ended=~totals.cut)
    time = np.flatnonzero(trace["valid"].mean(axis=0) >= 0.5)[-1]
    running = trace["valid"][:, time]
    true = totals.task * tasks.num_states + trace["state"][:, time]
    return joint[running, time].reshape(running.sum(), -1), true[running]


def miscalibration(belief, true):
    """How far the mean belief in the truth is from the mean sum of squares of the belief, in standard errors.

    If b(x) = P(x | history), both have the mean E[Σ_x b(x)²].
    """
    difference = belief[np.arange(len(true)), true] - (belief**2).sum(axis=1)
    return abs(difference.mean()) / (difference.std() / np.sqrt(len(true)) + 1e-12)


@every_table
def test_the_belief_is_calibrated(env):
    """Oracle: over many random trials the belief is right as often as it says, about task and state."""
    assert miscalibration(*beliefs(small(env))) <= 4


@every_table
def test_the_belief_of_another_trial_is_not_calibrated(env):
    """The test above can fail, on every task set: it catches a belief about something else."""
    belief, true = beliefs(small(env))
    assert miscalibration(PLANTED["another trial's"](belief), true) > 8


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("tasks", [small("tiger"), noisy_taskset(), tinymeta.make("bandit", p=(0.3, 0.6))], ids=str)
def test_a_wrong_belief_is_not_calibrated(tasks, planted):
    """The test above can fail, also where the state alone is hidden: beliefs that are too sure or not sure enough."""
    belief, true = beliefs(tasks)
    assert miscalibration(belief, true) <= 4
    wrong = PLANTED[planted](belief)
    assert miscalibration(wrong / wrong.sum(axis=1, keepdims=True), true) > 8


def test_a_wrong_model_of_hearing_is_not_calibrated():
    """The test above can fail: a filter that takes the tiger's growls for more telling than they are."""
    wrong = tinymeta.make("tiger", horizon=5, accuracy=0.95)
    assert miscalibration(*beliefs(small("tiger"), filtered_on=wrong)) > 8
