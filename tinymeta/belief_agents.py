"""Agents that act on the exact belief, with the same interface as a trained network.

bayes      the Bayes-optimal policy; ties are broken uniformly
greedy     acts optimally for the most probable task, as if it were known
thompson   draws a task from the belief at each episode's beginning, and again when evidence rules it out, and acts optimally for
           it (Thompson 1933; Strens 2000)

"Optimally for a task" uses the action values of the fully observed problem; where only the state is hidden (Tiger) the average over
states under the belief is taken (Q_MDP, Littman et al. 1995).
"""

import numpy as np

from tinymeta import luck
from tinymeta.agents import make_layout
from tinymeta.belief import Belief, reward_index
from tinymeta.belief_graph import NODE_LIMIT, BeliefGraph, NodeLimitError, belief_graph, evidence, ranges
from tinymeta.errors import InputError, choice, instance, integer, real
from tinymeta.planning import TIE, bayes_optimal, evaluate_policy, plan
from tinymeta.policies import Totals, episode_totals, evaluation_uniforms, join_traces, make_trace, play_batch
from tinymeta.rollout import allocate, begin_trials, step_environment, write_input
from tinymeta.taskset import TaskSet, make_rules

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


class TaskPolicies:
    """What to do for each task, as if it were the one: action values of the fully observed problem, averaged within the task."""

    def __init__(self, tasks, gamma):
        graph = belief_graph(tasks, observed=True)
        self.tasks = tasks
        joint = tasks.episodes * (tasks.episode_length or 1) * tasks.num_tasks * tasks.num_states
        self.action_value = np.full((joint, tasks.num_actions), np.nan)
        self.action_value[graph.entry_state[graph.entry_start[:-1]]] = plan(graph, gamma).action_value

    def of(self, state, weight):
        """(weights (M,), first best action (M,)) of one belief, given as joint indices and weights; action -1 for weight 0."""
        weights, actions = self.of_many(np.array([0, len(state)]), state, weight)
        return weights[0], np.maximum(actions[0], 0)

    def of_many(self, start, state, weight):
        """The same for many beliefs: (nodes, M) weights and actions."""
        n, M, A = len(start) - 1, self.tasks.num_tasks, self.tasks.num_actions
        owner = np.repeat(np.arange(n), np.diff(start)) * M + state // self.tasks.num_states % M
        weights = np.bincount(owner, weight, minlength=n * M)
        q = np.stack([np.bincount(owner, weight * self.action_value[state, a], minlength=n * M) for a in range(A)], axis=1)
        q /= np.where(weights > 0, weights, 1)[:, None]
        best = q.max(axis=1, keepdims=True)
        actions = (q >= best - TIE * np.maximum(1, np.abs(best))).argmax(axis=1)
        return weights.reshape(n, M), np.where(weights > 0, actions, -1).reshape(n, M)

    def greedy(self, start, state, weight):
        """Policy (nodes, A) of the greedy agent; the first of equally probable tasks."""
        weights, actions = self.of_many(start, state, weight)
        top = (weights >= weights.max(axis=1, keepdims=True) * (1 - TIE)).argmax(axis=1)
        return np.eye(self.tasks.num_actions)[actions[np.arange(len(top)), top]]


def greedy_value(tasks, gamma, node_limit=NODE_LIMIT):
    """The exact `Value` of the greedy agent; only the beliefs that it can reach are enumerated."""
    choices = TaskPolicies(tasks, gamma)
    graph = belief_graph(tasks, policy=choices.greedy, node_limit=node_limit)
    return evaluate_policy(graph, choices.greedy(graph.entry_start, graph.entry_state, graph.entry_weight), gamma)


def thompson_value(tasks, gamma, node_limit=NODE_LIMIT):
    """The exact `Value` of the Thompson agent, on the product of beliefs and held tasks.

    Node n of the product is belief n with no task held yet; node N + n·M + m is belief n with task m held.
    """
    graph, choices = belief_graph(tasks, node_limit=node_limit), TaskPolicies(tasks, gamma)
    N, M, A = len(graph.reward), tasks.num_tasks, tasks.num_actions
    weights, actions = choices.of_many(graph.entry_start, graph.entry_state, graph.entry_weight)
    episode = _most_probable_episode(tasks, graph)
    parent = np.repeat(np.arange(N * A), np.diff(graph.edge_start)) // A
    same = episode[parent] == episode[graph.edge_child]
    needs_holding = np.zeros(N, bool)
    needs_holding[graph.edge_child[same]] = True
    if (needs_holding.sum() + 1) * M > 4 * node_limit:
        raise NodeLimitError(tasks.name, int(needs_holding.sum()) * M, node_limit, len(graph.entry_state))
    policy = np.zeros((N, M, A))
    n, m = np.nonzero(weights > 0)
    policy[n, m, actions[n, m]] = 1
    fresh = (policy * weights[:, :, None]).sum(axis=1)  # (N, A)
    held_given_action = np.where(
        fresh[:, None] > 0, policy * weights[:, :, None] / np.where(fresh > 0, fresh, 1)[:, None], 0
    )  # (N, M, A)
    holding = np.argwhere((weights > 0) & needs_holding[:, None])  # the held nodes, as (n, m)
    number = np.full((N, M), -1)
    number[holding[:, 0], holding[:, 1]] = N + np.arange(len(holding))
    source, child, probability = [], [], []

    def connect(start, edge, share, held):
        """Edges from product pairs `start`, each a share of `edge`; with task `held` kept where that is possible."""
        to = graph.edge_child[edge]
        kept = np.where(same[edge] & (weights[to, held] > 0), number[to, held], to)
        source.append(start)
        child.append(kept)
        probability.append(graph.edge_probability[edge] * share)

    pair = np.repeat(np.arange(N * A), np.diff(graph.edge_start))
    moves_on = np.flatnonzero(~same & (fresh.ravel()[pair] > 0))
    connect(pair[moves_on], moves_on, np.ones(len(moves_on)), np.zeros(len(moves_on), int))
    edge, task = np.nonzero(same[:, None] & (held_given_action.transpose(0, 2, 1).reshape(N * A, M)[pair] > 0))
    connect(pair[edge], edge, held_given_action[pair[edge] // A, task, pair[edge] % A], task)
    action = actions[holding[:, 0], holding[:, 1]]
    pairs = holding[:, 0] * A + action
    count = np.diff(graph.edge_start)[pairs]
    edge, owner = ranges(graph.edge_start[pairs], count), np.repeat(np.arange(len(holding)), count)
    connect((N + owner) * A + action[owner], edge, np.ones(len(edge)), holding[owner, 1])
    source, child, probability = (np.concatenate(parts) for parts in (source, child, probability))
    order = np.argsort(source, kind="stable")
    total = N + len(holding)
    held_policy = np.eye(A)[action] if len(holding) else np.zeros((0, A))
    product = BeliefGraph.from_edges(
        graph, np.searchsorted(source[order], np.arange(total * A + 1)), child[order], probability[order],
        np.concatenate([graph.reward, graph.reward[holding[:, 0]]]),
    )  # fmt: skip
    return evaluate_policy(product, np.concatenate([fresh, held_policy]), gamma)


def _most_probable_episode(tasks, graph):
    clock = graph.entry_state // (tasks.num_tasks * tasks.num_states)
    owner = np.repeat(np.arange(len(graph.reward)), np.diff(graph.entry_start))
    order = np.lexsort((graph.entry_weight, owner))
    return (clock // (tasks.episode_length or 1))[order][graph.entry_start[1:] - 1]


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
        self._random = luck.generator(integer("seed", seed, 0), luck.ACTING)
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
        size = 16 * self.tasks.num_tasks * self.tasks.num_states * self.tasks.episodes * (self.tasks.episode_length or 1)
        batch = min(play_batch(self.layout, rules, rollouts, 8, trace), max(1, BELIEF_BYTES // size))
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
        """The loop of `tinymeta.rollout.rollout`, with a belief in place of the network."""
        outcomes, strategy = self.tasks.outcomes, self._strategy
        begin_trials(outcomes, rules, self.layout, uniforms, rows)
        memories = [strategy.begin(int(observation)) for observation in rows.observation[: len(uniforms)]]
        start, stop, t = 0, len(uniforms), 0
        while stop > start and t < rules.step_limit:
            fresh = stop
            for n in range(start, stop):
                b = rows.trial[n]
                probabilities, act.heads[n, -1] = strategy.policy(memories[b])
                with np.errstate(divide="ignore"):
                    act.heads[n, :-1] = np.log(probabilities)
                action, spare = _draw(probabilities, uniforms[b, 2 + 2 * t], greedy)
                rows.action[n] = action
                outcome = step_environment(outcomes, rules, rows, n, uniforms[b, 3 + 2 * t])
                if not rows.ended[b]:
                    ended, observation = outcomes.ended[outcome], outcomes.observation[outcome]
                    memories[b] = strategy.after(memories[b], action, spare, int(observation), float(rows.reward[n]), bool(ended))
                    episode = rows.episode[n] + ended
                    write_input(
                        rows, self.layout, fresh, n, b, episode, False, ended, observation, rows.reward[n], action, rows.task[b]
                    )
                    fresh += 1
            t += 1
            rows.begin[t] = stop
            start, stop = stop, fresh
        rows.begin[t + 1] = stop
        rows.size[:] = t, start, stop


def _draw(probabilities, uniform, greedy):
    """An action, and what is left of its uniform number: given the action, that is uniform again."""
    if greedy:
        return int(probabilities.argmax()), uniform
    cumulative = np.cumsum(probabilities)
    threshold = uniform * cumulative[-1]
    action = int(np.searchsorted(cumulative, threshold, side="right"))
    return action, (threshold - (cumulative[action] - probabilities[action])) / probabilities[action]
