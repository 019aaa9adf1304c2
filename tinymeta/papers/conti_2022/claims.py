"""What Conti claims, and what is claimed of the same agents trained to the end.

The thresholds were written down before any run with a seed below 1000 was trained.
"""

import functools

from tinymeta.papers.claims import Above, AtLeast, AtMost, Below, Claim, Threshold
from tinymeta.papers.conti_2022 import measurements as measured
from tinymeta.papers.conti_2022.experiments import AGENTS, END_AGENTS

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

ROBOT_CLAIMS = (
    *(claim for claim in PRINTED_CLAIMS if claim.name in ("printed-distributions", "printed-instances")),
    Claim(
        name="printed-robot",
        text="The robot does not learn to walk: no agent earns more than it would by standing still",
        place="§5, Figure 4",
        statistic="reward of an episode in the test beside that of resting joints, 95 %",
        threshold=Threshold("{} (ours), for each agent", dict.fromkeys(AGENTS.values(), Below("standing still"))),
        measure=measured.walking,
    ),
)

TO_THE_END = "§5, trained to the end"

END_CLAIMS = (
    Claim(
        name="end-distributions",
        text="Trained to the end: on distributions of environments meta agents earn more than plain ones",
        place=TO_THE_END,
        statistic="reward of an episode in the test; difference of seeds' means, 95 %",
        threshold=Threshold("{}", {"meta - plain": Above(0)}),
        measure=functools.partial(measured.end_meta_and_plain, distribution=True),
    ),
    Claim(
        name="end-instances",
        text="Trained to the end: on one instance plain agents earn as much as meta ones",
        place=TO_THE_END,
        statistic="difference of what an episode earns in the test as a share of what can be earned, 95 %",
        threshold=Threshold("{} (ours)", {"plain - meta": AtLeast(-0.02)}),
        measure=functools.partial(measured.end_meta_and_plain, distribution=False),
    ),
    Claim(
        name="end-continuous",
        text="Trained to the end, the plain agent lands on one instance, and the meta agent in four winds",
        place=TO_THE_END,
        statistic="reward of a landing in the test, most probable actions; sampled ones beside them",
        threshold=Threshold("greedy {}", {"greedy": AtLeast(200)}),
        measure=measured.landing,
    ),
    Claim(
        name="end-within",
        text="Trained to the end: what meta agents earn more, they earn within the first episode already (ours)",
        place="beyond the paper",
        statistic="first episode, meta - plain; and meta agents' second episode minus their first",
        threshold=Threshold("{}", {"within the first": Above(0)}),
        measure=measured.end_where_it_comes_from,
    ),
    Claim(
        name="end-one-bandit",
        text="Trained to the end, every agent finds the best of ten arms",
        place=TO_THE_END,
        statistic="reward of an episode in the test, as a share of the best arm's",
        threshold=Threshold("{} (ours), for each agent", dict.fromkeys(END_AGENTS.values(), AtLeast(0.98))),
        measure=measured.best_arm,
    ),
    Claim(
        name="end-pole",
        text="Trained to the end, every agent balances the pole",
        place=TO_THE_END,
        statistic="steps of an episode of at most 500, most probable actions; sampled ones beside them",
        threshold=Threshold("greedy {} (ours), for each agent", {"greedy": AtLeast(475)}),
        measure=measured.balancing,
    ),
    Claim(
        name="end-six-bandits",
        text="Trained to the end, meta agents are as good as the exact Bayes optimum of the six bandits",
        place="beyond the paper",
        statistic="optimum minus agent, reward of a hundred pulls, first and second episode",
        threshold=Threshold("{} (ours), in both episodes", {"first": AtMost(1), "second": AtMost(1)}),
        measure=measured.gap_to_bayes,
    ),
    Claim(
        name="end-five-bandits",
        text="Trained to the end, PPO's meta agent is as good as can be on the five bandits of ten arms",
        place="beyond the paper",
        statistic="upper bound of the optimum minus agent, reward of a hundred pulls",
        threshold=Threshold("{} (ours)", {"meta PPO": AtMost(2)}),
        measure=measured.gap_to_bound,
    ),
    Claim(
        name="end-wind",
        text="The meta agent infers the wind",
        place="beyond the paper",
        statistic="wind power decoded from the state after 100 steps, share of variance unexplained; paired by seed",
        threshold=Threshold("both {}", {"log of before / after training": Above(0), "log of plain / meta": Above(0)}),
        measure=measured.wind_is_inferred,
    ),
)

CLAIMS = (*PRINTED_CLAIMS, *END_CLAIMS)
