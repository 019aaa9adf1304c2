"""All probes of one agent: what its states know, what it does with them, and what it misses."""

from typing import Any, NamedTuple

import numpy as np

from tinymeta.base.errors import integer
from tinymeta.environments.table import TaskSet
from tinymeta.learning.agent import Agent
from tinymeta.learning.evaluation import evaluate, exact_or_reason
from tinymeta.optimum.planning import Plan, bayes_optimal, informed, plan_value
from tinymeta.probes.belief_statistics import statistics
from tinymeta.probes.decoding import Samples, decode, log_ratio, score, split_trials
from tinymeta.probes.history_tree import exact_behaviour
from tinymeta.probes.interventions import INTERVENTIONS, Reason, interventions, or_reason
from tinymeta.probes.recording import Recording, nodes_along, record, relive, untrained
from tinymeta.probes.simulation import Machine, policy_divergence, simulate

RECORDED_TRIALS = 200
PRUNE = 1e-10  # probability below which a history is not followed; 0 where histories end on their own
HISTORIES = 400_000
SHORT_HORIZON = 12  # steps up to which a tree of histories is never pruned
WORST = 5  # beliefs at which the agent errs, that a report names
SAMPLES = 12_000  # that maps of decoding and simulation are fitted and tested on: about as many
MOST_TRIALS = 1000  # that are recorded for them where trials are short
BELIEF_TASKS = 1000  # in a task set whose beliefs are recorded, at most
TEST_ROLLOUTS = 1000  # of an agent, at least
TEST_STEPS = 1_000_000  # and at most so many steps
TEST_ERROR = 0.003  # standard error that is aimed at, as a share of the reward


class Machines(NamedTuple):
    """What the optimum of a task set is, or {"reason": why it is not known}."""

    bayes: Plan | Reason  # of the agent that sees what rl2 sees
    own: Plan | Reason  # of the best agent with the probed agent's own information
    values: dict  # as `tinymeta.learning.evaluation.evaluate` takes them: bayes_optimal and informed, exact


def machines(tasks: TaskSet, gamma: float, identity_from: int, values: dict | None = None) -> Machines:
    """The `Machines` for agents that are told the task from episode `identity_from` on.

    `values`, if known, are what `exact_or_reason` gives; then no optimum is looked for that is out of reach.
    """
    values = exact_or_reason(tasks, gamma) if values is None else values
    if not isinstance(tasks, TaskSet):
        reason = {"reason": f"{tasks.name!r} has no table of tasks, so there is no exact belief"}
        return Machines(reason, reason, values)
    beyond = values["bayes_optimal"].get("reason")
    bayes = {"reason": beyond} if beyond else or_reason(lambda: bayes_optimal(tasks, gamma))
    own = bayes if identity_from >= tasks.episodes else or_reason(lambda: informed(tasks, gamma, identity_from))
    return Machines(bayes, own, values)


def probe(
    agent: Agent,
    gamma: float,
    train_seed: int = 0,
    init: str = "default",
    trials: int = RECORDED_TRIALS,
    seed: int = 0,
    known: Machines | None = None,
) -> dict[str, Any]:
    """All probes of one agent.

    Parameters
    ----------
    agent : Agent
    gamma : float
        Discount at which the Bayes-optimal machine is optimal.
    train_seed, init
        Of the agent's training: they give the untrained network that it once was.
    trials : int
        Trials to record; decoding and simulation take about `SAMPLES` steps of them, or of more where they are short.
    seed : int
        Of the recorded trials and of all random choices.
    known : Machines, optional
        If already known.

    Returns
    -------
    dict
        decoding, simulation, divergence, exact (see the modules of these names), what `interventions` gives,
        evaluation, and gap: what is missing in reward per trial to the best policy with the agent's own information,
        {"exact", "sampled"}. Where something is not defined or out of reach, {"reason": why}; a gap is then left out.
    """
    trials = integer("trials", trials, low=8, high=100_000)
    tasks = agent.tasks
    known = machines(tasks, gamma, agent.layout.identity_from) if known is None else known
    own = known.own
    result: dict[str, Any] = {"env": tasks.name, "agent": agent.name, "trials": trials, "gamma": gamma}
    if not isinstance(tasks, TaskSet):
        result |= dict.fromkeys(("decoding", "simulation", "divergence", *INTERVENTIONS), known.bayes)
    elif tasks.num_tasks <= BELIEF_TASKS:
        result |= _recorded(agent, gamma, untrained(agent, train_seed, init), trials, seed, known)
    else:
        reason = {"reason": f"{tasks.num_tasks} tasks, expected at most {BELIEF_TASKS} for beliefs to be recorded"}
        result |= dict.fromkeys(("decoding", "simulation", "divergence", *INTERVENTIONS), reason)
    result["exact"] = own if isinstance(own, dict) else or_reason(lambda: _exact(agent, gamma, own))
    result["evaluation"] = evaluate(agent, gamma, rollouts=_rollouts(agent, seed), seed=seed, baselines=known.values)
    result["gap"] = _gap(result, own, known.values["bayes_optimal"], gamma, agent.layout.identity_from < tasks.episodes)
    return result


def _rollouts(agent: Agent, seed: int) -> int:
    """How many make the test's standard error small: rewards of some task sets (Tiger) vary by twice their mean."""
    reward = agent.play(TEST_ROLLOUTS, seed=seed).reward.sum(axis=1)
    needed = (reward.std() / max(TEST_ERROR * abs(reward.mean()), 1e-12)) ** 2
    return int(np.clip(needed, TEST_ROLLOUTS, max(TEST_ROLLOUTS, TEST_STEPS // agent.tasks.step_limit)))


def _recorded(agent: Agent, gamma: float, before: Agent, trials: int, seed: int, known: Machines) -> dict[str, Any]:
    """The probes that look at recorded trials; `before` is the agent before training."""
    recording = record(agent, trials, seed)
    samples = _samples(agent, recording, seed)
    relived = relive(before, samples)
    own = known.own
    return {
        "decoding": or_reason(lambda: decode(agent.tasks, samples, relived, seed)),
        "simulation": or_reason(lambda: _simulation(agent, before, samples, relived, known.bayes, seed)),
        "divergence": own if isinstance(own, dict) else _divergence(agent, recording, own),
        **interventions(agent, before, recording, gamma, own, seed),
    }


def over_training(agents: list[Agent], recording: Recording, seed: int = 0) -> list[dict[str, float]]:
    """[{a statistic: fraction of variance unexplained, …, "reward"}] of networks along one training run.

    Each is sent through the inputs of one and the same recording, and the statistics of the exact belief
    (`tinymeta.probes.belief_statistics`) are decoded from [h, c].
    """
    samples = Samples.of(recording)
    split = split_trials(samples.trial, seed)
    targets = statistics(agents[0].tasks, recording, samples.trial, samples.step)
    table = []
    for agent in agents:
        states = relive(agent, recording)
        x = np.hstack([states.hidden[samples.trial, samples.step], states.cell[samples.trial, samples.step]])
        row = dict(score(x, samples, targets, split)["error"])
        row["reward"] = float(agent.play(400, seed=seed).reward.sum(axis=1).mean())
        table.append(row)
    return table


def _samples(agent: Agent, recording: Recording, seed: int) -> Recording:
    """A recording of about `SAMPLES` steps: the given one's first trials, or more trials, but at most `MOST_TRIALS`.

    Never fewer than 8 trials, and never more than five times the given ones: who asks for a few gets a quick look.
    """
    steps = recording.valid.sum(axis=1)
    trials = int(np.clip(round(SAMPLES / steps.mean()), 8, MOST_TRIALS))
    if trials > len(steps):
        return record(agent, min(trials, 5 * len(steps)), seed)
    return Recording(*(array[:trials] for array in recording))


def _simulation(
    agent: Agent, before: Agent, recording: Recording, relived: Recording, bayes: Plan | Reason, seed: int
) -> dict[str, dict]:
    """Both directions for the agent, for the untrained one, and with shuffled trials; and log_ratio {direction: …}.

    That is the logarithm of untrained D_s / trained D_s, see `log_ratio`.
    """
    machine = Machine(agent.tasks, recording, None if isinstance(bayes, dict) else bayes, seed)
    found: dict[str, dict] = {
        "trained": simulate(agent, recording, machine),
        "untrained": simulate(before, relived, machine),
        "shuffled": simulate(agent, recording, machine, shuffle=True),
    }
    ratios = {
        way: log_ratio(found["untrained"][way]["D_s"], trained["D_s"]) for way, trained in found["trained"].items()
    }
    return {**found, "log_ratio": ratios}


def _divergence(agent: Agent, recording: Recording, own: Plan) -> dict[str, float]:
    """KL per step to the best policy with the agent's own information."""
    nodes = nodes_along(agent.tasks, own.graph, recording, agent.layout.identity_from)
    logits = recording.logits[recording.valid].astype(float)
    policy = np.exp(logits - logits.max(axis=1, keepdims=True))
    return policy_divergence(policy / policy.sum(axis=1, keepdims=True), own.ties[nodes[recording.valid]])


def _exact(agent: Agent, gamma: float, own: Plan) -> dict[str, Any]:
    """`exact_behaviour`, its worst faults with their beliefs as lists [episode, task, state, probability]."""
    prune = 0.0 if agent.tasks.horizon <= SHORT_HORIZON else PRUNE
    behaviour = exact_behaviour(agent, gamma, prune, HISTORIES, own)
    worst = [
        {**fault._asdict(), "belief": [[*key, p] for key, p in fault.belief.items()]}
        for fault in behaviour.faults[:WORST]
    ]
    return {**behaviour._asdict(), "optimum": behaviour.optimum._asdict(), "faults": worst}


def _gap(result: dict[str, Any], own: Plan | Reason, bayes: dict, gamma: float, told: bool) -> dict[str, float]:
    """What the best policy earns more in a trial than the agent, by its exact reward, if known, and the sampled one.

    The value of the Bayes optimum may be known where its policy is not; it is no yardstick of an agent that is told.
    """
    best = bayes["reward_per_trial"] if isinstance(own, dict) else plan_value(own, gamma).reward_per_trial
    if best is None or (isinstance(own, dict) and told):
        return {}
    earned = {"exact": result["exact"].get("reward"), "sampled": result["evaluation"]["reward_per_trial"]["mean"]}
    return {how: best - reward for how, reward in earned.items() if reward is not None}
