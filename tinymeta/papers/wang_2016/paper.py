"""Wang et al.'s bandits as data: runs, claims and figures; `bash runs.sh wang`."""

from tinymeta.papers.registry import Paper
from tinymeta.papers.wang_2016.claims import CLAIMS
from tinymeta.papers.wang_2016.experiments import EXPERIMENTS
from tinymeta.papers.wang_2016.figures import FIGURES

PAPER = Paper(
    name="wang",
    title="Wang et al. 2016, Learning to reinforcement learn",
    experiments=EXPERIMENTS,
    claims=CLAIMS,
    figures=FIGURES,
    probed={},
    probe_figures={},
)
