"""TODO runs.metrics."""



from tinymeta.base.errors import InputError, real, shown
from tinymeta.learning.learner import STATISTICS


METRICS = (
    "update",
    "trials",
    "env_steps",
    "reward_per_trial",
    "steps_per_trial",
    "policy_loss",
    "value_loss",
    "entropy",
    "loss",
    "grad_norm",
)

def _number(name, text):
    try:
        return real(name, float(text))
    except ValueError:
        raise InputError(f"{name} = {shown(text)}, expected a finite number") from None

def metrics_row(learner, statistics):
    """One row of metrics.csv: means over the interval's trials (reward, steps) and updates (losses, entropy, gradient norm)."""
    total = dict(zip(STATISTICS, statistics.sum(axis=0).tolist(), strict=True))
    row = {"update": learner.updates_done, "trials": learner.trials_done, "env_steps": learner.env_steps_done,
           "reward_per_trial": total["reward"] / total["trials"], "steps_per_trial": total["env_steps"] / total["trials"]}  # fmt: skip
    return row | {name: total[name] / len(statistics) for name in METRICS[5:]}
