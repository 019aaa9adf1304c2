"""What the open loop learns, as data: runs, claims and figures; `bash runs.sh worlds`."""

from tinymeta.papers.registry import Paper
from tinymeta.papers.worlds.claims import CLAIMS
from tinymeta.papers.worlds.experiments import EXPERIMENTS
from tinymeta.papers.worlds.figures import FIGURES

PAPER = Paper(
    name="worlds",
    title="Worlds without a table: the pole on a cart, LunarLander in the wind, fifty arms, random MDPs",
    experiments=EXPERIMENTS,
    claims=CLAIMS,
    figures=FIGURES,
    probed={},
    probe_figures={},
)
