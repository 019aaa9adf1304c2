"""An experiment is data: one environment, one agent, its settings, and how many seeds of it are trained."""

from typing import Any, NamedTuple

from tinymeta.runs.config import Config, build, make_config

SEEDS = 20
MOST = 100_000  # seeds that an experiment can ask for
QUICK_SEEDS = 3
FIRST_SEED = 100  # nothing was ever tuned on seeds 100-119


class Experiment(NamedTuple):
    """A sweep over seeds. Its key in a paper's experiments is its name: the runs lie in runs/<name>/seed-<k>."""

    env: str
    agent: str
    env_kwargs: dict[str, Any]
    settings: dict[str, Any]  # what differs from the environment's defaults
    seeds: int = SEEDS  # at most; fewer where fewer are asked for
    snapshots: int = 0  # networks kept along each run, see `tinymeta.runs.config.Config`

    def config(self, seed: int = 0) -> Config:
        """What the run with this seed was, or is, asked to do."""
        return make_config(self.env, self.agent, self.env_kwargs, seed=seed, snapshots=self.snapshots, **self.settings)

    def longest(self) -> int:
        """How many steps a run takes at most, to begin with the longest."""
        config = self.config()
        return config.settings.trials * build(config).step_limit
