"""What we say of the dips of RL² in the bandit, see `tinymeta.papers.alver_precup_2021.dips` and docs/dips.md.

Rules and thresholds were fixed on seeds 1000 to 1039, before they were applied to any run with a seed below 1000; the
words were softened afterwards, where they said more than the thresholds ask.
"""

from tinymeta.papers.alver_precup_2021.dip_results import dip_causes, dip_mechanism, dip_remedy
from tinymeta.papers.claims import Above, AtLeast, AtMost, Claim, Threshold, Within

TRIALS = "150 000 trials of the bandit"

DIP_CLAIMS = (
    Claim(
        name="dip-cause",
        text="A dip begins with a rare action: masked, it seldom comes; forced elsewhere, now and then one does (ours)",
        place="beyond the paper",
        statistic="share of continuations that lose the policy, 95 % intervals over dips and over runs",
        threshold=Threshold(
            "dips left {0}; differences {1}",
            {
                "dips left, masked": AtMost(0.25),
                "dips, with - without": Above(0),
                "forced, with - without": Above(0),
            },
        ),
        measure=dip_causes,
    ),
    Claim(
        name="dip-mechanism",
        text="It acts through Adam's small √v and momentum: raise one or stop the other, and fewer dips follow (ours)",
        place="beyond the paper",
        statistic="share of continuations that lose the policy, minus that with one thing changed, 95 % intervals",
        threshold=Threshold(
            "differences {}",
            {
                "with - with, √v raised": Above(0),
                "with - with, momentum stopped": Above(0),
                "with - with, clipped": Above(0),
            },
        ),
        measure=dip_mechanism,
    ),
    Claim(
        name="dip-remedy",
        text="Clipping at 0.01 makes dips rare and costs nothing in the bandit (ours)",
        place="beyond the paper",
        statistic=f"runs of {TRIALS} with a dip (exact 95 % interval), test reward, learning time",
        threshold=Threshold(
            "Table 1's {0}, clipped {1}; reward {2}; ratio {3}",
            {
                "dips in runs": AtLeast(0.05),
                "runs with a dip": AtMost(0.25),
                "reward per trial": Within(9.5, 0.1),
                "trials to 95 %, ratio (90 %)": AtMost(1.25),
            },
        ),
        measure=dip_remedy,
    ),
)
