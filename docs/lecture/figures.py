"""python docs/lecture/figures.py [--out DIR]: draw the lecture's figures, one a chapter, into docs/lecture/figures/.

Everything is trained anew, with seeds from 1000 on: the seeds below are kept for the runs that judge claims.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import tinymeta
from tinymeta.probes.recording import untrained

HERE = Path(__file__).parent
SEED = 1000
PATIENT = {
    "trials": 40_000, "num_envs": 16, "learning_rate": 3e-3, "gamma": 0.9, "ent_coef": 0.1,
    "final_learning_rate": 0.0, "final_ent_coef": 0.0, "seed": SEED,
}  # fmt: skip
# Okabe & Ito's colours, told apart also without colour vision; markers and line styles tell them apart in grey.
BLUE, ORANGE, PURPLE, GREEN, GREY = "#0072B2", "#D55E00", "#CC79A7", "#009E73", "#7F7F7F"
COLOUR = {"rl2": BLUE, "rl1": ORANGE, "informed": PURPLE, "memoryless": GREY}
STYLE = {"rl2": "-", "rl1": (0, (5, 1)), "informed": (0, (3, 1, 1, 1)), "memoryless": (0, (1, 1))}
LABEL = {"rl2": "RL²", "rl1": "RL¹"}
MARKERS = ("o", "s", "^", "D", "v")
SETTINGS = {
    "axes.spines.right": False, "axes.spines.top": False, "font.size": 9, "legend.frameon": False,
    "savefig.bbox": "tight", "savefig.dpi": 160,
}  # fmt: skip


def new_figure(width, height, columns=1, **options):
    """A figure of `width` by `height` inches outside of pyplot, and its axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns, **options)


def smoothed(curves, window):
    """Moving mean along the last axis over the last `window` points, fewer at the beginning."""
    total = np.cumsum(curves, axis=-1)
    total[..., window:] = total[..., window:] - total[..., :-window].copy()
    return total / np.minimum(np.arange(1, curves.shape[-1] + 1), window)


def definitions(number):
    """The names that a chapter's blocks define: figures run the code that the reader has read."""
    (path,) = HERE.glob(f"{number}-*.md")
    sys.path.insert(0, str(HERE.parent))
    try:
        from blocks import namespace
    finally:
        sys.path.remove(str(HERE.parent))
    return namespace(path.read_text(encoding="utf-8"))


def defaults_of(env):
    """What training uses on an environment where the user says nothing."""
    return tinymeta.make(env).defaults


def memory():
    """Reward at each pull: without memory, untrained, trained."""
    levers = tinymeta.make("bandit", p="uniform")
    trained = tinymeta.learn(levers, "rl2", **PATIENT)
    agents = {
        "trained RL²": (trained, BLUE, "o"),
        "untrained": (untrained(trained, SEED), GREY, "s"),
        "memoryless, trained": (tinymeta.learn(levers, "memoryless", **PATIENT), ORANGE, "^"),
    }
    figure, axes = new_figure(5.2, 3.2)
    pulls = np.arange(1, 11)
    for label, (agent, colour, marker) in agents.items():
        earned = agent.play(20_000).reward.mean(axis=0)
        axes.plot(pulls, earned, color=colour, marker=marker, mfc="none" if marker == "^" else colour, label=label,
                  ms=9 if marker == "^" else 5, clip_on=False)  # fmt: skip
    optimum = tinymeta.exact_values(levers, gamma=1.0)["bayes_optimal"]["reward_per_trial"]
    axes.axhline(optimum / 10, color=GREEN, ls="--", label="Bayes-optimal, mean of the ten")
    axes.set(xlabel="pull", ylabel="mean reward", ylim=(0.45, 0.75), xticks=pulls)
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.42))
    return figure


def meta_algorithm():
    """Reward at each pull after more and more of the outer loop."""
    levers = tinymeta.make("bandit", p="uniform")
    figure, axes = new_figure(6.2, 3.2)
    pulls = np.arange(1, 11)
    stages = (0, 2000, 5000, 10_000, 40_000)
    for i, trials in enumerate(stages):
        settings = {**PATIENT, "trials": max(trials, 1)}
        for name in ("final_learning_rate", "final_ent_coef"):
            del settings[name]
        agent = tinymeta.learn(levers, "rl2", **settings)
        agent = untrained(agent, SEED) if trials == 0 else agent
        earned = agent.play(20_000).reward.mean(axis=0)
        shade = 0.8 - 0.8 * i / (len(stages) - 1)
        axes.plot(pulls, earned, color=(shade * 0.9, 0.45 + 0.4 * shade, 0.7 + 0.2 * shade), marker=MARKERS[i],
                  label=f"{trials:,} trials".replace(",", " "), clip_on=False)  # fmt: skip
    axes.set(xlabel="pull", ylabel="mean reward", ylim=(0.45, 0.75), xticks=pulls)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), title="outer loop")
    return figure


def task_distribution():
    """Reward in rooms of every p, by what was trained on."""
    figure, axes = new_figure(5.2, 3.4)
    chances = np.linspace(0.5, 1, 11)
    kinds = {"p = 0 or 1": (0, 1), "p = 0.25 or 0.75": (0.25, 0.75), "any p": "uniform"}
    rooms = [tinymeta.make("bandit", p=(p, round(1 - p, 2))) for p in chances.round(2)]
    for (label, p), colour, marker in zip(kinds.items(), (ORANGE, PURPLE, BLUE), MARKERS, strict=False):
        weights = tinymeta.learn(tinymeta.make("bandit", p=p), "rl2", **PATIENT).parameters
        agents = [tinymeta.Agent.from_parameters(room, "rl2", weights) for room in rooms]
        earned = [agent.play(4000).reward.sum(axis=1).mean() for agent in agents]
        axes.plot(chances, earned, color=colour, marker=marker, mfc="none" if marker == "s" else colour,
                  ms=9 if marker == "s" else 5, label=f"trained on {label}", clip_on=False)  # fmt: skip
    axes.plot(chances, 10 * chances, color=GREEN, ls="--", label="told p")
    axes.set(xlabel="p of the room (or 1 - p)", ylabel="reward of ten pulls")
    axes.legend(loc="upper left")
    return figure


def belief():
    """The exact belief along random trials of two kinds of levers."""
    figure, both = new_figure(6.6, 3.0, columns=2, sharey=True)
    rng = np.random.default_rng(SEED)
    for axes, p in zip(both, (0.9, 0.75), strict=True):
        tasks = tinymeta.make("bandit", p=(p, round(1 - p, 2)), pulls=13)
        for trial in range(8):
            follow = tinymeta.Belief(tasks).begin(0)
            odds = [0.0]
            for lever in rng.integers(2, size=12):
                pays = p if lever == 0 else 1 - p
                follow.update(int(lever), 0, float(rng.random() < pays))
                probability = follow.tasks_marginal
                odds.append(np.log10(probability[0] / probability[1]))
            axes.plot(range(13), odds, color=BLUE, alpha=0.35 + 0.08 * trial, lw=1)
        axes.axhline(0, color=GREY, lw=0.8, ls=":")
        axes.set(title=f"p = {p} or {round(1 - p, 2)}", xlabel="pulls seen", ylim=(-4, 12))
    levels = {-2: "1 : 100", 0: "even", 2: "100 : 1", 5: "10⁵ : 1", 10: "10¹⁰ : 1"}
    both[0].set(ylabel="odds of the true room", yticks=list(levels), yticklabels=list(levels.values()))
    return figure


def lstm():
    """Errors of difference quotients against the step."""
    names = definitions(5)
    x, weights, loss = names["x"], names["weights"], names["loss"]
    analytic = names["backward"](x, *names["forward"](x, *weights), weights[1], names["dh_outside"])[1]

    def moved(index, step):
        weight = weights[1].copy()
        weight[index] += step
        return loss(x, weights[0], weight, weights[2])

    steps = 10.0 ** np.arange(-12, 0.01, 0.5)
    errors = np.zeros((2, len(steps)))
    for k, e in enumerate(steps):
        for index in np.ndindex(analytic.shape):
            near = moved(index, e) - moved(index, -e)
            far = moved(index, 2 * e) - moved(index, -2 * e)
            for row, quotient in enumerate((near / (2 * e), (8 * near - far) / (12 * e))):
                errors[row, k] = max(errors[row, k], abs(quotient - analytic[index]))
    figure, axes = new_figure(5.2, 3.2)
    axes.loglog(steps, errors[0], color=ORANGE, marker="s", ms=4, label="two points")
    axes.loglog(steps, errors[1], color=BLUE, marker="o", ms=4, label="four points")
    axes.set(xlabel="step ε", ylabel="largest error")
    axes.legend()
    return figure


def a2c():
    """Learning curves of the sixty lines, with parts taken out."""
    names = definitions(6)
    variants = {
        "as in the text": ({}, "", BLUE, "-"),
        "without a critic": ({}, "(G - value)[:, None]", ORANGE, "--"),
        "returns end with the pull": ({"GAMMA": 0.0}, "", PURPLE, ":"),
    }
    figure, axes = new_figure(5.2, 3.2)
    source = next(code for code in names["__blocks__"] if "def gradient" in code)
    source = source[: source.index("\nw, rewards = train(")]  # the definitions
    for label, (constants, replaced, colour, style) in variants.items():
        own = dict(names)
        assert not replaced or source.count(replaced) == 1
        exec(source.replace(replaced, "G[:, None]") if replaced else source, own)
        own.update(constants)
        curves = np.array([own["train"](400, seed)[1] for seed in seeds(10)])
        curves = smoothed(curves, 20)
        axes.plot(curves.T, color=colour, alpha=0.3, lw=0.7)
        axes.plot(curves.mean(axis=0), color=colour, ls=style, label=label)
    axes.axhline(9.5, color=GREEN, ls="--", lw=0.8)
    axes.set(xlabel="update of 64 trials", ylabel="reward per trial", ylim=(4.5, 10))
    axes.legend(loc="lower right")
    return figure


def hypothesis():
    """Learning curves of the four wirings in bandit and corridor."""
    from tinymeta.learning.learner import STATISTICS, Learner

    figure, both = new_figure(7.2, 3.2, columns=2)
    worlds = (
        (tinymeta.make("bandit"), "reward", defaults_of("bandit"), "bandit", "reward per trial"),
        (
            tinymeta.make("corridor", left=3, right=3), "env_steps",
            {**defaults_of("corridor"), "trials": 16_000, "num_envs": 8, "learning_rate": 1e-3},
            "corridor 3 + 1 + 3", "steps per trial",
        ),
    )  # fmt: skip
    for axes, (tasks, column, settings, title, what) in zip(both, worlds, strict=True):
        for agent in ("informed", "rl1", "rl2", "memoryless"):
            curves = []
            for seed in seeds(5):
                learner = Learner(tasks, tinymeta.Settings(agent=agent, seed=seed, **settings))
                statistics = learner.advance(learner.settings.updates)
                curves.append(statistics[:, STATISTICS.index(column)] / learner.settings.num_envs)
            trials = np.arange(1, len(curves[0]) + 1) * learner.settings.num_envs
            mean = smoothed(np.array(curves), 100)
            axes.plot(trials, mean.T, color=COLOUR[agent], alpha=0.2, lw=0.7)
            axes.plot(trials, mean.mean(axis=0), color=COLOUR[agent], ls=STYLE[agent], label=LABEL.get(agent, agent))
        key = {"reward": "reward_per_trial", "env_steps": "steps_per_trial"}[column]
        exact = tinymeta.exact_values(tasks, gamma=settings["gamma"])
        for name in ("bayes_optimal", "informed"):
            axes.axhline(exact[name][key], color=GREEN, ls="--", lw=0.8)
        axes.set(title=title, xlabel="training trials", ylabel=what)
    both[1].set(yscale="log", yticks=[6, 9, 12, 20, 40], yticklabels=["6", "9", "12", "20", "40"])
    both[1].minorticks_off()
    both[0].set_xticks([0, 10_000, 20_000])
    both[1].set_xticks([0, 8000, 16_000])
    both[0].legend(loc="center right", bbox_to_anchor=(1, 0.45))
    return figure


def looking_inside():
    """The policy after every history of five pulls, against its exact evidence."""
    names = definitions(8)
    figure, both = new_figure(7.2, 3.2, columns=2)
    evidence, weight = names["evidence"], names["weight"]
    rng = np.random.default_rng(0)
    for axes, title, agent in zip(both, ("before training", "after"), ("before", "trained"), strict=True):
        network = names["Network"](names[agent])
        state, _ = names["after"](network)
        spread = rng.uniform(-0.35, 0.35, len(evidence))
        axes.scatter(evidence + spread, network.left(state), s=4000 * weight, color=BLUE, alpha=0.35, lw=0)
        axes.set(title=title, xlabel="pulls for left - pulls against", ylabel="P(left) at the next pull")
        axes.set_xticks([-5, -3, -1, 1, 3, 5])
    return figure


def beyond():
    """The exact belief in Tiger along a trial of the ideal agent."""
    from tinymeta.learning.belief_agents import BeliefAgent

    tiger = tinymeta.make("tiger")
    totals, trace = BeliefAgent(tiger, "bayes", gamma=0.95).play(50, seed=SEED, trace=True)
    joint, _ = tinymeta.belief_along(
        tiger, trace["observation"], trace["action"], trace["reward"], trace["valid"], ended=~totals.cut
    )
    n = int(np.argmax((trace["action"] == 1).any(axis=1) & (trace["action"] == 2).any(axis=1)))  # both doors are opened
    on_the_left = joint[n, :, 0, 0]
    steps = np.arange(len(on_the_left))
    figure, axes = new_figure(6.0, 2.8)
    axes.step(steps, on_the_left, where="mid", color=BLUE)
    for action, marker, label in ((0, "o", "listens"), (1, "<", "opens left"), (2, ">", "opens right")):
        chosen = trace["action"][n] == action
        colour = GREY if action == 0 else ORANGE
        axes.scatter(steps[chosen], on_the_left[chosen], marker=marker, color=colour, label=label, zorder=3, s=30)
    axes.set(xlabel="step", ylabel="P(tiger on the left)", ylim=(-0.05, 1.05), xticks=steps[::2])
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


FIGURES = {
    "1-memory": memory, "2-meta-algorithm": meta_algorithm, "3-task-distribution": task_distribution,
    "4-belief": belief, "5-lstm": lstm, "6-a2c": a2c,
    "7-hypothesis": hypothesis, "8-looking-inside": looking_inside, "9-beyond": beyond,
}  # fmt: skip


quick = [False]  # the last entry: whether two seeds are enough


def seeds(count):
    """The first `count` of the lecture's seeds, two with --quick."""
    return range(1000, 1000 + (min(2, count) if quick[-1] else count))


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python docs/lecture/figures.py", description="Draw the lecture's figures.")
    parser.add_argument("--out", type=Path, default=HERE / "figures", metavar="DIR")
    parser.add_argument("--only", choices=FIGURES, metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="two seeds each, to see that a figure is drawn")
    args = parser.parse_args(argv)
    quick.append(args.quick)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        if args.only in (None, name):
            with rc_context(SETTINGS):
                draw().savefig(args.out / f"{name}.png", metadata={"Software": None})
            print(args.out / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
