"""Agents that act: a network with frozen weights, step by step in anybody's loop or in batches of trials.

Both ways run the same kernels, so they give the same logits. `play` returns `Totals` (what each episode paid and took) and,
when asked, a trace with all that a third party needs to replay the trials.
"""

from typing import NamedTuple

import numpy as np

from tinymeta import luck
from tinymeta._jit import jit
from tinymeta.actor_critic import heads_forward, split
from tinymeta.agents import make_layout, num_parameters, to_dict, to_flat
from tinymeta.errors import InputError, NotFiniteError, instance, integer, real, shown
from tinymeta.lstm import lstm_forward
from tinymeta.memory import require, working_bytes
from tinymeta.rollout import allocate, rollout, write_input
from tinymeta.taskset import TaskSet, make_rules

BATCH, PLAY_BYTES = 128, 2**25  # trials played at once, and the memory they may take; results do not depend on it


class Totals(NamedTuple):
    """What N trials of K episodes earned and how long they took. Episodes that a cut trial never reached count 0."""

    reward: np.ndarray  # (N, K)
    discounted: np.ndarray  # (N,), discounted over the whole trial
    steps: np.ndarray  # (N, K) int64
    task: np.ndarray  # (N,) int64
    cut: np.ndarray  # (N,) bool, a step limit cut the trial


@jit
def step_network(rows, layout, theta, act, start, stop):
    """The network on rows start…stop, whose predecessors are rows.before."""
    weight_x, weight_h, bias, head_weight, head_bias = split(theta, layout)
    lstm_forward(rows, layout.reward_column, weight_x, weight_h, bias, act, start, stop)
    heads_forward(head_weight, head_bias, act, start, stop)


class Agent:
    """A trained (or untrained) network on a task set, with frozen weights.

    Parameters
    ----------
    tasks : TaskSet
    name : str
        A row of `tinymeta.agents.WIRINGS`.
    theta : array of shape (P,)
        Flat parameters, see `tinymeta.agents`.
    hidden_size : int
    seed : int
        Of the actions that `act` samples.
    """

    def __init__(self, tasks, name, theta, hidden_size, seed=0):
        self.tasks, self.name = instance("tasks", tasks, TaskSet), name
        self.layout = make_layout(tasks, name, hidden_size)
        self.theta = _checked_theta(theta, self.layout)
        self._random = luck.generator(integer("seed", seed, 0), luck.ACTING)
        self._rows, self._act = allocate(self.layout, 1, 1, theta.dtype)  # two rows: this step's and the last one's
        self.reset()

    @classmethod
    def from_parameters(cls, tasks, name, parameters, dtype=np.float32, seed=0):
        """An agent from {PyTorch name: array}, see `tinymeta.agents.parameter_shapes`."""
        if "lstm.weight_hh" not in parameters or np.ndim(parameters["lstm.weight_hh"]) != 2:
            raise InputError("parameter lstm.weight_hh is missing or no matrix, expected an array of shape (4H, H)")
        if dtype not in (np.float32, np.float64):
            raise InputError(f"dtype = {shown(dtype)}, expected float32 or float64")
        hidden_size = np.shape(parameters["lstm.weight_hh"])[1]
        return cls(tasks, name, to_flat(parameters, make_layout(tasks, name, hidden_size), dtype), hidden_size, seed)

    @property
    def parameters(self):
        """{PyTorch name: array}, copies."""
        return to_dict(self.theta, self.layout)

    def reset(self):
        """Begin a new trial."""
        self._steps, self._episode = 0, 0

    def act(self, observation, prev_reward=None, prev_action=None, *, new_episode=False, task=None, greedy=False):
        """One step of a trial.

        Parameters
        ----------
        observation : int
            0…O-1.
        prev_reward, prev_action : float, int
            Of the step before; None at a trial's first step.
        new_episode : bool
            The last step ended an episode; `observation` is the next one's first. False at a trial's first step.
        task : int, optional
            Needed where the agent's wiring shows it the task's identity.
        greedy : bool
            Take the most probable action instead of sampling.

        Returns
        -------
        action : int
        info : dict
            logits (A,), probabilities (A,), value, hidden (H,), cell (H,): copies.

        Raises
        ------
        ValueError
            If an argument is out of range, missing, or given at a trial's first step.
        NotFiniteError
            If the weights are so large that a logit or the value overflows.
        """
        tasks = self.tasks
        observation = integer("observation", observation, 0, tasks.num_observations - 1)
        begins = self._steps == 0
        if begins and (prev_reward is not None or prev_action is not None or new_episode):
            raise InputError(
                "a trial's first step has no prev_reward, prev_action or new_episode; call reset() only between trials"
            )
        if not begins:
            prev_reward = real("prev_reward", prev_reward)
            prev_action = integer("prev_action", prev_action, 0, tasks.num_actions - 1)
        episode = self._episode + bool(new_episode)
        if episode >= self.layout.identity_from:
            task = integer(f"task, which agent {self.name!r} is told in episode {episode}", task, 0, tasks.num_tasks - 1)
        n = self._steps % 2
        write_input(self._rows, self.layout, n, 1 - n, 0, episode, begins, bool(new_episode), observation,
                    0.0 if begins else prev_reward, 0 if begins else prev_action, 0 if task is None else task)  # fmt: skip
        act = self._act
        step_network(self._rows, self.layout, self.theta, act, n, n + 1)
        self._steps, self._episode = self._steps + 1, episode
        info = {"logits": act.heads[n, :-1].copy(), "probabilities": act.probabilities[n].copy(), "value": float(act.heads[n, -1]),
                "hidden": act.h[n].copy(), "cell": act.c[n].copy()}  # fmt: skip
        _check_finite(act.heads[n], self.name)
        if greedy:
            return int(np.argmax(info["logits"])), info
        cumulative = np.cumsum(info["probabilities"], dtype=np.float64)
        return int(np.searchsorted(cumulative, self._random.random() * cumulative[-1], side="right")), info

    def play(self, rollouts, seed=0, greedy=False, step_limit=None, trace=False, gamma=1.0):
        """Play `rollouts` trials on tasks drawn from the prior. Trial i depends on (seed, i) alone; gamma discounts `Totals`.

        Returns
        -------
        Totals, or (Totals, dict of arrays) with `trace`; see `make_trace`.
        """
        rollouts = integer("rollouts", rollouts, low=1, high=10**9)
        seed = integer("seed", seed, low=0, high=2**63 - 1)
        gamma = real("gamma", gamma, 0, 1)
        rules = make_rules(self.tasks, None if step_limit is None else integer("step_limit", step_limit, 1, 10**12))
        batch = play_batch(self.layout, rules, rollouts, self.theta.itemsize, trace)
        totals, traces = [], []
        rows, act = allocate(self.layout, batch, rules.step_limit, self.theta.dtype)
        for first in range(0, rollouts, batch):
            count = min(batch, rollouts - first)
            if count < batch:
                rows, act = allocate(self.layout, count, rules.step_limit, self.theta.dtype)
            uniforms = evaluation_uniforms(seed, first, count, rules.step_limit)
            rollout(self.tasks.outcomes, rules, self.layout, self.theta, uniforms, greedy, rows, act)
            _check_finite(act.heads[: rows.size[1]], self.name)
            totals.append(episode_totals(rows, rules.episodes, gamma))
            if trace:
                traces.append(make_trace(rows, act, self.layout))
        totals = Totals(*(np.concatenate(parts) for parts in zip(*totals, strict=True)))
        return (totals, join_traces(traces)) if trace else totals


def _checked_theta(theta, layout):
    expected = (num_parameters(layout),)
    if not isinstance(theta, np.ndarray) or theta.dtype not in (np.float32, np.float64) or theta.shape != expected:
        raise InputError(f"theta = {shown(theta)}, expected an array of shape {expected} of float32 or float64")
    return np.ascontiguousarray(theta)


def _check_finite(heads, name):
    if not np.isfinite(heads).all():
        raise NotFiniteError(f"a logit or value of agent {name!r} is not finite: its weights are too large for their dtype")


def play_batch(layout, rules, rollouts, itemsize, trace, per_trial=0):
    """How many trials to play at once: up to `BATCH`, fewer where they are long; results do not depend on it.

    Raises
    ------
    ValueError
        If one trial, or what is kept of all of them, does not fit into memory.
    """
    one = working_bytes(layout, 1, rules.step_limit, itemsize) + 4 * 8 * (2 + 2 * rules.step_limit) + per_trial
    kept = 4 * 8 * rules.episodes + 64
    if trace:
        width = layout.input_size + 2 * layout.hidden_size + layout.num_actions + 9
        kept += 3 * itemsize * rules.step_limit * width
    batch = max(1, min(BATCH, rollouts, PLAY_BYTES // one))
    require(batch * one + rollouts * kept, f"playing {rollouts} trials of up to {rules.step_limit} steps")
    return batch


def evaluation_uniforms(seed, first, count, step_limit):
    """The numbers of test trials first…first+count-1, array (count, 2 + 2T). Task, first state and first action are spread
    evenly (`luck.spread`), which takes most of the luck out of a test of 100 trials."""
    numbers = luck.uniforms(seed, luck.EVALUATION, first, count, 2 + 2 * step_limit)
    numbers[:, [0, 2, 1]] = luck.spread(seed, first, count)  # the two most even columns for task and first action
    return numbers


def episode_totals(rows, episodes, gamma=1.0):
    """`Totals` of a batch of recorded rows."""
    B, steps = len(rows.task), rows.size[1]
    reward, count = np.zeros((B, episodes)), np.zeros((B, episodes), np.int64)
    where = rows.trial[:steps], rows.episode[:steps]
    np.add.at(reward, where, rows.reward[:steps])
    np.add.at(count, where, 1)
    time = np.repeat(np.arange(rows.size[0]), np.diff(rows.begin[: rows.size[0] + 1]))
    discounted = np.bincount(rows.trial[:steps], rows.reward[:steps] * float(gamma) ** time, minlength=B)
    return Totals(reward, discounted, count, rows.task.copy(), ~rows.ended)


def make_trace(rows, act, layout):
    """Recorded rows as rectangular arrays, trial by trial; entries past a trial's end are zero and not `valid`.

    Returns
    -------
    dict with inputs (N, T, D), reset, action, reward, task, episode, observation, state (the environment's), valid (N, T),
    logits (N, T, A), value (N, T), hidden and cell (N, T, H): the state after the step's input, from which its logits are read.
    """
    times, steps = rows.size[0], rows.size[1]
    B, N = len(rows.task), np.arange(steps)
    time = np.repeat(np.arange(times), np.diff(rows.begin[: times + 1]))
    where = rows.trial[:steps], time
    inputs = np.zeros((steps, layout.input_size), act.h.dtype)
    inputs[:, layout.reward_column] = rows.prev_reward[:steps]
    for column in rows.columns[:steps].T:
        inputs[N[column >= 0], column[column >= 0]] = 1
    flat = {
        "inputs": inputs, "reset": rows.reset, "action": rows.action, "reward": rows.reward, "task": rows.task[rows.trial],
        "episode": rows.episode, "observation": rows.observation, "state": rows.place, "valid": np.ones(steps, bool),
        "logits": act.heads[:, :-1],
        "value": act.heads[:, -1], "hidden": act.h, "cell": act.c,
    }  # fmt: skip
    trace = {}
    for name, array in flat.items():
        trace[name] = np.zeros((B, times, *array.shape[1:]), array.dtype)
        trace[name][where] = array[:steps]
    return trace


def join_traces(traces):
    """Traces of several batches as one, padded to the longest."""
    times = max(trace["valid"].shape[1] for trace in traces)
    padded = [
        {name: np.pad(a, [(0, 0), (0, times - a.shape[1])] + [(0, 0)] * (a.ndim - 2)) for name, a in trace.items()}
        for trace in traces
    ]
    return {name: np.concatenate([trace[name] for trace in padded]) for name in padded[0]}
