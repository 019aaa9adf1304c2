"""Pictures of what is learned in worlds, {file name: what draws it}.

learning-worlds       learning curves of every experiment, over its seeds, beside random play
animation-landing     LunarLander in calm and in strong wind, by a trained agent
"""

from collections.abc import Mapping
from pathlib import Path

from tinymeta.papers.films import film, write_films
from tinymeta.papers.plotting import COLOUR, UNTRAINED_GREY, Draw, Table, mean_and_band, new_figure, save, smoothed
from tinymeta.papers.results import Results
from tinymeta.runs.loading import load

WINDOW = 5  # rows of metrics.csv over which a curve is averaged
PLAIN = "#D55E00"
PANELS = {  # title: ({experiment: (label, colour)}, random play)
    "CartPole-v1": (
        {"cartpole-plain": ("plain, PPO", PLAIN), "cartpole-plain-a2c": ("plain, A2C", UNTRAINED_GREY)},
        22.0,
    ),
    "six poles, three episodes": (
        {"poles-rl2": ("RL², PPO", COLOUR["rl2"]), "poles-plain": ("plain, PPO", PLAIN)},
        None,
    ),
    "LunarLander, four winds": ({"lunarlander-plain": ("plain, PPO", PLAIN)}, None),
    "fifty arms, 100 pulls": ({"arms-50-rl2": ("RL², PPO", COLOUR["rl2"])}, 50.0),
    "random MDPs, ten episodes": ({"random-mdp-rl2": ("RL², PPO", COLOUR["rl2"])}, 100.0),
}


def draw_learning_worlds(results: Results, out: Path) -> None:
    """Reward per trial along training, sampled actions: mean over seeds with a 95 % band, single runs faint."""
    figure, axes = new_figure(11.0, 5.0, 2, 3)
    table = Table("experiment", "thousand_trials", "reward_per_trial", "low", "high")
    for axis, (title, (experiments, random)) in zip(axes.flat, PANELS.items(), strict=False):
        for name, (label, colour) in experiments.items():
            metrics = results.metrics(name)
            curves = smoothed(metrics["reward_per_trial"], WINDOW)
            trials = metrics["trials"][0] / 1e3
            mean, low, high = mean_and_band(curves)
            axis.plot(trials, curves.T, color=colour, alpha=0.15, linewidth=0.6)
            axis.fill_between(trials, low, high, color=colour, alpha=0.25, linewidth=0)
            axis.plot(trials, mean, color=colour, label=label)
            for row in zip(trials, mean, low, high, strict=True):
                table.add(name, *row)
        if random is not None:
            axis.axhline(random, color=UNTRAINED_GREY, linestyle=":", linewidth=1)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("training trials (thousands)")
        axis.set_ylabel("reward per trial")
        axis.legend(fontsize=7, loc="lower right")
    axes.flat[-1].set_axis_off()
    save(figure, out / "learning-worlds", table.columns)


def draw_landing(results: Results, out: Path) -> None:
    """animation-landing.gif: a landing without wind and in the strongest, by the first seed's agent."""
    agent = load(results.first_run("lunarlander-plain").path)
    films = [film(agent, agent.tasks.task_names.index(f"wind={wind}")) for wind in (0, 15)]
    write_films([films], out / "animation-landing.gif")


FIGURES: Mapping[str, Draw] = {
    "animation-landing": draw_landing,
    "learning-worlds": draw_learning_worlds,
}
