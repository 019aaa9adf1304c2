"""The belief graphs that several yardsticks have in common."""

from tinymeta.environments.outcomes import NEVER
from tinymeta.environments.table import TaskSet
from tinymeta.optimum.belief_graph import BeliefGraph, belief_graph
from tinymeta.optimum.nodes import NODE_LIMIT, NodeLimitError


class Graphs:
    """The belief graphs of one task set, each enumerated when it is first asked for and then kept.

    An enumeration that ran into the limits is remembered as well, and refused again at once.

    Parameters
    ----------
    tasks : TaskSet
    node_limit : int
        Beliefs that a graph may hold.
    """

    def __init__(self, tasks: TaskSet, node_limit: int = NODE_LIMIT) -> None:
        self.tasks = tasks
        self.node_limit = node_limit
        self._kept: dict[tuple[int, bool], BeliefGraph | NodeLimitError] = {}

    def beliefs(self, identity_from: int = NEVER) -> BeliefGraph:
        """`belief_graph` for somebody who is told the task from episode `identity_from` on."""
        told_nothing = identity_from >= self.tasks.episodes or (identity_from == 0 and self.tasks.num_tasks == 1)
        return self._keep(NEVER if told_nothing else identity_from, observed=False)

    def observed(self) -> BeliefGraph:
        """`belief_graph` for somebody who sees the whole hidden state; no smaller limit than `NODE_LIMIT` applies."""
        return self._keep(NEVER, observed=True)

    def _keep(self, identity_from: int, observed: bool) -> BeliefGraph:
        key = identity_from, observed
        limit = max(self.node_limit, NODE_LIMIT) if observed else self.node_limit
        if key not in self._kept:
            try:
                self._kept[key] = belief_graph(self.tasks, identity_from, observed, node_limit=limit)
            except NodeLimitError as error:
                self._kept[key] = error
        kept = self._kept[key]
        if isinstance(kept, NodeLimitError):
            raise kept
        return kept
