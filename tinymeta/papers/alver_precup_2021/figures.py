"""The paper's pictures and ours, {file name: what draws it}; a CSV beside each holds the numbers drawn.

    learning-bandit, learning-corridor      Figure 2 middle and right: learning curves of all four agents
    dips                                    the policy lost after a rare action, trained on beyond convergence
    episodes                                reward and steps by episode within a trial: search, then knowledge
    corridor-paths                          Figure 2 left: where trained agents go
    architecture                            Figure 1
    animation-bandit, animation-corridor    an untrained and a trained agent on the same trials

and of what probes found

    state-space           states in the plane of two principal components, coloured by the exact belief
    decoding-training     decoding and return along training
    belief-along-a-trial  exact and decoded belief, step by step
    calibration           decoded probability against the frequency with which it came true
    simulation            dissimilarities of both simulations, with controls
    metamers              what it changes to exchange states of equal beliefs, and of different ones
    transplants           whom the behaviour follows when an episode begins with another trial's state
    evidence              the policy by net evidence, of states as they came and of states moved there
"""

import functools
from collections.abc import Mapping

from tinymeta.papers.alver_precup_2021.animations import draw_animation
from tinymeta.papers.alver_precup_2021.diagrams import draw_architecture, draw_corridor_paths
from tinymeta.papers.alver_precup_2021.dip_figures import draw_dips
from tinymeta.papers.alver_precup_2021.intervention_figures import draw_evidence, draw_metamers, draw_transplants
from tinymeta.papers.alver_precup_2021.performance_figures import draw_episodes, draw_learning
from tinymeta.papers.alver_precup_2021.probe_figures import draw_calibration, draw_simulation
from tinymeta.papers.alver_precup_2021.state_figures import draw_along_a_trial, draw_over_training, draw_state_space
from tinymeta.papers.plotting import Draw

FIGURES: Mapping[str, Draw] = {
    "dips": draw_dips,
    "animation-corridor": functools.partial(draw_animation, env="corridor"),
    "animation-bandit": functools.partial(draw_animation, env="bandit"),
    "learning-corridor": functools.partial(draw_learning, env="corridor"),
    "learning-bandit": functools.partial(draw_learning, env="bandit"),
    "corridor-paths": draw_corridor_paths,
    "episodes": draw_episodes,
    "architecture": draw_architecture,
}

PROBE_FIGURES: Mapping[str, Draw] = {
    "decoding-training": draw_over_training,
    "simulation": draw_simulation,
    "state-space": draw_state_space,
    "belief-along-a-trial": draw_along_a_trial,
    "metamers": draw_metamers,
    "transplants": draw_transplants,
    "evidence": draw_evidence,
    "calibration": draw_calibration,
}
