"""The runs: one agent trained on each of five families of two-armed bandits, a hundred pulls a trial (§3.1.1, 3.1.2).

"independent" draws both arms' probabilities apart, the others p and 1 - p. And one on a bandit whose better arm changes
within the trial, seldom or often (§3.1.5). Settings are those that were chosen for the
same bandits on seeds from 1000 on, see `tinymeta.papers.alver_precup_2021.experiments`.
"""

from typing import Any, NamedTuple

from tinymeta.papers.experiments import Experiment

SEEDS = 10
PULLS = 100


class Family(NamedTuple):
    """A distribution of bandits."""

    title: str
    env: str
    env_kwargs: dict[str, Any]


FAMILIES = {
    "independent": Family("independent", "bandit-independent", {"arms": 2, "pulls": PULLS}),
    "uniform": Family("uniform", "bandit", {"p": "uniform", "pulls": PULLS}),
    "easy": Family("easy .1 / .9", "bandit", {"p": (0.1, 0.9), "pulls": PULLS}),
    "medium": Family("medium .25 / .75", "bandit", {"p": (0.25, 0.75), "pulls": PULLS}),
    "hard": Family("hard .4 / .6", "bandit", {"p": (0.4, 0.6), "pulls": PULLS}),
}

FADING = {"learning_rate": 3e-3, "final_learning_rate": 0.0, "final_ent_coef": 0.0}
DEPENDENT = {**FADING, "num_envs": 32, "gae_lambda": 0.3, "ent_coef": 0.03, "trials": 120_000}
HARD = {**DEPENDENT, "ent_coef": 0.1}  # with less of it one seed in ten kept to one arm
INDEPENDENT = {**FADING, "num_envs": 16, "gae_lambda": 0.9, "gamma": 0.9, "ent_coef": 0.1, "trials": 260_000}

VOLATILE: dict[str, Any] = {"volatility": (0.01, 0.2), "win": 0.8, "pulls": PULLS}

LEARNING = {**dict.fromkeys(FAMILIES, DEPENDENT), "independent": INDEPENDENT, "hard": HARD}

EXPERIMENTS = {
    **{name: Experiment(row.env, "rl2", row.env_kwargs, LEARNING[name], SEEDS) for name, row in FAMILIES.items()},
    "volatile": Experiment("bandit-volatile", "rl2", VOLATILE, DEPENDENT, SEEDS),
}
