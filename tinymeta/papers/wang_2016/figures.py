"""Wang et al.'s Figure 2 as numbers, {file name: what draws it}.

regret      each agent on its own family, beside players and the exact optimum
transfer    regret of every agent on every family, above that of the optimum
volatile    learning rates where the better arm changes seldom or often, beside those of the exact filter
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinymeta.papers.plotting import COLOUR, UNTRAINED_GREY, Draw, Table, new_figure, save
from tinymeta.papers.results import Results
from tinymeta.papers.wang_2016.experiments import FAMILIES, VOLATILE
from tinymeta.papers.wang_2016.measurements import optimum, player_regret, regret
from tinymeta.papers.wang_2016.volatility import fitted_rates

PLAYER_MARKS = {"ucb1": ("UCB1", "s"), "thompson": ("Thompson", "^"), "gittins": ("Gittins", "D")}


def draw_regret(results: Results, out: Path) -> None:
    """A column for each family: seeds of the agent that was trained on it, players, the optimum as a bar."""
    figure, axis = new_figure(7.0, 3.4, 1, 1)
    table = Table("family", "who", "seed", "regret")
    for x, family in enumerate(FAMILIES):
        own = regret(results, family, family)
        at = x + np.linspace(-0.2, 0.0, len(own))
        axis.scatter(at, own, s=12, color=COLOUR["rl2"], label="RL²" if x == 0 else None)
        for seed, value in zip(results.seeds_of(family), own, strict=True):
            table.add(family, "rl2", seed, value)
        for i, (player, (label, marker)) in enumerate(PLAYER_MARKS.items()):
            value = player_regret(family, player)
            axis.errorbar(
                x + 0.12 + 0.08 * i, value.mean, yerr=value.high - value.mean, marker=marker, markersize=4,
                color=UNTRAINED_GREY, capsize=2, linestyle="none", label=label if x == 0 else None,
            )  # fmt: skip
            table.add(family, player, -1, value.mean)
        axis.plot([x - 0.3, x + 0.35], [optimum(family)] * 2, color="black", label="Bayes optimum" if x == 0 else None)
        table.add(family, "bayes_optimal", -1, optimum(family))
    axis.set_xticks(range(len(FAMILIES)), [row.title for row in FAMILIES.values()])
    axis.set_ylabel("regret of 100 pulls, wins")
    axis.set_ylim(bottom=0)
    axis.legend(fontsize=7)
    save(figure, out / "regret", table.columns)


def draw_transfer(results: Results, out: Path) -> None:
    """Rows: trained on; columns: tested on; the mean over seeds of regret above the optimum of who knows the family."""
    figure, axis = new_figure(5.6, 4.2, 1, 1)
    table = Table("trained", "tested", "above_optimum")
    above = np.array([[regret(results, a, b).mean() - optimum(b) for b in FAMILIES] for a in FAMILIES])
    shades = axis.imshow(np.sqrt(np.maximum(above, 0)), cmap="cividis_r")
    for i, trained in enumerate(FAMILIES):
        for j, tested in enumerate(FAMILIES):
            dark = np.sqrt(max(above[i, j], 0)) > 0.6 * shades.get_clim()[1]
            axis.text(j, i, f"{above[i, j]:.2f}", ha="center", va="center", color="white" if dark else "black")
            table.add(trained, tested, above[i, j])
    titles = [row.title for row in FAMILIES.values()]
    axis.set_xticks(range(len(titles)), titles, rotation=25, ha="right")
    axis.set_yticks(range(len(titles)), titles)
    axis.set_xlabel("tested on")
    axis.set_ylabel("trained on")
    axis.set_title("regret of 100 pulls above the Bayes optimum's, wins", fontsize=9)
    save(figure, out / "transfer", table.columns)


def draw_volatile(results: Results, out: Path) -> None:
    """A column for each volatility, a mark for each seed."""
    figure, axis = new_figure(4.2, 3.2, 1, 1)
    table = Table("volatility", "who", "seed", "learning_rate")
    fitted = fitted_rates(results)
    for k, (label, colour, marker) in enumerate((("RL²", COLOUR["rl2"], "o"), ("exact filter", "black", "_"))):
        for m, volatility in enumerate(VOLATILE["volatility"]):
            found = fitted[:, k, m]
            at = m + 0.15 * k + np.linspace(-0.05, 0.05, len(found))
            axis.scatter(at, found, s=16, marker=marker, color=colour, label=label if m == 0 else None)
            for seed, value in zip(results.seeds_of("volatile"), found, strict=True):
                table.add(volatility, label, seed, value)
    axis.set_xticks(range(2), [f"{volatility:g}" for volatility in VOLATILE["volatility"]])
    axis.set_xlim(-0.5, 1.6)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("volatility: probability of a change after a pull")
    axis.set_ylabel("fitted learning rate")
    axis.legend(fontsize=8)
    save(figure, out / "volatile", table.columns)


FIGURES: Mapping[str, Draw] = {"transfer": draw_transfer, "volatile": draw_volatile, "regret": draw_regret}
