"""What Conti claims, and what is claimed of the same agents trained to the end.

The thresholds were written down before any run with a seed below 1000 was trained.
"""

import functools

from tinymeta.papers.claims import Above, AtLeast, Below, Claim, Threshold
from tinymeta.papers.conti_2022 import measurements as measured
from tinymeta.papers.conti_2022.experiments import AGENTS

PRINTED_CLAIMS = (
    Claim(
        name="printed-distributions",
        text="On distributions of environments meta agents earn more than plain ones",
        place="§5, Figure 3",
        statistic="reward of an episode in the test, first two of a trial; difference of seeds' means, 95 %",
        threshold=Threshold("{}", {"meta - plain": Above(0)}),
        measure=functools.partial(measured.meta_and_plain, distribution=True),
    ),
    Claim(
        name="printed-instances",
        text="On one instance plain agents earn at least as much as meta ones",
        place="§5, Figure 4",
        statistic="reward of an episode in the test; difference of seeds' means, 95 %",
        threshold=Threshold("{}", {"plain - meta": AtLeast(0)}),
        measure=functools.partial(measured.meta_and_plain, distribution=False),
    ),
    Claim(
        name="printed-within",
        text="What meta agents earn more, they earn within the first episode already (ours)",
        place="beyond the paper",
        statistic="first episode, meta - plain; and meta agents' second episode minus their first",
        threshold=Threshold("{}", {"within the first": Above(0)}),
        measure=measured.where_it_comes_from,
    ),
    Claim(
        name="printed-continuous",
        text="Continuous control is hard: no agent learns to land",
        place="§5, Figures 3 and 4",
        statistic="reward of an episode of LunarLander in the test; a soft landing earns above 200, a crash loses 100",
        threshold=Threshold("{} (ours), for each agent", dict.fromkeys(AGENTS.values(), Below(0))),
        measure=measured.continuous_control,
    ),
)

CLAIMS = PRINTED_CLAIMS
