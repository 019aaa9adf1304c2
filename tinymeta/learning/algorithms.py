"""The loss that a run's settings ask for; importing this module makes all algorithms, policies and networks known."""

from typing import Any

from tinymeta.learning import deep, gaussian_policy, worlds
from tinymeta.learning.ppo import PPO, make_ppo
from tinymeta.learning.wirings import Layout
from tinymeta.network.losses import Loss

REGISTERED = (deep, gaussian_policy, worlds)  # they bring implementations, see `tinymeta.base.dispatch`


def make_loss(settings: Any, layout: Layout, num_rows: int, step_limit: int, dtype: Any) -> Loss | PPO:
    """The coefficients of A2C's loss, or PPO's with its working arrays for a run of `num_rows` rows."""
    if settings.algorithm == "ppo":
        return make_ppo(settings, layout, num_rows, step_limit, dtype)
    coefficients = settings.gamma, settings.gae_lambda, settings.vf_coef, settings.ent_coef
    return Loss(*coefficients, settings.normalize_advantage)
