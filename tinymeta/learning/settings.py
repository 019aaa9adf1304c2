"""All that a training run depends on besides its task set, checked as it is made."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError, choice, instance, integer, real
from tinymeta.learning.schedules import SCHEDULES
from tinymeta.learning.wirings import WIRINGS, Layout, make_layout
from tinymeta.network.optim import OPTIMIZERS
from tinymeta.network.parameters import INITS

ALGORITHMS = ("a2c", "ppo")
RETURNS = ("trial", "episode")
FLAGS = ("normalize_advantage", "separate_value", "norm_obs", "norm_reward")
DTYPES: dict[str, Any] = {"float32": np.float32, "float64": np.float64}


@dataclass(frozen=True)
class Settings:
    """The hyperparameters of a training run, under the field's usual names.

    The defaults are the bandit's column of Alver & Precup 2021, Table 1, where it has a row; a task set's own
    `defaults` take their place in `tinymeta.learn` and on the command line.

    Raises
    ------
    ValueError
        Names the setting, what came and what was expected.
    """

    agent: str = "rl2"
    seed: int = 0
    trials: int = 40_000
    num_envs: int = 4  # trials per update
    learning_rate: float = 1e-3
    gamma: float = 0.8
    gae_lambda: float = 1.0
    ent_coef: float = 0.001
    vf_coef: float = 0.05
    max_grad_norm: float = 1.0
    optimizer: str = "adam"
    hidden_size: int = 48
    init: str = "default"
    dtype: str = "float32"
    final_learning_rate: float | None = None  # annealed to; constant if None
    final_ent_coef: float | None = None
    schedule: str = "linear"
    algorithm: str = "a2c"
    n_epochs: int = 4  # of PPO: passes over a batch of trials
    num_minibatches: int = 4  # of PPO: parts of a batch, each some trials; fewer where
    batch_size: int = 1  # steps would be less than these in each
    clip_range: float = 0.2  # of PPO: ε
    bptt_steps: int = 0  # of A2C: steps of a trial for each gradient step; 0: whole trials, a step for each batch
    normalize_advantage: bool | None = None  # advantages of mean 0 and deviation 1; PPO's are, unless told otherwise
    returns: str = "trial"  # discounted over the whole trial, or up to each episode's end
    encoder: tuple[int, ...] = ()  # widths of dense tanh layers before the LSTM
    separate_value: bool = False  # the value has layers and an LSTM of its own
    norm_obs: bool = False  # an observation's numbers enter standardised by what was met so far
    norm_reward: bool = False  # rewards are divided by the running deviation of the discounted return

    def __post_init__(self) -> None:
        checked = {
            "agent": choice("agent", self.agent, WIRINGS),
            "seed": integer("seed", self.seed, low=0, high=2**63 - 1),
            "trials": integer("trials", self.trials, low=1, high=10**12),
            "num_envs": integer("num_envs", self.num_envs, low=1, high=100_000),
            "learning_rate": real("learning_rate", self.learning_rate, above=0),
            "gamma": real("gamma", self.gamma, low=0, high=1),
            "gae_lambda": real("gae_lambda", self.gae_lambda, low=0, high=1),
            "ent_coef": real("ent_coef", self.ent_coef, low=0),
            "vf_coef": real("vf_coef", self.vf_coef, low=0),
            "max_grad_norm": real("max_grad_norm", self.max_grad_norm, above=0),
            "optimizer": choice("optimizer", self.optimizer, OPTIMIZERS),
            "hidden_size": integer("hidden_size", self.hidden_size, low=1, high=4096),
            "init": choice("init", self.init, INITS),
            "dtype": choice("dtype", self.dtype, DTYPES),
            "final_learning_rate": _or_none("final_learning_rate", self.final_learning_rate),
            "final_ent_coef": _or_none("final_ent_coef", self.final_ent_coef),
            "schedule": choice("schedule", self.schedule, SCHEDULES),
            "algorithm": choice("algorithm", self.algorithm, ALGORITHMS),
            "n_epochs": integer("n_epochs", self.n_epochs, low=1, high=1000),
            "num_minibatches": integer("num_minibatches", self.num_minibatches, low=1, high=100_000),
            "batch_size": integer("batch_size", self.batch_size, low=1, high=10**9),
            "clip_range": real("clip_range", self.clip_range, above=0),
            "bptt_steps": integer("bptt_steps", self.bptt_steps, low=0, high=1_000_000),
            "returns": choice("returns", self.returns, RETURNS),
            "encoder": _widths(self.encoder),
        }
        if self.normalize_advantage is None:
            object.__setattr__(self, "normalize_advantage", self.algorithm == "ppo")
        for name in FLAGS:
            checked[name] = instance(name, getattr(self, name), bool)
        for name, value in checked.items():  # as plain Python numbers, which JSON can hold
            object.__setattr__(self, name, value)
        if self.algorithm == "ppo" and self.num_minibatches > self.num_envs:
            what = f"num_minibatches = {self.num_minibatches} with num_envs = {self.num_envs}"
            raise InputError(f"{what}, expected at most as many minibatches as trials per update")
        if self.algorithm == "ppo" and self.bptt_steps:
            raise InputError(f"bptt_steps = {self.bptt_steps} with PPO, which learns from whole trials, expected 0")
        if self.schedule == "geometric":
            for name in ("learning_rate", "ent_coef"):
                final = getattr(self, f"final_{name}")
                if final is not None and (final == 0 or getattr(self, name) == 0):
                    values = f"{getattr(self, name):g} to {final:g}"
                    raise InputError(f"{name} = {values}, expected numbers > 0: a geometric schedule does not reach 0")

    @property
    def annealed(self) -> bool:
        """Whether anything changes along the run, so that an update depends on how many there will be."""
        return self.final_learning_rate is not None or self.final_ent_coef is not None

    def layout(self, tasks: Any) -> Layout:
        """The layout of this agent and network on a task set or world."""
        return make_layout(tasks, self.agent, self.hidden_size, self.encoder, self.separate_value)

    @property
    def updates(self) -> int:
        """Updates that play at least `trials` trials."""
        return -(-self.trials // self.num_envs)


def _widths(encoder: Any) -> tuple[int, ...]:
    widths = tuple(encoder) if isinstance(encoder, (tuple, list)) else (encoder,)
    if len(widths) > 8:
        raise InputError(f"encoder has {len(widths)} layers, expected at most 8")
    return tuple(integer("encoder", width, low=1, high=4096) for width in widths)


def _or_none(name: str, value: float | None) -> float | None:
    return None if value is None else real(name, value, low=0)
