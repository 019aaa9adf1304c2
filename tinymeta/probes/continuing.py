"""A trial goes on from the beginning of an episode, in its own world, with a state that is put in from outside."""

from typing import NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.jit import jit
from tinymeta.environments.outcomes import make_rules, sample_index
from tinymeta.learning.agent import Agent
from tinymeta.learning.rollout import TASK_UNIFORM, play_on, uniforms_per_trial
from tinymeta.learning.rows import Rows, write_input
from tinymeta.learning.sizes import allocate
from tinymeta.probes.recording import Recording


class Boundary(NamedTuple):
    """What n trials brought to the beginning of an episode; trials that ended earlier are left out."""

    episode: int
    task: np.ndarray  # (n,)
    trial: np.ndarray  # (n,) of the recording
    step: np.ndarray  # (n,) the episode's first
    state: np.ndarray  # (n, 2H), [h, c] after the last step of the episode before
    belief: np.ndarray  # (n, M), exact, carried by that state
    prev_reward: np.ndarray  # (n,)
    prev_action: np.ndarray  # (n,)


def boundary_of(recording: Recording, episode: int) -> Boundary:
    """The trials that reach `episode`, counted from 0, as they enter it."""
    trial, step = np.nonzero(recording.valid & (recording.episode == episode))
    first = np.unique(trial, return_index=True)[1]
    last = trial[first], step[first] - 1  # the step before the episode
    return Boundary(
        episode=episode,
        task=recording.task[last[0]],
        trial=last[0],
        step=step[first],
        state=np.hstack([recording.hidden[last], recording.cell[last]]),
        belief=recording.hypotheses[last],
        prev_reward=recording.reward[last],
        prev_action=recording.action[last],
    )


class Pairs(NamedTuple):
    """Who receives from whom: indices of B trials."""

    recipient: np.ndarray
    donor: np.ndarray  # of another task
    same: np.ndarray  # of the recipient's own task


@jit
def _begin_episodes(outcomes, layout, uniforms, episode, task, prev_reward, prev_action, rows):
    """B trials on tasks `task` (B,) begin an episode that is not their first, as `begin_trials` begins the first.

    uniforms (B, U) are numbered like a whole trial's, see `tinymeta.learning.rollout`; prev_reward and prev_action
    (B,) enter with the episode's first input. Overwrites task, state, elapsed and ended
    of rows, and its rows B…2B-1; row b is to hold the state from which row B + b goes on.
    """
    B = task.shape[0]
    for b in range(B):
        start = outcomes.initial_start[task[b]]
        stop = outcomes.initial_start[task[b] + 1]
        uniform = uniforms[b, TASK_UNIFORM]  # the task is given: its number draws the first state
        first = sample_index(outcomes.initial_cumulative, start, stop, uniform)
        rows.task[b] = task[b]
        rows.state[b] = outcomes.initial_state[first]
        rows.elapsed[b] = 0
        rows.ended[b] = False
        observation = outcomes.initial_observation[first]
        write_input(
            rows, layout, B + b, b, b, episode, False, True, observation, prev_reward[b], prev_action[b], task[b]
        )


class Continuation:
    """Plays the recipients of pairs on, by an agent, in buffers that are used again.

    Parameters
    ----------
    agent : Agent
    boundary : Boundary
    seed : int
        Of what happens.
    episodes : int
        How many are played, at most as many as are left.
    """

    def __init__(self, agent: Agent, boundary: Boundary, seed: int, episodes: int = 1) -> None:
        self.agent = agent
        self.boundary = boundary
        self.seed = seed
        rules = make_rules(agent.tasks)
        longest = min(rules.step_limit, episodes * agent.tasks.horizon / rules.episodes)
        self.rules = rules._replace(  # the trial is over when these episodes are; time 0 is that of the states put in
            episodes=min(rules.episodes, boundary.episode + episodes), step_limit=int(longest) + 1
        )
        B = max(1, len(boundary.task))
        self.rows, self.act = allocate(agent.layout, B, self.rules.step_limit, agent.theta.dtype)

    def play(self, pairs: Pairs, state: np.ndarray, first_input: str) -> Rows:
        """Rows of the recipients from the given states (B, 2H); row b holds the state of pair b, its first step is
        row B + b.
        """
        rows, act, boundary, layout = self.rows, self.act, self.boundary, self.agent.layout
        outcomes = self.agent.tasks.outcomes
        B = len(pairs.recipient)
        H = layout.hidden_size
        uniforms = randomness.uniforms(self.seed, randomness.PROBING, 4, B, uniforms_per_trial(self.rules.step_limit))
        act.h[:B] = state[:, :H]
        act.c[:B] = state[:, H:]
        source = pairs.donor if first_input == "donor" else pairs.recipient
        masking = layout._replace(sees_across=layout.sees_across and first_input != "masked")
        given = boundary.prev_reward[source], boundary.prev_action[source]
        task = boundary.task[pairs.recipient]
        _begin_episodes(outcomes, masking, uniforms, boundary.episode, task, *given, rows)
        rows.begin[:2] = 0, B
        play_on(outcomes, self.rules, layout, self.agent.theta, uniforms, False, rows, act, B, 2 * B, 1)
        return rows
