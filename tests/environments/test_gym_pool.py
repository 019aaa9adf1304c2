"""Pools of Gymnasium's environments: the trajectories are Gymnasium's (oracle), and nothing that fails hangs or stays
(contract)."""

import os
import signal
import subprocess
import sys
import time

import faulty_environments
import gymnasium
import numpy as np
import pytest

from tinymeta.base.errors import InputError, NotFiniteError, PoolError
from tinymeta.environments.gym_pool import Pool
from tinymeta.environments.gymnasium_world import gym
from tinymeta.environments.lunarlander import lunarlander

faulty_environments.register()


def faulty(*faults, **options):
    return gym("tests/Faulty-v0", fault=faults, **options)


def drawn(world, count, rng):
    """Random actions, also beyond the bounds."""
    if world.continuous:
        return rng.normal(0, 1.5, (count, world.num_actions))
    return rng.integers(world.num_actions, size=count)


def alone(world, task, seed, actions):
    """A trial as Gymnasium plays it: what a pool calls (seen, final, reward, terminated, truncated), step by step."""
    environment = world.environment(task)
    space = environment.action_space
    seen, _ = environment.reset(seed=seed)
    record = [(seen, None, 0.0, False, False)]
    episode = 0
    for action in actions:
        if world.continuous:
            action = np.clip(action, space.low.ravel(), space.high.ravel()).astype(space.dtype).reshape(space.shape)
        final, reward, terminated, truncated, _ = environment.step(action)
        episode += terminated or truncated
        again = (terminated or truncated) and episode < world.episodes
        seen = environment.reset()[0] if again else final
        record.append((seen, final, reward, terminated, truncated))
        if episode == world.episodes:
            break
    environment.close()
    return record


def together(world, pool, tasks, seeds, actions):
    """The same of a pool's copies, each of which stops when its trial does."""
    slots = np.arange(pool.count)
    pool.begin(slots, tasks, seeds)
    seen, final = (pool.seen, pool.final) if world.observation_size else (pool.category, pool.final_category)
    records = [[(seen[b].copy(), None, 0.0, False, False)] for b in slots]
    for t in range(len(actions)):
        live = slots[pool.episode < world.episodes]
        if len(live):
            pool.step(live, actions[t, live])
        for b in live:
            again = (pool.terminated[b] or pool.truncated[b]) and pool.episode[b] < world.episodes
            after = (pool.reward[b], pool.terminated[b], pool.truncated[b])
            records[b].append(((seen if again else final)[b].copy(), final[b].copy(), *after))
    return records


WORLDS = {
    "cartpole": lambda: gym("CartPole-v1", episodes=3, sutton_barto_reward=(False, True)),
    "pendulum, cut short": lambda: gym("Pendulum-v1", episodes=2, max_steps=7, g=(9.8, 1.6)),
    "lunarlander": lambda: lunarlander(episodes=2, max_steps=90),
    "lunarlander, choices": lambda: gym("LunarLander-v3"),
    "frozen lake": lambda: gym("FrozenLake-v1", episodes=4, max_steps=9),
}


@pytest.mark.parametrize("make", WORLDS.values(), ids=WORLDS)
def test_trajectories_are_gymnasiums(make):
    """Oracle: equal seeds and actions, bit for bit, also in a copy's second trial; ends of both kinds occur."""
    world = make()
    rng = np.random.default_rng(0)
    ends = set()
    with world.pool(5, workers=2) as pool:
        for _trial in range(3):
            tasks = rng.integers(world.num_tasks, size=5)
            seeds = rng.integers(2**31, size=5)
            actions = np.stack([drawn(world, 5, rng) for _ in range(min(world.step_limit, 200))])
            for b, mine in enumerate(together(world, pool, tasks, seeds, actions)):
                theirs = alone(world, int(tasks[b]), int(seeds[b]), actions[:, b])
                assert len(mine) == len(theirs)
                for after, expected in zip(mine, theirs, strict=True):
                    np.testing.assert_array_equal(after[0], np.ravel(expected[0]) if after[0].ndim else expected[0])
                    assert after[1] is None or (after[1] == np.ravel(expected[1])).all()
                    assert after[2:] == expected[2:]
                    ends.add(after[3:])
    if world.max_steps < 50:
        assert (False, True) in ends  # truncated


def test_a_trial_does_not_depend_on_its_company():
    """Property: copies, workers, slots that step together and what a slot did before change nothing."""
    world = lunarlander(max_steps=40)
    actions = np.random.default_rng(1).uniform(-1, 1, (40, 2))
    found = []
    for count, workers, slot in ((1, 1, 0), (4, 2, 3), (4, 2, 0)):
        with world.pool(count, workers) as pool:
            others = np.array([b for b in range(count) if b != slot])
            pool.begin(np.arange(count), np.arange(count) % 4, np.arange(count))
            pool.step(np.arange(count), np.zeros((count, 2)))
            pool.begin(np.array([slot]), np.array([2]), np.array([77]))
            rows = []
            for t, action in enumerate(actions):
                if t % 3 == 0 and len(others):
                    live = others[pool.episode[others] < 1]
                    pool.step(live, np.ones((len(live), 2)))
                pool.step(np.array([slot]), action[None])
                rows.append((*pool.final[slot], pool.reward[slot]))
            found.append(rows)
    assert found[0] == found[1] == found[2]


def test_choices_begin_where_the_space_does():
    """Faulty's reward is its own number of the action."""
    with faulty("none").pool(3, 1) as pool:
        slots = np.arange(3)
        pool.begin(slots, 0 * slots, slots)
        pool.step(slots, slots)
        assert pool.reward.tolist() == [5, 6, 7]
        assert pool.final.shape == (3, 4)
        assert (pool.final == 1 / 8).all()


def test_vectors_are_clipped_and_given_away():
    """Bounds are the space's, and what an environment keeps of an action does not change with the next one."""
    with gym("tests/Echo-v0").pool(1) as pool:
        slot = np.array([0])
        pool.begin(slot, slot, slot)
        pool.step(slot, np.array([[-7.0, -7.0]]))
        pool.step(slot, np.array([[7.0, 0.125]]))
        assert pool.final.tolist() == [[-1, 0]]
        pool.step(slot, np.array([[0.0, 0.0]]))
        assert pool.final.tolist() == [[0.5, 0.125]]


def running(pool):
    return [process.pid for process in pool._workers.running]


def is_gone(pid, seconds=20.0):
    """Whether a process ends within that time; a zombie has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


FAILURES = {
    "reset": "reset raised RuntimeError: stuck",
    "second reset": "episode 1, step 0: reset raised RuntimeError: stuck",
    "first observation": "the observation is [nan, nan, nan, nan], expected finite numbers",
    "raise": "step raised ZeroDivisionError: division by zero",
    "exit": "step raised SystemExit: gone",
    "die": "its process ended with exit code 3",
    "four": "step raised ValueError: not enough values to unpack (expected 5, got 4)",
    "nan": "the observation is [nan, nan, nan, nan], expected finite numbers",
    "inf": "the observation is [inf, inf, inf, inf], expected finite numbers",
    "shape": "the observation has the shape (2,), expected numbers of shape (2, 2)",
    "nothing": "the observation has the shape (), expected numbers of shape (2, 2)",
    "text": "step raised ValueError: could not convert string to float",
    "no reward": "the reward is None, expected a finite number",
    "nan reward": "the reward is nan, expected a finite number",
}


@pytest.mark.parametrize(("fault", "told"), FAILURES.items(), ids=FAILURES)
def test_failures_are_told_in_one_line(fault, told):
    """Environment, task, copy and the trial's seed are named; the pool is closed and its processes are gone."""
    slots = np.arange(2)
    with faulty("none", fault, episodes=2).pool(2, 2) as pool:
        pids = running(pool)
        with pytest.raises(PoolError) as failure:
            pool.begin(slots, slots, slots + 30)
            for _ in range(4):
                pool.step(slots, slots)
        message = str(failure.value)
        assert "\n" not in message
        assert message.startswith(f"environment gym:tests/Faulty-v0 (fault={fault}), copy 1, trial seed 31")
        assert told in message
        assert all(is_gone(pid, 0.1) for pid in pids)
        with pytest.raises(PoolError, match="is closed"):
            pool.step(slots, slots)


@pytest.mark.parametrize(("fault", "told"), [("make", "could not be made: ValueError: no such world"),
                                             ("other space", "has other spaces than task 0")])  # fmt: skip
def test_a_task_that_cannot_be_made_is_wrong_input(fault, told):
    slots = np.arange(2)
    with faulty("none", fault).pool(2, 1) as pool, pytest.raises(InputError, match=told) as failure:
        pool.begin(slots, slots, slots)
    assert "\n" not in str(failure.value)
    assert f"(fault={fault})" in str(failure.value)


def test_an_environment_that_hangs_is_given_up():
    slots = np.arange(2)
    with Pool(faulty("none", "hang").family, 2, 2, patience=1.5) as pool:
        pids = running(pool)
        pool.begin(slots, slots, slots)
        pool.step(slots, slots)
        with pytest.raises(PoolError, match=r"\(fault=hang\), copy 1, trial seed 1: no answer for 1.5 s"):
            pool.step(slots, slots)
        assert all(is_gone(pid, 0.1) for pid in pids)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_is_killed_is_told(number):
    slots = np.arange(4)
    with gym("CartPole-v1").pool(4, 2) as pool:
        pids = running(pool)
        pool.begin(slots, 0 * slots, slots)
        os.kill(pids[1], number)
        assert is_gone(pids[1])
        with pytest.raises(PoolError, match=f"CartPole-v1, copy 3, trial seed 3: .* killed by {number.name}"):
            pool.step(slots, 0 * slots)
        assert is_gone(pids[0], 0.1)


def test_workers_leave_signals_to_the_pool():
    slots = np.arange(2)
    with gym("CartPole-v1").pool(2, 2) as pool:
        for pid in running(pool):
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGTERM)
        pool.begin(slots, 0 * slots, slots)
        pool.step(slots, 0 * slots)


PARENT = """
import sys
import numpy as np
import faulty_environments
from tinymeta.environments.gymnasium_world import gym

faulty_environments.register()
slots = np.arange(2)
pool = gym("tests/Faulty-v0", fault=("none", "hang")).pool(2, 2)
pool.begin(slots, slots, slots)
pool.step(slots, slots)
print(*(process.pid for process in pool._workers.running), flush=True)
if sys.argv[1] == "step":
    pool.step(slots, slots)
elif sys.argv[1] == "wait":
    sys.stdin.read()
"""


@pytest.mark.parametrize("doing", ["wait", "step", "exit"])
def test_workers_end_with_their_parent(doing):
    """SIGKILL while it waits, or while one of its environments hangs; or it just ends without closing the pool."""
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen([sys.executable, "-c", PARENT, doing], env=environment, **options) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        if doing != "exit":
            time.sleep(0.1)
            parent.kill()
        parent.wait(30)
    assert all(is_gone(pid) for pid in pids)


def test_an_action_that_is_nan_is_refused():
    with gym("Pendulum-v1").pool(1) as pool:
        pool.begin(np.array([0]), np.array([0]), np.array([0]))
        with pytest.raises(NotFiniteError, match="action for environment gym:Pendulum-v1 is NaN"):
            pool.step(np.array([0]), np.array([[np.nan]]))
        pool.step(np.array([0]), np.array([[np.inf]]))  # clipped


def test_a_pool_that_nobody_closes_ends_with_its_last_name():
    pool = gym("CartPole-v1").pool(2, 1)
    pids = running(pool)
    del pool
    assert all(is_gone(pid, 0.1) for pid in pids)


def test_a_class_of_a_session_is_taken_along():
    """What no module holds, as in a notebook."""

    class Here(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(0, 9, (1,))
        action_space = gymnasium.spaces.Discrete(1)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return np.array([seed], np.float32), {}

    gymnasium.register("tests/Here-v0", Here, max_episode_steps=5)
    try:
        with gym("tests/Here-v0").pool(1) as pool:
            pool.begin(np.array([0]), np.array([0]), np.array([7]))
            assert pool.seen.tolist() == [[7]]
    finally:
        del gymnasium.registry["tests/Here-v0"]
