"""The runs of Alver & Precup 2021 and of our probes: train everything that figures, claims and probes need; finished runs are skipped.

`EXPERIMENTS` is what the paper did and its controls, `PROBED` what only the probes look at (`tinymeta.inside`). All else reads these
rows, and never trains.
"""

from tinymeta.papers.experiments import Experiment

LONG = {"left": 10, "right": 11}

AGENTS = ("rl2", "rl1", "memoryless", "informed")

SNAPSHOTS = 8  # kept by the runs whose probes are drawn over training
OVER_TRAINING = ("bandit-0.1-0.9-rl2", "corridor-rl2", "bandit-0.25-0.75-100-rl2")

EXPERIMENTS = {
    **{f"bandit-{agent}": Experiment("bandit", agent, {}, {}) for agent in AGENTS},
    "bandit-rl2-zero": Experiment("bandit", "rl2", {}, {"init": "zero", "trials": 4000}),
    **{
        f"corridor-{agent}": Experiment("corridor", agent, {}, {}, snapshots=SNAPSHOTS if agent == "rl2" else 0)
        for agent in AGENTS
    },
    **{
        f"corridor-10-11-{agent}": Experiment("corridor", agent, LONG, {"trials": 30_000}, 10)
        for agent in ("rl2", "rl1")
    },
}

# Rewards by chance ask for gradients of less variance: larger batches and returns that look ahead less far. Table 1 says nothing of these
# task sets. RL¹ is trained less long: told the task, it soon gains nothing any more.
CHANCE = {"num_envs": 16, "learning_rate": 3e-3, "gae_lambda": 0.3}

HARD = {"max_grad_norm": 5.0, "ent_coef": 0.1}

PROBED = {
    f"{name}-{agent}": Experiment(env, agent, kwargs, {**settings, "trials": trials}, 5, SNAPSHOTS if f"{name}-{agent}" in OVER_TRAINING else 0)
    for name, env, kwargs, settings, *both in (
        ("bandit-0.1-0.9", "bandit", {"p": (0.1, 0.9)}, CHANCE, 40_000, 20_000),
        ("bandit-0.1-0.9-100", "bandit", {"p": (0.1, 0.9), "pulls": 100}, CHANCE, 16_000, 8_000),
        ("bandit-0.25-0.75-100", "bandit", {"p": (0.25, 0.75), "pulls": 100}, CHANCE, 16_000, 8_000),
        ("bandit-uniform-100", "bandit", {"p": "uniform", "pulls": 100}, CHANCE, 24_000, 8_000),
        ("informative", "bandit-informative", {}, {**HARD, "num_envs": 16, "learning_rate": 3e-3}, 60_000, 30_000),
        ("tiger", "tiger", {}, {**HARD, "num_envs": 4, "learning_rate": 1e-3, "ent_coef": 3.0}, 40_000, 40_000),
        ("gridworld", "gridworld", {}, {**HARD, "num_envs": 4, "learning_rate": 3e-3, "gae_lambda": 0.7}, 20_000, 10_000),
    )
    for agent, trials in zip(("rl2", "rl1"), both, strict=True)
}  # fmt: skip

ALL = {**EXPERIMENTS, **PROBED}
