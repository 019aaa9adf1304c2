"""Rollouts in worlds without a table: the episodes of a trial, the limit that truncates them, what enters as numbers.

`begin` and `step` of a world know one episode (see `tinymeta.environments.world`). Here its end becomes the beginning
of the next one inside the same step. An episode that reaches `max_steps` is truncated: what it would have seen next is
written into a row of its own, taken from the end of the rows, whose value bootstraps (`Rows.after`), if the return does
not go on anyway.
"""

from tinymeta.base.dispatch import by_class
from tinymeta.base.jit import jit
from tinymeta.environments.outcomes import sample_index
from tinymeta.environments.world import WorldRules, begin, step
from tinymeta.learning.rollout import action_uniform, begin_trial, step_trial
from tinymeta.learning.rows import ENDED, FINAL, GOES_ON, write_input
from tinymeta.network.gaussian import Gaussian
from tinymeta.network.heads import Categorical

LARGEST = 10.0  # scaled numbers are cut to ±10


@by_class(Categorical)
def action_taken(head, rows, n):
    """Row n's action, as a world's `step` gets it."""
    return rows.action[n]


@action_taken.of(Gaussian)
def vector_taken(head, rows, n):
    """A vector (A,)."""
    return rows.vector[n]


@action_uniform.of(WorldRules)
def action_uniform_in_world(rules, t):
    """Behind the task's number and those of all begins."""
    return 1 + rules.first + rules.later + t * (rules.action + rules.step)


@begin_trial.of(object)
def begin_in_world(world, rules, layout, uniforms, rows, b):
    """The task by uniforms[b, 0], then the world's own `begin`."""
    task = sample_index(rules.prior_cumulative, 0, rules.num_tasks, uniforms[b, 0])
    rows.task[b] = task
    rows.elapsed[b] = 0
    rows.ended[b] = False
    observation = begin(world, task, 0, rows.world[b], uniforms[b, 1 : 1 + rules.first], rows.seen[b])
    write_row(rows, layout, b, -1, b, 0, True, True, observation)


@step_trial.of(object)
def step_in_world(world, rules, layout, uniforms, rows, n, fresh, t):
    """One step of the world; where its episode is over, the next one's begin."""
    b = rows.trial[n]
    episode = rows.episode[n]
    at = action_uniform(rules, t) + rules.action
    reward, ended, observation = step(
        world, rows.task[b], episode, rows.world[b], action_taken(layout.head, rows, n),
        uniforms[b, at : at + rules.step], rows.seen[b],
    )  # fmt: skip
    truncated = not ended and rows.elapsed[b] + 1 == rules.max_steps
    record_step(rows, layout, rules, n, reward, ended, truncated, observation)
    if ended or truncated:
        if episode + 1 == rules.episodes:
            return fresh
        at = 1 + rules.first + episode * rules.again
        observation = begin(
            world, rows.task[b], episode + 1, rows.world[b], uniforms[b, at : at + rules.again], rows.seen[b]
        )
    write_row(rows, layout, fresh, n, b, episode + (ended or truncated), False, ended or truncated, observation)
    return fresh + 1


@jit
def record_step(rows, layout, rules, n, reward, ended, truncated, observation):
    """What row n's step paid, and what follows for its return; rows.seen is what came after it."""
    b = rows.trial[n]
    last = rows.episode[n] + 1 == rules.episodes
    rows.paid[n] = reward
    rows.reward[n] = reward * rows.scaling.reward[0]
    rows.elapsed[b] = 0 if ended or truncated else rows.elapsed[b] + 1
    rows.ended[b] = ended and last
    rows.after[n] = GOES_ON
    if truncated and (last or rules.per_episode):
        rows.size[FINAL] += 1
        final = rows.before.shape[0] - rows.size[FINAL]
        write_row(rows, layout, final, n, b, rows.episode[n], False, False, observation)
        rows.after[n] = final
    elif ended and rules.per_episode:
        rows.after[n] = ENDED


@jit
def write_row(rows, layout, n, before, b, episode, begins_trial, begins_episode, observation):
    """Overwrites row n with what trial b sees now, its last reward and action from row `before`."""
    reward = rows.reward[before] if before >= 0 else rows.reward.dtype.type(0)
    action = rows.action[before] if before >= 0 else 0
    hidden = write_input(
        rows, layout, n, before, b, episode, begins_trial, begins_episode, observation, reward, action, rows.task[b]
    )
    F = rows.seen.shape[1]
    for f in range(F):
        number = rows.seen[b, f]
        rows.features[n, f] = number
        scaled = (number - rows.scaling.shift[f]) * rows.scaling.scale[f]
        rows.numbers[n, f] = min(max(scaled, -LARGEST), LARGEST) if rows.scaling.scale[f] != 1.0 else number
    for i in range(rows.numbers.shape[1] - F):
        rows.numbers[n, F + i] = 0 if hidden else rows.vector[before, i]
