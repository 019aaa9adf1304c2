"""What Alver & Precup (2021) say, and what we add: each claim with its measurement and its threshold.

How thresholds came about, and what was changed after a look at runs, is told in docs/claims.md. Claims about what is
in the state are in `belief_claims`.
"""

from tinymeta.papers.alver_precup_2021 import measurements as measured
from tinymeta.papers.alver_precup_2021.belief_claims import (
    BELIEF_CLAIMS,
    METAMER_CLAIMS,
    ON_THREE,
    TRANSPLANT_CLAIMS,
)
from tinymeta.papers.alver_precup_2021.dip_claims import DIP_CLAIMS
from tinymeta.papers.alver_precup_2021.measurements import LUCK_ONCE_IN, RANDOM, SPEED_RATIO
from tinymeta.papers.claims import Above, AtLeast, AtMost, Claim, Never, Threshold, Within, WithinFactor

REWARD_MARGIN = 0.1
STEPS_MARGIN = 0.5
SPEED_FACTOR = 1.5

BANDIT_CLAIMS = (
    *(
        Claim(
            name=f"bandit-{agent}",
            text=f"{title} reaches 9.5 reward per trial in the bandit",
            place="§4 (1), Figure 2 middle",
            statistic="mean over seeds of the test reward, 95 % interval",
            threshold=Threshold("interval {}", {"reward per trial": Within(9.5, REWARD_MARGIN)}),
            measure=measured.bandit_reward_of(agent),
        )
        for agent, title in (("rl2", "RL²"), ("rl1", "RL¹"))
    ),
    Claim(
        name="first-pull",
        text="Both pull a random arm first and the better arm ever after",
        place="§4 (1)",
        statistic=f"seeds that give each arm at least {RANDOM} at a trial's first step; share of later pulls paid",
        threshold=Threshold(
            "seeds {}, later {}", {"seeds with a random first pull": AtLeast(0.9), "later pulls": AtLeast(0.99)}
        ),
        measure=measured.pulls,
    ),
)

SAME_PERFORMANCE_CLAIMS = tuple(
    Claim(
        name=f"asymptote-{env}",
        text=f"RL² and RL¹ reach the same performance in the {env}",
        place=f"§4 ({number})",
        statistic=f"two one-sided tests on the test {what}",
        threshold=Threshold(
            "90 % interval of the difference {}", {f"rl2 - rl1, {what} per trial (90 %)": Within(0, margin)}
        ),
        measure=measured.asymptote_difference_of(env, what),
    )
    for number, env, what, margin in ((1, "bandit", "reward", REWARD_MARGIN), (2, "corridor", "steps", STEPS_MARGIN))
)

SAME_SPEED_CLAIMS = tuple(
    Claim(
        name=f"speed-{env}",
        text=f"RL² and RL¹ have similar learning curves in the {env}",
        place=place,
        statistic="trials of training to 95 % of the optimum, ratio",
        threshold=Threshold("90 % interval of the ratio {}", {SPEED_RATIO: WithinFactor(SPEED_FACTOR)}),
        measure=measured.speed_of(env, column, above),
    )
    for env, place, column, above in (
        ("bandit", "§4 (1), Figure 2 middle", "reward_per_trial", True),
        ("corridor", "§4 (2), Figure 2 right", "steps_per_trial", False),
    )
)

SEARCH_CLAIM = Claim(
    name="search",
    text="Both search for the goal in the first episode and walk straight to it in the second",
    place="§4 (2), Figure 2 left",
    statistic="steps in the corridor 5+5 by episode; the optimum is 10 and 5",
    threshold=Threshold(
        "within ± {0.margin} and ± {1.margin}",
        {"first episode": Within(10, STEPS_MARGIN), "second episode": Within(5, STEPS_MARGIN / 2)},
    ),
    measure=measured.corridor_episodes,
)

TIMESTEPS_CLAIMS = tuple(
    Claim(
        name=f"15.5-{length}-{unit}",
        text=f"15.5 timesteps, read as steps per {unit} in the corridor {cells}",
        place="§4 (2)",
        statistic="mean over seeds, 95 % interval",
        threshold=Threshold("interval {}", {f"steps per {unit}": Within(15.5, STEPS_MARGIN)}),
        measure=measured.timesteps_of(name, unit),
    )
    for length, cells, name, unit in (
        ("short", "5+5", "corridor", "trial"),
        ("short", "5+5", "corridor", "episode"),
        ("long", "10+11", "corridor-10-11", "episode"),
        ("long", "10+11", "corridor-10-11", "trial"),
    )
)

CONTROL_CLAIMS = (
    Claim(
        name="zero",
        text="All weights start at zero: taken literally, the agent cannot learn (ours)",
        place="Appendix A.1",
        statistic="test reward in the bandit, and weights other than output biases that moved",
        threshold=Threshold(
            "reward {}, {} weight moved", {"reward per trial": Within(5, 0.2), "weights that moved": Never()}
        ),
        measure=measured.learning_from_zero,
    ),
    Claim(
        name="controls",
        text="Without memory the agent fails, told the task it needs no search (ours)",
        place="beyond the paper",
        statistic="memoryless and informed agents, 95 % intervals",
        threshold=Threshold(
            "bandit {0} and {1.centre} ± {1.margin}; corridor {2} steps and {3}",
            {
                "memoryless, reward": Within(5, 0.2),
                "informed, reward": Within(10, REWARD_MARGIN),
                "memoryless, steps": AtLeast(20 - STEPS_MARGIN),
                "informed, steps": Within(10, STEPS_MARGIN),
            },
        ),
        measure=measured.controls,
    ),
    Claim(
        name="optimum",
        text="No agent that is not told the task earns more than the Bayes optimum (ours)",
        place="beyond the paper",
        statistic="largest excess of an experiment's mean discounted return over the exact optimum or its bound, in "
        f"units of what chance brings once in {LUCK_ONCE_IN} (Student's t over seeds)",
        threshold=Threshold("{}", {"largest excess, in units of chance": AtMost(1)}),
        measure=measured.excess_over_optimum,
    ),
)

OPTIMALITY_CLAIMS = (
    Claim(
        name="regret",
        text="With 100 pulls RL² comes to the Bayes optimum, in every seed (ours)",
        place="beyond the paper",
        statistic="gap in reward per trial, 95 % interval, and that of the worst seed",
        threshold=Threshold("mean {}, worst seed {} " + ON_THREE, {"gap": AtMost(0.3), "worst seed": AtMost(1.0)}),
        measure=measured.gaps,
    ),
    Claim(
        name="thompson",
        text="With p uniform and 100 pulls every seed earns more than Thompson sampling (ours)",
        place="beyond the paper",
        statistic="reward per trial of the worst seed minus that of the exact Thompson agent",
        threshold=Threshold("{}", {"worst seed above Thompson": Above(0)}),
        measure=measured.advantage_over_thompson,
    ),
    Claim(
        name="regret-independent",
        text="With two independent arms and 100 pulls, where greed is not optimal, RL² beats Thompson sampling (ours)",
        place="beyond the paper",
        statistic="gap to the best undiscounted reward per trial, 64.92, 95 % interval; reward of the worst seed minus "
        "that of the exact Thompson agent",
        threshold=Threshold(
            "gap {}, worst seed beside Thompson {}", {"gap": AtMost(0.6), "worst seed above Thompson": Above(0)}
        ),
        measure=measured.independent_regret,
    ),
    Claim(
        name="learn-informative",
        text="RL² learns the informative bandit: to pay for information (ours)",
        place="beyond the paper",
        statistic="seeds whose most probable actions earn the exact optimum, 20.55; reward per trial of sampled ones",
        threshold=Threshold(
            "seeds {}, sampled {}", {"seeds greedy at the optimum": AtLeast(0.9), "sampled": AtLeast(19.5)}
        ),
        measure=measured.informative_learning,
    ),
    Claim(
        name="learn-tiger",
        text="RL² learns Tiger: to listen until it knows enough (ours)",
        place="beyond the paper",
        statistic="reward per trial, 95 % intervals; the exact optimum is 20.39",
        threshold=Threshold("greedy {}, sampled {}", {"greedy": AtLeast(19.5), "sampled": AtLeast(18.5)}),
        measure=measured.learning_of("tiger-rl2"),
    ),
    Claim(
        name="learn-gridworld",
        text="RL² learns the gridworld: to search once and then to walk (ours)",
        place="beyond the paper",
        statistic="reward per trial of sampled actions, 95 % interval; the optimum is at most 37.21",
        threshold=Threshold("{}", {"sampled": AtLeast(36)}),
        measure=measured.learning_of("gridworld-rl2"),
    ),
    Claim(
        name="exact",
        text="The walk over all histories and sampled rollouts agree (ours)",
        place="beyond the paper",
        statistic="largest deviation of a run's rollouts from its exact expectation",
        threshold=Threshold("{} standard errors", {"largest deviation, standard errors": AtMost(4)}),
        measure=measured.deviation_from_exact,
    ),
)

CLAIMS = (
    *BANDIT_CLAIMS,
    *SAME_PERFORMANCE_CLAIMS,
    *SAME_SPEED_CLAIMS,
    SEARCH_CLAIM,
    *TIMESTEPS_CLAIMS,
    *CONTROL_CLAIMS,
    *OPTIMALITY_CLAIMS,
    *METAMER_CLAIMS,
    *TRANSPLANT_CLAIMS,
    *BELIEF_CLAIMS,
    *DIP_CLAIMS,
)
