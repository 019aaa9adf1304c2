"""The runs of Alver & Precup (2021), their controls, and the task sets on which we look at more than they did.

`REPLICATION` is what the paper did, with controls; `EXTENSION` is trained for the probes alone. Everything else reads
these rows and never trains.
"""

from typing import Any

from tinymeta.papers.experiments import Experiment

COMPARED = ("rl2", "rl1", "memoryless", "informed")  # agents of the learning curves
PROBED = ("rl2", "rl1")  # agents whose states are looked into

LONG_CORRIDOR = {"left": 10, "right": 11}

SNAPSHOTS = 8  # kept by the runs whose probes are drawn over training
OVER_TRAINING = ("bandit-0.1-0.9-rl2", "corridor-rl2", "bandit-0.25-0.75-100-rl2")


def _snapshots(name: str) -> int:
    return SNAPSHOTS if name in OVER_TRAINING else 0


REPLICATION = {
    **{f"bandit-{agent}": Experiment("bandit", agent, {}, {}) for agent in COMPARED},
    "bandit-rl2-zero": Experiment("bandit", "rl2", {}, {"init": "zero", "trials": 4000}),
    **{
        f"corridor-{agent}": Experiment("corridor", agent, {}, {}, snapshots=_snapshots(f"corridor-{agent}"))
        for agent in COMPARED
    },
    **{
        f"corridor-10-11-{agent}": Experiment("corridor", agent, LONG_CORRIDOR, {"trials": 30_000}, seeds=10)
        for agent in ("rl2", "rl1")
    },
}

# Rewards by chance ask for gradients of less variance: larger batches and returns that look ahead less far. Table 1
# says nothing of these task sets. RL¹ is trained less long: told the task, it soon gains nothing any more.
STOCHASTIC = {"num_envs": 16, "learning_rate": 3e-3, "gae_lambda": 0.3}
EXPLORING = {"max_grad_norm": 5.0, "ent_coef": 0.1}


def _both(
    task: str, env: str, env_kwargs: dict[str, Any], settings: dict[str, Any], **trials: int
) -> dict[str, Experiment]:
    """The experiments <task>-<agent> of {agent: trials}, five seeds each."""
    experiments = {}
    for agent, number in trials.items():
        name = f"{task}-{agent}"
        experiments[name] = Experiment(env, agent, env_kwargs, {**settings, "trials": number}, 5, _snapshots(name))
    return experiments


SHORT = {"p": (0.1, 0.9)}
EASY = {"p": (0.1, 0.9), "pulls": 100}
MEDIUM = {"p": (0.25, 0.75), "pulls": 100}
UNIFORM = {"p": "uniform", "pulls": 100}
INFORMATIVE = {**EXPLORING, "num_envs": 16, "learning_rate": 3e-3}
TIGER = {**EXPLORING, "num_envs": 4, "learning_rate": 1e-3, "ent_coef": 3.0}
GRIDWORLD = {**EXPLORING, "num_envs": 4, "learning_rate": 3e-3, "gae_lambda": 0.7}

EXTENSION = {
    **_both("bandit-0.1-0.9", "bandit", SHORT, STOCHASTIC, rl2=40_000, rl1=20_000),
    **_both("bandit-0.1-0.9-100", "bandit", EASY, STOCHASTIC, rl2=16_000, rl1=8_000),
    **_both("bandit-0.25-0.75-100", "bandit", MEDIUM, STOCHASTIC, rl2=16_000, rl1=8_000),
    **_both("bandit-uniform-100", "bandit", UNIFORM, STOCHASTIC, rl2=24_000, rl1=8_000),
    **_both("informative", "bandit-informative", {}, INFORMATIVE, rl2=60_000, rl1=30_000),
    **_both("tiger", "tiger", {}, TIGER, rl2=40_000, rl1=40_000),
    **_both("gridworld", "gridworld", {}, GRIDWORLD, rl2=20_000, rl1=10_000),
}

TITLES = {  # of the probed task sets, as tables and pictures name them
    "bandit": "bandit p ∈ {0, 1}",
    "bandit-0.1-0.9": "bandit p ∈ {0.1, 0.9}",
    "bandit-0.1-0.9-100": "bandit p ∈ {0.1, 0.9}, 100 pulls",
    "bandit-0.25-0.75-100": "bandit p ∈ {0.25, 0.75}, 100 pulls",
    "bandit-uniform-100": "bandit p ~ U[0, 1], 100 pulls",
    "corridor": "corridor 5+5",
    "informative": "informative bandit",
    "tiger": "tiger",
    "gridworld": "gridworld",
}

PROBED_TITLES = {f"{task}-{agent}": title for task, title in TITLES.items() for agent in PROBED}
