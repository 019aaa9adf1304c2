"""What an agent went through, beside what an ideal observer would have known: the material of every probe.

A `Recording` holds N trials step by step: the agent's inputs, states and choices, and the exact belief of the Bayes
filter on what `rl2` gets to see. Another network can be sent through the same inputs (`relive`), which is how an
untrained control is made.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError
from tinymeta.environments.outcomes import NEVER
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.learning.belief_agents import BeliefAgent
from tinymeta.learning.evaluation import trace
from tinymeta.learning.sizes import allocate
from tinymeta.learning.update import step_network
from tinymeta.network.parameters import initial_parameters, num_parameters
from tinymeta.optimum.belief_graph import BeliefGraph, evidence
from tinymeta.optimum.filter import reward_index


class Recording(NamedTuple):
    """N recorded trials of at most T steps; entries that are not `valid` are past a trial's end."""

    inputs: np.ndarray  # (N, T, D)
    reset: np.ndarray  # (N, T) bool
    valid: np.ndarray  # (N, T) bool
    episode: np.ndarray  # (N, T)
    observation: np.ndarray  # (N, T)
    action: np.ndarray  # (N, T)
    reward: np.ndarray  # (N, T)
    task: np.ndarray  # (N,)
    hidden: np.ndarray  # (N, T, H), from which the step's logits are read
    cell: np.ndarray  # (N, T, H)
    logits: np.ndarray  # (N, T, A)
    belief: np.ndarray  # (N, T, M, S), exact, before the action
    hypotheses: np.ndarray  # (N, T, V), the hidden part of it, see `hidden_part`
    truth: np.ndarray  # (N, T), which of the V is true


def record(agent: Agent | BeliefAgent, trials: int, seed: int = 0) -> Recording:
    """Play `trials` trials with frozen weights and filter them; which ones, `seed` says, see `Agent.play`."""
    arrays = trace(agent, trials, seed)
    task = arrays["task"][:, 0]
    hypotheses, truth = hidden_part(agent.tasks, arrays["belief"], task, arrays["state"])
    names = set(Recording._fields) - {"task", "hypotheses", "truth"}
    return Recording(**{name: arrays[name] for name in names}, task=task, hypotheses=hypotheses, truth=truth)


def record_random_actions(agent: Agent, trials: int, seed: int = 0) -> Recording:
    """`record` with all actions equally likely, whatever the network prefers.

    Its histories do not depend on the network, and those that it would never choose occur as well.
    """
    return relive(agent, record(_without_preferences(agent), trials, seed))


def hidden_part(
    tasks: TaskSet, belief: np.ndarray, task: np.ndarray, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What a belief is about: the task where there are several, else the state of the only one.

    Parameters
    ----------
    tasks : TaskSet
    belief : array of shape (N, T, M, S)
    task : array of shape (N,)
    state : array of shape (N, T)

    Returns
    -------
    P(hypothesis), array of shape (N, T, V), and the true hypothesis, array of shape (N, T).
    """
    if tasks.num_tasks > 1:
        return belief.sum(axis=3), np.broadcast_to(task[:, None], state.shape)
    return belief[:, :, 0, :], state


def relive(agent: Agent, recording: Recording) -> Recording:
    """The recording with the states and logits of another network on the same inputs; actions stay the recorded ones.

    Raises
    ------
    InputError
        If the network's inputs are not as wide as the recorded ones.
    """
    D = recording.inputs.shape[2]
    if agent.layout.input_size != D:
        wanted = agent.layout.input_size
        raise InputError(f"recording has inputs of width {D}, expected the {wanted} of agent {agent.name!r}")
    hidden, cell, logits = replay(agent, recording.inputs, recording.reset)
    return recording._replace(hidden=hidden, cell=cell, logits=logits)


def replay(
    agent: Agent, inputs: np.ndarray, reset: np.ndarray, state: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The network on given inputs.

    Parameters
    ----------
    agent : Agent
    inputs : array of shape (B, T, D)
    reset : bool array of shape (B, T)
        The state is zeroed before the step.
    state : array of shape (B, 2H), optional
        [h, c] from which the first step goes on; zeros if left out.

    Returns
    -------
    hidden, cell, arrays of shape (B, T, H), and logits, array of shape (B, T, A).
    """
    B, T, D = inputs.shape
    layout = agent.layout
    H = layout.hidden_size
    rows, act = allocate(layout, B, T, agent.theta.dtype)
    act.h[:B] = 0 if state is None else state[:, :H]  # rows 0…B-1 hold the states before the first step
    act.c[:B] = 0 if state is None else state[:, H:]
    n = np.arange(B, (T + 1) * B)  # row (t + 1)·B + trial
    by_time = inputs.swapaxes(0, 1).reshape(T * B, D)
    rows.before[n] = n - B
    rows.reset[n] = reset.T.ravel()
    rows.prev_reward[n] = by_time[:, layout.reward_column]
    numbers = D - layout.num_numbers
    rows.numbers[n] = by_time[:, numbers:]
    starts = (layout.observation_column, layout.action_column, layout.identity_column)
    widths = (layout.reward_column, layout.num_actions, numbers - layout.identity_column)
    for i, (start, width) in enumerate(zip(starts, widths, strict=True)):
        one_hot = by_time[:, start : start + width] if start >= 0 else np.zeros((T * B, 1))
        rows.columns[n, i] = np.where(one_hot.any(axis=1), start + one_hot.argmax(axis=1), -1)
    for t in range(1, T + 1):
        step_network(rows, layout, agent.theta, act, t * B, (t + 1) * B)
    hidden, cell, heads = (array[n].reshape(T, B, -1).swapaxes(0, 1) for array in (act.h, act.c, act.heads))
    return hidden, cell, heads[:, :, :-1]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (…, A), in float64."""
    e = np.exp(logits.astype(float) - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _without_preferences(agent: Agent) -> Agent:
    """The agent with a policy head of zeros."""
    parameters = agent.parameters
    for name in ("policy.weight", "policy.bias"):
        parameters[name] = np.zeros_like(parameters[name])
    return Agent.from_parameters(agent.tasks, agent.name, parameters, agent.theta.dtype.type)


def untrained(agent: Agent, seed: int, init: str = "default") -> Agent:
    """The agent as it was before training with this seed."""
    numbers = randomness.uniforms(seed, randomness.INITIALISATION, 0, 1, num_parameters(agent.layout))[0]
    theta = initial_parameters(agent.layout, init, numbers, agent.theta.dtype)
    return agent.with_weights(theta)


class Successors:
    """Where evidence leads on a belief graph."""

    def __init__(self, graph: BeliefGraph) -> None:
        self.graph = graph
        self._actions = graph.reward.shape[1]
        self._span = int(max(graph.edge_evidence.max(initial=0), graph.root_evidence.max())) + 2
        pair = np.repeat(np.arange(len(graph.edge_start) - 1), np.diff(graph.edge_start))
        self._key = pair * self._span + graph.edge_evidence  # ascending

    def roots(self, seen: np.ndarray) -> np.ndarray:
        """Nodes (n,) after the first evidence, in numbers as `tinymeta.optimum.belief_graph.evidence` gives."""
        order = np.argsort(self.graph.root_evidence)
        return self.graph.roots[order][np.searchsorted(self.graph.root_evidence[order], seen)]

    def after(self, node: np.ndarray, action: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Nodes (n,) that follow; -1 where the evidence is impossible."""
        wanted = (node * self._actions + action) * self._span + np.minimum(seen, self._span - 1)
        at = np.minimum(np.searchsorted(self._key, wanted), len(self._key) - 1)
        return np.where(self._key[at] == wanted, self.graph.edge_child[at], -1)


def nodes_along(tasks: TaskSet, graph: BeliefGraph, recording: Recording, identity_from: int = NEVER) -> np.ndarray:
    """The node of a belief graph at every step (N, T), -1 where not valid; `identity_from` as in `belief_graph`.

    Raises
    ------
    InputError
        If the recording holds what cannot happen on the graph.
    """
    successors = Successors(graph)
    seen = evidence_along(tasks, recording, identity_from)
    nodes = np.full(recording.valid.shape, -1)
    nodes[:, 0] = successors.roots(seen[:, 0])
    for t in range(recording.valid.shape[1] - 1):
        n = np.flatnonzero(recording.valid[:, t + 1])
        nodes[n, t + 1] = successors.after(nodes[n, t], recording.action[n, t], seen[n, t + 1])
        if (nodes[n, t + 1] < 0).any():
            raise InputError("the recording holds evidence that the belief graph does not, expected the same task set")
    return nodes


def evidence_along(tasks: TaskSet, recording: Recording, identity_from: int = NEVER) -> np.ndarray:
    """The evidence that enters at every step (N, T), by its number on edges; rewards are those of the step before."""
    index = np.zeros(recording.valid.shape, int)
    index[:, 1:] = reward_index(tasks, recording.reward[:, :-1])
    told = np.where(recording.episode >= identity_from, recording.task[:, None], -1)
    return evidence(tasks, recording.observation, index, told)
