"""The runs: four agents on eight settings, as printed and trained to the end; the paper's numbers beside them.

*As printed* is the protocol of Conti's Tables 1 and 3 with what his public code adds, as far as our layers and loop go;
docs/conti.md has one table of the differences. *To the end* are the same settings with hyperparameters of ours, chosen
on seeds from 1000 on, until curves are flat. There the algorithm is A2C or PPO, and a trial has two episodes.
"""

from typing import Any, NamedTuple

from tinymeta.papers.experiments import Experiment

SEEDS = 10
TRIAL = 20  # episodes of a training trial; session 1's thousand episodes are fifty such trials


class Setting(NamedTuple):
    """One row of Conti's Table 3."""

    code: str
    env: str
    env_kwargs: dict[str, Any]
    trials: int  # of 20 episodes
    distribution: bool  # session 2: a trial hides which of several instances it is on
    printed: tuple[float, ...]  # each agent's mean reward an episode at the test's end, read off Figures 3 and 4
    most: float | None = None  # reward of an episode at most, where there is such a number


EASY_MEDIUM_HARD = (0.1, 0.9, 0.9, 0.1, 0.25, 0.75, 0.75, 0.25, 0.4, 0.6, 0.6, 0.4)
SIX = {"p": EASY_MEDIUM_HARD, "instances": 6}
ONE = {"arms": 10, "instances": 1, "seed": 7}
TERRAINS = {"max_steps": 1000}  # instead of 10,000: the robot falls, or stands still, long before
GROUND = {**TERRAINS, "terrain": "ground"}
FIVE = {"arms": 10, "instances": 5, "seed": 7}

SETTINGS = {
    "1x10brf": Setting("1×10Brf", "bandit-fixed", ONE, 50, False, (53.5, 51.5, 48, 43)),
    "1xcartpole": Setting("1×CartPole", "cartpole", {"max_steps": 1000}, 50, False, (108, 97, 24, 79), 1000),
    "1xlunarlander": Setting("1×LunarLander", "lunarlander", {"wind": (0,)}, 50, False, (-530, -450, -1110, -580)),
    "3x2bemh": Setting("3×2Bemh", "bandit-fixed", SIX, 500, True, (47.5, 45.5, 58, 61), 100),
    "5x10brf": Setting("5×10Brf", "bandit-fixed", FIVE, 500, True, (47, 50.5, 54.5, 53), 100),
    "4xlunarlander": Setting("4×LunarLander", "lunarlander", {}, 500, True, (-1100, -430, -880, -580)),
    "1xquadrupedal": Setting("1×Quadrupedal", "quadruped", GROUND, 50, False, (-10, -10, -10, -10)),
    "10xquadrupedal": Setting("10×Quadrupedal", "quadruped", TERRAINS, 500, True, ()),
}
TESTED = {  # trials, where a hundred would take longer than training
    "1xlunarlander": 20, "4xlunarlander": 50, "1xquadrupedal": 5, "10xquadrupedal": 20,
}  # fmt: skip
QUADRUPED = ("1xquadrupedal", "10xquadrupedal")  # in a command of their own: their simulator is slow
QUADRUPED_SEEDS = 2

AGENTS = {"a2c": "A2C", "a3c": "A3C", "meta-a2c": "meta A2C", "meta-a3c": "meta A3C"}  # in the order of `printed`

# Table 1, §4.2 and what the public code adds. An episode's return is its own, and so is a minibatch of 16 steps.
PRINTED: dict[str, Any] = {
    "algorithm": "a2c", "optimizer": "rmsprop", "learning_rate": 5e-5, "final_learning_rate": None, "gamma": 0.99,
    "vf_coef": 0.5, "normalize_advantage": True, "max_grad_norm": 999.0, "bptt_steps": 16, "separate_value": True,
    "returns": "episode", "final_ent_coef": None, "norm_obs": False, "norm_reward": False,
    "log_interval": 1,
}  # fmt: skip
ESTIMATES: dict[str, dict[str, Any]] = {  # Table 1: "Advantage Estimate", "Entropy"
    "a2c": {"gae_lambda": 1.0, "ent_coef": 0.0},
    "a3c": {"gae_lambda": 0.9, "ent_coef": 1e-3},
}
SLOW_ENVS = 5  # trials played at the same time where Python steps the environment; learned from one after the other
PLAIN: dict[str, Any] = {"encoder": (64, 64), "hidden_size": 32}
META: dict[str, Any] = {"encoder": (), "hidden_size": 64}


def _printed(name: str, agent: str) -> Experiment:
    setting = SETTINGS[name]
    meta = agent.startswith("meta-")
    learning = {**PRINTED, **ESTIMATES[agent.removeprefix("meta-")], **(META if meta else PLAIN)}
    learning["test_trials"] = TESTED.get(name, 100)
    learning["num_envs"] = SLOW_ENVS if setting.env in ("lunarlander", "quadruped") else 1
    kwargs = {**setting.env_kwargs, "episodes": TRIAL}
    return Experiment(
        setting.env, "rl2" if meta else "plain", kwargs, {**learning, "trials": setting.trials},
        seeds=QUADRUPED_SEEDS if name in QUADRUPED else SEEDS,
    )  # fmt: skip


AS_PRINTED = {f"{name}-{agent}": _printed(name, agent) for name in SETTINGS for agent in AGENTS}

END_AGENTS = {"a2c": "A2C", "ppo": "PPO", "meta-a2c": "meta A2C", "meta-ppo": "meta PPO"}
END = {name: f"{name}-end" for name in SETTINGS}
END_EPISODES = 2  # of a trial
FEW = 5  # seeds, where a run takes minutes

# Landers are PPO's alone: with A2C it was not tried to the end.
FADING: dict[str, Any] = {"learning_rate": 3e-3, "final_learning_rate": 0.0, "final_ent_coef": 0.0}
ARMS: dict[str, Any] = {**FADING, "num_envs": 32, "gamma": 0.9, "gae_lambda": 0.3, "ent_coef": 0.03, "trials": 10_000}
SIX_META: dict[str, Any] = {**ARMS, "trials": 60_000}
SIX_META_PPO: dict[str, Any] = {**ARMS, "num_envs": 64, "learning_rate": 2e-3, "trials": 30_000}
FIVE_META: dict[str, Any] = {
    **FADING, "num_envs": 16, "gamma": 0.9, "gae_lambda": 0.9, "ent_coef": 0.1, "normalize_advantage": True,
    "trials": 60_000,
}  # fmt: skip
FIVE_META_PPO: dict[str, Any] = {
    **FADING, "num_envs": 64, "learning_rate": 2e-3, "gamma": 0.95, "gae_lambda": 0.5, "ent_coef": 0.05,
    "trials": 120_000,
}  # fmt: skip
POLE: dict[str, Any] = {"norm_obs": True}
POLE_A2C: dict[str, Any] = {**POLE, "num_envs": 8, "trials": 24_000, "final_learning_rate": 0.0}
LAND: dict[str, Any] = {"num_envs": 16, "num_minibatches": 16, "trials": 1600}  # of two episodes


class End(NamedTuple):
    """A row of what is trained to the end; what is not said is the environment's own."""

    settings: dict[str, Any]
    seeds: int = SEEDS


TO_THE_END: dict[str, dict[str, End]] = {
    "1x10brf": {agent: End(ARMS) for agent in END_AGENTS},
    "1xcartpole": {
        "a2c": End({**POLE_A2C, "learning_rate": 0.01}),
        "ppo": End(POLE),
        "meta-a2c": End({**POLE_A2C, "learning_rate": 0.005}),
        "meta-ppo": End(POLE),
    },
    "1xlunarlander": {"ppo": End(LAND, FEW), "meta-ppo": End(LAND, FEW)},
    "3x2bemh": {"a2c": End(ARMS), "ppo": End(ARMS), "meta-a2c": End(SIX_META), "meta-ppo": End(SIX_META_PPO)},
    "5x10brf": {
        "a2c": End(ARMS), "ppo": End(ARMS), "meta-a2c": End(FIVE_META), "meta-ppo": End(FIVE_META_PPO, FEW),
    },
    "4xlunarlander": {"ppo": End(LAND, FEW), "meta-ppo": End(LAND, FEW)},
}  # fmt: skip


def _to_the_end(name: str, agent: str, row: End) -> Experiment:
    setting = SETTINGS[name]
    kwargs = {**setting.env_kwargs, "episodes": END_EPISODES}
    if setting.env == "cartpole":
        kwargs["max_steps"] = 500
    return Experiment(
        setting.env, "rl2" if agent.startswith("meta-") else "plain", kwargs,
        {"algorithm": "ppo" if agent.endswith("ppo") else "a2c", **row.settings}, seeds=row.seeds,
    )  # fmt: skip


TRAINED = {
    f"{END[name]}-{agent}": _to_the_end(name, agent, row)
    for name, rows in TO_THE_END.items()
    for agent, row in rows.items()
}
ROBOTS = {name: experiment for name, experiment in AS_PRINTED.items() if name.startswith(QUADRUPED)}
EXPERIMENTS = {name: experiment for name, experiment in (AS_PRINTED | TRAINED).items() if name not in ROBOTS}
