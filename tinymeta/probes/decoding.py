"""Can what the exact belief knows be read off the LSTM's state? Linear decoding, held out, with controls.

A ridge regression maps the state h (or [h, c]) to each sufficient statistic of the exact belief, see
`tinymeta.probes.belief_statistics`. It is fitted on half of the trials, its penalty chosen on a quarter of those, and
tested on the other half, where predictions are clipped to the range that the statistic has in the recording. Its error
is the fraction of variance that stays unexplained there,

    Σ w (y - ŷ)² / Σ w (y - ȳ)²

with ȳ the tested samples' mean and weights w that give every trial the same share. A score says nothing by itself (an
untrained network is a random feature map of the recent past; Hennig et al. 2023 decode with R² near 0.5 from it), so
each stands beside the same fit on

    untrained   the network before training, sent through the same inputs
    shuffled    the trained states, with the statistics of another trial at the same step
    inputs      the raw input of the step instead of a state

Trained and untrained network share their seed, the inputs and the split. So they are compared as a pair, by the
logarithm of untrained error / trained error, one number per run.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinymeta.base import randomness
from tinymeta.base.errors import InputError
from tinymeta.environments.table import TaskSet
from tinymeta.probes.belief_statistics import POSTERIOR_LIMIT, statistics, varies
from tinymeta.probes.recording import Recording

DECODING_PENALTIES = (1e-9, 1e-7, 1e-5, 1e-3, 1e-1)  # of the ridge, per sample of features scaled to variance 1
BINS = 10  # of calibration
R2_CEILING = 1 - 1e-6  # so that a perfect fit counts as a finite number of bits
ERROR_FLOOR = 1e-8  # smaller errors count as this one in a ratio: float32 states, rounded to 6e-8, say no more


class LinearMap(NamedTuple):
    """x -> (x - shift)·weight + bias."""

    shift: np.ndarray  # (F,)
    weight: np.ndarray  # (F, V)
    bias: np.ndarray  # (V,)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return (x - self.shift) @ self.weight + self.bias


class Split(NamedTuple):
    """Masks over n samples: every trial is in `test` or in `train`, and some of the latter in `choose` as well."""

    train: np.ndarray
    choose: np.ndarray  # the samples that pick the penalty; it is fitted on train without choose, then on all of train
    test: np.ndarray


def split_trials(trial: np.ndarray, seed: int = 0) -> Split:
    """A random half of the trials for fitting, a quarter of those for choosing; samples of one trial stay together.

    trial (n,) is each sample's trial, 0…N-1.
    """
    uniforms = randomness.uniforms(seed, randomness.PROBING, 0, 1, int(trial.max()) + 1)[0]
    order = np.argsort(uniforms)[trial]
    share = order / (order.max() + 1)
    return Split(share < 0.5, share < 0.125, share >= 0.5)


class Ridge:
    """Ridge regression on samples x (n, F), scaled; what depends on x alone is computed once for all targets."""

    def __init__(self, x: np.ndarray) -> None:
        self.shift = x.mean(axis=0)
        deviation = x.std(axis=0)
        self.scale = np.where(deviation > 1e-12, deviation, np.inf)  # a constant feature gets weight 0
        self.z = (x - self.shift) / self.scale
        self.gram = self.z.T @ self.z / len(x)

    def fit(self, y: np.ndarray, penalties: Sequence[float]) -> list[LinearMap]:
        """The map to y (n, V) for each penalty, in closed form."""
        bias = y.mean(axis=0)
        identity = np.eye(len(self.gram))
        covariance = self.z.T @ (y - bias) / len(y)
        weights = (np.linalg.solve(self.gram + penalty * identity, covariance) for penalty in penalties)
        return [LinearMap(self.shift, weight / self.scale[:, None], bias) for weight in weights]


class Regression:
    """Ridges on features x (n, F) whose penalty does best on `split.choose`, fitted again on all of `split.train`."""

    def __init__(self, x: np.ndarray, split: Split, penalties: Sequence[float] = DECODING_PENALTIES) -> None:
        self.x = np.asarray(x, float)
        self.split = split
        self.penalties = penalties
        self._inner = split.train & ~split.choose
        self._inner_ridge = Ridge(self.x[self._inner])
        self._ridge = Ridge(self.x[split.train])

    def fit(self, y: np.ndarray) -> LinearMap:
        """The map to y (n, V)."""
        y = np.asarray(y, float)
        choose = self.split.choose
        maps = self._inner_ridge.fit(y[self._inner], self.penalties)
        errors = [np.square(linear(self.x[choose]) - y[choose]).sum() for linear in maps]
        best = self.penalties[int(np.argmin(errors))]
        return self._ridge.fit(y[self.split.train], [best])[0]

    def predict(self, y: np.ndarray) -> np.ndarray:
        """What the fit to y says on the samples of `split.test`, clipped to the range of y, all samples taken together.

        One trial that goes where no other went would else outweigh all of them: a linear map knows no bounds.
        """
        return np.clip(self.fit(y)(self.x[self.split.test]), np.min(y, axis=0), np.max(y, axis=0))


def unexplained(predicted: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Σ w (y - ŷ)² / Σ w (y - ȳ)², the fraction of variance that a prediction leaves unexplained.

    All columns of y (n, V) are pooled, ȳ is their weighted mean and w (n,) is 1 if left out; NaN where y does not vary.

    Examples
    --------
    >>> y = np.array([[0.0], [1.0]])
    >>> unexplained(y, y), unexplained(np.full((2, 1), 0.5), y)
    (0.0, 1.0)
    """
    w = np.ones((len(y), 1)) if weight is None else weight[:, None] * (len(y) / weight.sum())
    total = (w * np.square(y - (w * y).mean(axis=0))).sum()
    return float((w * np.square(y - predicted)).sum() / total) if total > 1e-12 * max(1, y.size) else float("nan")


def log_ratio(untrained: float, trained: float) -> float:
    """log(untrained / trained) of two errors, none of which counts as less than `ERROR_FLOOR`.

    Examples
    --------
    >>> round(log_ratio(0.2, 0.1), 6), log_ratio(1e-12, 0.0)
    (0.693147, 0.0)
    """
    return float(np.log(np.maximum(untrained, ERROR_FLOOR) / np.maximum(trained, ERROR_FLOOR)))


def trial_weights(trial: np.ndarray) -> np.ndarray:
    """1 / samples of its trial for each sample (n,): one that wanders off would outweigh dozens."""
    return 1 / np.bincount(trial)[trial]


def information_bits(predicted: np.ndarray, y: np.ndarray, train: np.ndarray) -> float:
    """A lower estimate of the mutual information between state and belief, in bits, from held-out predictions.

    Along each principal component of the belief a Gaussian decoder with the held-out error leaves -½ log2(1 - R²)
    bits (Barber & Agakov 2003); components are uncorrelated and their bits are added. Exact where belief and state
    are jointly Gaussian.

    Parameters
    ----------
    predicted : array of shape (n of test, V)
    y : array of shape (n, V)
    train : bool array of shape (n,)
        The samples that give the components; predictions are of the others.
    """
    values, axes = np.linalg.eigh(np.atleast_2d(np.cov(y[train].T)))
    axes = axes[:, values > 1e-6 * max(values.max(), 1e-12)]
    component = y[~train] @ axes
    total = np.square(component - component.mean(axis=0)).sum(axis=0)
    scores = 1 - np.square(component - predicted @ axes).sum(axis=0) / np.where(total > 1e-12, total, np.inf)
    return float(-0.5 * np.log2(1 - np.clip(np.where(total > 1e-12, scores, 0), 0, R2_CEILING)).sum())


def calibration(probability: np.ndarray, truth: np.ndarray) -> list[tuple[float, float, int]]:
    """[(mean decoded probability, share of cases in which it came true, cases)] per tenth of the unit interval."""
    hit = np.arange(probability.shape[1]) == truth[:, None]
    bin_of = np.minimum((probability * BINS).astype(int), BINS - 1)
    table = []
    for b in range(BINS):
        chosen = bin_of == b
        if chosen.any():
            table.append((float(probability[chosen].mean()), float(hit[chosen].mean()), int(chosen.sum())))
    return table


class Samples(NamedTuple):
    """A recording's n valid steps as samples, one row each."""

    trial: np.ndarray
    step: np.ndarray
    episode: np.ndarray
    hypotheses: np.ndarray  # (n, V), constant columns left out
    truth: np.ndarray  # index into the columns; -1 if the true one was left out

    @classmethod
    def of(cls, recording: Recording) -> "Samples":
        """The valid steps, trial by trial."""
        trial, step = np.nonzero(recording.valid)
        y = recording.hypotheses[trial, step]
        kept = varies(y)
        number = np.where(kept, np.cumsum(kept) - 1, -1)
        return cls(trial, step, recording.episode[trial, step], y[:, kept], number[recording.truth[trial, step]])


def score(x: np.ndarray, samples: Samples, targets: dict[str, np.ndarray], split: Split) -> dict[str, Any]:
    """How well features x (n, F) tell the statistics {name: (n, V)} of the belief, held out.

    Returns
    -------
    dict
        error {statistic: fraction of variance unexplained}; posterior, where it is one of them: accuracy (share of
        steps whose decoded top hypothesis is a top one of the exact belief), bits (see `information_bits`) and
        calibration.
    """
    test = split.test
    regression = Regression(x, split)
    weight = trial_weights(samples.trial)[test]
    predicted = {name: regression.predict(y) for name, y in targets.items()}
    if "posterior" not in targets:
        few = f"expected at most {POSTERIOR_LIMIT} for its posterior to be decoded"
        posterior: dict[str, Any] = {"reason": f"the belief is over {samples.hypotheses.shape[1]} hypotheses, {few}"}
    else:
        y = targets["posterior"]
        top = y[test].max(axis=1)
        chosen = y[test][np.arange(test.sum()), predicted["posterior"].argmax(axis=1)]
        posterior = {
            "accuracy": float((chosen >= top - 1e-9).mean()),
            "bits": information_bits(predicted["posterior"], y, ~test),
            "calibration": calibration(predicted["posterior"], samples.truth[test]),
        }
    error = {name: unexplained(predicted[name], y[test], weight) for name, y in targets.items()}
    return {"error": error, "posterior": posterior}


def shuffled(samples: Samples) -> np.ndarray:
    """For each sample the row of the next trial's at the same step (at its last one if it ended earlier)."""
    trials = int(samples.trial.max()) + 1
    first = np.searchsorted(samples.trial, np.arange(trials))
    count = np.diff(np.append(first, len(samples.trial)))
    other = (samples.trial + 1) % trials
    return first[other] + np.minimum(samples.step, count[other] - 1)


def decode(tasks: TaskSet, recording: Recording, before: Recording, seed: int = 0) -> dict[str, dict[str, Any]]:
    """{control: {features: `score`}} of a recording and of the untrained network on the same inputs, and their ratios.

    trained and untrained on "h" and "hc" ([h, c]), shuffled on "hc", inputs on "x"; and log_ratio {features:
    {statistic: log(untrained / trained error)}}, see `log_ratio`.

    Raises
    ------
    InputError
        If the belief never varies in the recording.
    """
    samples = Samples.of(recording)
    if samples.hypotheses.shape[1] == 0:
        raise InputError("the exact belief never varies, expected a task set on which there is something to find out")
    split = split_trials(samples.trial, seed)
    at = samples.trial, samples.step
    targets = statistics(tasks, recording, *at)
    results: dict[str, dict[str, Any]] = {}
    for name, source in (("trained", recording), ("untrained", before)):
        h, c = source.hidden[at], source.cell[at]
        results[name] = {
            "h": score(h, samples, targets, split),
            "hc": score(np.hstack([h, c]), samples, targets, split),
        }
    rows = shuffled(samples)
    others = samples._replace(hypotheses=samples.hypotheses[rows], truth=samples.truth[rows])
    both = np.hstack([recording.hidden[at], recording.cell[at]])
    of_others = {name: y[rows] for name, y in targets.items()}
    results["shuffled"] = {"hc": score(both, others, of_others, split)}
    results["inputs"] = {"x": score(recording.inputs[at], samples, targets, split)}
    results["log_ratio"] = {
        features: {
            name: log_ratio(results["untrained"][features]["error"][name], error)
            for name, error in results["trained"][features]["error"].items()
        }
        for features in ("h", "hc")
    }
    return results
