"""Random task sets so small that all their histories can be listed, as a hypothesis strategy.

Hypothesis draws the sizes and switches, so a failure shrinks to few tasks, states and steps; the entries come from a
seeded generator, because drawing hundreds of them one by one would cost more than the tests. The name of a task set is
the call that rebuilds it.
"""

import itertools

import numpy as np
from hypothesis import strategies as st

from tinymeta import TaskSet

MAX_STEPS = 4  # steps of the longest trial
MAX_HISTORIES = 10_000  # bound on the complete histories of a trial
REWARDS = (0.0, 1.0, -1.0, 0.1, 10.0)  # 0.1 is not exact in binary
ZEROS = (0.0, 0.3, 0.8)  # share of zero probabilities
SHARED = ("transition", "terminal", "initial", "observation", "reward")


@st.composite
def task_sets(draw):
    """Any task set of at most 4 tasks, 4 states, 3 actions, 3 observations and `MAX_STEPS` steps.

    Repeated choices are likelier: two episodes with an end that may be missed, several tasks, several actions.
    """
    episodes = draw(st.sampled_from((1, 2, 2, 2, 2, 2, 3, 4)))
    inner, length = draw(st.sampled_from(_episode_bounds(episodes)))
    longest_trial = episodes * min(n for n in (inner, length) if n)
    num_states = draw(st.integers(inner + 1 if inner else 1, 4))
    num_actions = draw(st.sampled_from((1, 2, 2, 3, 3)))
    num_observations, num_rewards = draw(st.sampled_from(_affordable(num_actions, longest_trial)))
    return random_task_set(
        seed=draw(st.integers(0, 2**32 - 1)),
        num_tasks=draw(st.sampled_from((1, 2, 2, 2, 3, 3, 4, 4))),
        num_states=num_states,
        num_actions=num_actions,
        num_observations=num_observations,
        num_rewards=num_rewards,
        inner=inner,
        episode_length=length,
        episodes=episodes,
        zeros=draw(st.sampled_from(ZEROS)),
        noise_zeros=draw(st.sampled_from(ZEROS)),
        shared=sorted(draw(st.sets(st.sampled_from(SHARED)))),
        by_action=draw(st.booleans()),
        own_first=draw(st.booleans()),
        reward_on_entry=draw(st.booleans()),
        rare_rewards=draw(st.booleans()),
    )


def random_task_set(*, seed, num_tasks, num_states, num_actions, num_observations, num_rewards, inner, episode_length,
                    episodes, zeros, noise_zeros, shared, by_action, own_first, reward_on_entry,
                    rare_rewards):  # fmt: skip
    """A random task set with the given sizes and switches.

    Parameters
    ----------
    inner : int or None
        Each task passes at most this many states, in an order of its own and never back, before a terminal one; so its
        episodes are no longer than this. None: transitions may lead anywhere and `episode_length` is needed.
    zeros, noise_zeros : float
        Share of zero probabilities in transitions, initial states and prior, and in observations.
    shared : collection of names from `SHARED`
        The arrays in which tasks do not differ.
    by_action : bool
        Observations depend on the action.
    own_first : bool
        An episode's first observation has a distribution of its own (always so with `by_action`).
    reward_on_entry : bool
        The reward depends on the state that is entered only.
    rare_rewards : bool
        Most transitions pay the same, so that rewards seldom tell anything, not even that an episode has ended.
    """
    name = f"random_task_set({', '.join(f'{key}={value!r}' for key, value in locals().items())})"
    rng = np.random.default_rng(seed)
    M, S, A = num_tasks, num_states, num_actions

    def per_task(array_name, make):
        """`make()` stacked over tasks: drawn anew for each, or once if tasks share it."""
        if array_name in shared:
            return np.stack([make()] * M)
        return np.stack([make() for _ in range(M)])

    # rank[m, s] is the place of state s in the order in which task m passes its states.
    rank = per_task("transition", lambda: rng.permutation(S))
    if inner is None:
        allowed = np.ones((M, S, S), bool)
        terminal = per_task("terminal", lambda: (rng.random(S) < 0.3) & (np.arange(S) != rng.integers(S)))
    else:
        # Rows from `inner` on belong to terminal states and are never used: anything may stand there.
        allowed = (rank[:, None, :] > rank[:, :, None]) | (rank[:, :, None] >= inner)
        terminal = rank >= per_task("terminal", lambda: rng.integers(1, inner + 1, size=1))

    # Where tasks share these rows they share the seed, because what is allowed may still differ.
    row_seed = per_task("transition", lambda: rng.integers(2**32))
    start_seed = per_task("initial", lambda: rng.integers(2**32))
    allowed = np.broadcast_to(allowed[:, :, None], (M, S, A, S))
    transition = np.stack([random_rows(np.random.default_rng(row_seed[m]), allowed[m], zeros) for m in range(M)])
    initial = np.stack([random_rows(np.random.default_rng(start_seed[m]), ~terminal[m], zeros) for m in range(M)])
    paid = rng.choice(REWARDS, size=num_rewards, replace=False)
    odds = np.array([8.0 if rare_rewards and n == 0 else 1.0 for n in range(num_rewards)])
    entries = (1, 1, S) if reward_on_entry else (S, A, S)
    reward = per_task("reward", lambda: np.broadcast_to(rng.choice(paid, entries, p=odds / odds.sum()), (S, A, S)))
    seen = (A, S, num_observations) if by_action else (S, num_observations)
    observation = per_task("observation", lambda: random_rows(rng, np.ones(seen), noise_zeros))
    first = per_task("observation", lambda: random_rows(rng, np.ones((S, num_observations)), noise_zeros))
    return TaskSet(
        transition, reward, observation, initial, terminal, random_rows(rng, np.ones(M), zeros), episodes,
        initial_observation=first if by_action or own_first else None, episode_length=episode_length, name=name,
    )  # fmt: skip


def random_rows(rng, allowed, zeros):
    """Random distributions along the last axis with small whole odds, zero where not allowed and elsewhere at times."""
    odds = rng.integers(1, 4, np.shape(allowed)) * (rng.random(np.shape(allowed)) >= zeros)
    survivor = (rng.random(np.shape(allowed)) * allowed).argmax(axis=-1)[..., None]  # no row may lose all its entries
    np.put_along_axis(odds, survivor, np.maximum(np.take_along_axis(odds, survivor, -1), 1), -1)
    odds = odds * allowed
    return odds / odds.sum(axis=-1, keepdims=True)


def _episode_bounds(episodes):
    """(inner, episode_length), either possibly None, for trials of 2 to `MAX_STEPS` steps; 2 is rare."""
    bounds = []
    for both in itertools.product((None, 1, 2, 3), (None, 1, 2, 3, 4)):
        steps = episodes * min((n for n in both if n), default=0)
        bounds += [both] * (1 if steps == 2 else 4 if 2 < steps <= MAX_STEPS else 0)
    return bounds


def _affordable(num_actions, steps):
    """(observations, rewards) that keep the histories of so many steps within `MAX_HISTORIES`; 1, 1 is rare, being
    dull.
    """
    sizes = itertools.product(range(1, 4), repeat=2)
    return [(o, r) for o, r in sizes if o * (num_actions * o * r) ** steps <= MAX_HISTORIES for _ in range(o * r)]
