"""Worlds without a table: Gymnasium's cart and pole, random MDPs on paper, arms by counting (oracles); refusals."""

from statistics import NormalDist

import gymnasium
import numpy as np
import pytest
from own_worlds import Reach, reach

import tinymeta
from tinymeta.environments.many_arms import many_arms
from tinymeta.environments.random_mdp import MEANS
from tinymeta.environments.table import TaskSet
from tinymeta.environments.world import Draws, World, begin, step
from tinymeta.optimum.exact_values import exact_values

# ---------------------------------------------------------------- CartPole

POLES = [{}, {"gravity": 20.0}, {"length": 1.2}, {"force": 4.0, "masspole": 0.5, "gravity": 3.0, "length": 0.25}]


@pytest.mark.parametrize("constants", POLES, ids=str)
def test_cartpole_moves_as_gymnasiums(constants):
    """The same start and actions: states within 1e-6 and the same end, over ten episodes of random actions."""
    world = tinymeta.make("cartpole", **constants)
    environment = gymnasium.make("CartPole-v1")
    theirs = environment.unwrapped
    theirs.gravity = constants.get("gravity", theirs.gravity)
    theirs.length = constants.get("length", theirs.length)
    theirs.force_mag = constants.get("force", theirs.force_mag)
    theirs.masspole = constants.get("masspole", theirs.masspole)
    theirs.total_mass = theirs.masspole + theirs.masscart
    theirs.polemass_length = theirs.masspole * theirs.length
    rng = np.random.default_rng(0)
    state, seen = np.zeros(4), np.zeros(4)
    for _ in range(10):
        environment.reset()
        begin(world.data, 0, 0, state, rng.random(4), seen)
        assert np.abs(state).max() <= 0.05
        theirs.state = state.copy()
        ended = False
        while not ended:
            action = int(rng.integers(2))
            reward, ended, category = step(world.data, 0, 0, state, action, rng.random(0), seen)
            observation, paid, terminated, _, _ = environment.step(action)
            np.testing.assert_allclose(seen, observation, rtol=0, atol=1e-6)
            np.testing.assert_allclose(state, theirs.state, rtol=0, atol=1e-9)
            assert (reward, ended, category) == (paid, terminated, 0)


def test_cartpole_has_the_steps_of_gymnasiums():
    assert tinymeta.make("cartpole").max_steps == gymnasium.spec("CartPole-v1").max_episode_steps == 500


def test_lists_make_the_tasks():
    world = tinymeta.make("cartpole", gravity=(5, 20), length=(0.25, 1.0), force=7)
    assert world.num_tasks == 4
    assert world.task_names == (
        "gravity=5 length=0.25", "gravity=5 length=1", "gravity=20 length=0.25", "gravity=20 length=1",
    )  # fmt: skip
    np.testing.assert_array_equal(world.data.gravity, [5, 5, 20, 20])
    np.testing.assert_array_equal(world.data.length, [0.25, 1, 0.25, 1])
    np.testing.assert_array_equal(world.data.force, [7, 7, 7, 7])


# ---------------------------------------------------------------- random MDPs


def drawn(world, uniforms):
    """(memory, mean rewards (S, A), transitions (S, A, S)) of a process drawn with these numbers."""
    S, A = world.data.states, world.data.actions
    state = np.full(world.state_size, np.nan)
    assert begin(world.data, 0, 0, state, uniforms, np.zeros(0)) == 0
    means = state[MEANS : MEANS + S * A].reshape(S, A)
    cumulative = state[MEANS + S * A :].reshape(S, A, S)
    return state, means, np.diff(cumulative, axis=-1, prepend=0)


def test_random_processes_are_drawn_as_duan_et_al_say():
    """Flat Dirichlet rows: mean 1/S, variance (1/S)(1 - 1/S)/(S + 1); rewards' means are normal about 1."""
    world = tinymeta.make("random-mdp", states=4, actions=25)
    rng = np.random.default_rng(0)
    draws = [drawn(world, rng.random(world.draws.first)) for _ in range(100)]
    means = np.concatenate([d[1].ravel() for d in draws])
    rows = np.concatenate([d[2].reshape(-1, 4) for d in draws])
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-12)
    assert abs(means.mean() - 1) < 4 / np.sqrt(len(means))
    assert abs(means.var() - 1) < 4 * np.sqrt(2 / len(means))
    variance = 0.25 * 0.75 / 5
    assert (np.abs(rows.mean(axis=0) - 0.25) < 4 * np.sqrt(variance / len(rows))).all()
    np.testing.assert_allclose(rows.var(axis=0), variance, rtol=0.1)
    np.testing.assert_allclose(np.cov(rows.T)[0, 1], -0.25 * 0.25 / 5, rtol=0.15)


def test_an_episode_of_a_random_process_by_hand():
    """Rewards are the mean and a normal number, states by their cumulative probabilities; the horizon is a true end,
    and the next episode's process is the same.
    """
    world = tinymeta.make("random-mdp", states=3, actions=2, horizon=5, episodes=2)
    rng = np.random.default_rng(1)
    state, means, transition = drawn(world, rng.random(world.draws.first))
    kept = state[MEANS:].copy()
    for episode in (0, 1):
        s = begin(world.data, 0, episode, state, rng.random(0), np.zeros(0)) if episode else 0
        for t in range(5):
            a = int(rng.integers(2))
            noise, choice = rng.random(2)
            reward, ended, following = step(world.data, 0, episode, state, a, np.array([noise, choice]), np.zeros(0))
            assert reward == pytest.approx(means[s, a] + NormalDist().inv_cdf(noise), abs=1e-7)
            assert following == np.searchsorted(np.cumsum(transition[s, a])[:-1], choice, side="right")
            assert ended == (t == 4)
            s = following
        np.testing.assert_array_equal(state[MEANS:], kept)


# ---------------------------------------------------------------- arms


def test_arms_without_a_table_have_the_tables_values():
    table = tinymeta.make("bandit-independent", arms=3, pulls=4)
    assert isinstance(table, TaskSet)
    ours = exact_values(many_arms(3, 4), 0.9, which=("bayes_optimal",))["bayes_optimal"]
    theirs = exact_values(table, 0.9, which=("bayes_optimal",))["bayes_optimal"]
    assert ours["discounted_value"] == pytest.approx(theirs["discounted_value"], abs=1e-12)
    assert ours["reward_per_trial"] == pytest.approx(theirs["reward_per_trial"], abs=1e-12)


def test_wins_of_one_arm_are_uniform():
    """Laplace: with p ~ U[0, 1] all numbers of wins in n pulls are equally likely. Other arms do not matter."""
    world = many_arms(2, 4)
    rng = np.random.default_rng(0)
    state = np.zeros(2)
    counts = np.zeros(5)
    for _ in range(5000):
        begin(world.data, 0, 0, state, rng.random(2), np.zeros(0))
        wins = 0
        for pull in range(4):
            reward, ended, _ = step(world.data, 0, pull, state, 1, rng.random(1), np.zeros(0))
            begin(world.data, 0, pull + 1, state, rng.random(0), np.zeros(0))
            assert ended
            wins += reward
        counts[int(wins)] += 1
    assert (np.abs(counts / 5000 - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 5000)).all()


def test_arms_are_a_table_as_long_as_there_can_be_one():
    assert isinstance(tinymeta.make("bandit-independent", arms=2, pulls=10), TaskSet)
    world = tinymeta.make("bandit-independent", arms=50, pulls=10)
    assert isinstance(world, World)
    assert (world.num_tasks, world.num_actions, world.step_limit, world.independent_arms) == (None, 50, 10, (50, 10))


# ---------------------------------------------------------------- what is refused

GOOD = {"data": Reach(np.zeros((1, 2)), 1.0), "num_actions": 2, "max_steps": 3, "draws": Draws(2, 2, 3, 2)}
BAD = {
    "data": ({"x": 1}, "expected a NamedTuple of arrays and numbers"),
    "num_actions": (0, "num_actions = 0"),
    "max_steps": (2.5, r"max_steps = 2\.5"),
    "draws": ((1, 1, 1, 0), "draws"),
    "num_tasks": (0, "num_tasks = 0"),
    "state_size": (0, "state_size = 0"),
    "observation_size": (-1, "observation_size = -1"),
    "num_observations": (0, "num_observations = 0"),
    "episodes": (0, "episodes = 0"),
    "step_limit": (0, "step_limit = 0"),
    "prior": ([0.5, 0.6], "prior"),
    "name": (3, "name = 3"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_world_refuses_nonsense(name):
    value, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        World(**{**GOOD, name: value})


NONSENSE = [
    ("cartpole", {"gravity": 0}, "gravity"), ("cartpole", {"gravity": (5, 5)}, "several different ones"),
    ("cartpole", {"length": ()}, "length"), ("cartpole", {"force": "x"}, "force"),
    ("cartpole", {"masspole": float("nan")}, "masspole"), ("cartpole", {"max_steps": 0}, "max_steps"),
    ("random-mdp", {"states": 1}, "states"), ("random-mdp", {"actions": 0}, "actions"),
    ("random-mdp", {"horizon": 0}, "horizon"), ("random-mdp", {"episodes": 1.5}, "episodes"),
    ("bandit-fixed", {"p": (0.1, 0.2, 0.3), "instances": 2}, "p holds 3 numbers"),
    ("bandit-fixed", {"p": (0.1, 1.2)}, "p"), ("bandit-fixed", {"pulls": 0}, "pulls"),
    ("bandit-fixed", {"seed": -1}, "seed"), ("bandit-independent", {"arms": 1001}, "arms"),
]  # fmt: skip


@pytest.mark.parametrize(("env", "kwargs", "told"), NONSENSE, ids=str)
def test_builders_refuse_nonsense(env, kwargs, told):
    with pytest.raises(ValueError, match=told):
        tinymeta.make(env, **kwargs)


def test_a_world_tells_what_it_is():
    assert repr(reach()) == (
        "World('reach': 2 tasks, 2 numbers an action, 2 numbers an observation, 3 episodes per trial, at most 12 steps)"
    )
