"""Which papers there are. A paper is data; its folder is imported only when somebody asks for it."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tinymeta.base.errors import choice
from tinymeta.papers.claims import Claim
from tinymeta.papers.experiments import Experiment
from tinymeta.papers.plotting import Draw

PAPERS = {
    "alver": "alver_precup_2021.paper",
    "conti": "conti_2022.paper",
    "conti-quadruped": "conti_2022.quadruped",
    "wang": "wang_2016.paper",
    "worlds": "worlds.paper",
}  # name: its module in tinymeta/papers
DEFAULT = "alver"


class Paper(NamedTuple):
    """All that is particular to a paper."""

    name: str  # as `--paper` takes it
    title: str
    experiments: dict[str, Experiment]
    claims: tuple[Claim, ...]
    figures: Mapping[str, Draw]  # {file name: what draws it}, those that take longest first
    probed: dict[str, str]  # {experiment whose runs are probed: its task set, as tables name it}
    probe_figures: Mapping[str, Draw]  # pictures of what the probes found

    @property
    def command(self) -> str:
        """What makes its runs."""
        return "bash runs.sh" if self.name == DEFAULT else f"bash runs.sh {self.name.replace('-', ' --')}"

    @property
    def output(self) -> Path:
        """The folder of its pictures and verdicts, where nothing else is asked for."""
        return Path("figures") if self.name == DEFAULT else Path("figures", self.name)


def load_paper(name: str) -> Paper:
    """The paper of this name.

    Raises
    ------
    InputError
        If there is none; suggests the nearest.

    Examples
    --------
    >>> load_paper("alver").experiments["bandit-rl2"].env
    'bandit'
    """
    module = PAPERS[choice("paper", name, PAPERS)]
    return importlib.import_module(f"tinymeta.papers.{module}").PAPER
