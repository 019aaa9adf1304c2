"""Conti's Figures 3 and 4 drawn anew, {file name: what draws it}: training and test of four agents on each setting.

session-1    one instance of each environment, his Figure 4
session-2    distributions of environments, his Figure 3
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinymeta.papers.conti_2022.experiments import AGENTS, SETTINGS
from tinymeta.papers.conti_2022.measurements import settings_of, tested_rewards, yardsticks
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

WINDOW = 100  # episodes over which training's curve is averaged, as in the paper
AGENT_COLOUR = {"a2c": "#D55E00", "a3c": "#E69F00", "meta-a2c": "#0072B2", "meta-a3c": "#56B4E9"}
AGENT_STYLE = {"a2c": "-", "a3c": "--", "meta-a2c": "-", "meta-a3c": "--"}
LINES = {  # of yardsticks: (label, colour, style)
    "random": ("random play", UNTRAINED_GREY, ":"),
    "informed": ("told the task (exact)", INFORMED_GREEN, "--"),
    "bayes_optimal": ("Bayes optimum (exact)", "black", "-"),
}


def draw_session(results: Results, out: Path, distribution: bool, name: str) -> None:
    """A row for each setting, training on the left and the test on the right; means over seeds with 95 % bands."""
    settings = settings_of(results, distribution)
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
        window = max(1, round(WINDOW / float(at[0])))
        mean, low, high = mean_and_band(smoothed(curves, window))
        axis.fill_between(at, low, high, color=AGENT_COLOUR[agent], alpha=0.2, linewidth=0)
        axis.plot(at, mean, color=AGENT_COLOUR[agent], linestyle=AGENT_STYLE[agent])
        for values in zip(at, mean, low, high, strict=True):
            table.add(setting, agent, "training", *values)
    axis.set_xlabel("training episodes")


def _draw_test(axis: Any, results: Results, setting: str, table: Table) -> None:
    """Reward by an episode's place in its trial, and as marks at the right what the paper's figure ends with."""
    for agent, printed in zip(AGENTS, SETTINGS[setting].printed, strict=True):
        rewards = tested_rewards(results, setting, agent)
        mean, low, high = mean_and_band(rewards)
        at = range(1, len(mean) + 1)
        axis.errorbar(
            at, mean, yerr=(mean - low, high - mean), color=AGENT_COLOUR[agent], linestyle=AGENT_STYLE[agent],
            marker=".", capsize=2, label=AGENTS[agent],
        )  # fmt: skip
        axis.plot(len(mean) * 1.12, printed, marker="x", color=AGENT_COLOUR[agent], clip_on=False)
        for values in zip(at, mean, low, high, strict=True):
            table.add(setting, agent, "test", *values)
    axis.set_xticks(sorted({1, len(mean) // 2, len(mean)} - {0}))
    axis.set_xlabel("episode of the trial  (×: the paper's one run)")


FIGURES: Mapping[str, Draw] = {
    "session-1": functools.partial(draw_session, distribution=False, name="session-1"),
    "session-2": functools.partial(draw_session, distribution=True, name="session-2"),
}
