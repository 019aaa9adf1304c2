"""Running means and variances of observations and rewards: NumPy over all steps so far, plain loops (oracle)."""

import numpy as np
import pytest
from own_worlds import reach
from plain import UNTOUCHED, plain_batch
from support import small

from tinymeta.learning.kept import kept_scaling, kept_shapes
from tinymeta.learning.learner import Learner
from tinymeta.learning.rows import FINAL, STEPS, USED
from tinymeta.learning.scaling import Fixed, restore, running, scaling_of, to_arrays
from tinymeta.learning.settings import Settings
from tinymeta.learning.wirings import make_layout

TASKS = reach()
LAYOUT = make_layout(TASKS, "rl2", 3)
BOTH = Settings(num_envs=4, gamma=0.9, norm_obs=True, norm_reward=True)


def played(seeds=range(3), per_trial=4):
    """What `Running` holds after some batches, and their rows."""
    kept = running(LAYOUT, BOTH)
    batches = [plain_batch(TASKS, "rl2", seed=seed, trials=per_trial).rows for seed in seeds]
    for rows in batches:
        UNTOUCHED.update_scaling(kept, rows)
    return kept, batches


def returns(rows, gamma):
    """Of each step, the discounted sum of what the episode has paid up to it."""
    found = []
    for b in range(len(rows.task)):
        total = episode = 0
        for n in range(rows.size[STEPS]):
            if rows.trial[n] == b:
                total = rows.paid[n] + (gamma * total if rows.episode[n] == episode else 0)
                episode = rows.episode[n]
                found.append(total)
    return found


def test_means_and_variances_are_those_of_all_steps():
    kept, batches = played()
    seen = np.concatenate([rows.features[: rows.size[STEPS]] for rows in batches])
    scaling = scaling_of(kept, 2)
    np.testing.assert_allclose(kept.mean, seen.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaling.shift, seen.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaling.scale, 1 / np.sqrt(seen.var(axis=0) + 1e-8), rtol=1e-12)
    assert kept.counters[0] == len(seen)


def test_rewards_are_divided_by_the_deviation_of_the_return():
    kept, batches = played()
    found = np.concatenate([returns(rows, BOTH.gamma) for rows in batches])
    np.testing.assert_allclose(scaling_of(kept, 2).reward, 1 / np.sqrt(found.var() + 1e-8), rtol=1e-12)


def test_one_large_batch_and_many_small_ones_agree():
    """Property: how the steps come grouped changes nothing (Chan's formula), up to rounding."""
    kept, batches = played(range(6))
    again = running(LAYOUT, BOTH)
    for rows in reversed(batches):
        UNTOUCHED.update_scaling(again, rows)
    for one, other in zip(scaling_of(kept, 2), scaling_of(again, 2), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11)


def test_what_is_scaled_enters_and_what_was_paid_is_kept():
    """Contract: every row, those of what follows a cut included, is shifted, scaled and cut to ±10; rewards are
    scaled for learning, and reported as they were paid.
    """
    kept, _ = played()
    scaling = scaling_of(kept, 2)
    scaling.scale[1] = 100.0  # so that some are cut
    tasks = reach()
    plain = plain_batch(tasks, "rl2", seed=7)
    rows = plain.rows
    for own, put in zip(rows.scaling, scaling, strict=True):
        own[:] = put
    uniforms = np.random.default_rng(0).random((4, 1 + 2 + 7 * tasks.step_limit))
    UNTOUCHED.rollout(tasks.data, tasks.rules(), plain.layout, plain.theta, uniforms, False, rows, plain.act)
    N = len(rows.before)
    entered = [*range(rows.size[USED]), *range(N - rows.size[FINAL], N)]
    expected = np.clip((rows.features - scaling.shift) * scaling.scale, -10, 10)
    np.testing.assert_allclose(rows.numbers[entered, :2], expected[entered], rtol=1e-12)
    assert (np.abs(rows.numbers[entered, 1]) == 10).any()
    steps = rows.size[STEPS]
    np.testing.assert_allclose(rows.reward[:steps], rows.paid[:steps] * scaling.reward[0], rtol=1e-12)
    later = [n for n in range(steps) if rows.before[n] >= 0]
    np.testing.assert_array_equal(rows.prev_reward[later], rows.reward[rows.before[later]])


@pytest.mark.parametrize(("norm_obs", "norm_reward"), [(True, False), (False, True)])
def test_each_is_an_option_of_its_own(norm_obs, norm_reward):
    settings = Settings(num_envs=4, norm_obs=norm_obs, norm_reward=norm_reward)
    kept = running(LAYOUT, settings)
    UNTOUCHED.update_scaling(kept, plain_batch(TASKS, "rl2").rows)
    scaling = scaling_of(kept, 2)
    assert (scaling.scale != 1).all() == norm_obs
    assert (scaling.reward != 1).all() == norm_reward


def test_nothing_is_scaled_before_anything_was_met():
    """Contract: a run that is resumed at its beginning, and an untrained agent, see what a new run sees."""
    scaling = scaling_of(running(LAYOUT, BOTH), 2)
    np.testing.assert_array_equal(scaling.shift, 0)
    np.testing.assert_array_equal(scaling.scale, 1)
    np.testing.assert_array_equal(scaling.reward, 1)


def test_a_checkpoint_keeps_it():
    kept, _ = played()
    arrays = to_arrays(kept)
    assert {name: array.shape for name, array in arrays.items()} == kept_shapes(BOTH, LAYOUT)
    again = running(LAYOUT, BOTH)
    restore(again, arrays)
    for one, other, third in zip(
        scaling_of(kept, 2), scaling_of(again, 2), kept_scaling(BOTH, LAYOUT, arrays), strict=True
    ):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, third)


def test_without_the_options_nothing_is_kept():
    settings = Settings(num_envs=4)
    fixed = running(make_layout(small("cartpole"), "rl2", 3), settings)
    assert isinstance(fixed, Fixed)
    assert to_arrays(fixed) == {}
    assert kept_shapes(settings, LAYOUT) == {}


def test_a_tables_numbers_are_not_scaled():
    """Refused by name before anything is written, and not left undone in silence."""
    with pytest.raises(ValueError, match="norm_reward with 'bandit', whose numbers are a table's"):
        Learner(small("bandit"), Settings(norm_reward=True))
