"""python -m tinymeta.inside: probe every trained run, then tabulate and draw what the states know; finished probes are skipped.

inside.md             decoding, simulation and the gap to the optimum on every task set, RL², RL¹, untrained, shuffled
state-space           states in their two principal components, coloured by the exact belief, with three trials' paths
decoding-training     decoding and return along training
calibration           decoded probability against the frequency with which it came true
simulation            dissimilarities of both simulations, with controls
transplants           whom the behaviour follows
belief-along-a-trial  exact and decoded belief, step by step
"""

from tinymeta.papers.alver_precup_2021.experiments import EXPERIMENTS, PROBED
from tinymeta.papers.plotting import LABEL

TITLES = {  # experiments without their agent: task set as tables name it
    "bandit": "bandit p ∈ {0, 1}", "bandit-0.1-0.9": "bandit p ∈ {0.1, 0.9}", "bandit-0.1-0.9-100": "bandit p ∈ {0.1, 0.9}, 100 pulls",
    "bandit-0.25-0.75-100": "bandit p ∈ {0.25, 0.75}, 100 pulls", "bandit-uniform-100": "bandit p ~ U[0, 1], 100 pulls",
    "corridor": "corridor 5+5", "informative": "informative bandit", "tiger": "tiger", "gridworld": "gridworld",
}  # fmt: skip

AGENTS = ("rl2", "rl1")


def names():
    """Every experiment that is probed."""
    return [f"{task}-{agent}" for task in TITLES for agent in AGENTS if f"{task}-{agent}" in {**EXPERIMENTS, **PROBED}]


# ---------------------------------------------------------------- the table


def table(probes):
    """inside.md: one row per task set and agent, controls beside it."""
    lines = ["Mean and 95 % interval over runs. R²: held-out linear decoding of the exact belief from [h, c], all trials weighing the",
             "same. D_s, D_o: dissimilarity of states and of outputs when the agent simulates the Bayes-optimal machine (→) and the other",
             "way round (←); 0 is a perfect simulation. Gap: what is missing in reward per trial to the best policy with the agent's own",
             "information (RL¹ is told the task), exact where the tree of histories can be walked, else from 1000 rollouts.", "",
             "| task set | agent | runs | gap to optimum | R² trained | untrained | shuffled | last input "
             "| D_s → trained | untrained | shuffled | D_o → trained "
             "| D_s ← trained | untrained | shuffled | D_o ← trained | untrained |", "|" + "---|" * 17]  # fmt: skip
    columns = ("decoding R², trained", "decoding R², untrained", "decoding R², shuffled", "decoding R², last input",
               "D_s agent → Bayes, trained", "D_s agent → Bayes, untrained", "D_s agent → Bayes, shuffled", "D_o agent → Bayes, trained",
               "D_s Bayes → agent, trained", "D_s Bayes → agent, untrained", "D_s Bayes → agent, shuffled",
               "D_o Bayes → agent, trained", "D_o Bayes → agent, untrained")  # fmt: skip
    for task, title in TITLES.items():
        for agent in AGENTS:
            name = f"{task}-{agent}"
            gap = probes.estimate(name, "gap to optimum, exact") or probes.estimate(name, "gap to optimum, sampled")
            cells = [
                _cell(gap, 2) if gap else "optimum out of reach",
                *(_cell(probes.estimate(name, column)) for column in columns),
            ]
            lines.append(f"| {title} | {LABEL[agent]} | {len(probes.runs(name))} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(e, digits=3):
    if e is None:
        return "–"
    return f"{e.mean:.{digits}f} [{e.low:.{digits}f}, {e.high:.{digits}f}]"
