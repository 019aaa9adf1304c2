"""Decoding (oracle): states that hold what is known, closed forms of the statistics, planted leaks."""

import numpy as np
import pytest
from networks import hand_made, telling_taskset, untrained_agent
from support import every_table, noisy_taskset, small

import tinymeta
from tinymeta.probes import belief_statistics, decoding
from tinymeta.probes.recording import record, relive, untrained


def counting_recording(p=(0.25, 0.75), pulls=20, trials=200):
    """(task set, recording) of a dependent bandit played at random."""
    tasks = tinymeta.make("bandit", p=p, pulls=pulls)
    return tasks, record(untrained_agent(tasks), trials)


def with_state(recording, *units):
    """The recording with these units (N, T) in place of its network's; as many cells that are zero."""
    hidden = np.stack(units, axis=2)
    return recording._replace(hidden=hidden, cell=np.zeros_like(hidden))


def errors(tasks, recording):
    return decoding.decode(tasks, recording, recording)["trained"]["hc"]["error"]


def samples_of(recording):
    samples = decoding.Samples.of(recording)
    return samples, (samples.trial, samples.step)


# ---------------------------------------------------------------- statistics of the belief


def test_net_evidence_is_the_log_odds_of_two_hypotheses_in_units_of_one_pull():
    """Each pull multiplies the odds by p / (1 - p) or its inverse, whichever arm it was."""
    tasks, recording = counting_recording()
    evidence = belief_statistics.net_evidence(tasks, recording)
    odds = np.log(recording.hypotheses[..., 1] / recording.hypotheses[..., 0])  # of the first arm paying 0.75
    np.testing.assert_allclose(evidence, odds / np.log(3), atol=1e-9)
    assert np.unique(recording.action[recording.valid]).tolist() == [0, 1]


def test_the_expected_reward_with_p_uniform_follows_the_rule_of_succession():
    """Of t pulls k spoke for the first arm: it pays with probability (k + 1) / (t + 2) (Laplace)."""
    tasks, recording = counting_recording("uniform", pulls=30)
    samples, at = samples_of(recording)
    k = (samples.step + belief_statistics.net_evidence(tasks, recording)[at]) / 2
    expected = (k + 1) / (samples.step + 2)
    found = belief_statistics.statistics(tasks, recording, *at)
    np.testing.assert_allclose(found["expected_reward"], np.stack([expected, 1 - expected], axis=1), atol=1e-6)
    assert set(found) == {"expected_reward", "net_evidence"}  # 32 nodes are no small posterior


@every_table
def test_where_statistics_are_defined(env):
    tasks = small(env)
    assert belief_statistics.is_dependent_bandit(tasks) == (env == "bandit")
    recording = record(untrained_agent(tasks), 16)
    found = belief_statistics.statistics(tasks, recording, *samples_of(recording)[1])
    assert ("net_evidence" in found) == (env == "bandit")
    assert all(np.ptp(values, axis=0).min() > 0 for values in found.values())


def test_arms_that_do_not_add_up_to_one_are_no_dependent_bandit():
    assert not belief_statistics.is_dependent_bandit(tinymeta.make("bandit-informative"))
    independent = tinymeta.make("bandit", p=(0.2, 0.7), pulls=3)
    assert belief_statistics.is_dependent_bandit(independent)
    transition = independent.transition.copy()
    transition[0, 0, 0, 1:] = 0.5
    changed = tinymeta.TaskSet(
        transition, independent.reward, independent.observation, independent.initial, independent.terminal, episodes=3
    )
    assert not belief_statistics.is_dependent_bandit(changed)


@pytest.mark.parametrize(("tasks", "seen"), [
    (tinymeta.make("bandit", pulls=4), True), (tinymeta.make("corridor", left=2, right=2), True),
    (tinymeta.make("tiger", horizon=5), True), (noisy_taskset(), False),
], ids=lambda value: getattr(value, "name", ""))  # fmt: skip
def test_the_clock_is_what_an_optimal_agent_knows_of_time(tasks, seen):
    recording = record(untrained_agent(tasks), 16)
    assert belief_statistics.ends_are_seen(tasks) == seen
    step = np.broadcast_to(np.arange(recording.valid.shape[1]), recording.valid.shape)
    wanted = {"bandit": step, "tiger": step, "corridor": recording.episode, "noisy": 0 * step}[tasks.name]
    np.testing.assert_array_equal(belief_statistics.clock(tasks, recording)[recording.valid], wanted[recording.valid])


def test_the_clock_of_episodes_that_end_early_jumps_to_the_next_episode():
    tasks = small("gridworld")
    recording = record(untrained_agent(tasks), 8)
    step = np.broadcast_to(np.arange(recording.valid.shape[1]), recording.valid.shape)
    np.testing.assert_array_equal(belief_statistics.clock(tasks, recording)[recording.valid], step[recording.valid])
    lamps = noisy_taskset(episode_length=3, terminal=np.zeros((2, 3), bool), max_steps=None)
    early = recording._replace(episode=np.array([[0, 1, 1, 2]]), valid=np.ones((1, 4), bool))
    np.testing.assert_array_equal(belief_statistics.clock(lamps, early), [[0, 3, 4, 6]])


# ---------------------------------------------------------------- scores


def test_a_network_that_is_the_bayes_filter_scores_all():
    tasks = telling_taskset()
    agent = hand_made(tasks)
    recording = record(agent, 120)
    scores = decoding.decode(tasks, recording, relive(untrained(agent, 0), recording))
    for features in ("h", "hc"):
        found = scores["trained"][features]
        assert set(found["error"]) == {"posterior", "log_odds", "expected_reward"}
        assert max(found["error"].values()) < 1e-6
        assert found["posterior"]["accuracy"] == 1
        assert min(scores["log_ratio"][features].values()) > 0


def test_a_network_that_ignores_its_inputs_scores_nothing():
    tasks = telling_taskset()
    recording = record(hand_made(tasks, sees=False), 120)
    scores = decoding.decode(tasks, recording, recording)
    assert scores["trained"]["hc"]["error"]["posterior"] >= 1 - 1e-9
    assert scores["trained"]["hc"]["posterior"]["bits"] == 0
    assert scores["inputs"]["x"]["error"]["posterior"] < 0.15  # here the last reward tells all: worth looking at
    assert scores["shuffled"]["hc"]["error"]["posterior"] >= 0.99
    assert set(scores["log_ratio"]["hc"].values()) == {0.0}


def test_a_state_that_counts_the_evidence_is_decoded_and_one_that_holds_its_sign_is_not():
    tasks, recording = counting_recording()
    evidence = belief_statistics.net_evidence(tasks, recording)
    clock = np.broadcast_to(np.arange(20.0), evidence.shape)
    assert errors(tasks, with_state(recording, 3.0 * evidence - clock, clock))["net_evidence"] < 1e-8
    assert errors(tasks, with_state(recording, np.sign(evidence), clock))["net_evidence"] > 0.1


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_noise_leaves_its_share_unexplained(noise):
    """Of a variable of variance v seen with independent noise of variance s, s / (v + s) stays unexplained."""
    tasks, recording = counting_recording(trials=1000)
    evidence = belief_statistics.net_evidence(tasks, recording)
    state = evidence + noise * np.random.default_rng(0).normal(size=evidence.shape)
    share = noise**2 / (evidence.var() + noise**2)
    assert errors(tasks, with_state(recording, state))["net_evidence"] == pytest.approx(share, rel=0.1)


def test_the_paired_ratio_is_that_of_the_errors():
    tasks, recording = counting_recording(trials=1000)
    evidence = belief_statistics.net_evidence(tasks, recording)
    noise = np.random.default_rng(0).normal(size=evidence.shape)
    good = with_state(recording, evidence + 0.1 * noise)
    bad = with_state(recording, evidence + 0.2 * noise)
    forth = decoding.decode(tasks, good, bad)
    v = evidence.var()
    expected = np.log(0.04 / (v + 0.04)) - np.log(0.01 / (v + 0.01))
    assert forth["log_ratio"]["hc"]["net_evidence"] == pytest.approx(expected, abs=0.05)
    back = decoding.decode(tasks, bad, good)
    assert back["log_ratio"]["hc"]["net_evidence"] == -forth["log_ratio"]["hc"]["net_evidence"]


def test_many_hypotheses_have_no_posterior_to_decode():
    tasks, recording = counting_recording("uniform", pulls=30)
    found = decoding.decode(tasks, recording, recording)["trained"]["hc"]
    assert "expected at most 25" in found["posterior"]["reason"]
    assert set(found["error"]) == {"expected_reward", "net_evidence"}


def test_a_trial_weighs_the_same_however_long_it_is():
    """Nine trials of 10 steps decoded without error, one of 1000 decoded wrong: a tenth of the variance is missed."""
    y = np.tile([[0.0], [1.0]], (545, 1))
    predicted = y.copy()
    trial = np.repeat(np.arange(10), [10] * 9 + [1000])
    predicted[90:] = 0.5
    assert decoding.unexplained(predicted, y, decoding.trial_weights(trial)) == pytest.approx(0.1)
    assert decoding.unexplained(predicted, y) > 0.9


def uneven_recording():
    """(task set, recording) whose even trials last 20 pulls and keep a noisy count, the others 3 and a sound one."""
    tasks, recording = counting_recording()
    evidence = belief_statistics.net_evidence(tasks, recording)
    long = np.arange(len(evidence)) % 2 == 0
    noise = np.random.default_rng(0).normal(size=evidence.shape) * 5 * long[:, None]
    valid = recording.valid & (long[:, None] | (np.arange(20) < 3))
    return tasks, with_state(recording, evidence + noise)._replace(valid=valid)


def test_scores_weigh_trials_alike():
    tasks, recording = uneven_recording()
    samples, at = samples_of(recording)
    y = belief_statistics.statistics(tasks, recording, *at)["net_evidence"]
    split = decoding.split_trials(samples.trial)
    state = np.hstack([recording.hidden[at], recording.cell[at]])
    weight = decoding.trial_weights(samples.trial)[split.test]
    predicted = decoding.Regression(state, split).predict(y)
    found = errors(tasks, recording)["net_evidence"]
    assert found == pytest.approx(decoding.unexplained(predicted, y[split.test], weight))
    assert abs(found - decoding.unexplained(predicted, y[split.test])) > 1e-3


def test_a_step_into_the_unknown_is_clipped_to_what_is_possible():
    """One tested state a thousand times as far out as any other: its prediction is the largest value that there is."""
    x = np.linspace(0, 1, 800)[:, None]
    trial = np.repeat(np.arange(200), 4)
    split = decoding.split_trials(trial)
    far = x.copy()
    far[np.flatnonzero(split.test)[0]] = 1000
    predicted = decoding.Regression(far, split).predict(x)
    assert predicted.max() == x.max()
    assert decoding.unexplained(predicted, x[split.test]) < 0.05


def test_information_of_a_gaussian_channel():
    """y = x + noise has ½ log2(1 + snr) bits per independent component."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(40_000, 2)) * [1, 2]
    x = y + rng.normal(size=y.shape) * [0.5, 1]
    train = np.arange(len(y)) < 20_000
    predicted = decoding.Ridge(x[train]).fit(y[train], [1e-7])[0](x[~train])
    assert decoding.information_bits(predicted, y, train) == pytest.approx(2 * 0.5 * np.log2(1 + 4), abs=0.03)


def test_ridge_agrees_with_the_normal_equations():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5)) * [1, 10, 0.1, 1, 0] + 3
    y = rng.normal(size=(200, 2))
    model = decoding.Ridge(x).fit(y, [0.1])[0]
    z = (x - x.mean(0))[:, :4] / x.std(0)[:4]
    weight = np.linalg.solve(z.T @ z / 200 + 0.1 * np.eye(4), z.T @ (y - y.mean(0)) / 200)
    np.testing.assert_allclose(model(x), z @ weight + y.mean(0), atol=1e-9)


# ---------------------------------------------------------------- leaks


def test_features_of_noise_score_nothing_unless_fitting_sees_the_test_trials():
    tasks = telling_taskset()
    recording = record(hand_made(tasks), 60)
    samples, at = samples_of(recording)
    targets = belief_statistics.statistics(tasks, recording, *at)
    noise = np.random.default_rng(0).normal(size=(len(samples.trial), 150))
    split = decoding.split_trials(samples.trial)
    assert decoding.score(noise, samples, targets, split)["error"]["posterior"] > 0.95
    everything = np.ones(len(samples.trial), bool)
    leak = decoding.Split(everything, split.choose, split.test)
    assert decoding.score(noise, samples, targets, leak)["error"]["posterior"] < 0.7


def test_a_trials_fingerprint_scores_nothing_unless_its_samples_are_split():
    """States that only name their trial: worth nothing on other trials, and much where a trial is on both sides."""
    tasks, recording = counting_recording(trials=60)
    samples, at = samples_of(recording)
    targets = belief_statistics.statistics(tasks, recording, *at)
    fingerprint = np.random.default_rng(0).normal(size=(60, 100))[samples.trial]
    split = decoding.split_trials(samples.trial)
    assert decoding.score(fingerprint, samples, targets, split)["error"]["net_evidence"] > 0.9
    leak = decoding.split_trials(np.arange(len(samples.trial)))
    assert decoding.score(fingerprint, samples, targets, leak)["error"]["net_evidence"] < 0.6


def test_trials_are_never_split_between_fitting_and_testing():
    trial = np.repeat(np.arange(50), 7)
    split = decoding.split_trials(trial)
    for n in range(50):
        assert len(set(split.test[trial == n])) == 1
    assert (split.train ^ split.test).all()
    assert (split.choose <= split.train).all()
    assert 0 < split.choose.sum() < split.train.sum()
