"""Tiny papers for tests: the experiments of a paper on small task sets and networks, with results written by hand."""

import dataclasses
import json

import numpy as np

from tinymeta.papers.alver_precup_2021.experiments import EXTENSION, REPLICATION, TRAINED_ON
from tinymeta.papers.plotting import csv_text
from tinymeta.papers.registry import load_paper
from tinymeta.papers.results import Results
from tinymeta.probes.summary import QUANTITIES
from tinymeta.runs.config import build
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.metrics import METRICS
from tinymeta.runs.training import train

SEEDS = 4
SHORTER = {"bandit": {"pulls": 6}, "bandit-independent": {"pulls": 6}, "bandit-informative": {},
           "tiger": {"horizon": 4}, "gridworld": {"size": 3, "steps": 3, "episodes": 2}}  # fmt: skip


def _tiny(name, experiment):
    """Networks that train in no time; without training they reach the corridor's goal given the time."""
    changed = {"max_steps": 2000} if experiment.env == "corridor" else {}
    if name in EXTENSION:
        changed = SHORTER[experiment.env]
    settings = {**experiment.settings, "hidden_size": 3, "trials": 2}
    return experiment._replace(settings=settings, env_kwargs={**experiment.env_kwargs, **changed}, snapshots=0)


EXPERIMENTS = {name: _tiny(name, experiment) for name, experiment in {**REPLICATION, **TRAINED_ON, **EXTENSION}.items()}
PAPER = load_paper("alver")._replace(experiments=EXPERIMENTS)


def _good_reward(name, e):
    if name == "bandit-rl2-zero":
        return 5.0
    return {"memoryless": 5.0, "informed": 9.99}.get(e.agent, 9.5) if e.env == "bandit" else 20.0


def _good_steps(name, e):
    if "10-11" in name:
        return 31.0
    return {"memoryless": 20.0, "informed": 10.1}.get(e.agent, 15.2) if e.env == "corridor" else 10.0


GOOD_REWARD = {name: _good_reward(name, e) for name, e in REPLICATION.items()}
GOOD_STEPS = {name: _good_steps(name, e) for name, e in REPLICATION.items()}


def results_in(folder, seeds=SEEDS, first_seed=0):
    return Results(folder, EXPERIMENTS, seeds, first_seed)


def train_runs(folder, names=EXPERIMENTS):
    """Finished runs of the experiments `names`, hardly trained."""
    for name in names:
        config = EXPERIMENTS[name].config()
        for seed in range(SEEDS):
            own = dataclasses.replace(config, settings=dataclasses.replace(config.settings, seed=seed))
            train(folder / name / f"seed-{seed}", own)


def write_results(folder, reward=GOOD_REWARD, steps=GOOD_STEPS, first=0.5, learned_at=None, returns=None):
    """Give the paper's own runs these test results per trial, {experiment: mean}, and learning curves to match."""
    rng = np.random.default_rng(0)
    for name in REPLICATION:
        K = build(EXPERIMENTS[name].config()).episodes
        for seed in range(SEEDS):
            run = RunFolder(folder / name / f"seed-{seed}")
            r = reward[name] + rng.normal() * 1e-3
            s = steps[name] + rng.normal() * 1e-3
            result = json.loads(run.result_path.read_text())
            result["evaluation"] |= {
                "discounted_return": {"mean": (returns or {}).get(name, 0.5), "sem": 0.05},
                "reward_per_trial": {"mean": r, "sem": 0.05},
                "steps_per_trial": {"mean": s, "sem": 0.05},
                "reward_per_episode": [0.5] + [(r - 0.5) / (K - 1)] * (K - 1),
                "first_action": [first, 1 - first],
                "steps_per_episode": [s * 2 / 3, s / 3] if K == 2 else [1.0] * K,
            }
            run.result_path.write_text(json.dumps(result))
            trials = np.arange(200, 40_001, 200)
            fast = trials >= (learned_at or {}).get(name, 2000) * (1 + 0.02 * rng.random())
            rows = {key: np.ones(len(trials)) for key in METRICS} | {"trials": trials, "env_steps": trials * 10}
            rows |= {"reward_per_trial": np.where(fast, r, 5), "steps_per_trial": np.where(fast, s, 100)}
            run.metrics_path.write_text(csv_text({key: rows[key].tolist() for key in METRICS}))


GOOD_PROBES = {
    "gap to optimum, sampled": 0.4, "transplant both, trained": 0.98, "transplant both, untrained": 0.5,
    "transplant pattern, trained": 0.97, "transplant random, trained": 0.4, "transplant axis, trained": 0.1,
    "transplant same, trained": 0.01, "transplant complement, trained": 0.02, "transplant orthogonal, trained": 0.1,
    "transplant none, trained": 0.0,
    "metamers, own histories, trained": 0.02, "metamers, own histories, untrained": 0.5,
    "metamers, own histories, untrained / trained": 3.0, "metamers, random histories, untrained": 0.9,
    "metamers, random histories, untrained / trained": 2.0, "mid-episode exchange, trained": 0.95,
    "mid-episode exchange, own state": 0.02, "mid-episode exchange, untrained": 0.5, "switch, moved": 0.1,
    "switch, optimal": 0.0, "evidence after a transplant, carried": 1.05, "evidence after a transplant, followed": 0.95,
    "evidence after a transplant, own": 0.02,
    "posterior unexplained, trained": 0.01, "posterior unexplained, untrained": 0.03,
    "posterior unexplained, shuffled": 0.99, "net evidence unexplained, untrained / trained": 3.0,
    "expected reward unexplained, untrained / trained": 1.0, "log-odds unexplained, untrained / trained": 1.5,
    "D_s agent → Bayes, untrained / trained": 1.0, "D_s Bayes → agent, untrained / trained": 1.5,
}  # fmt: skip


GOOD_TESTS = {  # (sampled, greedy, optimum)
    "bandit-independent-100-rl2": (3.45, 3.48, 3.51),
    "informative-rl2": (20.3, 20.55, 20.55),
    "tiger-rl2": (19.0, 20.0, 20.39),
    "gridworld-rl2": (36.4, 36.5, 36.8),
}


def write_probes(folder, numbers=GOOD_PROBES, deviation=0.0, undefined=(), tests=None):
    """A probe.json with these numbers in every probed run; RL¹ stays with its own task.

    Ratios are given as their logarithms. The test of 1000 rollouts is `deviation` above the exact reward, whose
    standard error is 0.02. Quantities in `undefined` are left out, as where nothing told.
    """
    for name in PAPER.probed:
        for seed in range(SEEDS):
            sampled, greedy, best = (tests or {}).get(name, GOOD_TESTS.get(name, (9.41, 9.45, 9.5)))
            found = {
                "exact": {"reward": sampled, "optimum": {"reward_per_trial": best}},
                "evaluation": {
                    "reward_per_trial": {"mean": sampled + deviation, "sem": 0.02},
                    "greedy": {"reward_per_trial": {"mean": greedy, "sem": 0.02}},
                    "bayes_optimal": {"reward_per_trial": best},
                },
            }
            off_path = {
                "metamers, random histories, trained": 0.8 if name.startswith(("bandit-rl", "corridor")) else 0.1
            }
            for quantity, value in (off_path | numbers).items():
                stays = name.endswith("rl1") and quantity.startswith("transplant")
                number = (0.01 if stays else value) + 1e-4 * seed
                _put(found, QUANTITIES[quantity], None if quantity in undefined else number)
            (folder / name / f"seed-{seed}" / "probe.json").write_text(json.dumps(found))
    reason = {"exact": {"reason": "too many histories"}}  # in one run, whose other numbers count all the same
    path = folder / "gridworld-rl2" / "seed-0" / "probe.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **reason}))


GOOD_LOST = {"without": 0.0, "with": 0.3, "with, √v raised": 0.1, "with, momentum stopped": 0.0, "with, clipped": 0.0}


def write_dips(folder, masked=9.5, dips=GOOD_LOST, forced=GOOD_LOST):
    """A dips.json in every run that was trained on: what comes of a dip masked, shares at dips and forced."""
    for seed in range(SEEDS):
        cause = {
            "as_it_was": [9.5] * 10 + [5.0] * 30,
            "masked": [masked] * 40,
            "lost": {name: share + 1e-4 * seed for name, share in dips.items()} | {"placebo": 0.8},
        }
        found = {"cause": cause, "forced": {name: share / 4 + 1e-4 * seed for name, share in forced.items()}}
        if seed == 3:  # one run has no dip
            found["cause"] = None
        (folder / "bandit-rl2-trained-on" / f"seed-{seed}" / "dips.json").write_text(json.dumps(found))


def _put(found, keys, number):
    """`number` under `keys`, where `tinymeta.probes.summary.find` looks; a last key 0 is a list's first entry."""
    *parents, last = keys
    if last == 0:
        *parents, last = parents
        number = [number, 1, 1]
    for key in parents:
        found = found.setdefault(key, {})
    found[last] = number
