"""The second paper: what is measured is what it says (oracle), declarations are Conti's Table 3 (contract)."""

import numpy as np
import pytest

from tinymeta.papers.conti_2022 import measurements as measured
from tinymeta.papers.conti_2022.experiments import (
    AGENTS,
    AS_PRINTED,
    END_AGENTS,
    EXPERIMENTS,
    ROBOTS,
    SETTINGS,
    TO_THE_END,
)
from tinymeta.papers.conti_2022.figures import FIGURES
from tinymeta.runs.config import build


class Written:
    """Results whose tests were written by hand: reward of each of twenty episodes, by experiment and seed."""

    def __init__(self, rewards):
        self.rewards = rewards
        self.experiments = dict.fromkeys(rewards)

    def evaluations(self, name):
        return [{"reward_per_episode": list(seed)} for seed in self.rewards[name]]


def written(setting, **agents):
    """Each agent's first, second and later episodes earn these, one more for each seed after the first."""
    rewards = {}
    for agent in AGENTS:
        first, second, later = agents.get(agent.replace("-", "_"), (50, 50, 50))
        trial = np.array([first, second] + [later] * 18, float)
        rewards[f"{setting}-{agent}"] = [trial + seed for seed in range(3)]
    return Written(rewards)


def test_of_a_distribution_the_first_two_episodes_count():
    results = written("3x2bemh", a2c=(40, 50, 1000), meta_a2c=(60, 70, 0))
    case = measured.meta_and_plain(results, True)["3×2Bemh A2C"]
    assert case["plain"].mean == pytest.approx(46)  # 45, 46 and 47
    assert case["meta"].mean == pytest.approx(66)
    assert case["meta - plain"].mean == pytest.approx(20)
    assert measured.meta_and_plain(results, False) == {}


def test_of_one_instance_all_episodes_count():
    case = measured.meta_and_plain(written("1x10brf", a3c=(0, 0, 20)), False)["1×10Brf A3C"]
    assert case["plain"].mean == pytest.approx(18 + 1)
    assert case["meta"].mean == pytest.approx(51)
    assert case["plain - meta"].mean == pytest.approx(19 - 51)


def test_within_an_episode_and_across():
    cases = measured.where_it_comes_from(written("5x10brf", a2c=(40, 40, 40), meta_a2c=(45, 52, 52)))
    assert cases["5×10Brf A2C"]["within the first"].mean == pytest.approx(5)
    assert cases["5×10Brf A2C"]["second - first"].mean == pytest.approx(7)
    assert cases["5×10Brf A2C"]["second - first"].low == pytest.approx(7)  # paired: seeds differ, the step does not


def test_yardsticks():
    """Six two-armed bandits: chance is a half, whoever is told has (0.9 + 0.75 + 0.6) / 3; the optimum lies between."""
    worth = measured.yardsticks("3x2bemh")
    assert worth["random"] == pytest.approx(50)
    assert worth["informed"] == pytest.approx(75)
    assert worth["bayes_optimal"] == pytest.approx(74.315743, abs=1e-6)
    one = measured.yardsticks("1x10brf")
    assert one["bayes_optimal"] > one["random"]
    assert "informed" not in one
    assert 20 < measured.yardsticks("1xcartpole")["random"] < 25


@pytest.mark.parametrize("name", sorted(AS_PRINTED.keys() - ROBOTS.keys()))
def test_the_printed_protocol(name):
    """Table 3: episodes in all, steps at most; §4.2: RMSProp, 5e-5, minibatches of 16."""
    setting, _, agent = name.partition("-")
    config = AS_PRINTED[name].config()
    row = SETTINGS[setting]
    tasks = build(config)
    assert config.settings.trials * tasks.episodes == (10_000 if row.distribution else 1000)
    assert tasks.step_limit == 20 * (100 if row.env == "bandit-fixed" else 1000)
    learning = config.settings
    assert (learning.optimizer, learning.learning_rate, learning.bptt_steps) == ("rmsprop", 5e-5, 16)
    assert (learning.ent_coef > 0, learning.gae_lambda < 1) == ("a3c" in agent, "a3c" in agent)
    assert learning.agent == ("rl2" if agent.startswith("meta") else "plain")
    assert (tasks.num_tasks > 1) == row.distribution


def test_the_robot_has_a_command_of_its_own():
    """Two seeds of four agents on one terrain and on ten; nothing else in the study needs MetaGym."""
    assert {ROBOTS[name].env for name in ROBOTS} == {"quadruped"}
    assert {experiment.seeds for experiment in ROBOTS.values()} == {2}
    assert len(ROBOTS) == 8
    assert "quadruped" not in {experiment.env for experiment in EXPERIMENTS.values()}
    for name, experiment in ROBOTS.items():
        settings = experiment.config().settings
        assert settings.trials * experiment.env_kwargs["episodes"] == (10_000 if name.startswith("10x") else 1000)
        assert (settings.optimizer, settings.learning_rate, settings.bptt_steps) == ("rmsprop", 5e-5, 16)


def test_to_the_end_every_setting_has_its_agents():
    """All four where A2C was trained, PPO's two in the landers; two episodes a trial."""
    for name, rows in TO_THE_END.items():
        assert set(rows) == set(END_AGENTS) or (
            SETTINGS[name].env == "lunarlander" and set(rows) == {"ppo", "meta-ppo"}
        )
        for agent in rows:
            experiment = EXPERIMENTS[f"{name}-end-{agent}"]
            assert experiment.env_kwargs["episodes"] == 2
            assert experiment.agent == ("rl2" if agent.startswith("meta") else "plain")
            assert experiment.config().settings.algorithm == agent.removeprefix("meta-")


def test_a_figure_for_each_session():
    assert set(FIGURES) >= {"session-1", "session-2", "trained", "wind", "animation-landing"}
