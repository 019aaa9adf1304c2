"""Is the wind inferred? It is decoded from the state of agents that were trained to the end, step by step.

A ridge regression maps the state h after a step to the wind power of the trial, fitted on half of the trials and tested
on the other half, as in `tinymeta.probes.decoding`. Three networks are compared, seed by seed:

    meta              the recurrent agent on trials of its own
    before training   the same network before it was trained, sent through the same inputs
    plain             the agent without memory on trials of its own: what the last observation alone tells
"""

import functools
from typing import NamedTuple

import numpy as np

from tinymeta.learning.agent import Agent
from tinymeta.learning.traces import Trace
from tinymeta.papers.results import Results
from tinymeta.probes.decoding import Regression, split_trials, unexplained
from tinymeta.probes.recording import replay, untrained
from tinymeta.runs.loading import load

AT = (1, 5, 10, 20, 40, 60, 80, 100, 120)  # steps of an episode
TRIALS = 400
WINDOW = 4  # steps that are taken together
NETWORKS = ("meta", "before training", "plain")


class Flight(NamedTuple):
    """Trials of landings."""

    hidden: np.ndarray  # (N, T, H)
    episode: np.ndarray  # (N, T), -1 past a trial's end
    wind: np.ndarray  # (N,)


def fly(agent: Agent, powers: np.ndarray, seed: int) -> tuple[Flight, Trace]:
    """Trials of an agent; `powers` (M,) are the tasks' winds."""
    _, trace = agent.play(TRIALS, seed=seed, trace=True)
    episode = np.where(trace["valid"], trace["episode"], -1)
    return Flight(trace["hidden"], episode, powers[trace["task"][:, 0]]), trace


def samples(flight: Flight, episode: int, step: int) -> np.ndarray:
    """(trial, time), array (2, n), of `WINDOW` steps of this episode of each trial, from `step` on, counted from 1."""
    there = flight.episode == episode
    since = np.cumsum(there, axis=1)
    return np.stack(np.nonzero(there & (since >= step) & (since < step + WINDOW)))


def unexplained_by_step(flight: Flight, episode: int) -> np.ndarray:
    """Fraction of the wind's variance that the states after the steps `AT` leave unexplained, array (len(AT),).

    NaN where fewer than a quarter of the trials still fly.
    """
    errors = np.full(len(AT), np.nan)
    for i, step in enumerate(AT):
        trial, time = samples(flight, episode, step)
        if len(trial) < TRIALS * WINDOW / 4:
            continue
        split = split_trials(trial)
        wind = flight.wind[trial][:, None]
        predicted = Regression(flight.hidden[trial, time], split).predict(wind)
        errors[i] = unexplained(predicted, wind[split.test])
    return errors


@functools.cache
def _decoded(meta: str, plain: str, seed: int) -> dict[str, np.ndarray]:
    found = {}
    agent = load(meta)
    powers = np.array([float(name.partition("=")[2]) for name in agent.tasks.task_names])
    flight, trace = fly(agent, powers, seed)
    before, _, _ = replay(untrained(agent, seed), trace["inputs"], trace["reset"])
    alone, _ = fly(load(plain), powers, seed)
    for name, flown in (("meta", flight), ("before training", flight._replace(hidden=before)), ("plain", alone)):
        found[name] = np.stack([unexplained_by_step(flown, episode) for episode in range(agent.tasks.episodes)])
    return found


def decoded_wind(results: Results, meta: str, plain: str) -> dict[str, np.ndarray]:
    """{network of `NETWORKS`: unexplained fraction, array (seeds, episodes, len(AT))} of two experiments' agents."""
    pairs = zip(results.runs(meta), results.runs(plain), results.seeds_of(meta), strict=True)
    found = [_decoded(str(one.path), str(other.path), seed) for one, other, seed in pairs]
    return {name: np.stack([each[name] for each in found]) for name in NETWORKS}
