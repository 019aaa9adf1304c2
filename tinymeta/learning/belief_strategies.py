"""What the agents on the exact belief remember and do.

A *strategy* is a memory that begins with a trial's first observation and moves along with every step, and a policy
that depends on the memory alone:

bayes      the memory is a node of the belief graph, the policy the optimum there
greedy     the memory is the belief, the policy the best action for the most probable task
thompson   the memory is the belief and a task drawn from it, the policy the best action for that task

The best action for a task is that of `tinymeta.optimum.belief_policies.TaskPolicies`.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.environments.table import TaskSet
from tinymeta.optimum.belief import Belief
from tinymeta.optimum.belief_graph import evidence
from tinymeta.optimum.belief_policies import TaskPolicies, most_probable
from tinymeta.optimum.filter import reward_index
from tinymeta.optimum.graphs import Graphs
from tinymeta.optimum.planning import bayes_optimal

NO_TASK = -1


class Step(NamedTuple):
    """What a step showed, and the randomness left over from it."""

    action: int
    observation: int
    reward: float
    new_episode: bool
    uniform: float  # in [0, 1) and, given the action, independent of it


class Strategy(Protocol):
    """How an agent remembers and acts; the memory may be anything."""

    def begin(self, observation: int) -> Any:
        """The memory after a trial's first observation."""

    def policy(self, memory: Any) -> tuple[np.ndarray, float]:
        """(probability of each action (A,), value or NaN)."""

    def after(self, memory: Any, step: Step) -> Any:
        """The memory one step later."""


class BayesStrategy:
    """The Bayes-optimal policy; its memory is a node of the belief graph."""

    def __init__(self, tasks: TaskSet, gamma: float) -> None:
        self.tasks = tasks
        self.solved = bayes_optimal(tasks, gamma)

    def begin(self, observation: int) -> int:
        """The root of the belief graph that belongs to a first observation."""
        graph = self.solved.graph
        return int(graph.roots[graph.root_evidence == evidence(self.tasks, observation, 0)][0])

    def policy(self, memory: int) -> tuple[np.ndarray, float]:
        """The optimal policy (A,) at a node, uniform over ties, and the node's value."""
        return self.solved.policy[memory], float(self.solved.value[memory])

    def after(self, memory: int, step: Step) -> int:
        """The node that the step's evidence leads to.

        Raises
        ------
        InputError
            If the step cannot happen at this node.
        """
        graph = self.solved.graph
        pair = memory * self.tasks.num_actions + step.action
        edges = slice(graph.edge_start[pair], graph.edge_start[pair + 1])
        shown = evidence(self.tasks, step.observation, int(reward_index(self.tasks, step.reward)))
        found = np.flatnonzero(graph.edge_evidence[edges] == shown)
        if len(found) == 0:
            raise InputError(
                f"impossible evidence: action {step.action}, observation {step.observation}, reward {step.reward:g}"
            )
        return int(graph.edge_child[edges][found[0]])


class GreedyStrategy:
    """The best action for the most probable task; its memory is a `Belief`."""

    def __init__(self, tasks: TaskSet, gamma: float) -> None:
        self.tasks = tasks
        self.task_policies = TaskPolicies(Graphs(tasks), gamma)

    def begin(self, observation: int) -> Belief:
        """The belief after a first observation; InputError if that is impossible."""
        return Belief(self.tasks).begin(observation)

    def policy(self, memory: Belief) -> tuple[np.ndarray, float]:
        """The best action for the most probable task, as a policy (A,) without chance; its value is not known."""
        weights, actions = self.task_policies.of(*memory.entries)
        return _certain(actions[most_probable(weights)], self.tasks.num_actions), float("nan")

    def after(self, memory: Belief, step: Step) -> Belief:
        """The same `Belief`, updated; InputError if the step is impossible under it."""
        return memory.update(step.action, step.observation, step.reward)


class Holding(NamedTuple):
    """The memory of a Thompson agent."""

    belief: Belief
    task: int  # the one it holds, or NO_TASK
    weights: np.ndarray  # (M,), P(task) under the belief
    actions: np.ndarray  # (M,), the best action for each task


class ThompsonStrategy:
    """The best action for a task that is drawn from the belief and held for an episode.

    As long as no task is held, the policy is the mixture over all draws; the action that came of it then tells which
    task may have been drawn, and one of these is held from there on.
    """

    def __init__(self, tasks: TaskSet, gamma: float) -> None:
        self.tasks = tasks
        self.task_policies = TaskPolicies(Graphs(tasks), gamma)

    def begin(self, observation: int) -> Holding:
        """The belief after a first observation, and no task held; InputError if that is impossible."""
        return self._holding(Belief(self.tasks).begin(observation), NO_TASK)

    def _holding(self, belief: Belief, task: int) -> Holding:
        return Holding(belief, task, *self.task_policies.of(*belief.entries))

    def policy(self, memory: Holding) -> tuple[np.ndarray, float]:
        """The best action for the task held, or the mixture (A,) over the belief; its value is not known."""
        if memory.task == NO_TASK:
            return np.bincount(memory.actions, memory.weights, minlength=self.tasks.num_actions), float("nan")
        return _certain(memory.actions[memory.task], self.tasks.num_actions), float("nan")

    def after(self, memory: Holding, step: Step) -> Holding:
        """The belief updated, and the task held on to until its episode ends or evidence rules it out.

        Raises
        ------
        InputError
            If the step is impossible under the belief.
        """
        task = _drawn(memory, step) if memory.task == NO_TASK else memory.task
        belief = memory.belief.update(step.action, step.observation, step.reward)
        if task != NO_TASK and (step.new_episode or belief.tasks_marginal[task] == 0):
            task = NO_TASK
        return self._holding(belief, task)


def _drawn(memory: Holding, step: Step) -> int:
    """A task from the belief, given that the step's action is the best one for it."""
    weights = np.where(memory.actions == step.action, memory.weights, 0)
    if not weights.any():  # in somebody else's loop the action need not be ours
        return NO_TASK
    return int(np.searchsorted(np.cumsum(weights), step.uniform * weights.sum(), side="right"))


def _certain(action: int, num_actions: int) -> np.ndarray:
    """The policy that always takes this action."""
    return np.eye(num_actions)[action]


STRATEGIES: dict[str, type] = {"bayes": BayesStrategy, "greedy": GreedyStrategy, "thompson": ThompsonStrategy}
