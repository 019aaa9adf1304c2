"""Networks whose weights were set by hand, so that what probes must find in them is known; and untrained ones."""

import numpy as np

import tinymeta
from tinymeta.learning.agent import Agent
from tinymeta.learning.wirings import make_layout
from tinymeta.network.parameters import num_parameters, parameter_shapes
from tinymeta.probes.recording import untrained

BIG = 30.0
UNIT = 0.01  # of evidence in a cell: so small that tanh is the identity to 1e-4 up to 20 units
SURE = 10.0  # logits per unit of evidence

I, F, G, O = 0, 1, 2, 3  # blocks of rows: gates  # noqa: E741


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


class Weights:
    """Zeros, and the rows of unit u's gates by name."""

    def __init__(self, tasks, units, agent="rl2"):
        self.tasks = tasks
        self.agent = agent
        self.units = units
        self.layout = make_layout(tasks, agent, units)
        self.arrays = {name: np.zeros(shape) for name, shape in parameter_shapes(self.layout).items()}

    def keep(self, unit):
        """The unit forgets nothing, shows all, and takes in nothing unless told to."""
        self.arrays["lstm.bias"][[gate * self.units + unit for gate in (I, F, O)]] = -BIG, BIG, BIG

    def input(self, gate, unit, column, weight):
        self.arrays["lstm.weight_ih"][gate * self.units + unit, column] += weight

    def bias(self, gate, unit, weight):
        self.arrays["lstm.bias"][gate * self.units + unit] += weight

    def made(self):
        return Agent.from_parameters(self.tasks, self.agent, self.arrays, np.float64)


def evidence_counter(tasks, agent="rl2"):
    """Counts net evidence in a dependent bandit: unit 0 after pulls of arm 0, unit 1 after pulls of arm 1."""
    w = Weights(tasks, 2, agent)
    for arm, sign in ((0, 1), (1, -1)):
        w.keep(arm)
        w.input(I, arm, w.layout.action_column + arm, 2 * BIG)
        w.input(G, arm, w.layout.reward_column, 2 * sign * UNIT)
        w.bias(G, arm, -sign * UNIT)
    w.arrays["policy.weight"][:] = np.array([[1, 1], [-1, -1]]) * SURE / UNIT / 2
    return w.made()


def action_counter(tasks):
    """Counts how often each arm was pulled and pulls the one that it pulled less: a memory, but not of evidence."""
    w = Weights(tasks, 1)
    w.keep(0)
    for arm, sign in ((0, 1), (1, -1)):
        w.input(I, 0, w.layout.action_column + arm, 2 * BIG)
        w.input(G, 0, w.layout.action_column + arm, sign * UNIT)
    w.arrays["policy.weight"][:, 0] = np.array([-1, 1]) * SURE / UNIT / 2
    return w.made()


def listener(tasks):
    """Tiger's optimum: counts growls from the left less those from the right, opens at two, forgets in silence."""
    w = Weights(tasks, 1)
    w.keep(0)
    left, right, silence = range(3)
    for side, sign in ((left, 1), (right, -1)):
        w.input(I, 0, side, 2 * BIG)
        w.input(G, 0, side, sign * UNIT)
    w.input(F, 0, silence, -2 * BIG)
    w.arrays["policy.weight"][:, 0] = np.array([0, -1, 1]) * SURE / UNIT
    w.arrays["policy.bias"][:] = 0, -1.5 * SURE, -1.5 * SURE
    return w.made()
