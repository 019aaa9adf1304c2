"""The exact behaviour of a network: its whole tree of histories, walked instead of sampled.

At each node of the tree stand the network's state and a node of the belief graph, whose edges carry the exact
probabilities of what may be seen next. So expected reward, steps and discounted return are sums over the tree, with
no sampling error. Beside them stands where the agent errs: by the performance-difference lemma (Kakade & Langford
2002)

    V* - V = Σ_t γᵗ E[V*(b_t) - Q*(b_t, a_t)],

so the loss of optimality is a sum of losses at single beliefs, and the worst can be named.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base.errors import InputError, PlanningError
from tinymeta.base.jit import jit
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.learning.rows import write_input
from tinymeta.learning.sizes import allocate
from tinymeta.learning.update import step_network
from tinymeta.optimum.belief_graph import BeliefGraph, belief_graph, evidence_parts
from tinymeta.optimum.components import ranges
from tinymeta.optimum.joint import JointIndex
from tinymeta.optimum.planning import Plan, Value, plan, plan_value

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
    optimum: Value  # of the best policy with the agent's own information
    optimal: float  # probability that a step's action is optimal
    histories: int
    pruned: float  # probability of trials that were not followed to their end
    cut: float  # probability of trials that the step limit cut
    faults: list[Fault]  # worst first


def exact_behaviour(
    agent: Agent, gamma: float, prune: float = 0.0, limit: int = HISTORY_LIMIT, solved: Plan | None = None
) -> Behaviour:
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
    InputError
        If the agent's state is reset where no evidence tells that an episode ended.
    """
    tasks = agent.tasks
    if solved is None:
        solved = plan(belief_graph(tasks, agent.layout.identity_from), gamma)
    walk = _Walk(agent, solved, gamma)
    level = walk.begin()
    for t in range(tasks.step_limit):
        level = walk.step(level, t, prune, limit)
        if len(level.mass) == 0:
            break
    return walk.result(cut=float(level.mass.sum()))


class _Level(NamedTuple):
    """n histories of equal length: where they are, how probable, and what enters the network next."""

    node: np.ndarray  # (n,), of the belief graph
    mass: np.ndarray  # (n,), probability
    hidden: np.ndarray  # (n, H), before the step
    cell: np.ndarray  # (n, H)
    begins_trial: bool
    begins_episode: np.ndarray  # (n,) bool
    episode: np.ndarray  # (n,)
    observation: np.ndarray  # (n,)
    prev_reward: np.ndarray  # (n,)
    prev_action: np.ndarray  # (n,)
    task: np.ndarray  # (n,), 0 where it is not told


@jit
def _write_inputs(
    rows, layout, first, begins_trial, begins_episode, episode, observation, prev_reward, prev_action, task
):
    """What enters the network in n histories, (n,) each. Overwrites rows first…first+n-1; rows 0…n-1 precede them."""
    for i in range(observation.shape[0]):
        write_input(
            rows,
            layout,
            first + i,
            i,
            i,
            episode[i],
            begins_trial,
            begins_episode[i],
            observation[i],
            prev_reward[i],
            prev_action[i],
            task[i],
        )


class _Walk:
    """Sums over the tree, level by level."""

    def __init__(self, agent: Agent, solved: Plan, gamma: float) -> None:
        layout = agent.layout
        self.agent = agent
        self.solved = solved
        self.gamma = gamma
        self.joint = JointIndex(agent.tasks)
        seen_ends = not (layout.carries_state and layout.sees_across)
        self.episode = _episodes(agent.tasks, solved.graph, self.joint, needed=seen_ends)
        n = len(solved.value)
        self.visits = np.zeros(n)
        self.optimal = np.zeros(n)
        self.loss = np.zeros(n)
        self.reward = 0.0
        self.steps = 0.0
        self.discounted = 0.0
        self.pruned = 0.0
        self.histories = 0

    def begin(self) -> _Level:
        """One history for each first observation."""
        graph = self.solved.graph
        r = len(graph.roots)
        nothing = np.zeros((r, self.agent.layout.hidden_size), self.agent.theta.dtype)
        observation, reward, task = self._seen(graph.root_evidence)
        none = np.zeros(r, int)
        every = np.ones(r, bool)
        mass = graph.root_probability.copy()
        return _Level(graph.roots, mass, nothing, nothing, True, every, none, observation, reward, none, task)

    def _seen(self, evidence: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(observation, reward, task or 0) of the graph's evidence (n,), n numbers each."""
        observation, reward, task = evidence_parts(self.agent.tasks, evidence)
        return observation, self.agent.tasks.outcomes.reward_value[reward], np.maximum(task, 0)

    def step(self, level: _Level, t: int, prune: float, limit: int) -> _Level:
        """Account for the step at time t of every history and return those that come of it."""
        self.histories += len(level.mass)
        hidden, cell, policy = self._network(level)
        self._account(level, policy, self.gamma**t)
        graph = self.solved.graph
        A = policy.shape[1]
        pair = (level.node[:, None] * A + np.arange(A)).ravel()
        count = np.diff(graph.edge_start)[pair]
        edge = ranges(graph.edge_start[pair], count)
        source = np.repeat(np.arange(len(pair)), count)  # history·A + action
        mass = (level.mass[:, None] * policy).ravel()[source] * graph.edge_probability[edge]
        kept = mass > prune
        if self.histories + kept.sum() > limit:
            name = self.agent.tasks.name
            raise PlanningError(f"task set {name!r} has more than {limit} histories, expected fewer, or a larger prune")
        self.pruned += mass[~kept].sum()
        edge = edge[kept]
        parent, action = np.divmod(source[kept], A)
        child = graph.edge_child[edge]
        episode = self.episode[child]
        begins = episode > self.episode[level.node[parent]]
        observation, reward, task = self._seen(graph.edge_evidence[edge])
        return _Level(
            child, mass[kept], hidden[parent], cell[parent], False, begins, episode, observation, reward, action, task
        )

    def _account(self, level: _Level, policy: np.ndarray, discount: float) -> None:
        """Add what the histories of a level, acting by `policy` (n, A), are expected to earn, take and lose."""
        solved = self.solved
        gain = level.mass @ (policy * solved.graph.reward[level.node]).sum(axis=1)
        self.steps += level.mass.sum()
        self.reward += gain
        self.discounted += discount * gain
        optimal = (policy * solved.ties[level.node]).sum(axis=1)
        lost = solved.value[level.node] - (policy * solved.action_value[level.node]).sum(axis=1)
        np.add.at(self.visits, level.node, level.mass)
        np.add.at(self.optimal, level.node, level.mass * optimal)
        np.add.at(self.loss, level.node, level.mass * discount * lost)

    def _network(self, level: _Level) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(h, c, π) after the step's inputs, in chunks through the kernels that train."""
        layout = self.agent.layout
        theta = self.agent.theta
        n = len(level.mass)
        hidden = np.empty_like(level.hidden)
        cell = np.empty_like(level.cell)
        policy = np.empty((n, layout.num_actions))
        size = min(CHUNK, n)
        rows, act = allocate(layout, size, 1, theta.dtype)  # rows 0…m-1 hold the states before, m…2m-1 the step
        for begin in range(0, n, size):
            part = slice(begin, min(begin + size, n))
            m = part.stop - part.start
            act.h[:m] = level.hidden[part]
            act.c[:m] = level.cell[part]
            inputs = (array[part] for array in level[5:])
            _write_inputs(rows, layout, m, level.begins_trial, *inputs)
            step_network(rows, layout, theta, act, m, 2 * m)
            hidden[part] = act.h[m : 2 * m]
            cell[part] = act.c[m : 2 * m]
            policy[part] = act.probabilities[m : 2 * m]
        return hidden, cell, policy / policy.sum(axis=1, keepdims=True)

    def result(self, cut: float) -> Behaviour:
        """What the walk has found; `cut` is the probability of the histories that are left."""
        met = np.flatnonzero(self.visits)
        faults = []
        for n in met[np.argsort(-self.loss[met], kind="stable")]:
            share = float(self.optimal[n] / self.visits[n])
            faults.append(Fault(self._belief(n), float(self.visits[n]), share, float(self.loss[n])))
        return Behaviour(
            reward=float(self.reward),
            steps=float(self.steps),
            discounted=float(self.discounted),
            optimum=plan_value(self.solved, self.gamma),
            optimal=float(self.optimal.sum() / self.visits.sum()),
            histories=self.histories,
            pruned=float(self.pruned),
            cut=cut,
            faults=faults,
        )

    def _belief(self, node: int) -> dict[tuple[int, int, int], float]:
        """{(episode, task, state): probability} at a node; the time in an episode is summed over."""
        graph = self.solved.graph
        entries = slice(graph.entry_start[node], graph.entry_start[node + 1])
        joint = graph.entry_state[entries]
        parts = (self.joint.episode(joint), self.joint.task(joint), self.joint.state(joint))
        belief: dict[tuple[int, int, int], float] = {}
        for episode, task, state, weight in zip(*parts, graph.entry_weight[entries], strict=True):
            key = (int(episode), int(task), int(state))
            belief[key] = belief.get(key, 0.0) + float(weight)
        return belief


def _episodes(tasks: TaskSet, graph: BeliefGraph, joint: JointIndex, needed: bool) -> np.ndarray:
    """The episode of every node (n,). Where it is hidden: an error if `needed`, else the earliest possible one."""
    episode = joint.episode(graph.entry_state)
    first = np.minimum.reduceat(episode, graph.entry_start[:-1])
    if needed and (first != np.maximum.reduceat(episode, graph.entry_start[:-1])).any():
        raise InputError(
            f"in task set {tasks.name!r} an episode can end unseen, "
            "expected an agent that does not reset its state there"
        )
    return first
