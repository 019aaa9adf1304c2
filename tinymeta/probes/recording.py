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
from tinymeta.learning.rows import allocate
from tinymeta.learning.update import forward
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
    N, T, D = recording.inputs.shape
    layout = agent.layout
    if layout.input_size != D:
        raise InputError(f"recording has inputs of width {D}, expected the {layout.input_size} of agent {agent.name!r}")
    rows, act = allocate(layout, N, T, agent.theta.dtype)
    n = np.arange(T * N)  # row t·N + trial
    by_time = recording.inputs.swapaxes(0, 1).reshape(T * N, D)
    rows.begin[:] = np.append(np.arange(T + 1) * N, T * N)
    rows.size[:] = T, T * N, T * N
    rows.before[: T * N] = n - N
    rows.reset[: T * N] = recording.reset.T.ravel() | (n < N)
    rows.prev_reward[: T * N] = by_time[:, layout.reward_column]
    starts = (layout.observation_column, layout.action_column, layout.identity_column)
    widths = (layout.reward_column, layout.num_actions, D - layout.action_column - layout.num_actions)
    for i, (start, width) in enumerate(zip(starts, widths, strict=True)):
        one_hot = by_time[:, start : start + width] if start >= 0 else np.zeros((T * N, 1))
        rows.columns[: T * N, i] = np.where(one_hot.any(axis=1), start + one_hot.argmax(axis=1), -1)
    forward(rows, layout, agent.theta, act)
    hidden, cell, heads = (array[: T * N].reshape(T, N, -1).swapaxes(0, 1) for array in (act.h, act.c, act.heads))
    return recording._replace(hidden=hidden, cell=cell, logits=heads[:, :, :-1])


def untrained(agent: Agent, seed: int, init: str = "default") -> Agent:
    """The agent as it was before training with this seed."""
    numbers = randomness.uniforms(seed, randomness.INITIALISATION, 0, 1, num_parameters(agent.layout))[0]
    theta = initial_parameters(agent.layout, init, numbers, agent.theta.dtype)
    return Agent(agent.tasks, agent.name, theta, agent.layout.hidden_size)


def nodes_along(tasks: TaskSet, graph: BeliefGraph, recording: Recording, identity_from: int = NEVER) -> np.ndarray:
    """The node of a belief graph at every step (N, T), -1 where not valid; `identity_from` as in `belief_graph`.

    Raises
    ------
    InputError
        If the recording holds what cannot happen on the graph.
    """
    pair = np.repeat(np.arange(len(graph.edge_start) - 1), np.diff(graph.edge_start))
    span = int(max(graph.edge_evidence.max(initial=0), graph.root_evidence.max())) + 2
    key = pair * span + graph.edge_evidence  # ascending
    index = reward_index(tasks, recording.reward)
    told = np.where(recording.episode >= identity_from, recording.task[:, None], -1)
    nodes = np.full(recording.valid.shape, -1)
    first = evidence(tasks, recording.observation[:, 0], 0, told[:, 0])
    order = np.argsort(graph.root_evidence)
    nodes[:, 0] = graph.roots[order][np.searchsorted(graph.root_evidence[order], first)]
    for t in range(recording.valid.shape[1] - 1):
        n = np.flatnonzero(recording.valid[:, t + 1])
        seen = evidence(tasks, recording.observation[n, t + 1], index[n, t], told[n, t + 1])
        wanted = (nodes[n, t] * tasks.num_actions + recording.action[n, t]) * span + seen
        at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        if not (key[at] == wanted).all():
            raise InputError("the recording holds evidence that the belief graph does not, expected the same task set")
        nodes[n, t + 1] = graph.edge_child[at]
    return nodes
