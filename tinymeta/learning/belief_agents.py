"""Agents that act on the exact belief, with the same interface as a trained network.

bayes      the Bayes-optimal policy; ties are broken uniformly
greedy     acts optimally for the most probable task, as if it were known
thompson   draws a task from the belief at each episode's beginning, and again when evidence rules it out, and acts
           optimally for it (Thompson 1933; Strens 2000)

"Optimally for a task" is `tinymeta.optimum.belief_policies.TaskPolicies`. Each agent is a *strategy*: a memory that
begins with the first observation and moves along with every step, and a policy that depends on the memory alone.
"""

from typing import Any

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError, choice, integer, real
from tinymeta.environments.kinds import table
from tinymeta.environments.outcomes import Rules, make_rules
from tinymeta.environments.table import TaskSet
from tinymeta.learning.belief_strategies import STRATEGIES, Step, Strategy
from tinymeta.learning.playing import Totals, episode_totals, evaluation_uniforms, trials_at_once
from tinymeta.learning.rollout import ACTION_UNIFORM, begin_trials, close_rows, step_trials
from tinymeta.learning.rows import Activations, Rows
from tinymeta.learning.sizes import allocate
from tinymeta.learning.traces import Trace, join_traces, make_trace
from tinymeta.learning.wirings import make_layout
from tinymeta.optimum.joint import JointIndex

BELIEF_AGENTS = tuple(STRATEGIES)
BELIEF_BYTES = 200_000_000  # held by the beliefs of a batch of trials


class BeliefAgent:
    """`bayes`, `greedy` or `thompson` on a task set, with the interface of `tinymeta.learning.agent.Agent`.

    Parameters
    ----------
    tasks : TaskSet
    name : str
        One of `BELIEF_AGENTS`.
    gamma : float
        The discount at which it is optimal.
    seed : int
        Of the actions that `act` samples.

    Raises
    ------
    ValueError
        If an argument is unknown or out of range, or the task set has too many beliefs.

    Examples
    --------
    >>> import tinymeta
    >>> agent = BeliefAgent(tinymeta.make("bandit"), "bayes", gamma=0.8)
    >>> first, info = agent.act(0)
    >>> info["probabilities"].tolist()
    [0.5, 0.5]
    >>> agent.act(0, prev_reward=1, prev_action=first)[0] == first  # it has won, and stays
    True
    """

    def __init__(self, tasks: TaskSet, name: str, gamma: float, seed: int = 0) -> None:
        self.tasks = table(tasks, f"agent {name!r}")
        self.name = choice("belief agent", name, BELIEF_AGENTS)
        self._strategy: Strategy = STRATEGIES[name](tasks, real("gamma", gamma, 0, 1))
        self._random = randomness.generator(integer("seed", seed, 0), randomness.ACTING)
        self.layout = make_layout(tasks, "rl2", 1)  # only its input columns are used, for traces
        self.reset()

    def reset(self) -> None:
        """Begin a new trial."""
        self._memory: Any = None

    def act(
        self,
        observation: int,
        prev_reward: float | None = None,
        prev_action: int | None = None,
        *,
        new_episode: bool = False,
        task: int | None = None,
        greedy: bool = False,
    ) -> tuple[int, dict]:
        """One step of a trial; see `tinymeta.learning.agent.Agent.act`. `task` is not looked at.

        Returns the action and a dict with probabilities (A,), logits (their logarithms) and value (NaN unless
        `bayes`).
        """
        observation = integer("observation", observation, 0, self.tasks.num_observations - 1)
        if self._memory is None:
            if prev_reward is not None or prev_action is not None or new_episode:
                raise InputError(
                    "a trial's first step has no prev_reward, prev_action or new_episode; "
                    "call reset() only between trials"
                )
            self._memory = self._strategy.begin(observation)
        else:
            prev_action = integer("prev_action", prev_action, 0, self.tasks.num_actions - 1)
            uniform = self._random.random()
            reward = real("prev_reward", prev_reward)
            self._memory = self._strategy.after(
                self._memory, Step(prev_action, observation, reward, new_episode, uniform)
            )
        probabilities, value = self._strategy.policy(self._memory)
        info = {"probabilities": probabilities.copy(), "logits": _logits(probabilities), "value": value}
        return sample(probabilities, self._random.random(), greedy)[0], info

    def play(
        self,
        rollouts: int,
        seed: int = 0,
        greedy: bool = False,
        step_limit: int | None = None,
        trace: bool = False,
        gamma: float = 1.0,
    ) -> Any:
        """Play trials on the same random numbers as a network; see `tinymeta.learning.agent.Agent.play`.

        States in traces are zero.
        """
        rollouts = integer("rollouts", rollouts, 1, 10**9)
        seed = integer("seed", seed, 0, 2**63 - 1)
        gamma = real("gamma", gamma, 0, 1)
        rules = make_rules(self.tasks, None if step_limit is None else integer("step_limit", step_limit, 1, 10**12))
        beliefs = max(1, BELIEF_BYTES // (2 * 8 * JointIndex(self.tasks).size))
        batch = min(trials_at_once(self.layout, rules, self.tasks.draws, rollouts, 8, trace), beliefs)
        totals: list[Totals] = []
        traces: list[Trace] = []
        for first in range(0, rollouts, batch):
            count = min(batch, rollouts - first)
            rows, act = allocate(self.layout, count, rules.step_limit, np.float64)
            self._play_batch(evaluation_uniforms(seed, first, count, rules.step_limit), greedy, rules, rows, act)
            totals.append(episode_totals(rows, rules.episodes, gamma))
            if trace:
                traces.append(make_trace(rows, act, self.layout))
        joined = Totals(*(np.concatenate(parts) for parts in zip(*totals, strict=True)))
        return (joined, join_traces(traces)) if trace else joined

    def _play_batch(self, uniforms: np.ndarray, greedy: bool, rules: Rules, rows: Rows, act: Activations) -> None:
        """`tinymeta.learning.rollout.rollout` with a belief in place of the network."""
        begin_trials(self.tasks.outcomes, rules, self.layout, uniforms, rows)
        B = len(uniforms)
        memories = [self._strategy.begin(int(observation)) for observation in rows.observation[:B]]
        left_over = np.empty(B)
        start = 0
        stop = B
        t = 0
        while stop > start and t < rules.step_limit:
            for n in range(start, stop):
                b = rows.trial[n]
                probabilities, act.heads[n, -1] = self._strategy.policy(memories[b])
                act.heads[n, :-1] = _logits(probabilities)
                uniform = uniforms[b, ACTION_UNIFORM + 2 * t]
                rows.action[n], left_over[b] = sample(probabilities, uniform, greedy)
            fresh = step_trials(self.tasks.outcomes, rules, self.layout, uniforms, rows, start, stop, t)
            for n in range(stop, fresh):
                b = rows.trial[n]
                memories[b] = self._strategy.after(memories[b], _step_before(rows, n, left_over[b]))
            start = stop
            stop = fresh
            t += 1
        close_rows(rows, t, start, stop)


def _step_before(rows: Rows, n: int, uniform: float) -> Step:
    """The step that led to row n."""
    last = rows.before[n]
    new_episode = bool(rows.episode[n] != rows.episode[last])
    return Step(int(rows.action[last]), int(rows.observation[n]), float(rows.reward[last]), new_episode, uniform)


def _logits(probabilities: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def sample(probabilities: np.ndarray, uniform: float, greedy: bool) -> tuple[int, float]:
    """An action, and what is left over of its uniform number: given the action, that is uniform again.

    Examples
    --------
    >>> sample(np.array([0.5, 0.5]), 0.75, greedy=False)  # in the middle of action 1's share
    (1, 0.5)
    """
    if greedy:
        return int(np.argmax(probabilities)), uniform
    cumulative = np.cumsum(probabilities)
    threshold = uniform * cumulative[-1]
    action = int(np.searchsorted(cumulative, threshold, side="right"))
    left_over = (threshold - (cumulative[action] - probabilities[action])) / probabilities[action]
    return action, float(left_over)
