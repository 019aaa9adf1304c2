"""Rollouts in worlds that Python steps: a pool of environments fills the rows, the network's kernels are the same.

The trials are split into two halves. While the workers step the one, actions of the other are chosen, so that neither
waits for long; on one core alone they are not, for nothing could be done at the same time. A row of a product has the
same bits whichever rows are computed with it, and a trial's environment is seeded from its own numbers, so nothing
depends on the split or on how many workers there are.
"""

from typing import Any

import numpy as np

from tinymeta.base.jit import jit
from tinymeta.base.processes import cores_of_this_run
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
    """Overwrites task (B,) by the first of each trial's numbers."""
    for b in range(task.shape[0]):
        task[b] = sample_index(rules.prior_cumulative, 0, rules.num_tasks, uniforms[b, 0])


@jit
def choose(rows, rules, layout, theta, act, uniforms, start, stop, t, greedy):
    """The network on rows start…stop of time t, and their actions, of rows that are not the last of cut trials."""
    parameters = split(theta, layout)
    apply_network(rows, layout, parameters, act, start, stop)
    if t < rules.step_limit:
        for n in range(start, stop):
            column = action_uniform(rules, t)
            sample(layout.head, rows, act, parameters[5], n, uniforms, column, greedy)


@jit
def record_steps(rows, layout, rules, start, stop, fresh, reward, terminated, truncated, final, final_category, seen,
                 category):  # fmt: skip
    """What came of rows start…stop; the arrays hold it by trial. Overwrites rows from `fresh` on; returns their end."""
    for n in range(start, stop):
        b = rows.trial[n]
        ended = terminated[b]
        cut = truncated[b] and not ended
        for f in range(final.shape[1]):
            rows.seen[b, f] = final[b, f]
        record_step(rows, layout, rules, n, reward[b], ended, cut, final_category[b])
        over = ended or cut
        if over and rows.episode[n] + 1 == rules.episodes:
            continue
        for f in range(seen.shape[1]):
            rows.seen[b, f] = seen[b, f]
        write_row(rows, layout, fresh, n, b, rows.episode[n] + over, False, over, category[b])
        fresh += 1
    return fresh


class PoolPlayer:
    """Plays batches of trials in a pool of `count` environments; closed with it."""

    def __init__(self, tasks: PythonWorld, layout: Layout, count: int, workers: int | None = None):
        self.layout = layout
        self.continuous = tasks.continuous
        self.draws = tasks.draws
        self.pool: Pool = tasks.pool(count, workers)

    def prepare(self, rules: WorldRules, theta: np.ndarray, rows: Rows, act: Activations) -> None:
        """Compile or load the kernels; nothing is played."""
        pool = self.pool
        B = len(rows.task)
        uniforms = np.zeros((B, 1 + self.draws.first + self.draws.later + self.draws.per_step * rules.step_limit))
        draw_tasks(rules, uniforms, rows.task)
        begin_rows(rows, self.layout, pool.seen, pool.category)
        choose(rows, rules, self.layout, theta, act, uniforms, 0, 0, 0, False)
        heard = (pool.reward, pool.terminated, pool.truncated, pool.final, pool.final_category)
        record_steps(rows, self.layout, rules, 0, 0, 0, *heard, pool.seen, pool.category)

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
        pool = self.pool
        B = len(uniforms)
        draw_tasks(rules, uniforms, rows.task)
        pool.begin(np.arange(B), rows.task, (uniforms[:, 1] * SEEDS).astype(np.int64))
        begin_rows(rows, self.layout, pool.seen, pool.category)
        given: tuple[Any, ...] = (rows, rules, self.layout, theta, act, uniforms)
        heard: tuple[Any, ...] = (pool.reward, pool.terminated, pool.truncated, pool.final, pool.final_category)
        heard += (pool.seen, pool.category)
        middle = (B + 1) // 2 if cores_of_this_run() > 1 else B
        halves = [(0, middle), (middle, B)]  # rows of the two halves at time t
        started = [False, False]
        t = 0
        self._start(given, halves[0], t, greedy, rows, started, 0)
        while True:
            self._start(given, halves[1], t, greedy, rows, started, 1)
            stop = halves[1][1]
            if t == rules.step_limit or halves[0][0] == stop:
                break
            fresh = stop
            rows.begin[t + 1] = stop
            for i in (0, 1):
                first, last = halves[i]
                if started[i]:
                    pool.finish()
                begin = fresh
                fresh = record_steps(rows, self.layout, rules, first, last, fresh, *heard)
                halves[i] = begin, fresh
                if i == 0:
                    self._start(given, halves[0], t + 1, greedy, rows, started, 0)
            t += 1
        close_rows(rows, t, halves[0][0], halves[1][1])
        last = rows.before.shape[0]
        choose(*given, last - rows.size[FINAL], last, rules.step_limit, greedy)

    def _start(
        self,
        given: tuple[Any, ...],
        half: tuple[int, int],
        t: int,
        greedy: bool,
        rows: Rows,
        started: list[bool],
        which: int,
    ) -> None:
        """Choose the actions of a half's rows and let the workers begin with them."""
        first, last = half
        if last > first:
            choose(*given, first, last, t, greedy)
        started[which] = last > first and t < given[1].step_limit
        if started[which]:
            slots = rows.trial[first:last]
            self.pool.start(slots, rows.vector[first:last] if self.continuous else rows.action[first:last])
