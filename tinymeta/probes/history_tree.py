"""The exact behaviour of a network: its whole tree of histories, walked instead of sampled.

At each node of the tree stand the network's state and a node of the belief graph, whose edges carry the exact probabilities of what
may be seen next. So expected reward, steps and discounted return are sums over the tree, with no sampling error. Beside them stands
where the agent errs: by the performance-difference lemma (Kakade & Langford 2002)

    V* - V = Σ_t γᵗ E[V*(b_t) - Q*(b_t, a_t)],

so the loss of optimality is a sum of losses at single beliefs, and the worst can be named.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base.errors import InputError, PlanningError
from tinymeta.learning.agent import step_network
from tinymeta.learning.rows import allocate
from tinymeta.optimum.belief_graph import belief_graph
from tinymeta.optimum.components import ranges
from tinymeta.optimum.planning import plan, plan_value

HISTORY_LIMIT = 3_000_000  # histories in all

CHUNK = 4096  # histories that go through the network at once


class Fault(NamedTuple):
    """A belief at which the agent loses."""

    belief: dict  # {(episode, task, state): probability}, what an optimal agent knows there
    visits: float  # expected number per trial
    optimal: float  # probability of an optimal action there
    loss: float  # expected loss of discounted return per trial, Σ γᵗ P(history) (V* - Σ π Q*)


class Behaviour(NamedTuple):
    """What a network does in expectation, exact but for `pruned`."""

    reward: float  # per trial
    steps: float
    discounted: float
    optimum: object  # the `Value` of the best policy with the agent's own information
    optimal: float  # probability that a step's action is optimal
    histories: int
    pruned: float  # probability of trials that were not followed to their end
    cut: float  # probability of trials that the step limit cut
    faults: list  # of `Fault`, worst first


def exact_behaviour(agent, gamma, prune=0.0, limit=HISTORY_LIMIT, solved=None):
    """Walk every history that agent `agent` can meet with a probability above `prune`.

    Parameters
    ----------
    agent : Agent
    gamma : float
        Discount of the optimum that it is compared with.
    prune : float
        Histories less probable than this are given up; `Behaviour.pruned` is their probability.
    limit : int
        Histories in all.
    solved : Plan, optional
        If already known: `plan(belief_graph(tasks, layout.identity_from), gamma)`.

    Raises
    ------
    PlanningError
        If there are more histories than `limit`, or too many beliefs.
    ValueError
        If the agent's state is reset where no evidence tells that an episode ended.
    """
    tasks, layout = agent.tasks, agent.layout
    solved = plan(belief_graph(tasks, layout.identity_from), gamma) if solved is None else solved
    walk = _Walk(agent, solved, gamma)
    level = walk.begin()
    for t in range(tasks.step_limit):
        level = walk.step(level, t, prune, limit)
        if len(level.mass) == 0:
            break
    return walk.result(cut=float(level.mass.sum()))


class _Level(NamedTuple):
    """Histories of equal length: belief node, probability, and what enters the network next."""

    node: np.ndarray
    mass: np.ndarray
    hidden: np.ndarray  # (n, H) before the step
    cell: np.ndarray
    reset: np.ndarray
    columns: np.ndarray  # (n, 3)
    prev_reward: np.ndarray


class _Walk:
    def __init__(self, agent, solved, gamma):
        self.agent, self.solved, self.gamma = agent, solved, gamma
        self.episode = _episodes(
            agent.tasks, solved.graph, needed=not (agent.layout.carries_state and agent.layout.sees_across)
        )
        n = len(solved.value)
        self.visits, self.good, self.loss = np.zeros(n), np.zeros(n), np.zeros(n)
        self.reward = self.steps = self.discounted = self.pruned = 0.0
        self.histories = 0

    def begin(self):
        graph, H = self.solved.graph, self.agent.layout.hidden_size
        r = len(graph.roots)
        nothing = np.zeros((r, H), self.agent.theta.dtype)
        inputs = self._inputs(graph.root_evidence, np.full(r, -1), np.zeros(r, int), np.ones(r, bool), np.ones(r, bool))
        return _Level(graph.roots, graph.root_probability.copy(), nothing, nothing, *inputs)

    def _inputs(self, evidence, action, episode, begins_trial, begins_episode):
        """(reset, columns, prev_reward) of a step after `evidence`: what `tinymeta.rollout.write_input` writes."""
        tasks, layout = self.agent.tasks, self.agent.layout
        seen, told = np.divmod(evidence, tasks.num_tasks + 1)
        observation, reward = np.divmod(seen, len(tasks.outcomes.reward_value))
        hidden = begins_trial | (begins_episode & (not layout.sees_across))
        columns = np.full((len(evidence), 3), -1)
        if layout.observation_column >= 0:
            columns[:, 0] = layout.observation_column + observation
        columns[:, 1] = np.where(hidden, -1, layout.action_column + action)
        if layout.identity_column >= 0:
            columns[:, 2] = np.where(
                (told > 0) & (episode >= layout.identity_from), layout.identity_column + told - 1, -1
            )
        prev_reward = np.where(hidden, 0.0, tasks.outcomes.reward_value[reward])
        return begins_trial | (begins_episode & (not layout.carries_state)), columns, prev_reward

    def step(self, level, t, prune, limit):
        """Account for the step at time t of every history and return those that come of it."""
        self.histories += len(level.mass)
        hidden, cell, policy = self._network(level)
        graph, A = self.solved.graph, policy.shape[1]
        self.steps += level.mass.sum()
        gain = level.mass @ (policy * graph.reward[level.node]).sum(axis=1)
        self.reward += gain
        self.discounted += self.gamma**t * gain
        good = (policy * self.solved.ties[level.node]).sum(axis=1)
        short = self.solved.value[level.node] - (policy * self.solved.action_value[level.node]).sum(axis=1)
        np.add.at(self.visits, level.node, level.mass)
        np.add.at(self.good, level.node, level.mass * good)
        np.add.at(self.loss, level.node, level.mass * self.gamma**t * short)
        pair = level.node[:, None] * A + np.arange(A)
        count = np.diff(graph.edge_start)[pair.ravel()]
        edge = ranges(graph.edge_start[pair.ravel()], count)
        source = np.repeat(np.arange(pair.size), count)
        mass = (level.mass[:, None] * policy).ravel()[source] * graph.edge_probability[edge]
        kept = mass > prune
        if self.histories + kept.sum() > limit:
            raise PlanningError(
                f"task set {self.agent.tasks.name!r} has more than {limit} histories, expected fewer, or a larger prune"
            )
        self.pruned += mass[~kept].sum()
        edge, parent, action, mass = edge[kept], source[kept] // A, source[kept] % A, mass[kept]
        child = graph.edge_child[edge]
        episode = self.episode[child]
        begins = episode > self.episode[level.node[parent]]
        inputs = self._inputs(graph.edge_evidence[edge], action, episode, np.zeros(len(edge), bool), begins)
        return _Level(child, mass, hidden[parent], cell[parent], *inputs)

    def _network(self, level):
        """(h, c, π) after the step's inputs, in chunks through the kernels that train."""
        layout, theta = self.agent.layout, self.agent.theta
        n = len(level.mass)
        hidden, cell = np.empty_like(level.hidden), np.empty_like(level.cell)
        policy = np.empty((n, layout.num_actions))
        size = min(CHUNK, n)
        rows, act = allocate(
            layout, size, 1, theta.dtype
        )  # rows 0…size-1 hold the states before, the next ones the step
        for begin in range(0, n, size):
            part = slice(begin, min(begin + size, n))
            m = part.stop - part.start
            act.h[:m], act.c[:m] = level.hidden[part], level.cell[part]
            rows.before[m : 2 * m] = np.arange(m)
            rows.reset[m : 2 * m], rows.columns[m : 2 * m] = level.reset[part], level.columns[part]
            rows.prev_reward[m : 2 * m] = level.prev_reward[part]
            step_network(rows, layout, theta, act, m, 2 * m)
            hidden[part], cell[part] = act.h[m : 2 * m], act.c[m : 2 * m]
            policy[part] = act.probabilities[m : 2 * m]
        return hidden, cell, policy / policy.sum(axis=1, keepdims=True)

    def result(self, cut):
        met = np.flatnonzero(self.visits)
        order = met[np.argsort(-self.loss[met], kind="stable")]
        faults = [
            Fault(self._belief(n), float(self.visits[n]), float(self.good[n] / self.visits[n]), float(self.loss[n]))
            for n in order
        ]
        return Behaviour(
            float(self.reward), float(self.steps), float(self.discounted), plan_value(self.solved, self.gamma),
            float(self.good.sum() / self.visits.sum()), self.histories, float(self.pruned), cut, faults,
        )  # fmt: skip

    def _belief(self, node):
        tasks, graph = self.agent.tasks, self.solved.graph
        entries = slice(graph.entry_start[node], graph.entry_start[node + 1])
        clock, rest = np.divmod(graph.entry_state[entries], tasks.num_tasks * tasks.num_states)
        keys = zip(clock // (tasks.episode_length or 1), rest // tasks.num_states, rest % tasks.num_states, strict=True)
        belief = {}
        for key, weight in zip(keys, graph.entry_weight[entries], strict=True):
            key = tuple(int(k) for k in key)
            belief[key] = belief.get(key, 0.0) + float(weight)
        return belief


def _episodes(tasks, graph, needed):
    """The episode of every node (n,). Where it is hidden: an error if `needed`, else the earliest possible one."""
    episode = graph.entry_state // (tasks.num_tasks * tasks.num_states * (tasks.episode_length or 1))
    first = np.minimum.reduceat(episode, graph.entry_start[:-1])
    if needed and (first != np.maximum.reduceat(episode, graph.entry_start[:-1])).any():
        raise InputError(
            f"in task set {tasks.name!r} an episode can end unseen, expected an agent that does not reset its state there"
        )
    return first
