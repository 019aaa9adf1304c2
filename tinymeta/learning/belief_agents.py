"""Agents that act on the exact belief, with the same interface as a trained network.

bayes      the Bayes-optimal policy; ties are broken uniformly
greedy     acts optimally for the most probable task, as if it were known
thompson   draws a task from the belief at each episode's beginning, and again when evidence rules it out, and acts optimally for
           it (Thompson 1933; Strens 2000)

"Optimally for a task" uses the action values of the fully observed problem; where only the state is hidden (Tiger) the
average over states under the belief is taken (Q_MDP, Littman et al. 1995).
"""

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError, choice, instance, integer, real
from tinymeta.environments.outcomes import make_rules
from tinymeta.environments.table import TaskSet
from tinymeta.learning.playing import Totals, episode_totals, evaluation_uniforms, trials_at_once
from tinymeta.learning.rollout import ACTION_UNIFORM, begin_trials, close_rows, step_trials
from tinymeta.learning.rows import allocate
from tinymeta.learning.traces import join_traces, make_trace
from tinymeta.learning.wirings import make_layout
from tinymeta.optimum.belief import Belief
from tinymeta.optimum.belief_graph import evidence
from tinymeta.optimum.belief_policies import TaskPolicies
from tinymeta.optimum.filter import reward_index
from tinymeta.optimum.planning import TIE, bayes_optimal

BELIEF_AGENTS = ("bayes", "greedy", "thompson")

BELIEF_BYTES = 200_000_000  # held by the beliefs of a batch of trials


class _Bayes:
    """Memory is a node of the belief graph."""

    def __init__(self, tasks, gamma):
        self.tasks, self.solved = tasks, bayes_optimal(tasks, gamma)

    def begin(self, observation):
        graph = self.solved.graph
        return int(graph.roots[graph.root_evidence == evidence(self.tasks, observation, 0)][0])

    def policy(self, node):
        return self.solved.policy[node], float(self.solved.value[node])

    def after(self, node, action, spare, observation, reward, new_episode):
        graph = self.solved.graph
        pair = node * self.tasks.num_actions + action
        edges = slice(graph.edge_start[pair], graph.edge_start[pair + 1])
        wanted = evidence(self.tasks, observation, int(reward_index(self.tasks, reward)))
        found = np.flatnonzero(graph.edge_evidence[edges] == wanted)
        if len(found) == 0:
            raise InputError(f"impossible evidence: action {action}, observation {observation}, reward {reward:g}")
        return int(graph.edge_child[edges][found[0]])


class _Sampler:
    """Memory is (Belief, held task or -1, the task's probabilities given the action at a fresh draw)."""

    def __init__(self, tasks, gamma, greedy):
        self.tasks, self.greedy, self.choices = tasks, greedy, TaskPolicies(tasks, gamma)

    def begin(self, observation):
        return Belief(self.tasks).begin(observation), -1

    def policy(self, memory):
        belief, held = memory
        weights, actions = self.choices.of(*belief.entries)
        if self.greedy:
            held = (weights >= weights.max() * (1 - TIE)).argmax()
        share = weights if held < 0 else (np.arange(len(weights)) == held).astype(float)
        return np.bincount(actions, share, minlength=self.tasks.num_actions), float("nan")

    def after(self, memory, action, spare, observation, reward, new_episode):
        belief, held = memory
        if held < 0 and not self.greedy:
            weights, actions = self.choices.of(*belief.entries)
            weights = np.where(actions == action, weights, 0)
            if weights.any():  # in somebody else's loop the action need not be ours
                held = int(np.searchsorted(np.cumsum(weights), spare * weights.sum(), side="right"))
        belief.update(action, observation, reward)
        if held >= 0 and (new_episode or belief.tasks_marginal[held] == 0):
            held = -1
        return belief, held


class BeliefAgent:
    """`bayes`, `greedy` or `thompson` on a task set, with the interface of `tinymeta.policies.Agent`.

    Parameters
    ----------
    tasks : TaskSet
    name : str
        One of `BELIEF_AGENTS`.
    gamma : float
        The discount at which it is optimal.
    seed : int
        Of the actions that `act` samples.
    """

    def __init__(self, tasks, name, gamma, seed=0):
        choice("belief agent", name, BELIEF_AGENTS)
        self.tasks, self.name, gamma = instance("tasks", tasks, TaskSet), name, real("gamma", gamma, 0, 1)
        self._strategy = _Bayes(tasks, gamma) if name == "bayes" else _Sampler(tasks, gamma, greedy=name == "greedy")
        self._random = randomness.generator(integer("seed", seed, 0), randomness.ACTING)
        self.layout = make_layout(tasks, "rl2", 1)  # only its input columns are used, for traces
        self.reset()

    def reset(self):
        """Begin a new trial."""
        self._memory = None

    def act(self, observation, prev_reward=None, prev_action=None, *, new_episode=False, task=None, greedy=False):
        """One step of a trial; see `tinymeta.policies.Agent.act`. `task` is not looked at.

        Returns the action and a dict with probabilities (A,), logits (their logarithms) and value (NaN unless `bayes`).
        """
        observation = integer("observation", observation, 0, self.tasks.num_observations - 1)
        if self._memory is None:
            if prev_reward is not None or prev_action is not None or new_episode:
                raise InputError(
                    "a trial's first step has no prev_reward, prev_action or new_episode; call reset() only between trials"
                )
            self._memory = self._strategy.begin(observation)
        else:
            prev_action = integer("prev_action", prev_action, 0, self.tasks.num_actions - 1)
            spare = self._random.random()
            self._memory = self._strategy.after(
                self._memory, prev_action, spare, observation, real("prev_reward", prev_reward), new_episode
            )
        probabilities, value = self._strategy.policy(self._memory)
        with np.errstate(divide="ignore"):
            info = {"probabilities": probabilities.copy(), "logits": np.log(probabilities), "value": value}
        return _draw(probabilities, self._random.random(), greedy)[0], info

    def play(self, rollouts, seed=0, greedy=False, step_limit=None, trace=False, gamma=1.0):
        """Play trials on the same luck as a network's; see `tinymeta.policies.Agent.play`. States in traces are zero."""
        rollouts, seed = integer("rollouts", rollouts, 1, 10**9), integer("seed", seed, 0, 2**63 - 1)
        gamma, totals, traces = real("gamma", gamma, 0, 1), [], []
        rules = make_rules(self.tasks, None if step_limit is None else integer("step_limit", step_limit, 1, 10**12))
        size = (
            16 * self.tasks.num_tasks * self.tasks.num_states * self.tasks.episodes * (self.tasks.episode_length or 1)
        )
        batch = min(trials_at_once(self.layout, rules, rollouts, 8, trace), max(1, BELIEF_BYTES // size))
        for first in range(0, rollouts, batch):
            count = min(batch, rollouts - first)
            rows, act = allocate(self.layout, count, rules.step_limit, np.float64)
            self._play_batch(evaluation_uniforms(seed, first, count, rules.step_limit), greedy, rules, rows, act)
            totals.append(episode_totals(rows, rules.episodes, gamma))
            if trace:
                traces.append(make_trace(rows, act, self.layout))
        totals = Totals(*(np.concatenate(parts) for parts in zip(*totals, strict=True)))
        return (totals, join_traces(traces)) if trace else totals

    def _play_batch(self, uniforms, greedy, rules, rows, act):
        """`tinymeta.learning.rollout.rollout` with a belief in place of the network."""
        outcomes, strategy = self.tasks.outcomes, self._strategy
        begin_trials(outcomes, rules, self.layout, uniforms, rows)
        B = len(uniforms)
        memories = [strategy.begin(int(observation)) for observation in rows.observation[:B]]
        spare = np.empty(B)  # what is left of each trial's uniform number when its action is chosen
        start, stop, t = 0, B, 0
        while stop > start and t < rules.step_limit:
            for n in range(start, stop):
                b = rows.trial[n]
                probabilities, act.heads[n, -1] = strategy.policy(memories[b])
                with np.errstate(divide="ignore"):
                    act.heads[n, :-1] = np.log(probabilities)
                rows.action[n], spare[b] = _draw(probabilities, uniforms[b, ACTION_UNIFORM + 2 * t], greedy)
            fresh = step_trials(outcomes, rules, self.layout, uniforms, rows, start, stop, t)
            for n in range(stop, fresh):
                b = rows.trial[n]
                last = rows.before[n]
                new_episode = bool(rows.episode[n] != rows.episode[last])
                observation, reward = int(rows.observation[n]), float(rows.reward[last])
                memories[b] = strategy.after(memories[b], rows.action[last], spare[b], observation, reward, new_episode)
            start, stop, t = stop, fresh, t + 1
        close_rows(rows, t, start, stop)


def _draw(probabilities, uniform, greedy):
    """An action, and what is left of its uniform number: given the action, that is uniform again."""
    if greedy:
        return int(probabilities.argmax()), uniform
    cumulative = np.cumsum(probabilities)
    threshold = uniform * cumulative[-1]
    action = int(np.searchsorted(cumulative, threshold, side="right"))
    return action, (threshold - (cumulative[action] - probabilities[action])) / probabilities[action]
