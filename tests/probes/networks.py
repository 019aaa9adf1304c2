"""Networks whose insides are known, for tests of probes: the Bayes filter of a small task set, and untrained ones."""

import numpy as np

import tinymeta
from tinymeta.learning.agent import Agent
from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import num_parameters, parameter_shapes
from tinymeta.probes.recording import untrained

BIG = 30.0


def telling_taskset(episodes=6):
    """Two tasks, one-step episodes: any reward tells the task by its sign; the arms are worth different things."""
    transition = np.zeros((2, 2, 2, 2))
    transition[..., 1] = 1
    reward = np.zeros((2, 2, 2, 2))
    reward[0, 0, :, 1], reward[1, 0, :, 1] = (1.0, 0.5), (-1.0, -0.5)
    initial = np.array([[1.0, 0]] * 2)
    terminal = np.array([[False, True]] * 2)
    observation = np.ones((2, 2, 1))
    return tinymeta.TaskSet(
        transition, reward, observation, initial=initial, terminal=terminal, episodes=episodes, name="telling"
    )


def hand_made(tasks, sees=True):
    """The Bayes filter of `telling_taskset` as an LSTM: unit 0 holds the last reward's sign; nothing if not `sees`."""
    layout = make_layout(tasks, "rl2", 3)
    p = {name: np.zeros(shape) for name, shape in parameter_shapes(layout).items()}
    if sees:
        i, f, g, o = 0, 3, 6, 9  # rows of unit 0
        action = slice(layout.action_column, layout.action_column + 2)
        p["lstm.weight_ih"][i, action] = 2 * BIG  # open just when there was an action
        p["lstm.weight_ih"][f, action] = -2 * BIG
        p["lstm.weight_ih"][g, layout.reward_column] = 2 * BIG
        p["lstm.bias"][[i, f, o]] = -BIG, BIG, BIG
        p["policy.weight"][:, 0] = BIG, -BIG
    return Agent.from_parameters(tasks, "rl2", p, np.float64)


def untrained_agent(tasks, name="rl2", hidden_size=4):
    """A network as it is before training."""
    theta = np.zeros(num_parameters(make_layout(tasks, name, hidden_size)), np.float32)
    return untrained(Agent(tasks, name, theta, hidden_size), seed=0)
