"""`learn` and `load` (contract): the settings they take, the agents they give back, the values that runs share."""

import numpy as np
import pytest
from support import every_env, small

import tinymeta
from tinymeta.base.errors import InputError
from tinymeta.environments.registry import ENVIRONMENTS
from tinymeta.learning.settings import Settings
from tinymeta.runs import loading, training
from tinymeta.runs.config import make_config


@pytest.fixture
def chosen(monkeypatch):
    """The `Settings` that learners are made with."""
    seen = []

    class Learner(loading.Learner):
        def __init__(self, tasks, settings):
            seen.append(settings)
            super().__init__(tasks, settings)

        def advance(self, updates):
            """As if it had been trained."""

    monkeypatch.setattr(loading, "Learner", Learner)
    return seen


@every_env
def test_learn_takes_the_environments_own_defaults(env, chosen):
    """As the train command does, from the registry: a new environment is covered."""
    tinymeta.learn(small(env))
    assert chosen == [make_config(env, "rl2").settings]
    assert chosen == [Settings(**ENVIRONMENTS[env].defaults)]


def test_what_the_user_says_counts_more(chosen):
    tinymeta.learn(small("corridor"), "rl1", gamma=0.5, trials=7)
    assert chosen == [Settings(**{**ENVIRONMENTS["corridor"].defaults, "agent": "rl1", "gamma": 0.5, "trials": 7})]


def test_a_users_own_tasks_have_the_generic_defaults_or_his_own(chosen):
    made = small("bandit")
    arrays = {name: getattr(made, name) for name in ("transition", "reward", "observation", "initial", "terminal")}
    tasks = tinymeta.TaskSet(**arrays, episodes=3)
    tinymeta.learn(tasks)
    tasks.defaults = {"learning_rate": 0.02, "num_envs": 2}
    tinymeta.learn(tasks, num_envs=3)
    assert chosen == [Settings(), Settings(learning_rate=0.02, num_envs=3)]


@pytest.mark.parametrize(("defaults", "message"), [
    ({"gama": 0.5}, r"unknown setting in tasks\.defaults 'gama'.*did you mean 'gamma'"), ({"gamma": 2}, "gamma = 2"),
    ([], r"tasks\.defaults = \[\], expected a dict"),
])  # fmt: skip
def test_wrong_defaults_are_refused(defaults, message):
    tasks = small("bandit")
    tasks.defaults = defaults
    with pytest.raises(InputError, match=message):
        tinymeta.learn(tasks)


def test_defaults_are_the_task_sets_own():
    """To change those of one task set changes no other's."""
    small("bandit").defaults["gamma"] = 0.1
    assert small("bandit").defaults == ENVIRONMENTS["bandit"].defaults
    assert ENVIRONMENTS["bandit"].defaults["gamma"] == 0.8


def test_learned_in_memory_or_in_a_folder_is_the_same(tmp_path):
    training.train(tmp_path / "run", make_config("corridor", "rl1", {"left": 2, "right": 3}, trials=30, hidden_size=5))
    learned = tinymeta.learn(tinymeta.make("corridor", left=2, right=3), "rl1", trials=30, hidden_size=5)
    np.testing.assert_array_equal(learned.theta, tinymeta.load(tmp_path / "run").theta)


def test_runs_of_one_process_share_their_exact_values(monkeypatch):
    loading._exact_for.cache_clear()
    first = loading.exact_for(make_config("bandit", "rl2", {"pulls": 7}, seed=0))
    assert first["bayes_optimal"]["reward_per_trial"] == pytest.approx(6.5)
    first["bayes_optimal"]["reward_per_trial"] = -1.0  # the caller's own
    monkeypatch.setattr(loading, "exact_or_reason", lambda *arguments: {"computed": "anew"})
    again = loading.exact_for(make_config("bandit", "rl1", {"pulls": 7}, seed=1))
    assert again["bayes_optimal"]["reward_per_trial"] == pytest.approx(6.5)
    assert loading.exact_for(make_config("bandit", "rl2", {"pulls": 6})) == {"computed": "anew"}
    loading._exact_for.cache_clear()
