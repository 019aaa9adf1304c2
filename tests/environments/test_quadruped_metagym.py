"""MetaGym's robot, where it is installed (oracle): its own numbers, whatever else is in the process."""

import numpy as np

from tinymeta.environments.quadruped import TERRAINS, quadruped


def played(pool, task, seed, actions):
    """(return, first and last observation) of one trial in copy 0."""
    slot = np.array([0])
    pool.begin(slot, np.array([task]), np.array([seed]))
    first = pool.seen[0].copy()
    total = 0.0
    for action in actions:
        pool.step(slot, action[None])
        total += pool.reward[0]
        if pool.episode[0]:
            break
    return total, *first, *pool.final[0]


def test_terrains_are_there_for_every_robot():
    """Robots of one process walk as one that is alone does; terrains differ, but for the four that MetaGym lacks."""
    world = quadruped(max_steps=60)
    actions = np.random.default_rng(0).uniform(-1, 1, (60, world.num_actions)) * 0.7
    found = []
    with world.pool(1, 1) as pool:
        found += [played(pool, task, 1, actions) for task in range(world.num_tasks)]
        assert played(pool, 1, 2, actions) == found[1]  # a trial leaves no trace in the next one
    for task in (1, 8):
        with world.pool(1, 1) as pool:
            assert played(pool, task, 1, actions) == found[task]
    plane = [name for name, other in zip(TERRAINS, found, strict=True) if other == found[0]]
    assert plane == ["ground", "stair13", "terrain", "Cave"]


def test_a_standing_robot_truly_ends():
    """It is not the step limit: MetaGym ends an episode where nothing moves."""
    with quadruped("ground", max_steps=400).pool(1, 1) as pool:
        slot = np.array([0])
        pool.begin(slot, slot, slot)
        while not pool.episode[0]:
            pool.step(slot, np.zeros((1, 12)))
        assert pool.terminated[0]
        assert not pool.truncated[0]
