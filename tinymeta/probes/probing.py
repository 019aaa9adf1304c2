"""python -m tinymeta.probe RUN…: is the LSTM's state a belief? Decode it, simulate it, follow it exactly, transplant it.

RUN is a run folder, or a folder of them (seed-0, seed-1, …). Each run is probed alone, beside its own untrained network; then runs that
differ only in their seed are averaged, with 95 % intervals over them.
"""

from typing import NamedTuple

import numpy as np

from tinymeta.base.errors import InputError, integer
from tinymeta.learning.evaluation import evaluate, exact_or_reason
from tinymeta.optimum.planning import bayes_optimal, informed, plan_value
from tinymeta.probes.decoding import Samples, decode, score, split_trials
from tinymeta.probes.history_tree import exact_behaviour
from tinymeta.probes.recording import nodes_along, record, relive, untrained
from tinymeta.probes.simulation import Machine, policy_divergence, simulate
from tinymeta.probes.transplants import transplant

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
        table.append(
            {"r2": s["r2"], "r2_log_odds": s["r2_log_odds"], "bits": s["bits"], "reward": float(reward.mean())}
        )
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
    worst = [
        {**fault._asdict(), "belief": [[*key, p] for key, p in fault.belief.items()]} for fault in b.faults[:WORST]
    ]
    return {**b._asdict(), "optimum": b.optimum._asdict(), "faults": worst}
