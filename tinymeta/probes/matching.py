"""Which moments of recorded trials may be compared: the same step, the same episode, the same place.

A moment is (trial, step): the agent's state has taken in the step's input, its belief is the recorded one. Moments
match where the clock, the episode and the place agree (where there are several tasks, the place is what is known about
the environment's state; with one task that is itself the hidden part), so that only the history distinguishes them.
Matching moments of equal exact belief and different history are *metamers*.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.environments.table import TaskSet
from tinymeta.probes.recording import Recording

DIGITS = 9  # to which beliefs are equal
STEPS_COMPARED = 16  # at most, spread evenly over the trial
RECIPIENTS = 100  # of one step, at most


class Moments(NamedTuple):
    """The n trials that matter at one step; trials with the same number match, believe or went through the same."""

    step: int
    trial: np.ndarray  # (n,)
    place: np.ndarray  # (n,) number of (episode, place)
    belief: np.ndarray  # (n,) number of (episode, place, belief)
    history: np.ndarray  # (n,) number of all inputs so far


def numbered(*columns: np.ndarray) -> np.ndarray:
    """A number for each row (n,) of the columns, arrays of shape (n,) or (n, k); equal rows have the same.

    Examples
    --------
    >>> numbered(np.array([3.0, 1.0, 3.0]), np.array([[0], [0], [0]])).tolist()
    [1, 0, 1]
    """
    rows = np.column_stack(columns)
    return np.unique(rows, axis=0, return_inverse=True)[1].ravel()


def histories(recording: Recording) -> np.ndarray:
    """The number of each step's history (N, T): the inputs up to it; equal histories have the same."""
    N, T = recording.valid.shape
    numbers = np.zeros((N, T), int)
    before = np.zeros(N, int)
    for t in range(T):
        action, reward = (recording.action[:, t - 1], recording.reward[:, t - 1]) if t else (before, before)
        before = numbered(before, recording.observation[:, t], action, reward)
        numbers[:, t] = before
    return numbers


def moments(tasks: TaskSet, recording: Recording) -> Iterator[Moments]:
    """The `Moments` of some steps after which trials go on, at most `STEPS_COMPARED`."""
    history = histories(recording)
    alive = np.flatnonzero(recording.valid[:, 1:].sum(axis=0) >= 2)  # steps with a next one, in two trials at least
    chosen = np.unique(np.linspace(0, len(alive) - 1, STEPS_COMPARED).round().astype(int)) if len(alive) else alive
    for t in alive[chosen]:
        trial = np.flatnonzero(recording.valid[:, t + 1])
        belief = recording.belief[trial, t].round(DIGITS)
        where = belief.sum(axis=1) if tasks.num_tasks > 1 else np.zeros((len(trial), 1))
        place = numbered(recording.episode[trial, t], where.round(DIGITS))
        same = numbered(place, belief.reshape(len(trial), -1))
        yield Moments(int(t), trial, place, same, history[trial, t])


class Swaps(NamedTuple):
    """B recipients, each with three donors: a metamer, a matching moment of another belief, and the nearest such."""

    step: np.ndarray  # (B,)
    recipient: np.ndarray  # (B,) trials
    metamer: np.ndarray  # (B,) trials: equal belief, other history
    other: np.ndarray  # (B,) trials: any other belief
    nearest: np.ndarray  # (B,) trials: the other belief that differs least, in total variation


def metamer_swaps(tasks: TaskSet, recording: Recording, seed: int = 0) -> Swaps:
    """For every moment that has them, at most `RECIPIENTS` a step, donors drawn at random."""
    random = randomness.generator(seed, randomness.PROBING, 5)
    found = [np.zeros((5, 0), int)]
    for now in moments(tasks, recording):
        matching = now.place[:, None] == now.place
        equal = now.belief[:, None] == now.belief
        metamer = equal & (now.history[:, None] != now.history)
        other = matching & ~equal
        recipients = np.flatnonzero(metamer.any(axis=1) & other.any(axis=1))
        recipients = random.permutation(recipients)[:RECIPIENTS]
        if len(recipients) == 0:
            continue
        distance = _distances(recording, now)[now.belief[recipients]][:, now.belief]
        distance = np.where(other[recipients], distance, np.inf)
        nearest = distance == distance.min(axis=1, keepdims=True)
        donors = [_one_of_each(mask, random) for mask in (metamer[recipients], other[recipients], nearest)]
        found.append(np.stack([np.full(len(recipients), now.step), *now.trial[[recipients, *donors]]]))
    return Swaps(*np.concatenate(found, axis=1))


def _distances(recording: Recording, now: Moments) -> np.ndarray:
    """Σ|b - b'| (k, k) of beliefs 0…k-1 at the same place; ∞ of those elsewhere."""
    first = np.unique(now.belief, return_index=True)[1]  # a trial that holds each belief
    belief = recording.belief[now.trial[first], now.step].reshape(len(first), -1)
    distance = np.full((len(first), len(first)), np.inf)
    for place in np.unique(now.place):
        here = np.flatnonzero(now.place[first] == place)
        possible = belief[here][:, belief[here].any(axis=0)]
        distance[np.ix_(here, here)] = np.abs(possible[:, None] - possible).sum(axis=2).round(DIGITS)
    return distance


def _one_of_each(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A random True of every row of mask (B, n), as indices (B,)."""
    return np.where(mask, random.random(mask.shape), -1).argmax(axis=1)
