"""Agents that act: a network with frozen weights, step by step in anybody's loop or in batches of trials.

Both ways run the same kernels, so they give the same logits. `play` returns `Totals` (what each episode paid and took)
and, when asked, a trace with all that a third party needs to replay the trials.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError, NotFiniteError, integer, real, shown, vector
from tinymeta.environments.kinds import AnyWorld, world_or_table
from tinymeta.learning import deep, gaussian_policy
from tinymeta.learning.networks import Deep
from tinymeta.learning.players import player_for
from tinymeta.learning.playing import Totals, episode_totals, evaluation_uniforms, trials_at_once
from tinymeta.learning.rows import STEPS, Scaling
from tinymeta.learning.settings import Settings
from tinymeta.learning.sizes import allocate, rows_for, unscaled
from tinymeta.learning.traces import Trace, join_traces, make_trace
from tinymeta.learning.update import step_network
from tinymeta.learning.wirings import Layout, make_layout
from tinymeta.learning.worlds import write_row
from tinymeta.network.parameters import num_parameters, to_dict, to_flat

REGISTERED = (deep, gaussian_policy)  # they bring implementations, see `tinymeta.base.dispatch`


class Agent:
    """A trained (or untrained) network on a task set, with frozen weights.

    Parameters
    ----------
    tasks : TaskSet or World
    name : str
        A row of `tinymeta.learning.wirings.WIRINGS`.
    theta : array of shape (P,)
        Flat parameters, see `tinymeta.network.parameters`.
    hidden_size : int
    seed : int
        Of the actions that `act` samples.
    encoder, separate_value
        Of a deeper network, see `tinymeta.learning.settings.Settings`.
    scaling : Scaling, optional
        What observations and rewards are scaled by; nothing if left out.
    """

    def __init__(
        self,
        tasks: AnyWorld,
        name: str,
        theta: np.ndarray,
        hidden_size: int,
        seed: int = 0,
        encoder: tuple[int, ...] = (),
        separate_value: bool = False,
        scaling: Scaling | None = None,
    ):
        self.tasks: Any = world_or_table(tasks)
        self.name = name
        self.layout = make_layout(tasks, name, hidden_size, encoder, separate_value)
        self.theta = _checked_theta(theta, self.layout)
        self.scaling = unscaled(self.layout.num_features) if scaling is None else scaling
        self._random = randomness.generator(integer("seed", seed, 0), randomness.ACTING)
        rows, self._act = allocate(self.layout, 1, 1, theta.dtype)  # two rows: this step's and the last one's
        self._rows = rows._replace(scaling=self.scaling)
        self.reset()

    @classmethod
    def from_parameters(
        cls,
        tasks: AnyWorld,
        name: str,
        parameters: Mapping[str, np.ndarray],
        dtype: Any = np.float32,
        seed: int = 0,
        scaling: Scaling | None = None,
    ) -> "Agent":
        """An agent from {PyTorch name: array}, see `tinymeta.network.parameters.parameter_shapes`.

        Raises
        ------
        InputError
            If a name is missing or unknown, an array's shape is not the expected one, or `dtype` is neither float32
            nor float64.
        """
        if "lstm.weight_hh" not in parameters or np.ndim(parameters["lstm.weight_hh"]) != 2:
            raise InputError("parameter lstm.weight_hh is missing or no matrix, expected an array of shape (4H, H)")
        if dtype not in (np.float32, np.float64):
            raise InputError(f"dtype = {shown(dtype)}, expected float32 or float64")
        hidden_size = np.shape(parameters["lstm.weight_hh"])[1]
        layers = itertools.takewhile(parameters.__contains__, (f"encoder.{i}.bias" for i in itertools.count()))
        encoder = tuple(len(parameters[layer]) for layer in layers)
        separate = "value.lstm.bias" in parameters
        theta = to_flat(parameters, make_layout(tasks, name, hidden_size, encoder, separate), dtype)
        return cls(tasks, name, theta, hidden_size, seed, encoder, separate, scaling)

    @classmethod
    def of_run(
        cls, tasks: AnyWorld, settings: Settings, theta: np.ndarray, scaling: Scaling | None = None, seed: int = 0
    ) -> "Agent":
        """The agent that a run of these settings trains."""
        network = settings.encoder, settings.separate_value
        return cls(tasks, settings.agent, theta, settings.hidden_size, seed, *network, scaling)

    def with_weights(self, theta: np.ndarray) -> "Agent":
        """The same agent and network with other weights (P,)."""
        network = self.layout.network
        encoder, separate = (network.widths.tolist(), network.separate) if isinstance(network, Deep) else ((), False)
        return Agent(self.tasks, self.name, theta, self.layout.hidden_size, 0, tuple(encoder), separate, self.scaling)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """{PyTorch name: array}, copies."""
        return to_dict(self.theta, self.layout)

    def reset(self) -> None:
        """Begin a new trial."""
        self._steps = 0
        self._episode = 0

    def act(
        self,
        observation: Any,
        prev_reward: float | None = None,
        prev_action: Any = None,
        *,
        new_episode: bool = False,
        task: int | None = None,
        greedy: bool = False,
    ) -> tuple[Any, dict]:
        """One step of a trial.

        Parameters
        ----------
        observation : int or array of shape (O,), or (array, int)
            0…O-1, or the numbers of a world whose observations are vectors; both where a world shows both.
        prev_reward, prev_action : float, int or array of shape (A,)
            Of the step before; None at a trial's first step.
        new_episode : bool
            The last step ended an episode; `observation` is the next one's first. False at a trial's first step.
        task : int, optional
            Needed where the agent's wiring shows it the task's identity.
        greedy : bool
            Take the most probable action instead of sampling.

        Returns
        -------
        action : int or array of shape (A,)
        info : dict
            logits (A,), probabilities (A,), value, hidden (H,), cell (H,): copies. Where actions are vectors, logits
            are their means and there are no probabilities.

        Raises
        ------
        ValueError
            If an argument is out of range, missing, or given at a trial's first step.
        NotFiniteError
            If the weights are so large that a logit or the value overflows.
        """
        n = self._write_input(observation, prev_reward, prev_action, bool(new_episode), task)
        step_network(self._rows, self.layout, self.theta, self._act, n, n + 1)
        _check_finite(self._act.heads[n], self.name)
        return self._choose(n, greedy)

    def _write_input(self, observation: Any, prev_reward: Any, prev_action: Any, new_episode: bool, task: Any) -> int:
        """Check a step's arguments and write them into the row that is its number."""
        tasks = self.tasks
        seen, category = self._parts(observation)
        begins = self._steps == 0
        if begins and (prev_reward is not None or prev_action is not None or new_episode):
            raise InputError(
                "a trial's first step has no prev_reward, prev_action or new_episode; call reset() only between trials"
            )
        prev_reward = 0.0 if begins else real("prev_reward", prev_reward)
        choice = 0
        rows = self._rows
        if not begins and tasks.continuous:
            rows.vector[1 - self._steps % 2] = vector("prev_action", prev_action, tasks.num_actions)
        elif not begins:
            choice = integer("prev_action", prev_action, 0, tasks.num_actions - 1)
        episode = self._episode + new_episode
        if episode >= self.layout.identity_from:
            what = f"task, which agent {self.name!r} is told in episode {episode}"
            task = integer(what, task, 0, tasks.num_tasks - 1)
        n = self._steps % 2
        rows.reward[1 - n] = prev_reward * self.scaling.reward[0]
        rows.action[1 - n] = choice
        rows.task[0] = 0 if task is None else task
        if seen is not None:
            rows.seen[0] = seen
        write_row(rows, self.layout, n, -1 if begins else 1 - n, 0, episode, begins, new_episode, category)
        self._steps += 1
        self._episode = episode
        return n

    def _parts(self, observation: Any) -> tuple[np.ndarray | None, int]:
        """What an observation holds: its numbers, if there are any, and its category."""
        size, categories = self.tasks.observation_size, self.tasks.num_observations
        if not size:
            return None, integer("observation", observation, 0, categories - 1)
        if categories == 1:
            return vector("observation", observation, size), 0
        if not isinstance(observation, tuple) or len(observation) != 2:
            raise InputError(f"observation = {shown(observation)}, expected a pair of {size} numbers and a category")
        return vector("observation", observation[0], size), integer("observation", observation[1], 0, categories - 1)

    def _choose(self, n: int, greedy: bool) -> tuple[Any, dict[str, Any]]:
        act = self._act
        info = {
            "logits": act.heads[n, :-1].copy(),
            "probabilities": act.probabilities[n].copy(),
            "value": float(act.heads[n, -1]),
            "hidden": act.h[n].copy(),
            "cell": act.c[n].copy(),
        }
        if self.tasks.continuous:
            del info["probabilities"]
            noise = 0.0 if greedy else self._random.normal(size=self.tasks.num_actions)
            return info["logits"] + np.exp(self.parameters["policy.log_std"]) * noise, info
        if greedy:
            return int(np.argmax(info["logits"])), info
        cumulative = np.cumsum(info["probabilities"], dtype=np.float64)
        return int(np.searchsorted(cumulative, self._random.random() * cumulative[-1], side="right")), info

    def play(
        self,
        rollouts: int,
        seed: int = 0,
        greedy: bool = False,
        step_limit: int | None = None,
        trace: bool = False,
        gamma: float = 1.0,
    ) -> Any:
        """Play `rollouts` trials on tasks drawn from the prior. Trial i depends on (seed, i) alone.

        `greedy` takes the most probable actions; `step_limit` cuts trials, by default where the task set does; gamma
        discounts `Totals.discounted`.

        Returns
        -------
        Totals, or (Totals, dict of arrays) with `trace`; see `tinymeta.learning.traces.make_trace`.
        """
        rollouts = integer("rollouts", rollouts, low=1, high=10**9)
        seed = integer("seed", seed, low=0, high=2**63 - 1)
        gamma = real("gamma", gamma, 0, 1)
        limit = None if step_limit is None else integer("step_limit", step_limit, 1, 10**12)
        rules = self.tasks.rules(limit)
        draws = self.tasks.draws
        batch = trials_at_once(self.layout, rules, draws, rollouts, self.theta.itemsize, trace)
        totals: list[Totals] = []
        traces: list[Trace] = []
        player = player_for(self.tasks, self.layout, batch)
        for first in range(0, rollouts, batch):
            count = min(batch, rollouts - first)
            if first == 0 or count < batch:
                rows, act = rows_for(self.tasks, self.layout, count, rules.step_limit, self.theta.dtype)
                rows = rows._replace(scaling=self.scaling)
            uniforms = evaluation_uniforms(seed, first, count, rules.step_limit, draws)
            player.rollout(rules, self.theta, uniforms, greedy, rows, act)
            _check_finite(act.heads[: rows.size[STEPS]], self.name)
            totals.append(episode_totals(rows, rules.episodes, gamma))
            if trace:
                traces.append(make_trace(rows, act, self.layout, self.parameters.get("policy.log_std")))
        player.close()
        together = Totals(*(np.concatenate(parts) for parts in zip(*totals, strict=True)))
        return (together, join_traces(traces)) if trace else together


def _checked_theta(theta: Any, layout: Layout) -> np.ndarray:
    expected = (num_parameters(layout),)
    if not isinstance(theta, np.ndarray) or theta.dtype not in (np.float32, np.float64) or theta.shape != expected:
        raise InputError(f"theta = {shown(theta)}, expected an array of shape {expected} of float32 or float64")
    return np.ascontiguousarray(theta)


def _check_finite(heads: np.ndarray, name: str) -> None:
    if not np.isfinite(heads).all():
        what = f"a logit or value of agent {name!r}"
        raise NotFiniteError(f"{what} is not finite: its weights are too large for their dtype")
