"""The second paper: what is measured is what it says (oracle), declarations are Conti's Table 3 (contract)."""

import argparse

import numpy as np
import pytest
from PIL import Image

from tinymeta.base.errors import InputError, MissingExtraError
from tinymeta.environments import lunarlander
from tinymeta.environments.registry import make
from tinymeta.optimum.exact_values import exact_values
from tinymeta.papers.claims import judge
from tinymeta.papers.conti_2022 import measurements as measured
from tinymeta.papers.conti_2022 import wind
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
from tinymeta.papers.films import write_films
from tinymeta.papers.options import results_of
from tinymeta.papers.plotting import draw_figures
from tinymeta.papers.registry import load_paper
from tinymeta.papers.results import LeftOutError
from tinymeta.runs.config import build


class Written:
    """Results whose tests were written by hand: reward of each episode, by experiment and seed.

    Most probable actions earn ten more.
    """

    def __init__(self, rewards):
        self.rewards = rewards
        self.experiments = dict.fromkeys(rewards)

    def asked_for(self, name):
        return name in self.experiments

    def evaluations(self, name):
        tests = [{"reward_per_episode": list(seed)} for seed in self.rewards[name]]
        return [
            {**test, "greedy": {"reward_per_episode": [10 + r for r in test["reward_per_episode"]]}} for test in tests
        ]


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


def ended(setting, **agents):
    """Of agents trained to the end: first and second episode, one more for each seed after the first."""
    return Written(
        {
            f"{setting}-end-{agent.replace('_', '-')}": [np.array(two, float) + seed for seed in range(3)]
            for agent, two in agents.items()
        }
    )


def test_bandits_count_as_sampled_poles_and_landers_greedily():
    assert measured.end_by_seed(ended("3x2bemh", a2c=(40, 50)), "3x2bemh", "a2c").tolist() == [45, 46, 47]
    assert measured.end_by_seed(ended("1xcartpole", a2c=(40, 50)), "1xcartpole", "a2c").tolist() == [55, 56, 57]
    assert measured.balancing(ended("1xcartpole", a2c=(480, 480)))["A2C"]["greedy"].mean == pytest.approx(491)


def test_meta_and_plain_to_the_end():
    """On a distribution a difference of rewards; on one instance one of shares, plain minus meta."""
    results = ended("5x10brf", a2c=(60, 60), meta_a2c=(70, 80), ppo=(60, 60), meta_ppo=(80, 88))
    cases = measured.end_meta_and_plain(results, distribution=True)
    assert cases["5×10Brf A2C"]["meta - plain"].mean == pytest.approx(15)
    assert cases["5×10Brf PPO"]["meta - plain"].mean == pytest.approx(24)
    assert measured.end_where_it_comes_from(results)["5×10Brf PPO"]["second - first"].mean == pytest.approx(8)
    results = ended("1xcartpole", ppo=(490, 490), meta_ppo=(440, 440))
    case = measured.end_meta_and_plain(results, distribution=False)["1×CartPole PPO"]
    assert case["plain - meta"].mean == pytest.approx(50 / 500)


def test_optimum_and_bound_by_episode():
    """Oracles: the whole trial's optimum; where the planner still gets there, the exact optimum below the bound."""
    first, second = measured.six_bandits_by_episode()
    assert first + second == pytest.approx(2 * 74.315743, abs=1e-5)
    assert first < second < 75
    small = {"arms": 3, "instances": 3, "seed": 1}
    exact = exact_values(make("bandit-fixed", **small, pulls=9), 1.0)
    bounds = [measured.bound_by_episode(small, 9, ahead)[0] for ahead in (1, 4, 9)]
    assert bounds[0] > bounds[1] > bounds[2]
    assert bounds[2] == pytest.approx(exact["bayes_optimal"]["reward_per_trial"])
    assert measured.bound_by_episode(small, 9, 1)[1] == pytest.approx(exact["informed"]["reward_per_trial"])
    gap = measured.gap_to_bayes(ended("3x2bemh", meta_a2c=(first - 2, second - 1.5), meta_ppo=(70, 70)))
    assert gap["meta A2C"]["first"].mean == pytest.approx(1)
    assert gap["meta A2C"]["second"].mean == pytest.approx(0.5)


def flight(known_from):
    """Trials of two episodes of 130 steps, whose states tell the wind from a step of each on, in noise."""
    rng = np.random.default_rng(0)
    episode = np.repeat(np.tile([0, 1], (wind.TRIALS, 1)), 130, axis=1)
    power = rng.choice([0.0, 5, 10, 15], wind.TRIALS)
    hidden = rng.normal(size=(*episode.shape, 3))
    step = np.tile(np.arange(1, 131), 2)
    hidden[:, step >= known_from, 0] = power[:, None] / 5
    return wind.Flight(hidden, episode, power)


def test_the_wind_is_found_where_it_is():
    errors = wind.unexplained_by_step(flight(known_from=40), 1)
    known = np.array(wind.AT) >= 40
    assert (errors[known] < 0.01).all()
    assert (errors[~known] > 0.9).all()


def test_steps_are_counted_within_an_episode():
    short = wind.Flight(np.zeros((1, 6, 1)), np.array([[0, 0, 0, 1, 1, -1]]), np.zeros(1))
    assert wind.samples(short, 0, 2).T.tolist() == [[0, 1], [0, 2]]
    assert wind.samples(short, 1, 1).T.tolist() == [[0, 3], [0, 4]]
    long = wind.Flight(np.zeros((1, 9, 1)), np.zeros((1, 9), int), np.zeros(1))
    assert wind.samples(long, 0, 3)[1].tolist() == [2, 3, 4, 5]
    assert np.isnan(wind.unexplained_by_step(short, 1)).all()  # hardly anybody flies


def test_films_beside_each_other(tmp_path):
    """A film that is over stays at its last picture."""
    dark, light = np.zeros((20, 30, 3), np.uint8), np.full((20, 30, 3), 255, np.uint8)
    write_films([[[dark, light], [dark] * 4], [[light], [light, dark]]], tmp_path / "a" / "film.gif")
    with Image.open(tmp_path / "a" / "film.gif") as gif:
        assert (gif.size, gif.n_frames) == ((60, 40), 2)  # equal pictures are one that stays longer
        gif.seek(1)
        last = np.asarray(gif.convert("L"))
    assert [last[10, 10], last[10, 40], last[30, 10], last[30, 40]] == [255, 0, 255, 0]


def test_without_an_extra_everything_else_goes_on(tmp_path, monkeypatch, capsys):
    """LunarLander's experiments are left out in one line, and so are the claims and pictures that need them."""

    def none(modules, extra, option):
        raise MissingExtraError(f"{option} needs Box2D; expected after: python -m pip install 'tinymeta[{extra}]'")

    monkeypatch.setattr(lunarlander, "look_for", none)
    args = argparse.Namespace(runs=str(tmp_path), quick=False, first_seed=0)
    paper = load_paper("conti")
    results = results_of(args, paper)
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install 'tinymeta[gym]'; left out: 12 of " in line
    assert len(results.experiments) == len(paper.experiments) - 12
    with pytest.raises(LeftOutError):
        results.seeds_of("4xlunarlander-end-ppo")
    claims = [claim for claim in paper.claims if claim.name in ("printed-continuous", "end-continuous", "end-wind")]
    assert judge(results, claims) == []
    assert "4xlunarlander" in measured.settings_of(results, True)  # no verdict on a part of what a claim is about
    draw_figures({"wind": FIGURES["wind"]}, results, tmp_path)
    assert not list(tmp_path.glob("wind*"))
    with pytest.raises(InputError, match="expected it from: bash runs.sh conti$"):
        results.run("1x10brf-a2c", 0)


def test_what_is_not_finished_can_be_left_out(tmp_path, capsys):
    """Of an experiment with a missing run nothing is shown; of a finished one all is."""
    paper = load_paper("conti")
    name = "1x10brf-end-a2c"
    for seed in range(10):
        run = tmp_path / name / f"seed-{seed}"
        run.mkdir(parents=True)
        (run / "result.json").write_text("{}")
    args = argparse.Namespace(runs=str(tmp_path), quick=False, first_seed=0, finished=True)
    results = results_of(args, paper)
    assert set(results.experiments) == {name}
    assert "not finished yet, left out: 1x10brf-a2c, " in capsys.readouterr().err
    (tmp_path / name / "seed-9" / "result.json").unlink()
    assert not results_of(args, paper).experiments
    assert judge(results_of(args, paper), paper.claims) == []
