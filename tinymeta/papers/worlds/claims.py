"""What is claimed of them. All thresholds were written down before the confirming seeds were run."""

import numpy as np

from tinymeta.base.intervals import Estimate, estimate
from tinymeta.papers.claims import Above, AtLeast, Case, Cases, Claim, Threshold
from tinymeta.papers.results import Results

OURS = "beyond the papers"
BALANCED = 500  # steps: an episode that was never ended but truncated


def _greedy(results: Results, name: str) -> np.ndarray:
    """Reward per trial of each seed's most probable actions, array (seeds,)."""
    return np.array([test["greedy"]["reward_per_trial"]["mean"] for test in results.evaluations(name)])


def _sampled(results: Results, name: str) -> np.ndarray:
    return np.array([test["reward_per_trial"]["mean"] for test in results.evaluations(name)])


def _share(reached: np.ndarray) -> Estimate:
    """The share of seeds that got there: a count, without an interval."""
    share = float(reached.mean())
    return Estimate(share, share, share, len(reached))


def balancing(results: Results) -> Cases:
    """How many seeds balance the pole for all of 500 steps in every test trial, by PPO and by A2C."""
    case: Case = {}
    for algorithm, name in (("PPO", "cartpole-plain"), ("A2C", "cartpole-plain-a2c")):
        greedy = _greedy(results, name)
        case |= {f"{algorithm} seeds that balance": _share(greedy == BALANCED), f"{algorithm} steps": estimate(greedy)}
    return {"": case}


def memory_of_poles(results: Results) -> Cases:
    """What memory is worth where poles differ: reward per trial, sampled and greedy, and by how much it is more."""
    cases: Cases = {}
    for case, measured in (("sampled", _sampled), ("greedy", _greedy)):
        rl2, plain = measured(results, "poles-rl2"), measured(results, "poles-plain")
        cases[case] = {"rl2": estimate(rl2), "plain": estimate(plain), "rl2 - plain": estimate(rl2 - plain)}
    return cases


def landing(results: Results) -> Cases:
    """Return over the four winds."""
    greedy = _greedy(results, "lunarlander-plain")
    seeds = {"seeds at 200": _share(greedy >= 200), "greedy": estimate(greedy)}
    return {"": {**seeds, "sampled": estimate(_sampled(results, "lunarlander-plain"))}}


def learning(results: Results) -> Cases:
    """What is learned beside random play: 50 of 100 pulls, 100 of 100 steps' mean reward of 1."""
    return {
        "50 arms": {"reward": estimate(_sampled(results, "arms-50-rl2")), "random": _exactly(50.0)},
        "random MDPs": {"reward": estimate(_sampled(results, "random-mdp-rl2")), "random": _exactly(100.0)},
    }


def _exactly(value: float) -> Estimate:
    return Estimate(value, value, value, 1)


CLAIMS = (
    Claim(
        name="balance",
        text="A feed-forward agent that learns by PPO balances CartPole-v1's pole for 500 steps (A2C beside it)",
        place=OURS,
        statistic="share of seeds whose most probable actions balance all 500 steps in each of 100 trials",
        threshold=Threshold("{} of the seeds, by PPO", {"PPO seeds that balance": AtLeast(0.9)}),
        measure=balancing,
    ),
    Claim(
        name="poles",
        text="Where gravity and length differ from trial to trial, RL² balances longer than an agent without memory",
        place=OURS,
        statistic="steps in three episodes of at most 200, six poles; the difference of seeds' means",
        threshold=Threshold("{}", {"rl2 - plain": Above(0)}),
        measure=memory_of_poles,
    ),
    Claim(
        name="landing",
        text="PPO lands LunarLander in four winds",
        place=OURS,
        statistic="share of seeds whose most probable actions return 200 or more on average over winds 0, 5, 10, 15",
        threshold=Threshold("{} of the seeds", {"seeds at 200": AtLeast(0.8)}),
        measure=landing,
    ),
    Claim(
        name="learning",
        text="With fifty arms, and in random MDPs, RL² earns more than random play",
        place=OURS,
        statistic="reward per trial of sampled actions, 95 % interval over seeds",
        threshold=Threshold("{} play", {"reward": Above("random")}),
        measure=learning,
    ),
)
