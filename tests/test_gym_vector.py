"""Many trials in one call take the course of as many single ones (property), in Gymnasium's form (contract)."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from support import SMALL, noisy_taskset

import tinymeta
import tinymeta.gym
from tinymeta.gym import TrialEnv, TrialVectorEnv, identifier

B = 3
every_env = pytest.mark.parametrize("env", tinymeta.gym.environments())


def assert_same(one, other):
    """Equal, entry by entry, with equal types; dictionaries have equal keys."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, tuple):
        for mine, theirs in zip(one, other, strict=True):
            assert_same(mine, theirs)
    else:
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(one, other)


def assert_same_course(many, singles, steps, seed=7):
    """The same seeds and actions give the same of everything; two resets more on the way, one without a seed."""
    assert many.single_observation_space == singles.single_observation_space
    assert many.single_action_space == singles.single_action_space
    assert many.observation_space == singles.observation_space
    many.action_space.seed(seed)
    chosen = {} if many.unwrapped.tasks.num_tasks is None else {"options": {"task": 0}}
    for beginning in ({"seed": seed}, {}, {"seed": [5, None, 6], **chosen}):
        first = many.reset(**beginning)
        assert_same(first, singles.reset(**beginning))
        assert first[0] in many.observation_space
        for _ in range(steps):
            actions = many.action_space.sample()
            step = many.step(actions)
            assert_same(step, singles.step(actions))
            assert step[0] in many.observation_space


@every_env
@pytest.mark.parametrize("kwargs", [{}, {"rl2": True}, {"belief": False, "max_episode_steps": 3}], ids=str)
def test_many_are_as_many_single_ones(env, kwargs):
    kwargs = {**SMALL.get(env, {}), **kwargs}
    many, singles = (gymnasium.make_vec(identifier(env), B, mode, **kwargs) for mode in ("vector_entry_point", "sync"))
    assert_same_course(many, singles, 25)


def test_also_where_all_is_random_and_numbers_are_drawn_anew():
    """Noisy observations, random ends; more steps than random numbers are drawn at once."""
    tasks = noisy_taskset()
    assert_same_course(TrialVectorEnv(tasks, B), SyncVectorEnv([lambda: TrialEnv(tasks)] * B), 300)


def test_it_is_what_gymnasium_makes():
    many = gymnasium.make_vec("tinymeta/Bandit-v0", num_envs=4, pulls=3)
    assert isinstance(many.unwrapped, TrialVectorEnv)
    assert many.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert repr(many) == "TrialVectorEnv(tinymeta/Bandit-v0, num_envs=4)"
    many.close()


def test_a_trial_that_is_over_is_followed_by_a_new_one():
    """Two pulls, then a step that pays nothing and begins, whatever the action."""
    many = gymnasium.make_vec("tinymeta/Bandit-v0", 2, p=1, pulls=2)
    many.reset(seed=0)
    steps = [many.step(actions) for actions in ([0, 1], [0, 1], [0, 0], [0, 0])]
    assert [step[1].tolist() for step in steps] == [[1, 0], [1, 0], [0, 0], [1, 1]]
    assert [step[2].tolist() for step in steps] == [[False] * 2, [True] * 2, [False] * 2, [False] * 2]
    assert [step[4]["episode_index"].tolist() for step in steps] == [[1, 1], [1, 1], [0, 0], [1, 1]]
    assert [step[4]["new_episode"].tolist() for step in steps] == [[True] * 2, [False] * 2, [True] * 2, [True] * 2]


def test_tasks_can_be_chosen():
    """One for all slots or one of each; the trials that follow are drawn."""
    many = gymnasium.make_vec("tinymeta/Bandit-v0", 50, pulls=1)
    assert set(many.reset(seed=0, options={"task": 1})[1]["task"]) == {1}
    wanted = np.arange(50) % 2
    np.testing.assert_array_equal(many.reset(options={"task": wanted})[1]["task"], wanted)
    many.step(np.zeros(50, int))
    assert 0 < np.mean(many.step(np.zeros(50, int))[4]["task"] != wanted) < 1


@pytest.mark.parametrize("rl2", [False, True])
def test_what_is_given_stays_what_it_was(rl2):
    """Arrays of one step do not change with the next."""
    many = gymnasium.make_vec("tinymeta/Corridor-v0", 2, rl2=rl2)
    given = [many.reset(seed=0), *(many.step([1, 1]) for _ in range(3))]
    before = repr(given)
    many.step([0, 0])
    many.reset()
    assert repr(given) == before


WRONG = {
    "actions, too few": (lambda many: many.step([0]), "expected 2 integers"),
    "actions, no integers": (lambda many: many.step([0.0, 1.0]), "expected 2 integers"),
    "actions, too large": (lambda many: many.step([0, 2]), "expected integers >= 0 and <= 1"),
    "actions, negative": (lambda many: many.step([0, -1]), "expected integers >= 0 and <= 1"),
    "seeds, too few": (lambda many: many.reset(seed=[1]), "seed = [1], expected an integer or 2 of them"),
    "tasks, too many": (lambda many: many.reset(options={"task": [0, 1, 0]}), "expected a task or, for 2 trials"),
    "task, too large": (lambda many: many.reset(options={"task": [0, 5]}), "expected an integer >= 0 and <= 1"),
    "an option": (lambda many: many.reset(options={"reset_mask": [True, False]}), "unknown option of reset"),
    "no slots": (lambda many: TrialVectorEnv(tinymeta.make("bandit"), 0), "num_envs = 0, expected an integer >= 1"),
    "no steps": (lambda many: TrialVectorEnv(tinymeta.make("bandit"), 1, max_episode_steps=0), "max_episode_steps = 0"),
    "memory": (lambda many: TrialVectorEnv(tinymeta.make("tiger", horizon=100_000), 10**6, True), "bytes of memory"),
}


@pytest.mark.parametrize(("call", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(call, told):
    many = TrialVectorEnv(tinymeta.make("bandit"), 2)
    many.reset(seed=0)
    with pytest.raises(tinymeta.base.errors.InputError) as raised:
        call(many)
    assert told in str(raised.value)
