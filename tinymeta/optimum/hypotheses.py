"""One Bayes update for many beliefs, actions and pieces of evidence at once.

A hypothesis is a joint index with a weight. When each hypothesis of a batch of beliefs has met each outcome of each
action, what follows is a long table of hypotheses about the next moment. Sorted by (node, action), evidence and joint
index, and added up where all three agree, its rows are the beliefs that follow, unscaled: for each pair and evidence
the numerator of Bayes' rule (paper, Eq. 1), whose sum is the probability of that evidence.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.optimum.components import changes, sorting
from tinymeta.optimum.nodes import modulo_primes


class Hypotheses(NamedTuple):
    """What may be the case at the next moment, and how likely it is: one row a hypothesis, n rows."""

    pair: np.ndarray  # (n,) int64, the (node, action) of the batch that it follows
    evidence: np.ndarray  # (n,) int64, what would be seen
    joint: np.ndarray  # (n,) int64
    weight: np.ndarray  # (n,) float64, probability given the pair
    residue: np.ndarray  # (len(PRIMES), n) int64, the weight up to a factor that the pair has in common

    def take(self, rows: np.ndarray) -> "Hypotheses":
        """The rows with these numbers."""
        return Hypotheses(
            pair=self.pair[rows],
            evidence=self.evidence[rows],
            joint=self.joint[rows],
            weight=self.weight[rows],
            residue=np.take(self.residue, rows, axis=1),
        )

    def merged(self) -> "Hypotheses":
        """Sorted by pair, evidence and joint index; rows that agree in all three are added up."""
        ordered = self.take(sorting(self.pair, self.evidence, self.joint))
        first = changes(ordered.pair, ordered.evidence, ordered.joint)
        if len(first) == len(ordered.pair):
            return ordered
        return ordered.take(first)._replace(
            weight=np.add.reduceat(ordered.weight, first),
            residue=modulo_primes(np.add.reduceat(ordered.residue, first, axis=1)),
        )

    def beliefs(self) -> tuple["Hypotheses", np.ndarray, np.ndarray]:
        """(merged rows, where the rows of one pair and evidence begin (g,), the probability of that evidence (g,)).

        Evidence less likely than 1e-308 has underflowed to 0: it never comes and is left out.
        """
        merged = self.merged()
        first = changes(merged.pair, merged.evidence)
        probability = np.add.reduceat(merged.weight, first) if len(first) else np.zeros(0)
        if probability.all():
            return merged, first, probability
        comes = np.repeat(probability > 0, np.diff(np.append(first, len(merged.pair))))
        kept = merged.take(np.flatnonzero(comes))
        return kept, changes(kept.pair, kept.evidence), probability[probability > 0]
