"""Probes (oracle) on networks whose answer is known: the Bayes filter, one that ignores its inputs; planted leaks."""

import json

import numpy as np
import pytest
from networks import hand_made, telling_taskset, untrained_agent
from support import noisy_taskset, small

import tinymeta
from tinymeta import probe
from tinymeta.base.errors import PlanningError
from tinymeta.environments.outcomes import NEVER
from tinymeta.learning.agent import Agent
from tinymeta.learning.belief_agents import BeliefAgent
from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import num_parameters
from tinymeta.optimum.planning import bayes_optimal
from tinymeta.probes import probing, summary
from tinymeta.probes.history_tree import exact_behaviour
from tinymeta.probes.recording import nodes_along, record, relive, untrained
from tinymeta.runs.config import make_config
from tinymeta.runs.training import train


def test_a_network_that_is_the_bayes_filter_earns_the_optimum():
    behaviour = exact_behaviour(hand_made(telling_taskset()), 0.9)
    assert behaviour.reward == pytest.approx(behaviour.optimum.reward_per_trial, abs=1e-9)


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
    assert set(run["transplants"]["trained"]) == {"donor", "masked", "own", "dose"}
    assert probe.main([str(tmp_path / "bandit" / "seed-0"), "--trials", "40"]) == 0
    assert "net evidence unexplained, untrained / trained" in capsys.readouterr().out


@pytest.mark.parametrize("env", ["tiger", "gridworld"])
def test_probes_work_where_something_is_undefined(env):
    """Tiger has one task and hidden states; the gridworld's exact optimum is out of reach."""
    tasks = small(env)
    agent = untrained(
        Agent(tasks, "rl2", np.zeros(num_parameters(make_layout(tasks, "rl2", 5)), np.float32), 5), seed=0
    )
    result = summary.plain(probing.probe(agent, 0.9, trials=16))
    assert ("reason" in result["transplants"]) == (env == "tiger")
    assert result["decoding"]["trained"]["hc"]["error"]["expected_reward"] is not None
    json.dumps(result, allow_nan=False)


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
    assert row["posterior unexplained, trained"] is None
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
    assert "unexplained" not in printed


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


def test_a_run_is_tested_until_its_error_is_small(monkeypatch):
    """Tiger's rewards vary by far more than their mean, the bandit's by a fifth of it; steps are bounded."""
    for env, kwargs, bound in (("tiger", {"horizon": 20}, 1_000_000), ("bandit", {}, 1_000_000), ("tiger", {}, 30_000)):
        monkeypatch.setattr(probing, "TEST_STEPS", bound)
        tasks = tinymeta.make(env, **kwargs)
        agent = Agent(tasks, "rl2", np.zeros(num_parameters(make_layout(tasks, "rl2", 2)), np.float32), 2)
        rollouts = probing._rollouts(agent, seed=0)
        reward = agent.play(rollouts, seed=1).reward.sum(axis=1)
        small = reward.std() / np.sqrt(rollouts) <= 1.2 * probing.TEST_ERROR * abs(reward.mean())
        assert small == (bound == 1_000_000)
        assert 1000 <= rollouts <= max(1000, bound // tasks.step_limit)
