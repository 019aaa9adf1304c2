"""What a page shows of a network's inside, fitted on recorded trials.

decoder   the linear map from [h, c] to the exact belief, see `tinymeta.probes.decoding`
push      how a state has to move for a wanted change of the decoded belief: along its pattern, see
          `tinymeta.probes.moves`; a change (V,) times this (V, 2H) is the move
plane     the two principal components of the states, as in figures/state-space, and a cloud of states in it
recorded  one trial with its logits and beliefs, by which the page checks its own arithmetic
"""

from typing import Any

import numpy as np

from tinymeta.base.errors import InputError
from tinymeta.learning.agent import Agent
from tinymeta.page.encoding import packed
from tinymeta.probes.decoding import Regression, Samples, split_trials, trial_weights, unexplained
from tinymeta.probes.moves import Moves
from tinymeta.probes.recording import Recording, record

RECORDED_TRIALS = 200
PLANE_TRIALS = 60  # as in figures/state-space
CLOUD = 500  # states shown


def fitted(agent: Agent) -> dict[str, Any]:
    """{"decoder", "push", "plane", "recorded"} of an agent's own play.

    Raises
    ------
    InputError
        If the exact belief never varies: then there is nothing to show.
    """
    recording = record(agent, RECORDED_TRIALS)
    samples = Samples.of(recording)
    at = samples.trial, samples.step
    state = np.hstack([recording.hidden[at], recording.cell[at]]).astype(float)  # (n, 2H)
    belief = recording.hypotheses[at]  # (n, V)
    if samples.hypotheses.shape[1] == 0:
        raise InputError("the exact belief never varies, expected a task set on which there is something to find out")
    split = split_trials(samples.trial)
    regression = Regression(state, split)
    decoder = regression.fit(belief)
    weight = trial_weights(samples.trial)[split.test]
    r2 = 1 - unexplained(regression.predict(belief), belief[split.test], weight)
    changes = np.eye(belief.shape[1])  # of each decoded probability alone
    return {
        "decoder": {
            "shift": packed(decoder.shift.astype(np.float32)),
            "weight": packed(decoder.weight.astype(np.float32)),
            "bias": packed(decoder.bias.astype(np.float32)),
            "r2": round(r2, 4),
        },
        "push": packed(Moves(decoder, state).along_pattern(changes).astype(np.float32)),
        "plane": _plane(state, belief, samples.trial < PLANE_TRIALS),
        "recorded": _recorded(recording, int(np.argmax(recording.valid.sum(axis=1)))),
    }


def _plane(state: np.ndarray, hypotheses: np.ndarray, chosen: np.ndarray) -> dict[str, Any]:
    """The principal plane of the chosen states, and some of them in it with their belief."""
    state = state[chosen]
    belief = hypotheses[chosen]
    mean = state.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(state.T))
    axes = vectors[:, [-1, -2]]  # (2H, 2)
    shown = np.linspace(0, len(state) - 1, min(CLOUD, len(state))).astype(int)
    return {
        "mean": packed(mean.astype(np.float32)),
        "axes": packed(axes.astype(np.float32)),
        "share": (100 * values[[-1, -2]] / values.sum()).round(1).tolist(),  # of the variance, in percent
        "cloud": packed(((state - mean) @ axes)[shown].astype(np.float32)),
        "belief": packed(belief[shown].max(axis=1).astype(np.float32) if belief.shape[1] > 2 else belief[shown, 0]),
    }


def _recorded(recording: Recording, n: int) -> dict[str, Any]:
    """Trial n: what was seen and done, the logits, and the exact belief before each action."""
    valid = recording.valid[n]
    names = ("observation", "action", "reward", "episode", "logits")
    arrays = {name: packed(getattr(recording, name)[n, valid]) for name in names}
    return {"task": int(recording.task[n]), **arrays, "belief": packed(recording.hypotheses[n, valid])}
