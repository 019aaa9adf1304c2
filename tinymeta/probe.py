"""python -m tinymeta.probe RUN…: is the LSTM's state a belief? Decode it, simulate it, follow it exactly, transplant it.

RUN is a run folder, or a folder of them (seed-0, seed-1, …). Each run is probed alone, beside its own untrained network; then runs that
differ only in their seed are averaged, with 95 % intervals over them.
"""

import functools
import json
import math
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinymeta.configs import parse_kwargs
from tinymeta.decoding import Samples, decode, score, split_trials
from tinymeta.errors import InputError, integer
from tinymeta.evaluate import evaluate, exact_for, exact_or_reason
from tinymeta.exhaustive import exact_behaviour
from tinymeta.files import write_whole, writing
from tinymeta.planning import bayes_optimal, informed, plan_value
from tinymeta.recording import nodes_along, record, relive, untrained
from tinymeta.runs import RunFolder, load
from tinymeta.simulation import Machine, policy_divergence, simulate
from tinymeta.statistics import estimate
from tinymeta.sweep import one_thread_each
from tinymeta.tasks import make
from tinymeta.transplants import transplant

TRIALS = 200
PRUNE = 1e-10  # probability below which a history is not followed; 0 where histories end on their own
HISTORIES = 400_000
WORST = 5  # beliefs at which the agent errs, that a report names
STEPS, STATES = 10_000, 3000  # samples that decoders and simulations are fitted and tested on, at most


class Machines(NamedTuple):
    """What the optimum of a task set is, or {"reason": why it is not known}."""

    bayes: object  # `Plan` of the agent that sees what rl2 sees
    own: object  # `Plan` of the best agent with the probed agent's own information
    values: dict  # as `tinymeta.evaluate.evaluate` takes them: bayes_optimal and informed, exact


def machines(tasks, gamma, identity_from, values=None):
    """The `Machines` for agents that are told the task from episode `identity_from` on.

    `values`, if known, are what `tinymeta.evaluate.exact_or_reason` gives; then no optimum is looked for that is out of reach.
    """
    values = exact_or_reason(tasks, gamma) if values is None else values
    beyond = values["bayes_optimal"].get("reason")
    bayes = {"reason": beyond} if beyond else _or_reason(lambda: bayes_optimal(tasks, gamma))
    own = bayes if identity_from >= tasks.episodes else _or_reason(lambda: informed(tasks, gamma, identity_from))
    return Machines(bayes, own, values)


def probe(agent, gamma, train_seed=0, init="default", trials=TRIALS, seed=0, known=None):
    """All probes of one agent.

    Parameters
    ----------
    agent : Agent
    gamma : float
        Discount at which the Bayes-optimal machine is optimal.
    train_seed, init
        Of the agent's training: they give the untrained network that it once was.
    trials : int
        Trials to record.
    seed : int
        Luck of the recorded trials and of all random choices.
    known : Machines, optional
        If already known.

    Returns
    -------
    dict with decoding, simulation, divergence, exact, transplants (see the modules of these names), evaluation, and gap: what is missing
    in reward per trial to the best policy with the agent's own information, {"exact", "sampled"}. Where something is not defined or out
    of reach, {"reason": why}; a gap is then left out.
    """
    trials = integer("trials", trials, low=8, high=100_000)
    tasks = agent.tasks
    known = machines(tasks, gamma, agent.layout.identity_from) if known is None else known
    recording = record(agent, trials, seed)
    before = untrained(agent, train_seed, init)
    many = _first_trials(recording, STEPS)
    few = _first_trials(recording, STATES)
    machine = Machine(tasks, few, None if isinstance(known.bayes, dict) else known.bayes, seed)
    result = {
        "env": tasks.name, "agent": agent.name, "trials": trials, "gamma": gamma,
        "decoding": decode(many, relive(before, many), seed),
        "simulation": {
            "trained": simulate(agent, few, machine),
            "untrained": simulate(before, relive(before, few), machine),
            "shuffled": simulate(agent, few, machine, shuffle=True),
        },
        "divergence": known.own if isinstance(known.own, dict) else _divergence(agent, recording, known.own),
        "exact": known.own if isinstance(known.own, dict) else _or_reason(lambda: _exact(agent, gamma, known.own)),
        "transplants": {"trained": transplant(agent, recording, gamma, seed=seed),
                        "untrained": transplant(before, record(before, trials, seed), gamma, seed=seed, inputs=("own",))},
        "evaluation": evaluate(agent, gamma, rollouts=1000, seed=seed, baselines=known.values),
    }  # fmt: skip
    if result["transplants"]["trained"] is None:
        result["transplants"] = {"reason": "one task or one episode: there is nothing to exchange"}
    best = None if isinstance(known.own, dict) else plan_value(known.own, gamma).reward_per_trial
    earned = {"exact": result["exact"].get("reward"), "sampled": result["evaluation"]["reward_per_trial"]["mean"]}
    result["gap"] = {how: best - reward for how, reward in earned.items() if None not in (best, reward)}
    return result


def over_training(agents, recording, seed=0):
    """[{"r2", "bits", "reward"}] of networks along one training run: decoding on [h, c] from one and the same recording's inputs."""
    samples = Samples.of(recording)
    split = split_trials(samples.trial, seed)
    table = []
    for agent in agents:
        states = relive(agent, recording)
        x = np.hstack([states.hidden[samples.trial, samples.step], states.cell[samples.trial, samples.step]])
        s = score(x, samples, split)
        reward = agent.play(400, seed=seed).reward.sum(axis=1)
        table.append({"r2": s["r2"], "r2_log_odds": s["r2_log_odds"], "bits": s["bits"], "reward": float(reward.mean())})
    return table


def _or_reason(job):
    try:
        return job()
    except InputError as error:  # out of reach, or not defined for this agent: the other probes go on without it
        return {"reason": str(error)}


def _first_trials(recording, samples):
    """As many of the first trials as hold `samples` valid steps, at least 8."""
    count = np.cumsum(recording.valid.sum(axis=1))
    trials = max(8, int(np.searchsorted(count, samples, side="right")))
    return type(recording)(*(array[:trials] for array in recording))


def _divergence(agent, recording, own):
    """KL per step to the best policy with the agent's own information."""
    nodes = nodes_along(agent.tasks, own.graph, recording, agent.layout.identity_from)
    logits = recording.logits[recording.valid].astype(float)
    policy = np.exp(logits - logits.max(axis=1, keepdims=True))
    return policy_divergence(policy / policy.sum(axis=1, keepdims=True), own.ties[nodes[recording.valid]])


def _exact(agent, gamma, own):
    b = exact_behaviour(agent, gamma, 0.0 if agent.tasks.horizon <= 12 else PRUNE, HISTORIES, own)
    worst = [{**fault._asdict(), "belief": [[*key, p] for key, p in fault.belief.items()]} for fault in b.faults[:WORST]]
    return {**b._asdict(), "optimum": b.optimum._asdict(), "faults": worst}


# ---------------------------------------------------------------- many runs


def run_folders(paths):
    """Every run folder among `paths` and right below them, in order."""
    found = []
    for path in map(Path, paths):
        inside = sorted(
            (p for p in path.glob("seed-*") if p.is_dir()), key=lambda p: int(p.name[5:]) if p.name[5:].isdigit() else 0
        )
        found += [path] if RunFolder(path).exists else inside
        if not RunFolder(path).exists and not inside:
            raise InputError(f"{path} is no run folder and holds none, expected a config.json or seed-<k> in it")
    return found


def probe_run(path, trials=TRIALS, seed=0):
    """`probe` of a run folder, with its path and settings."""
    folder = RunFolder(path)
    config = folder.read_config()
    settings, agent = config.settings, load(path)
    test = folder.read_result()["evaluation"] if folder.finished else exact_for(config)
    values = json.dumps({name: test[name] for name in ("bayes_optimal", "informed")})
    known = _known_machines(config.env, json.dumps(config.env_kwargs), settings.gamma, agent.layout.identity_from, values)
    luck = seed + settings.seed  # each run its own, so that an interval over runs holds the error of sampling, too
    result = probe(agent, settings.gamma, settings.seed, settings.init, trials, luck, known)
    return {"run": str(path), "env_kwargs": config.env_kwargs, "train_seed": settings.seed, **result}


@functools.lru_cache(maxsize=4)
def _known_machines(env, env_kwargs, gamma, identity_from, values):
    """Runs that differ in their seed alone share their optimum."""
    return machines(make(env, **parse_kwargs(env_kwargs)), gamma, identity_from, json.loads(values))


def probe_all(paths, trials=TRIALS, seed=0, workers=1):
    """[`probe_run`] of all folders, in parallel where there are several workers."""
    if workers == 1 or len(paths) == 1:
        return [probe_run(path, trials, seed) for path in paths]
    with one_thread_each(), ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(probe_run, paths, [trials] * len(paths), [seed] * len(paths)))


QUANTITIES = {  # name in tables: where it is in a result
    "decoding R², trained": ("decoding", "trained", "hc", "r2"),
    "decoding R², untrained": ("decoding", "untrained", "hc", "r2"),
    "decoding R², shuffled": ("decoding", "shuffled", "hc", "r2"),
    "decoding R², last input": ("decoding", "inputs", "x", "r2"),
    "log-odds R², trained": ("decoding", "trained", "hc", "r2_log_odds"),
    "log-odds R², untrained": ("decoding", "untrained", "hc", "r2_log_odds"),
    "accuracy, trained": ("decoding", "trained", "hc", "accuracy"),
    "accuracy, untrained": ("decoding", "untrained", "hc", "accuracy"),
    "bits, trained": ("decoding", "trained", "hc", "bits"),
    **{
        f"{d} {arrow}, {who}": ("simulation", who, way, d)
        for way, arrow in (("agent_to_bayes", "agent → Bayes"), ("bayes_to_agent", "Bayes → agent"))
        for d in ("D_s", "D_o") for who in ("trained", "untrained", "shuffled")
    },
    "KL(agent‖Bayes)": ("divergence", "agent_bayes"), "KL(Bayes‖agent)": ("divergence", "bayes_agent"),
    "gap to optimum, exact": ("gap", "exact"), "optimal actions, exact": ("exact", "optimal"),
    "gap to optimum, sampled": ("gap", "sampled"),
    **{f"transplant {what}, {who}": ("transplants", who, "own", what, 0)
       for who in ("trained", "untrained") for what in ("both", "h", "c", "axis", "pattern", "random", "none")},
}  # fmt: skip


def find(result, keys):
    """The number under `keys`, or NaN where it is not defined."""
    for key in keys:
        if result is None or (isinstance(result, dict) and key not in result):
            return math.nan
        result = result[key]
    return math.nan if result is None else float(result)


def summarise(results):
    """[{"env", "env_kwargs", "agent", "runs", quantity: {"mean", "low", "high", "n"}}] of runs that differ only in their seed."""
    groups = {}
    for result in results:
        groups.setdefault((result["env"], json.dumps(result["env_kwargs"], sort_keys=True), result["agent"]), []).append(result)
    table = []
    for (env, kwargs, agent), members in groups.items():
        row = {"env": env, "env_kwargs": json.loads(kwargs), "agent": agent, "runs": len(members)}
        for name, keys in QUANTITIES.items():
            values = np.array([find(member, keys) for member in members])
            values = values[np.isfinite(values)]
            row[name] = estimate(values)._asdict() if len(values) else None
        table.append(row)
    return table


def report(summary):
    """The summary as readable lines."""
    lines = []
    for row in summary:
        kwargs = "".join(f" {key}={value}" for key, value in row["env_kwargs"].items())
        lines.append(f"{row['env']}{kwargs}, {row['agent']}, {row['runs']} runs; mean and 95 % interval over runs")
        for name in QUANTITIES:
            e = row[name]
            if e is not None:
                spread = f"  [{e['low']:.4f}, {e['high']:.4f}]" if e["n"] > 1 else ""
                lines.append(f"  {name:36}{e['mean']:10.4f}{spread}")
        lines.append("")
    return "\n".join(lines)


def plain(value):
    """A result as JSON takes it: NaN and infinity as null, tuples as lists."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def main(argv=None):
    from tinymeta import cli

    parser = cli.parser("probe", "Look inside trained agents: decoding, simulation, exact behaviour, transplants.")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, or folders of seed-<k>")
    parser.add_argument("--trials", type=int, default=TRIALS, metavar="N", help="trials to record")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--workers", type=int, default=1, metavar="W")
    parser.add_argument("--json", action="store_true", help="print one JSON object: runs and summary")
    parser.add_argument("--out", metavar="DIR", help="also write probe.json there")
    args = parser.parse_args(argv)
    integer("trials", args.trials, low=8, high=100_000)
    integer("seed", args.seed, low=0, high=2**63 - 1)
    folders = run_folders(args.runs)
    if args.out is not None:
        with writing(args.out):  # before the work: a place that cannot be written to is told at once
            Path(args.out).mkdir(parents=True, exist_ok=True)
    results = probe_all(folders, args.trials, args.seed, integer("workers", args.workers, 1, 4096))
    summary = summarise(results)
    everything = plain({"runs": results, "summary": summary})
    if args.out is not None:
        write_whole(Path(args.out) / "probe.json", (json.dumps(everything, indent=1, allow_nan=False) + "\n").encode())
    if args.json:
        cli.print_json(everything)
    else:
        print(report(summary))
    return 0


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
