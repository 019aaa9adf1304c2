"""The joint index against plain loops over clocks, tasks and states (oracle)."""

import itertools

import numpy as np
import pytest
from support import noisy_taskset

from tinymeta.environments.outcomes import outcome_address
from tinymeta.optimum.joint import JointIndex

TASKS = {
    "no fixed length": noisy_taskset(),
    "fixed length": noisy_taskset(episode_length=2, max_steps=None),
}
every_kind = pytest.mark.parametrize("tasks", TASKS.values(), ids=TASKS)


@every_kind
def test_every_index_is_one_hypothesis(tasks):
    """Episode, time, task and state count up like the digits of a number, the state fastest."""
    index = JointIndex(tasks)
    joint = np.arange(index.size)
    ranges = [range(index.K), range(index.length), range(index.M), range(index.S)]
    parts = index.episode(joint), index.time(joint), index.task(joint), index.state(joint)
    assert list(zip(*(part.tolist() for part in parts), strict=True)) == list(itertools.product(*ranges))
    np.testing.assert_array_equal(index.clock(joint), index.episode(joint) * index.length + index.time(joint))
    assert index.size == index.clocks * index.M * index.S


@every_kind
def test_address(tasks):
    """In the last step of a fixed-length episode every next state resets: another part of the table of outcomes."""
    index = JointIndex(tasks)
    for joint, action in itertools.product(range(index.size), range(index.A)):
        last = tasks.episode_length is not None and int(index.time(joint)) == tasks.episode_length - 1
        m = int(index.task(joint))
        s = int(index.state(joint))
        expected = outcome_address.py_func(int(last), m, s, action, index.M, index.S, index.A)
        assert index.address(joint, action) == expected


@every_kind
def test_after(tasks):
    """Within an episode the time goes on, if there is one; its end begins the next episode, or ends the trial."""
    index = JointIndex(tasks)
    for joint, state, ended in itertools.product(range(index.size), range(index.S), (False, True)):
        episode = int(index.episode(joint))
        time = int(index.time(joint))
        if not ended and time == index.length - 1 and tasks.episode_length:
            continue  # the last step of a fixed-length episode always ends it
        following, over = index.after(joint, state, ended)
        assert over == (ended and episode == index.K - 1)
        if not over:
            assert index.task(following) == index.task(joint)
            assert index.state(following) == state
            assert index.episode(following) == episode + ended
            assert index.time(following) == (0 if ended or not tasks.episode_length else time + 1)
