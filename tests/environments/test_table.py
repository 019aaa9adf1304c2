"""Task sets: what validation refuses (contract), and that the compiled outcomes mean what the arrays say (oracle)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import every_table, noisy_taskset, small

import tinymeta


def changed(array, index, value):
    array = np.array(array)
    array[index] = value
    return array


GOOD = noisy_taskset()
BAD = {
    "row sum": (
        {"transition": changed(GOOD.transition, (1, 0, 1, 2), 0.5)},
        r"transition\[1, 0, 1\] sums to 1\.1, expected 1",
    ),
    "negative": (
        {"initial": np.array([[1.5, -0.5, 0], [1, 0, 0]])},
        r"initial\[0, 1\] = -0\.5, expected a probability >= 0",
    ),
    "nan": (
        {"reward": changed(GOOD.reward, (0, 1, 0, 2), np.nan)},
        r"reward\[0, 1, 0, 2\] = nan, expected a finite number",
    ),
    "infinite": (
        {"observation": changed(GOOD.observation, (0, 0, 0), np.inf)},
        r"observation\[0, 0, 0\] = inf, expected a finite",
    ),
    "axes": ({"transition": GOOD.transition[0]}, r"transition has shape \(3, 2, 3\), expected 4 axes"),
    "size": ({"reward": np.zeros((2, 3, 2, 4))}, r"reward has shape \(2, 3, 2, 4\), expected \(2, 3, 2, 3\)"),
    "not square": (
        {"transition": np.ones((2, 3, 2, 1))},
        r"transition has shape \(2, 3, 2, 1\), expected \(2, 3, 2, 3\)",
    ),
    "empty": ({"transition": np.zeros((0, 3, 2, 3))}, r"transition has shape .* expected at least one entry"),
    "text": ({"reward": np.full((2, 3, 2, 3), "x")}, r"reward has dtype <U1, expected real numbers"),
    "complex": ({"reward": np.zeros((2, 3, 2, 3), complex)}, r"reward has dtype complex128, expected real numbers"),
    "ragged": ({"initial": [[1, 0, 0], [1, 0]]}, r"initial is not an array of numbers"),
    "terminal dtype": ({"terminal": np.zeros((2, 3))}, r"terminal has dtype float64 and shape \(2, 3\), expected bool"),
    "terminal shape": (
        {"terminal": np.zeros((3, 2), bool)},
        r"terminal has dtype bool and shape \(3, 2\), expected bool",
    ),
    "prior": ({"prior": [0.5, 0.4]}, r"prior sums to 0\.9, expected 1"),
    "prior length": ({"prior": [1.0]}, r"prior has shape \(1,\), expected \(2\)"),
    "episodes": ({"episodes": 0}, r"episodes = 0, expected an integer >= 1"),
    "episodes type": ({"episodes": 2.0}, r"episodes = 2\.0, expected an integer"),
    "no terminal": (
        {"terminal": np.array([[False] * 3, [False, True, False]])},
        r"terminal\[0\] holds no state that task 0 can reach",
    ),
    "unreachable": (
        {"transition": np.tile(np.eye(3)[:, None, :], (2, 1, 2, 1))},
        r"terminal\[0\] holds no state that task 0 can reach",
    ),
    "begins at end": (
        {"initial": np.array([[0, 0, 1.0], [1, 0, 0]])},
        r"initial\[0, 2\] = 1, expected 0: state 2 of task 0 is terminal",
    ),
    "endless": ({"max_steps": None}, r"max_steps is missing: a trial of task set 'noisy' can go on for ever"),
    "too large": (
        {"reward": changed(GOOD.reward, (1, 2, 1, 0), 1e39)},
        r"reward\[1, 2, 1, 0\] = 1e\+39, expected a number that float32",
    ),
    "too close": ({"reward": changed(GOOD.reward, (0, 0, 0, 0), 1 + 1e-12)}, r"reward holds two different values near"),
    "first observation": (
        {"observation": np.array([[[[1, 0]] * 3, [[0, 1]] * 3]] * 2)},
        r"initial_observation is missing",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays_are_refused_by_name(case):
    changes, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        noisy_taskset(**changes)


@given(data=st.data(), name=st.sampled_from(["transition", "observation", "initial", "prior"]))
@settings(max_examples=100, deadline=None)
def test_any_disturbed_probability_is_refused(data, name):
    """Property: whichever probability is moved by more than rounding, validation names its array."""
    array = np.array(getattr(GOOD, name))
    index = tuple(data.draw(st.integers(0, size - 1)) for size in array.shape)
    array[index] += data.draw(st.sampled_from([1e-3, -1.5, 0.5, np.nan, np.inf]))
    with pytest.raises(ValueError, match=name):
        noisy_taskset(**{name: array})


@every_table
def test_registered_environments_are_valid_and_immutable(env):
    tasks = small(env)
    assert tasks.step_limit >= 1
    with pytest.raises(ValueError, match="read-only"):
        tasks.transition[0] = 0


def test_make_suggests_the_nearest_name():
    with pytest.raises(ValueError, match="unknown environment 'bandid'.*did you mean 'bandit'"):
        tinymeta.make("bandid")
    with pytest.raises(ValueError, match="unknown keyword of environment 'corridor' 'lefft'.*did you mean 'left'"):
        tinymeta.make("corridor", lefft=3)


NONSENSE = [
    ("bandit", {"p": (0, 2)}),
    ("bandit", {"p": "unifrom"}),
    ("bandit", {"pulls": 0}),
    ("bandit", {"p": ()}),
    ("bandit", {"p": (0.5, "x")}),
    ("corridor", {"left": 0}),
    ("corridor", {"goal_reward": float("nan")}),
    ("corridor", {"max_steps": -1}),
]


@pytest.mark.parametrize(("env", "kwargs"), NONSENSE)
def test_builders_refuse_nonsense(env, kwargs):
    with pytest.raises(ValueError, match="expected"):
        tinymeta.make(env, **kwargs)


def test_longest_trial():
    assert tinymeta.make("bandit", pulls=7).horizon == 7
    assert tinymeta.make("corridor").horizon == np.inf
    assert noisy_taskset(episode_length=4).horizon == 12


@every_table
def test_outcome_probabilities_sum_to_one(env):
    outcomes = small(env).outcomes
    later = outcomes.start, outcomes.probability, outcomes.cumulative
    initial = outcomes.initial_start, outcomes.initial_probability, outcomes.initial_cumulative
    for start, probability, cumulative in (later, initial):
        for first, behind in zip(start[:-1], start[1:], strict=True):
            if behind > first:
                assert probability[first:behind].sum() == pytest.approx(1, abs=1e-12)
                assert cumulative[behind - 1] == 1


def test_outcomes_fold_in_the_reset():
    """Oracle: task 0 of the noisy set, state 0, action 0: state 2 is terminal, so its mass goes through d0 with its
    own reward.
    """
    tasks, outcomes = GOOD, GOOD.outcomes
    first, behind = outcomes.start[0], outcomes.start[1]
    table = {}
    for i in range(first, behind):
        key = (outcomes.state[i], outcomes.observation[i], outcomes.reward_value[outcomes.reward[i]], outcomes.ended[i])
        table[key] = outcomes.probability[i]
    for s, o in np.ndindex(3, 2):
        stays = tasks.transition[0, 0, 0, s] * tasks.observation[0, s, o] if s != 2 else 0
        if stays:
            assert table[(s, o, 0.25, False)] == pytest.approx(stays)
        resets = tasks.transition[0, 0, 0, 2] * tasks.initial[0, s] * tasks.observation[0, s, o]
        if resets:
            assert table[(s, o, 1.0, True)] == pytest.approx(resets)
    assert len(table) == 8
