"""The runs: four agents on eight settings, as printed and trained to the end; the paper's numbers beside them.

*As printed* is the protocol of Conti's Tables 1 and 3 with what his public code adds, as far as our layers and loop go;
docs/conti.md has one table of the differences. *To the end* are the same settings with hyperparameters of ours, chosen
on seeds from 1000 on, until curves are flat.
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
    printed: tuple[float, float, float, float]  # mean reward an episode at the test's end, read off Figures 3 and 4
    most: float | None = None  # reward of an episode at most, where there is such a number


EASY_MEDIUM_HARD = (0.1, 0.9, 0.9, 0.1, 0.25, 0.75, 0.75, 0.25, 0.4, 0.6, 0.6, 0.4)
SIX = {"p": EASY_MEDIUM_HARD, "instances": 6}
ONE = {"arms": 10, "instances": 1, "seed": 7}
FIVE = {"arms": 10, "instances": 5, "seed": 7}

SETTINGS = {
    "1x10brf": Setting("1×10Brf", "bandit-fixed", ONE, 50, False, (53.5, 51.5, 48, 43)),
    "1xcartpole": Setting("1×CartPole", "cartpole", {"max_steps": 1000}, 50, False, (108, 97, 24, 79), 1000),
    "1xlunarlander": Setting("1×LunarLander", "lunarlander", {"wind": (0,)}, 50, False, (-530, -450, -1110, -580)),
    "3x2bemh": Setting("3×2Bemh", "bandit-fixed", SIX, 500, True, (47.5, 45.5, 58, 61), 100),
    "5x10brf": Setting("5×10Brf", "bandit-fixed", FIVE, 500, True, (47, 50.5, 54.5, 53), 100),
    "4xlunarlander": Setting("4×LunarLander", "lunarlander", {}, 500, True, (-1100, -430, -880, -580)),
}
TESTED = {"1xlunarlander": 20, "4xlunarlander": 50}  # trials, where a hundred would take longer than training

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
    learning["num_envs"] = SLOW_ENVS if setting.env == "lunarlander" else 1
    kwargs = {**setting.env_kwargs, "episodes": TRIAL}
    return Experiment(
        setting.env, "rl2" if meta else "plain", kwargs, {**learning, "trials": setting.trials}, seeds=SEEDS
    )


AS_PRINTED = {f"{name}-{agent}": _printed(name, agent) for name in SETTINGS for agent in AGENTS}
EXPERIMENTS = AS_PRINTED
