"""Probes (oracle) on networks whose answer is known: the Bayes filter, one that ignores its inputs; planted leaks."""

import json

import numpy as np
import pytest
from support import noisy_taskset, small

import tinymeta
from tinymeta import probe
from tinymeta.base.errors import PlanningError
from tinymeta.environments.outcomes import NEVER
from tinymeta.learning.agent import Agent
from tinymeta.learning.belief_agents import BeliefAgent
from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import num_parameters, parameter_shapes
from tinymeta.optimum.planning import bayes_optimal
from tinymeta.probes import decoding, probing, summary, transplants
from tinymeta.probes.history_tree import exact_behaviour
from tinymeta.probes.recording import nodes_along, record, relive, untrained
from tinymeta.probes.simulation import SOFT, Machine, policy_divergence, simulate
from tinymeta.probes.transplants import PUT_IN, transplant, wanted_actions
from tinymeta.runs.config import make_config
from tinymeta.runs.training import train

BIG = 30.0


def telling_taskset(episodes=6):
    """Two tasks, one-step episodes: any reward tells the task by its sign; the arms are worth different things."""
    transition = np.zeros((2, 2, 2, 2))
    transition[..., 1] = 1
    reward = np.zeros((2, 2, 2, 2))
    reward[0, 0, :, 1], reward[1, 0, :, 1] = (1.0, 0.5), (-1.0, -0.5)
    initial = np.array([[1.0, 0]] * 2)
    terminal = np.array([[False, True]] * 2)
    observation = np.ones((2, 2, 1))
    return tinymeta.TaskSet(
        transition, reward, observation, initial=initial, terminal=terminal, episodes=episodes, name="telling"
    )


def hand_made(tasks, sees=True):
    """The Bayes filter of `telling_taskset` as an LSTM: unit 0 holds the last reward's sign; nothing if not `sees`."""
    layout = make_layout(tasks, "rl2", 3)
    p = {name: np.zeros(shape) for name, shape in parameter_shapes(layout).items()}
    if sees:
        i, f, g, o = 0, 3, 6, 9  # rows of unit 0
        action = slice(layout.action_column, layout.action_column + 2)
        p["lstm.weight_ih"][i, action] = 2 * BIG  # open just when there was an action
        p["lstm.weight_ih"][f, action] = -2 * BIG
        p["lstm.weight_ih"][g, layout.reward_column] = 2 * BIG
        p["lstm.bias"][[i, f, o]] = -BIG, BIG, BIG
        p["policy.weight"][:, 0] = BIG, -BIG
    return Agent.from_parameters(tasks, "rl2", p, np.float64)


def test_a_network_that_is_the_bayes_filter_scores_all():
    tasks = telling_taskset()
    agent = hand_made(tasks)
    solved = bayes_optimal(tasks, 0.9)
    recording = record(agent, 120)
    scores = decoding.decode(recording, relive(untrained(agent, 0), recording))["trained"]
    for features in ("h", "hc"):
        assert scores[features]["r2"] > 1 - 1e-6
        assert scores[features]["r2_log_odds"] > 1 - 1e-6
        assert scores[features]["accuracy"] == 1
    both_ways = simulate(agent, recording, Machine(tasks, recording, solved))
    assert all(value < 1e-6 for way in both_ways.values() for value in way.values())
    assert exact_behaviour(agent, 0.9).reward == pytest.approx(
        exact_behaviour(agent, 0.9).optimum.reward_per_trial, abs=1e-9
    )
    outcomes = transplant(agent, recording, 0.9)
    for kind in ("masked", "own"):
        if kind == "own":  # this filter believes the last reward: the recipient's input overwrites whatever was put in
            assert outcomes[kind]["both"].donor == 0
        else:
            assert outcomes[kind]["both"].donor == outcomes[kind]["c"].donor == outcomes[kind]["pattern"].donor == 1
            assert outcomes[kind]["none"].donor == outcomes[kind]["h"].donor == 0
    assert outcomes["donor"]["both"].donor == 1


def test_a_network_that_ignores_its_inputs_scores_nothing():
    tasks = telling_taskset()
    agent = hand_made(tasks, sees=False)
    recording = record(agent, 120)
    scores = decoding.decode(recording, recording)
    assert scores["trained"]["hc"]["r2"] <= 1e-9
    assert scores["trained"]["hc"]["bits"] == 0
    assert scores["inputs"]["x"]["r2"] > 0.85  # here the last reward tells all: a control worth looking at
    assert scores["shuffled"]["hc"]["r2"] <= 0.01
    machine = Machine(tasks, recording, bayes_optimal(tasks, 0.9))
    assert simulate(agent, recording, machine)["agent_to_bayes"]["D_s"] > 0.3
    outcomes = transplant(agent, recording, 0.9)["masked"]
    assert len(set(outcomes.values())) == 1  # whatever is put in, the behaviour is the same
    assert 0.3 < outcomes["both"].donor < 0.7


def test_a_leak_would_be_seen():
    """Features of pure noise score nothing; if fitting sees the test trials they do score, so this test can fail."""
    tasks = telling_taskset()
    recording = record(hand_made(tasks), 60)
    samples = decoding.Samples.of(recording)
    noise = np.random.default_rng(0).normal(size=(len(samples.trial), 150))
    honest = decoding.score(noise, samples, decoding.split_trials(samples.trial))["r2"]
    assert honest < 0.05
    everything = np.ones(len(samples.trial), bool)
    leak = decoding.Split(
        everything, decoding.split_trials(samples.trial).choose, decoding.split_trials(samples.trial).test
    )
    assert decoding.score(noise, samples, leak)["r2"] > 0.3


def test_trials_are_never_split_between_fitting_and_testing():
    trial = np.repeat(np.arange(50), 7)
    split = decoding.split_trials(trial)
    for n in range(50):
        assert len(set(split.test[trial == n])) == 1
    assert (split.train ^ split.test).all()
    assert (split.choose <= split.train).all()
    assert 0 < split.choose.sum() < split.train.sum()


def test_ridge_agrees_with_the_normal_equations():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5)) * [1, 10, 0.1, 1, 0] + 3
    y = rng.normal(size=(200, 2))
    model = decoding.Ridge(x).fit(y, [0.1])[0]
    z = (x - x.mean(0))[:, :4] / x.std(0)[:4]
    weight = np.linalg.solve(z.T @ z / 200 + 0.1 * np.eye(4), z.T @ (y - y.mean(0)) / 200)
    np.testing.assert_allclose(model(x), z @ weight + y.mean(0), atol=1e-9)


def test_a_trial_weighs_the_same_however_long_it_is():
    """Nine trials of 10 steps decoded without error, one of 1000 decoded wrong: a tenth of the variance is missed."""
    y = np.tile([[0.0], [1.0]], (545, 1))
    predicted = y.copy()
    steps = np.repeat([10] * 9 + [1000], [10] * 9 + [1000])
    predicted[90:] = 0.5
    assert decoding.r_squared(predicted, y, 1 / steps) == pytest.approx(0.9)
    assert decoding.r_squared(predicted, y) < 0.1


def test_information_of_a_gaussian_channel():
    """y = x + noise has ½ log2(1 + snr) bits per independent component."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(40_000, 2)) * [1, 2]
    x = y + rng.normal(size=y.shape) * [0.5, 1]
    train = np.arange(len(y)) < 20_000
    predicted = decoding.Ridge(x[train]).fit(y[train], [1e-7])[0](x[~train])
    assert decoding.information_bits(predicted, y, train) == pytest.approx(2 * 0.5 * np.log2(1 + 4), abs=0.03)


@pytest.mark.parametrize(
    ("env", "kwargs"),
    [("bandit", {"p": (0.2, 0.7), "pulls": 5}), ("corridor", {"left": 1, "right": 2}), ("bandit-informative", {})],
)
@pytest.mark.parametrize("name", ["rl2", "rl1", "memoryless", "informed"])
def test_exact_behaviour_agrees_with_sampling(env, kwargs, name):
    """Any network, here an untrained one: the walk over its whole tree gives the mean of many sampled trials."""
    tasks = tinymeta.make(env, **kwargs) if env != "corridor" else tinymeta.make(env, max_steps=9, **kwargs)
    numbers = np.random.default_rng(1).normal(size=num_parameters(make_layout(tasks, name, 4)))
    agent = Agent(tasks, name, numbers.astype(np.float32), 4)
    exact = exact_behaviour(agent, 0.9)
    totals = agent.play(4000, seed=3, gamma=0.9)
    for value, samples in (
        (exact.reward, totals.reward.sum(1)),
        (exact.steps, totals.steps.sum(1)),
        (exact.discounted, totals.discounted),
    ):
        assert abs(samples.mean() - value) <= 4 * samples.std() / np.sqrt(4000) + 1e-5
    assert exact.cut == pytest.approx(totals.cut.mean(), abs=0.04)
    if exact.cut == 0:  # the performance-difference lemma: the losses at single beliefs add up to the whole gap
        gap = exact.optimum.discounted_value - exact.discounted
        assert sum(fault.loss for fault in exact.faults) == pytest.approx(gap, abs=1e-9)
    assert [fault.loss for fault in exact.faults] == sorted((fault.loss for fault in exact.faults), reverse=True)


def test_pruning_is_accounted_for():
    tasks = tinymeta.make("bandit", p=(0.2, 0.7), pulls=6)
    agent = Agent(tasks, "rl2", np.zeros(num_parameters(make_layout(tasks, "rl2", 2)), np.float32), 2)
    whole = exact_behaviour(agent, 0.9)
    pruned = exact_behaviour(agent, 0.9, prune=1e-3)
    assert whole.pruned == 0
    assert pruned.pruned > 0
    assert pruned.histories < whole.histories
    assert whole.reward - pruned.reward <= 6 * pruned.pruned
    with pytest.raises(PlanningError, match="more than 10 histories"):
        exact_behaviour(agent, 0.9, limit=10)


def test_hidden_ends_are_refused_where_the_state_would_be_reset():
    tasks = noisy_taskset(episodes=2, episode_length=2)
    theta = np.zeros(num_parameters(make_layout(tasks, "memoryless", 2)), np.float32)
    with pytest.raises(ValueError, match="an episode can end unseen"):
        exact_behaviour(Agent(tasks, "memoryless", theta, 2), 0.9)
    assert exact_behaviour(Agent(tasks, "rl2", theta, 2), 0.9).cut == 0
    assert "can end unseen" in probing.probe(Agent(tasks, "memoryless", theta, 2), 0.9, trials=16)["exact"]["reason"]


def test_nodes_along_a_recording_hold_its_belief():
    tasks = tinymeta.make("corridor", left=2, right=2)
    solved = bayes_optimal(tasks, 0.9)
    recording = record(BeliefOf(tasks), 20)
    nodes = nodes_along(tasks, solved.graph, recording)
    for n, t in np.argwhere(recording.valid):
        entries = slice(*solved.graph.entry_start[nodes[n, t] : nodes[n, t] + 2])
        m, s = np.divmod(solved.graph.entry_state[entries] % 10, 5)
        np.testing.assert_allclose(recording.belief[n, t][m, s], solved.graph.entry_weight[entries])


class BeliefOf:
    """The Bayes agent where a network is expected: recordings of it have no states."""

    def __init__(self, tasks):
        self._agent = BeliefAgent(tasks, "bayes", 0.9)
        self.tasks, self.name = tasks, "bayes"

    def play(self, *args, **kwargs):
        return self._agent.play(*args, **kwargs)


def test_policy_divergence_counts_any_mixture_of_ties_as_optimal():
    optimal = np.array([[True, True, False], [True, False, False]])
    none = policy_divergence(np.array([[0.3, 0.7, 0], [1.0, 0, 0]]), optimal)
    assert none["bayes_agent"] == pytest.approx(0)
    assert 0 <= none["agent_bayes"] < 2 * SOFT
    some = policy_divergence(np.array([[0.25, 0.25, 0.5]]), optimal[:1])
    assert some["bayes_agent"] == pytest.approx(np.log(2))
    soft = 0.5 * np.log(0.5 / (SOFT / 3)) + 2 * 0.25 * np.log(0.25 / ((1 - SOFT) / 2 + SOFT / 3))
    assert some["agent_bayes"] == pytest.approx(soft)


@pytest.mark.parametrize("agent", ["rl2", "rl1"])
def test_relive_gives_the_recorded_states_again(agent):
    tasks = tinymeta.make("corridor", left=2, right=2)
    network = untrained(
        Agent(tasks, agent, np.zeros(num_parameters(make_layout(tasks, agent, 5)), np.float32), 5), seed=3
    )
    recording = record(network, 10)
    again = relive(network, recording)
    np.testing.assert_array_equal(again.hidden[recording.valid], recording.hidden[recording.valid])
    np.testing.assert_array_equal(again.logits[recording.valid], recording.logits[recording.valid])


def test_command(tmp_path, capsys):
    for seed in (0, 1):
        train(
            tmp_path / "bandit" / f"seed-{seed}",
            make_config("bandit", "rl2", {"pulls": 4}, trials=400, hidden_size=6, seed=seed),
        )
    assert probe.main([str(tmp_path / "bandit"), "--json", "--trials", "40", "--out", str(tmp_path / "out")]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "out" / "probe.json").read_text())
    assert [run["train_seed"] for run in printed["runs"]] == [0, 1]
    row = printed["summary"][0]
    assert row["runs"] == 2
    assert row["gap to optimum, exact"]["n"] == 2
    run = printed["runs"][0]
    assert run["exact"]["pruned"] == 0
    assert run["gap"]["exact"] == pytest.approx(3.5 - run["exact"]["reward"])  # Bayes-optimal: T - 1/2
    assert run["gap"]["sampled"] == pytest.approx(3.5 - run["evaluation"]["reward_per_trial"]["mean"])
    assert set(run["transplants"]["trained"]) == {"donor", "masked", "own"}
    assert probe.main([str(tmp_path / "bandit" / "seed-0"), "--trials", "40"]) == 0
    assert "decoding R², trained" in capsys.readouterr().out


@pytest.mark.parametrize("env", ["tiger", "gridworld"])
def test_probes_work_where_something_is_undefined(env):
    """Tiger has one task and hidden states; the gridworld's exact optimum is out of reach."""
    tasks = small(env)
    agent = untrained(
        Agent(tasks, "rl2", np.zeros(num_parameters(make_layout(tasks, "rl2", 5)), np.float32), 5), seed=0
    )
    result = summary.plain(probing.probe(agent, 0.9, trials=16))
    assert ("reason" in result["transplants"]) == (env == "tiger")
    assert result["decoding"]["trained"]["hc"]["r2"] is not None
    json.dumps(result, allow_nan=False)


def untrained_agent(tasks, name="rl2"):
    theta = np.zeros(num_parameters(make_layout(tasks, name, 4)), np.float32)
    return untrained(Agent(tasks, name, theta, 4), seed=0)


def test_with_one_task_and_nothing_hidden_the_other_probes_go_on():
    """Nothing can be decoded, simulated or exchanged; behaviour and optimum are as defined as ever."""
    tasks = tinymeta.make("bandit", p=0.3, pulls=4)
    result = summary.plain(probing.probe(untrained_agent(tasks), 0.9, trials=16))
    assert "the exact belief never varies" in result["decoding"]["reason"]
    assert "always in one state" in result["simulation"]["reason"]
    assert "nothing to exchange" in result["transplants"]["reason"]
    assert result["gap"]["exact"] == pytest.approx(4 * 0.7 - result["exact"]["reward"])  # the better arm pays 0.7
    assert result["divergence"]["bayes_agent"] > 0
    json.dumps(result, allow_nan=False)
    (row,) = summary.summarise([{**result, "env_kwargs": {}}])
    assert row["decoding R², trained"] is None
    assert row["gap to optimum, exact"]["n"] == 1


def test_tasks_that_cannot_be_told_apart_leave_nothing_to_decode():
    tasks = tinymeta.make("bandit", p=(0.5, 0.5), pulls=4)
    result = summary.plain(probing.probe(untrained_agent(tasks), 0.9, trials=16))
    assert "the exact belief never varies" in result["decoding"]["reason"]
    assert result["transplants"]["trained"]["own"]["both"] == [None, 0, 0]  # no donor is certain, no action tells


def test_the_command_probes_one_task_runs(tmp_path, capsys):
    train(tmp_path / "run", make_config("bandit", "rl2", {"p": 0.3, "pulls": 4}, trials=40, hidden_size=4))
    assert probe.main([str(tmp_path / "run"), "--trials", "16"]) == 0
    printed = capsys.readouterr().out
    assert "gap to optimum, exact" in printed
    assert "decoding" not in printed


def test_actions_wanted_in_each_task():
    """One who knows the task pulls the arm that pays, and walks to the goal's side."""
    np.testing.assert_array_equal(wanted_actions(tinymeta.make("bandit"), 0.9)[:, 0], np.eye(2, dtype=bool)[::-1])
    wanted = wanted_actions(tinymeta.make("corridor", left=2, right=2), 0.9)
    inner = slice(1, 4)
    np.testing.assert_array_equal(wanted[0, inner], [[True, False]] * 3)
    np.testing.assert_array_equal(wanted[1, inner], [[False, True]] * 3)


def test_states_put_in():
    """Oracle: the moves decode as the donor does; the random one is as long as the pattern's, and other than it."""
    rng = np.random.default_rng(0)
    own = rng.normal(size=(20, 6))
    given = rng.normal(size=(20, 6))
    decoder = decoding.Ridge(own).fit(own @ rng.normal(size=(6, 2)), [1e-9])[0]
    spread = rng.normal(size=(6, 6))
    states = transplants._states_put_in(own, given, decoder, spread @ spread.T, seed=0)
    assert tuple(states) == PUT_IN
    length = {what: np.linalg.norm(state - own, axis=1) for what, state in states.items()}
    np.testing.assert_allclose(decoder(states["axis"]), decoder(given), atol=1e-9)
    np.testing.assert_allclose(decoder(states["pattern"]), decoder(given), atol=1e-9)
    np.testing.assert_allclose(length["random"], length["pattern"], rtol=1e-9)
    assert (np.linalg.norm(states["random"] - states["pattern"], axis=1) > 0.1 * length["pattern"]).all()
    assert (length["axis"] <= length["pattern"] + 1e-12).all()


def test_a_choice_is_wrong_by_the_total_variation():
    """Oracle, by hand: ½ (|0.9 - 0.5| + |0.1 - 0.5|) = 0.4 between what was recorded and an even policy."""
    tasks = telling_taskset()
    agent = hand_made(tasks, sees=False)  # its head makes (½, ½) of any state that is zero
    recording = record(agent, 40)
    recording = recording._replace(logits=np.broadcast_to(np.log([0.9, 0.1]), recording.logits.shape))
    found = simulate(agent, recording, Machine(tasks, recording, bayes_optimal(tasks, 0.9)))
    assert found["bayes_to_agent"]["D_o"] == pytest.approx(0.4, abs=1e-6)


def test_where_nothing_can_be_exchanged():
    tasks = telling_taskset()
    agent = hand_made(tasks)
    recording = record(agent, 16)
    assert transplant(agent, recording, 0.9, inputs=("own",))["own"].keys() == set(PUT_IN)
    for episode in (0, 6):
        with pytest.raises(ValueError, match=f"episode = {episode}, expected 1…5"):
            transplant(agent, recording, 0.9, episode)
    single = telling_taskset(episodes=1)
    with pytest.raises(ValueError, match="one task or one episode"):
        transplant(hand_made(single), record(hand_made(single), 16), 0.9)


def test_an_agent_that_resets_its_state_follows_nobody():
    """RL¹'s wiring zeroes what was put in: every state gives the same actions."""
    tasks = telling_taskset()
    agent = untrained_agent(tasks, "rl1")
    outcomes = transplant(agent, record(agent, 64), 0.9, inputs=("own",))["own"]
    assert outcomes["both"].actions > 0
    assert len(set(outcomes.values())) == 1


def test_recordings_of_other_inputs_are_refused():
    tasks = tinymeta.make("corridor", left=2, right=2)
    recording = record(untrained_agent(tasks), 8)
    with pytest.raises(ValueError, match="inputs of width 8, expected the 10 of agent 'rl1'"):
        relive(untrained_agent(tasks, "rl1"), recording)


def test_an_optimum_known_to_be_out_of_reach_is_not_looked_for(monkeypatch):
    monkeypatch.setattr(probing, "bayes_optimal", lambda *arguments: pytest.fail("it was looked for"))
    values = {
        "bayes_optimal": {"reward_per_trial": None, "reason": "too many beliefs"},
        "informed": {"reward_per_trial": 4.0},
    }
    known = probing.machines(small("bandit"), 0.9, NEVER, values)
    assert known == probing.Machines({"reason": "too many beliefs"}, {"reason": "too many beliefs"}, values)


def test_wrong_use(tmp_path):
    for arguments in ([str(tmp_path)], [str(tmp_path / "nowhere")]):
        with pytest.raises(ValueError, match="no run folder"):
            probe.main(arguments)
    with pytest.raises(ValueError, match="trials = 3"):
        probe.main([str(tmp_path), "--trials", "3"])


def test_beliefs_over_too_many_tasks_are_not_recorded(monkeypatch):
    """What needs them has a reason; the gap to the optimum is known all the same, but not for an agent that is told."""
    monkeypatch.setattr(probing, "BELIEF_TASKS", 8)
    monkeypatch.setattr(probing, "TEST_STEPS", 0)
    tasks = tinymeta.make("bandit-independent", pulls=4)  # 9 tasks
    unknown = probing.Machines({"reason": "beyond"}, {"reason": "beyond"}, probing.exact_or_reason(tasks, 0.9))
    agents = [
        Agent(tasks, name, np.zeros(num_parameters(make_layout(tasks, name, 2)), np.float32), 2)
        for name in ("rl2", "rl1")
    ]
    found, told = (probing.probe(agent, 0.9, trials=8, known=unknown) for agent in agents)
    for name in ("decoding", "simulation", "divergence", "transplants"):
        assert found[name] == {"reason": "9 tasks, expected at most 8 for beliefs to be recorded"}
    best = tinymeta.exact_values(tasks, 0.9)["bayes_optimal"]["reward_per_trial"]
    assert found["gap"] == {"sampled": pytest.approx(best - found["evaluation"]["reward_per_trial"]["mean"])}
    assert told["gap"] == {}
    monkeypatch.setattr(probing, "BELIEF_TASKS", 9)
    assert "trained" in probing.probe(agents[0], 0.9, trials=8, known=unknown)["decoding"]


def test_short_trials_are_tested_more_often():
    tasks = tinymeta.make("tiger", horizon=20)
    agent = Agent(tasks, "rl2", np.zeros(num_parameters(make_layout(tasks, "rl2", 2)), np.float32), 2)
    unknown = probing.Machines({"reason": "beyond"}, {"reason": "beyond"}, probing.exact_or_reason(tasks, 0.9))
    assert probing.probe(agent, 0.9, trials=8, known=unknown)["evaluation"]["rollouts"] == 5000
