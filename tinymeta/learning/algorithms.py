"""The loss that a run's settings ask for; importing this module makes all algorithms, policies and networks known."""

from typing import Any

from tinymeta.learning import deep, gaussian_policy, worlds
from tinymeta.learning.ppo import PPO, make_ppo
from tinymeta.learning.segments import Segmented, make_segmented
from tinymeta.learning.wirings import Layout
from tinymeta.network.losses import Loss

REGISTERED = (deep, gaussian_policy, worlds)  # they bring implementations, see `tinymeta.base.dispatch`


def make_loss(settings: Any, layout: Layout, num_rows: int, step_limit: int, dtype: Any) -> Loss | PPO | Segmented:
    """The coefficients of A2C's loss, or what PPO or A2C by segments work in, for a run of `num_rows` rows."""
    if settings.algorithm == "ppo":
        return make_ppo(settings, layout, num_rows, step_limit, dtype)
    if settings.bptt_steps:
        return make_segmented(settings, layout, num_rows, dtype)
    coefficients = settings.gamma, settings.gae_lambda, settings.vf_coef, settings.ent_coef
    return Loss(*coefficients, settings.normalize_advantage)
