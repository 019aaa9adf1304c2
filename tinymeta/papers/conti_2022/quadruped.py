"""Conti's four-legged robot, as printed: runs, claims and figures; `bash runs.sh conti --quadruped`.

Apart from the rest of his study, for its simulator makes some hundred to two hundred steps a second.
"""

from tinymeta.papers.conti_2022.claims import ROBOT_CLAIMS
from tinymeta.papers.conti_2022.experiments import ROBOTS
from tinymeta.papers.conti_2022.figures import SESSIONS
from tinymeta.papers.registry import Paper

PAPER = Paper(
    name="conti-quadruped",
    title="Conti 2022, RL² Meta Reinforcement Learning: the quadruped",
    experiments=ROBOTS,
    claims=ROBOT_CLAIMS,
    figures=SESSIONS,
    probed={},
    probe_figures={},
)
