"""Conti's Figures 3 and 4 drawn anew, and what his agents come to, {file name: what draws it}.

session-1            as printed: one instance of each environment, his Figure 4
session-2            as printed: distributions of environments, his Figure 3
trained              the same settings trained to the end, by seed, beside optimum and bounds
wind                 the wind decoded from the state, step by step
animation-landing    landings in calm air and in the strongest wind, by the plain and by the meta agent
"""

import functools
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from tinymeta.papers.conti_2022.experiments import AGENTS, END, END_AGENTS, SETTINGS
from tinymeta.papers.conti_2022.measurements import (
    STEERED,
    end_agents,
    end_rewards,
    end_yardsticks,
    settings_of,
    tested_rewards,
    yardsticks,
)
from tinymeta.papers.conti_2022.wind import AT, decoded_wind
from tinymeta.papers.films import film, write_films
from tinymeta.papers.plotting import (
    INFORMED_GREEN,
    UNTRAINED_GREY,
    Draw,
    Table,
    mean_and_band,
    new_figure,
    save,
    smoothed,
)
from tinymeta.papers.results import Results
from tinymeta.runs.loading import load

SHARE = 20  # training's curve is averaged over a twentieth of it
AGENT_COLOUR = {"a2c": "#D55E00", "a3c": "#E69F00", "meta-a2c": "#0072B2", "meta-a3c": "#56B4E9"}
AGENT_STYLE = {"a2c": "-", "a3c": "--", "meta-a2c": "-", "meta-a3c": "--"}
END_COLOUR = {"a2c": "#D55E00", "ppo": "#E69F00", "meta-a2c": "#0072B2", "meta-ppo": "#56B4E9"}
WIND_LINES = {"meta": ("#0072B2", "-"), "before training": (UNTRAINED_GREY, "--"), "plain": ("#D55E00", "-.")}
LINES = {  # of yardsticks: (label, colour, style)
    "random": ("random play", UNTRAINED_GREY, ":"),
    "still": ("standing still", UNTRAINED_GREY, "--"),
    "informed": ("told the task (exact)", INFORMED_GREEN, "--"),
    "bayes_optimal": ("Bayes optimum (exact)", "black", "-"),
    "bound": ("upper bound", "black", "-."),
    "most": ("at most", "black", "-"),
}


def draw_session(results: Results, out: Path, distribution: bool, name: str) -> None:
    """A row for each setting, training on the left and the test on the right; means over seeds with 95 % bands."""
    settings = [
        name
        for name in settings_of(results, distribution)
        if all(f"{name}-{agent}" in results.experiments for agent in AGENTS)
    ]
    if not settings:
        return
    figure, axes = new_figure(9.0, 2.6 * len(settings), len(settings), 2)
    table = Table("setting", "agent", "phase", "episode", "reward", "low", "high")
    for row, setting in enumerate(settings):
        training, test = axes.reshape(len(settings), 2)[row]
        _draw_training(training, results, setting, table)
        _draw_test(test, results, setting, table)
        for what, worth in yardsticks(setting).items():
            label, colour, style = LINES[what]
            for axis in (training, test):
                axis.axhline(worth, color=colour, linestyle=style, linewidth=1, label=label)
        training.set_ylabel(f"{SETTINGS[setting].code}\nreward per episode")
        test.legend(fontsize=6, loc="center left", bbox_to_anchor=(1.02, 0.5))
    for axis, title in zip(axes.reshape(len(settings), 2)[0], ("training", "test, frozen weights"), strict=True):
        axis.set_title(title, fontsize=9)
    save(figure, out / name, table.columns)


def _draw_training(axis: Any, results: Results, setting: str, table: Table) -> None:
    for agent in AGENTS:
        metrics = results.metrics(f"{setting}-{agent}")
        config = results.first_run(f"{setting}-{agent}").read_config()
        episodes = config.env_kwargs["episodes"]
        curves = metrics["reward_per_trial"] / episodes
        at = metrics["trials"][0] * episodes
        window = max(1, len(at) // SHARE)
        mean, low, high = mean_and_band(smoothed(curves, window))
        axis.fill_between(at, low, high, color=AGENT_COLOUR[agent], alpha=0.2, linewidth=0)
        axis.plot(at, mean, color=AGENT_COLOUR[agent], linestyle=AGENT_STYLE[agent])
        for values in zip(at, mean, low, high, strict=True):
            table.add(setting, agent, "training", *values)
    axis.set_xlabel("training episodes")


def _draw_test(axis: Any, results: Results, setting: str, table: Table) -> None:
    """Reward by an episode's place in its trial, and as marks at the right what the paper's figure ends with."""
    for agent, printed in zip_longest(AGENTS, SETTINGS[setting].printed):
        rewards = tested_rewards(results, setting, agent)
        mean, low, high = mean_and_band(rewards)
        at = range(1, len(mean) + 1)
        axis.errorbar(
            at, mean, yerr=(mean - low, high - mean), color=AGENT_COLOUR[agent], linestyle=AGENT_STYLE[agent],
            marker=".", capsize=2, label=AGENTS[agent],
        )  # fmt: skip
        if printed is not None:
            axis.plot(len(mean) * 1.12, printed, marker="x", color=AGENT_COLOUR[agent], clip_on=False)
        for values in zip(at, mean, low, high, strict=True):
            table.add(setting, agent, "test", *values)
    axis.set_xticks(sorted({1, len(mean) // 2, len(mean)} - {0}))
    axis.set_xlabel("episode of the trial  (×: the paper's one run)")


def draw_trained(results: Results, out: Path) -> None:
    """A panel for each setting: each seed's reward of an episode, and the mean, beside what can be earned."""
    settings = [
        name
        for name in SETTINGS
        if (agents := end_agents(results, name))
        and all(f"{END[name]}-{agent}" in results.experiments for agent in agents)
    ]
    if not settings:
        return
    figure, axes = new_figure(10.0, 5.4, 2, (len(settings) + 1) // 2)
    table = Table("setting", "agent", "actions", "seed", "reward")
    for axis, setting in zip(axes.ravel(), settings, strict=False):
        agents = end_agents(results, setting)
        for x, agent in enumerate(agents):
            for greedy, marker in ((False, "o"), (True, "^")):
                if greedy and SETTINGS[setting].env not in STEERED:
                    continue
                rewards = end_rewards(results, setting, agent, greedy).mean(axis=1)
                at = x + (0.18 if greedy else -0.18) + np.linspace(-0.1, 0.1, len(rewards))
                face = END_COLOUR[agent] if greedy or SETTINGS[setting].env not in STEERED else "none"
                axis.scatter(at, rewards, s=14, marker=marker, facecolors=face, edgecolors=END_COLOUR[agent])
                for seed, reward in zip(results.seeds_of(f"{END[setting]}-{agent}"), rewards, strict=True):
                    table.add(setting, agent, "greedy" if greedy else "sampled", seed, reward)
        for what, worth in end_yardsticks(setting).items():
            label, colour, style = LINES[what]
            axis.axhline(worth, color=colour, linestyle=style, linewidth=1, label=label)
        axis.set_xticks(range(len(agents)), [END_AGENTS[agent] for agent in agents], fontsize=7, rotation=20)
        axis.set_xlim(-0.6, len(agents) - 0.4)
        axis.set_title(SETTINGS[setting].code, fontsize=9)
        axis.legend(fontsize=6)
    for axis in axes[:, 0]:
        axis.set_ylabel("reward per episode")
    axes[-1, 0].set_xlabel("○ sampled, △ most probable actions, a mark each seed", fontsize=7)
    save(figure, out / "trained", table.columns)


def draw_wind(results: Results, out: Path) -> None:
    """Unexplained share of the wind's variance over the steps of both episodes, means over seeds with 95 % bands."""
    found = decoded_wind(results, f"{END['4xlunarlander']}-meta-ppo", f"{END['4xlunarlander']}-ppo")
    figure, axes = new_figure(8.0, 3.0, 1, 2)
    table = Table("network", "episode", "step", "unexplained", "low", "high")
    for episode, axis in enumerate(np.ravel(axes)):
        for network, errors in found.items():
            mean, low, high = mean_and_band(errors[:, episode])
            colour, style = WIND_LINES[network]
            axis.fill_between(AT, low, high, color=colour, alpha=0.2, linewidth=0)
            axis.plot(AT, mean, color=colour, linestyle=style, marker=".", label=network)
            for values in zip(AT, mean, low, high, strict=True):
                table.add(network, episode + 1, *values)
        axis.set_title(f"episode {episode + 1}", fontsize=9)
        axis.set_xlabel("step of the episode")
        axis.set_ylim(0, 1.15)
        axis.axhline(1, color="black", linestyle=":", linewidth=1)
    np.ravel(axes)[0].set_ylabel("variance of the wind's power\nthat the state leaves unexplained")
    np.ravel(axes)[0].legend(fontsize=7)
    save(figure, out / "wind", table.columns)


def draw_landings(results: Results, out: Path) -> None:
    """animation-landing.gif: above the plain agent, below the meta one; on the left no wind, on the right wind 15."""
    rows = []
    for agent in ("ppo", "meta-ppo"):
        trained = load(results.first_run(f"{END['4xlunarlander']}-{agent}").path)
        rows.append([film(trained, trained.tasks.task_names.index(f"wind={wind}")) for wind in (0, 15)])
    write_films(rows, out / "animation-landing.gif")


SESSIONS: Mapping[str, Draw] = {
    "session-1": functools.partial(draw_session, distribution=False, name="session-1"),
    "session-2": functools.partial(draw_session, distribution=True, name="session-2"),
}
FIGURES: Mapping[str, Draw] = {
    "wind": draw_wind,
    "animation-landing": draw_landings,
    "trained": draw_trained,
    **SESSIONS,
}
