"""What an agent went through, beside what an ideal observer would have known: the material of every probe.

A `Recording` holds N trials step by step: the agent's inputs, states and choices, and the exact belief of the Bayes filter on what
`rl2` gets to see. Another network can be sent through the same inputs (`relive`), which is how an untrained control is made.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.environments.outcomes import NEVER
from tinymeta.learning.agent import Agent
from tinymeta.learning.evaluation import trace
from tinymeta.learning.rows import allocate
from tinymeta.learning.update import forward
from tinymeta.network.parameters import initial_parameters, num_parameters
from tinymeta.optimum.belief_graph import evidence
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


def record(agent, trials, seed=0):
    """Play `trials` trials with frozen weights and filter them; see `tinymeta.policies.Agent.play` for the luck."""
    arrays = trace(agent, trials, seed)
    task = arrays["task"][:, 0]
    hypotheses, truth = hidden_part(agent.tasks, arrays["belief"], task, arrays["state"])
    names = ("inputs", "reset", "valid", "episode", "observation", "action", "reward")
    return Recording(*(arrays[name] for name in names), task, arrays["hidden"], arrays["cell"], arrays["logits"], arrays["belief"],
                     hypotheses, truth)  # fmt: skip


def hidden_part(tasks, belief, task, state):
    """(P(hypothesis) (N, T, V), true hypothesis (N, T)): over tasks where there are several, else over the states of the only one."""
    if tasks.num_tasks > 1:
        return belief.sum(axis=3), np.broadcast_to(task[:, None], state.shape)
    return belief[:, :, 0, :], state


def relive(agent, recording):
    """The recording with the states and logits of another network on the same inputs; its actions stay the recorded ones."""
    N, T, D = recording.inputs.shape
    layout = agent.layout
    if layout.input_size != D:
        raise ValueError(f"recording has inputs of width {D}, expected the {layout.input_size} of agent {agent.name!r}")
    rows, act = allocate(layout, N, T, agent.theta.dtype)
    by_time = recording.inputs.swapaxes(0, 1).reshape(T * N, D)
    rows.begin[:] = np.append(np.arange(T + 1) * N, T * N)
    rows.size[:] = T, T * N, T * N
    used = slice(0, T * N)
    rows.before[used] = np.arange(T * N) - N
    rows.reset[used] = recording.reset.T.ravel() | (np.arange(T * N) < N)
    rows.prev_reward[used] = by_time[:, layout.reward_column]
    starts = (layout.observation_column, layout.action_column, layout.identity_column)
    widths = (layout.reward_column, layout.num_actions, D - layout.action_column - layout.num_actions)
    for i, (start, width) in enumerate(zip(starts, widths, strict=True)):
        ones = by_time[:, start : start + width] if start >= 0 else np.zeros((T * N, 1))
        rows.columns[used, i] = np.where(ones.any(axis=1), start + ones.argmax(axis=1), -1)
    forward(rows, layout, agent.theta, act)
    hidden, cell, heads = (array[used].reshape(T, N, -1).swapaxes(0, 1) for array in (act.h, act.c, act.heads))
    return recording._replace(hidden=hidden, cell=cell, logits=heads[:, :, :-1])


def untrained(agent, seed, init="default"):
    """The agent as it was before training with this seed."""
    numbers = randomness.uniforms(seed, randomness.INITIALISATION, 0, 1, num_parameters(agent.layout))[0]
    theta = initial_parameters(agent.layout, init, numbers, agent.theta.dtype)
    return Agent(agent.tasks, agent.name, theta, agent.layout.hidden_size)


def nodes_along(tasks, graph, recording, identity_from=NEVER):
    """The node of a belief graph at every step (N, T), -1 where not valid; `identity_from` as in `belief_graph`."""
    key = np.repeat(np.arange(len(graph.edge_start) - 1), np.diff(graph.edge_start))
    span = int(max(graph.edge_evidence.max(initial=0), graph.root_evidence.max())) + 2
    key = key * span + graph.edge_evidence
    index = reward_index(tasks, recording.reward)
    told = np.where(recording.episode >= identity_from, recording.task[:, None], -1)
    nodes = np.full(recording.valid.shape, -1)
    first = evidence(tasks, recording.observation[:, 0], 0, told[:, 0])
    order = np.argsort(graph.root_evidence)
    nodes[:, 0] = graph.roots[order][np.searchsorted(graph.root_evidence[order], first)]
    for t in range(nodes.shape[1] - 1):
        n = np.flatnonzero(recording.valid[:, t + 1])
        seen = evidence(tasks, recording.observation[n, t + 1], index[n, t], told[n, t + 1])
        wanted = (nodes[n, t] * tasks.num_actions + recording.action[n, t]) * span + seen
        at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        if not (key[at] == wanted).all():
            raise ValueError(
                "the recording holds evidence that the belief graph does not, expected one on the same task set"
            )
        nodes[n, t + 1] = graph.edge_child[at]
    return nodes
