"""What Wang et al. say of their bandits. The thresholds were written down before any run with a seed below 1000."""

from tinymeta.papers.claims import Above, AtMost, Below, Claim, Threshold, WithinFactor
from tinymeta.papers.wang_2016 import measurements as measured
from tinymeta.papers.wang_2016 import volatility

CLAIMS = (
    Claim(
        name="independent",
        text="On independent arms the agent does better than UCB1 and Thompson sampling",
        place="§3.1.1, Figure 2a",
        statistic="regret of a hundred pulls; 95 % over seeds, and over trials of the players",
        threshold=Threshold("both {}", {"above Thompson": Below(0), "above UCB1": Below(0)}),
        measure=measured.independent,
    ),
    Claim(
        name="own",
        text="On the family that it was trained on, the agent is near the exact Bayes optimum (ours)",
        place="§3.1.1, 3.1.2",
        statistic="regret of a hundred pulls minus the optimum's",
        threshold=Threshold("{} wins (ours)", {"above the optimum": AtMost(1)}),
        measure=measured.on_its_own,
    ),
    Claim(
        name="structure",
        text="Where arms depend on each other, the agent that was trained there makes use of it",
        place="§3.1.2, Figure 2b-e",
        statistic="regret on a dependent family: of agents trained on independent arms, and of Gittins indices, "
        "minus that of agents trained there",
        threshold=Threshold("both {}", {"independent - own": Above(0), "Gittins - own": Above(0)}),
        measure=measured.structure,
    ),
    Claim(
        name="elsewhere",
        text="On any other family an agent has more regret than who was trained there (ours)",
        place="§3.1.2, Figure 2f",
        statistic="regret minus that of agents trained there, each of twenty pairs of families",
        threshold=Threshold("{}", {"more": Above(0)}),
        measure=measured.elsewhere,
    ),
    Claim(
        name="volatile",
        text="Where the better arm changes within a trial, the agent is near the exact Bayes optimum (ours)",
        place="§3.1.5",
        statistic="reward of a hundred pulls, optimum minus agent on the same trials",
        threshold=Threshold("{} wins (ours)", {"optimum - agent": AtMost(1)}),
        measure=volatility.rewards,
    ),
    Claim(
        name="learning-rate",
        text="Its learning rate follows the volatility, and is that of the exact filter",
        place="§3.1.5, Figure 4",
        statistic="learning rate of a delta rule fitted to the pulls after the fortieth, by volatility",
        threshold=Threshold(
            "high - low {}, agent / optimum {} (ours)",
            {"agent, high - low": Above(0), "agent / optimum": WithinFactor(1.5)},
        ),
        measure=volatility.follows,
    ),
)
