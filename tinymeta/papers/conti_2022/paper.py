"""Conti's study as data: runs, claims and figures; `bash runs.sh conti`."""

from tinymeta.papers.conti_2022.claims import CLAIMS
from tinymeta.papers.conti_2022.experiments import EXPERIMENTS
from tinymeta.papers.conti_2022.figures import FIGURES
from tinymeta.papers.registry import Paper

PAPER = Paper(
    name="conti",
    title="Conti 2022, RL² Meta Reinforcement Learning",
    experiments=EXPERIMENTS,
    claims=CLAIMS,
    figures=FIGURES,
    probed={},
    probe_figures={},
)
