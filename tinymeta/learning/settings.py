"""All that a training run depends on besides its task set, checked as it is made."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinymeta.base.errors import InputError, choice, integer, real
from tinymeta.learning.schedules import SCHEDULES
from tinymeta.learning.wirings import WIRINGS
from tinymeta.network.optim import OPTIMIZERS
from tinymeta.network.parameters import INITS

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
        }
        for name, value in checked.items():  # as plain Python numbers, which JSON can hold
            object.__setattr__(self, name, value)
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

    @property
    def updates(self) -> int:
        """Updates that play at least `trials` trials."""
        return -(-self.trials // self.num_envs)


def _or_none(name: str, value: float | None) -> float | None:
    return None if value is None else real(name, value, low=0)
