"""The paper as data: what it is made of, for the commands that train, draw, probe and judge."""

from tinymeta.papers.alver_precup_2021.claims import CLAIMS
from tinymeta.papers.alver_precup_2021.experiments import EXTENSION, PROBED_TITLES, REPLICATION, TRAINED_ON
from tinymeta.papers.alver_precup_2021.figures import FIGURES, PROBE_FIGURES
from tinymeta.papers.registry import Paper

PAPER = Paper(
    name="alver",
    title="Alver & Precup (2021), What is going on inside recurrent meta reinforcement learning agents?",
    experiments={**REPLICATION, **TRAINED_ON, **EXTENSION},
    claims=CLAIMS,
    figures=FIGURES,
    probed=PROBED_TITLES,
    probe_figures=PROBE_FIGURES,
)
