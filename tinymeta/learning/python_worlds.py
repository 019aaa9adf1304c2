"""Rollouts in worlds that Python steps: a pool of environments fills the rows, the network's kernels are the same.

The trials are split into two halves. While the workers step the one, actions of the other are chosen, so that neither
waits for long; on one core alone they are not, for nothing could be done at the same time. A row of a product has the
same bits whichever rows are computed with it, and a trial's environment is seeded from its own numbers, so nothing
depends on the split or on how many workers there are.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base.jit import jit
from tinymeta.base.processes import cores_of_this_run
from tinymeta.environments.gym_line import HEARD, hear_lane, tell_steps
from tinymeta.environments.gym_pool import Pool
from tinymeta.environments.gymnasium_world import PythonWorld
from tinymeta.environments.outcomes import sample_index
from tinymeta.environments.world import WorldRules
from tinymeta.learning.policies import sample
from tinymeta.learning.rollout import action_uniform, close_rows
from tinymeta.learning.rows import FINAL, Activations, Rows
from tinymeta.learning.update import apply_network
from tinymeta.learning.wirings import Layout
from tinymeta.learning.worlds import record_step, write_row
from tinymeta.network.flat import split

SEEDS = 2**31  # an environment's generator is seeded with a number below

# What `take_turns` keeps while it waits: whose turn it is (the halves, then ENDING), the last time that was recorded,
# the next free row, and of each half its rows of the time that was played last.
NUMBERS = 7
HALF, TIME, FRESH, FIRST, LAST = range(5)
ENDING = 2


@jit
def begin_rows(rows, layout, seen, category):
    """Overwrites rows 0…B-1 with what begins; rows.task is there, seen (B, O) and category (B,) by trial."""
    rows.begin[0] = 0
    rows.size[FINAL] = 0
    for b in range(rows.task.shape[0]):
        rows.elapsed[b] = 0
        rows.ended[b] = False
        for f in range(seen.shape[1]):
            rows.seen[b, f] = seen[b, f]
        write_row(rows, layout, b, -1, b, 0, True, True, category[b])


@jit
def draw_tasks(rules, uniforms, task):
    """Overwrites task (B,) by the first of each trial's numbers, uniforms (B, …)."""
    for b in range(uniforms.shape[0]):
        task[b] = sample_index(rules.prior_cumulative, 0, rules.num_tasks, uniforms[b, 0])


@jit
def record_steps(rows, layout, rules, start, stop, fresh, told):
    """What came of rows start…stop, see `Told`. Overwrites rows from `fresh` on; returns their end."""
    for n in range(start, stop):
        b = rows.trial[n]
        ended = told.terminated[b]
        cut = told.truncated[b] and not ended
        for f in range(told.final.shape[1]):
            rows.seen[b, f] = told.final[b, f]
        record_step(rows, layout, rules, n, told.reward[b], ended, cut, told.final_category[b])
        over = ended or cut
        if over and rows.episode[n] + 1 == rules.episodes:
            continue
        category = told.final_category[b]
        if over:  # another episode has begun
            category = told.category[b]
            for f in range(told.seen.shape[1]):
                rows.seen[b, f] = told.seen[b, f]
        write_row(rows, layout, fresh, n, b, rows.episode[n] + over, False, over, category)
        fresh += 1
    return fresh


@jit
def begin_turns(turns, middle, count):
    """Overwrites turns: trials 0…middle and middle…count are the halves, and nothing was played."""
    turns[HALF] = 0
    turns[TIME] = -1
    turns[FRESH] = count
    turns[FIRST], turns[LAST] = 0, middle
    turns[FIRST + 2], turns[LAST + 2] = middle, count


@jit
def take_turns(rows, rules, layout, theta, act, uniforms, greedy, line, told, turns):
    """Play on from where `turns` says, the halves by turns, to the end or as long as no worker is to be waited for.

    A half's turn: hear what came of its rows, record it, apply the network to its rows of the next time, choose their
    actions, tell the workers. The last turn applies the network to what cut episodes would have seen next. Returns what
    `tinymeta.environments.gym_line.hear_lane` does; HEARD when all is played.
    """
    parameters = split(theta, layout)
    while True:
        half = turns[HALF]
        t = turns[TIME] + 1  # of the rows that the network meets now
        if half == ENDING:
            stop = rows.before.shape[0]
            start = stop - rows.size[FINAL]
        else:
            status, worker = hear_lane(line, half)
            if status != HEARD:
                return status, worker
            start = turns[FIRST + 2 * half]
            stop = turns[LAST + 2 * half]
            if t > 0:
                fresh = turns[FRESH]
                if half == 0:
                    rows.begin[t] = fresh
                end = record_steps(rows, layout, rules, start, stop, fresh, told)
                start = fresh
                stop = end
                turns[FIRST + 2 * half] = start
                turns[LAST + 2 * half] = stop
                turns[FRESH] = stop
        apply_network(rows, layout, parameters, act, start, stop)
        if half == ENDING:
            return HEARD, 0
        if t < rules.step_limit and start < stop:
            column = action_uniform(rules, t)
            for n in range(start, stop):
                sample(layout.head, rows, act, parameters[5], n, uniforms, column, greedy)
            status = tell_steps(line, half, rows.trial, rows.action, rows.vector, start, stop)
            if status != HEARD:
                return status, 0
        turns[HALF] = half + 1
        if half == 1:
            if t < rules.step_limit and turns[FIRST] < stop:
                turns[HALF] = 0
                turns[TIME] = t
            else:  # only then is it known how many rows there are that no step follows
                close_rows(rows, t, turns[FIRST], stop)


class Told(NamedTuple):
    """What a pool's workers tell of each copy, see `tinymeta.environments.gym_pool.Pool`."""

    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    final: np.ndarray
    final_category: np.ndarray
    seen: np.ndarray
    category: np.ndarray


class PoolPlayer:
    """Plays batches of trials in a pool of `count` environments; closed with it."""

    def __init__(self, tasks: PythonWorld, layout: Layout, count: int, workers: int | None = None):
        self.layout = layout
        self.continuous = tasks.continuous
        self.draws = tasks.draws
        self.pool: Pool = tasks.pool(count, workers)
        self._told = Told(*(getattr(self.pool, name) for name in Told._fields))
        self._turns = np.zeros(NUMBERS, np.int64)

    def prepare(self, rules: WorldRules, theta: np.ndarray, rows: Rows, act: Activations) -> None:
        """Compile or load the kernels; nothing is played."""
        uniforms = np.zeros((0, 1 + self.draws.first + self.draws.later + self.draws.per_step * rules.step_limit))
        self._begin(rules, uniforms, rows)
        self._play(rules, theta, uniforms, False, rows, act)

    def close(self) -> None:
        """End the workers."""
        self.pool.close()

    def rollout(
        self, rules: WorldRules, theta: np.ndarray, uniforms: np.ndarray, greedy: bool, rows: Rows, act: Activations
    ) -> None:
        """`tinymeta.learning.rollout.rollout` with the pool as the world; uniforms (B, …) of at most `count` trials.

        Raises
        ------
        PoolError
            If an environment fails, see `Pool`.
        """
        self._begin(rules, uniforms, rows)
        self._play(rules, theta, uniforms, greedy, rows, act)

    def _begin(self, rules: WorldRules, uniforms: np.ndarray, rows: Rows) -> None:
        B = len(uniforms)
        draw_tasks(rules, uniforms, rows.task)
        self.pool.begin(np.arange(B), rows.task[:B], (uniforms[:, 1] * SEEDS).astype(np.int64))
        begin_rows(rows, self.layout, self.pool.seen, self.pool.category)
        begin_turns(self._turns, (B + 1) // 2 if cores_of_this_run() > 1 else B, B)

    def _play(
        self, rules: WorldRules, theta: np.ndarray, uniforms: np.ndarray, greedy: bool, rows: Rows, act: Activations
    ) -> None:
        what = rows, rules, self.layout, theta, act, uniforms, greedy, self.pool.line, self._told, self._turns
        self.pool.follow(lambda: take_turns(*what))
