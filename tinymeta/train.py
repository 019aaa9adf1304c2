"""python -m tinymeta.train ENV AGENT: train one run into a run folder, with checkpoints, and evaluate it at its end."""

import json
import signal
import sys
import threading
import time
from dataclasses import asdict

from tqdm import tqdm

from tinymeta.errors import InputError
from tinymeta.evaluate import evaluate
from tinymeta.learner import DTYPES, DivergenceError, Learner
from tinymeta.policies import Agent
from tinymeta.runs import RunFolder, build, make_config, write_whole


class Interrupted(Exception):
    """A signal asked the run to stop, and its checkpoint is written."""

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class _Signals:
    """Within it SIGINT and SIGTERM only leave a note, so that no write is cut in two; a second SIGINT acts at once."""

    def __enter__(self):
        self.received, self._before = None, {}
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def _note(self, number, frame):
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number

    def __exit__(self, *exception):
        for number, handler in self._before.items():
            signal.signal(number, handler)


def train(path, config, resume=False, overwrite=False, progress=False):
    """Train the run that `config` describes in folder `path`; returns what result.json holds.

    Parameters
    ----------
    path : str or Path
    config : Config
        See `tinymeta.runs.make_config`.
    resume : bool
        Continue an unfinished run from its checkpoint; a finished one is left as it is.
    overwrite : bool
        Begin anew where a run already exists.
    progress : bool
        Show a progress bar on stderr.

    Raises
    ------
    ValueError
        If the folder holds a run and neither `resume` nor `overwrite` is given, or a resumed run was made with other settings.
    DivergenceError
        If a loss, gradient or parameter is not finite. The last checkpoint stays as it is.
    Interrupted
        After SIGINT or SIGTERM, with the checkpoint written.
    """
    folder, tasks = RunFolder(path), build(config)
    if folder.exists and not overwrite:
        if not resume:
            state = "a finished" if folder.finished else "an unfinished"
            raise InputError(
                f"{folder.path} holds {state} run; expected an empty place, --resume to continue it or --overwrite to drop it"
            )
        _check_same(folder.read_config(), config, folder.config_path)
        if folder.finished:
            return folder.read_result()
    learner = Learner(tasks, config.settings)
    if folder.exists and resume and not overwrite:
        timing = folder.read_timing()
        if folder.checkpoint_path.exists():
            folder.restore(learner)
        else:
            folder.create(config)
    else:
        timing = {"train_seconds": 0.0, "compile_seconds": 0.0}
        folder.create(config)
    timing["compile_seconds"] += learner.compile_seconds
    _loop(folder, config, learner, timing, progress)
    agent = Agent(tasks, config.settings.agent, learner.theta, config.settings.hidden_size)
    result = {
        "env": config.env, "agent": config.settings.agent, "train_seed": config.settings.seed, **timing,
        "env_steps": learner.env_steps_done, "trials": learner.trials_done, "updates": learner.updates_done,
        "evaluation": evaluate(agent, config.settings.gamma),
    }  # fmt: skip
    write_whole(folder.result_path, (json.dumps(result, indent=2, allow_nan=False) + "\n").encode())
    return result


def _loop(folder, config, learner, timing, progress):
    """Advance interval by interval; checkpoint every few intervals, at the end, and when a signal asks to stop."""
    settings = config.settings
    with _Signals() as signals, _bar(settings, learner, progress) as bar:
        last = time.perf_counter()
        while learner.updates_done < settings.updates:
            interval = config.log_interval - learner.updates_done % config.log_interval
            statistics = learner.advance(min(interval, settings.updates - learner.updates_done))
            row = folder.append_metrics(learner, statistics)
            bar.update(int(learner.trials_done) - bar.n)
            bar.set_postfix(
                {"reward/trial": f"{row['reward_per_trial']:.2f}", "steps/trial": f"{row['steps_per_trial']:.1f}"}, refresh=False
            )
            due = learner.updates_done // config.log_interval % config.checkpoint_interval == 0
            if due or signals.received or learner.updates_done == settings.updates:
                now = time.perf_counter()
                timing["train_seconds"] += now - last
                last = now
                folder.write_checkpoint(learner)
                write_whole(folder.timing_path, (json.dumps(timing) + "\n").encode())
            if signals.received and learner.updates_done < settings.updates:
                raise Interrupted(signals.received)


def _bar(settings, learner, progress):
    """A tqdm bar in trials; `disable=None` keeps it silent where stderr is no terminal."""
    return tqdm(total=settings.updates * settings.num_envs, initial=learner.trials_done, unit="trial", unit_scale=True,
                desc=f"{learner.tasks.name} {settings.agent} seed {settings.seed}", disable=None if progress else True)  # fmt: skip


def _check_same(before, now, where):
    """Refuse to resume with another setting, naming the first that differs."""
    then, asked = (
        {**asdict(c.settings), "env": c.env, "env_kwargs": _listed(c.env_kwargs), "log_interval": c.log_interval}
        for c in (before, now)
    )
    for name, value in then.items():
        if asked[name] != value:
            raise InputError(
                f"{where}: the run was made with {name} = {value!r}, and --resume was asked to go on with {asked[name]!r}"
            )


def _listed(kwargs):
    return {key: list(value) if isinstance(value, tuple) else value for key, value in kwargs.items()}


# ---------------------------------------------------------------- command line

OPTIONS = {
    "trials": (int, "trials to train for"), "num_envs": (int, "trials per update"), "learning_rate": (float, ""),
    "gamma": (float, "discount"),
    "gae_lambda": (float, "λ of the λ-return; 1 is Monte Carlo"), "ent_coef": (float, "entropy coefficient"),
    "vf_coef": (float, "value-loss coefficient"), "max_grad_norm": (float, "global gradient-norm clip"),
    "optimizer": (str, "adam or rmsprop"), "hidden_size": (int, "LSTM units"), "init": (str, "default or zero"),
    "dtype": (str, f"{' or '.join(DTYPES)}"), "log_interval": (int, "updates per row of metrics.csv"),
}  # fmt: skip


def make_parser():
    from tinymeta import cli

    parser = cli.parser("train", "Train an agent. Options left out take the environment's column of the paper's Table 1.")
    cli.add_task_arguments(parser)
    cli.add_agent_argument(parser)
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    for name, (kind, text) in OPTIONS.items():
        parser.add_argument("--" + name.replace("_", "-"), type=kind, metavar={int: "N", float: "X", str: "NAME"}[kind], help=text)
    parser.add_argument("--out", metavar="DIR", help="run folder; runs/<env>-<agent>-seed<N> if left out")
    parser.add_argument("--resume", action="store_true", help="continue an unfinished run; leave a finished one as it is")
    parser.add_argument("--overwrite", action="store_true", help="drop a run that is already there")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    return parser


def main(argv=None):
    from tinymeta import cli

    parser = make_parser()
    args = parser.parse_args(argv)
    cli.make_tasks(args)
    given = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    config = make_config(args.env, args.agent, cli.parse_env_kwargs(args.env_kwargs), seed=args.seed, **given)
    path = args.out or f"runs/{args.env}-{args.agent}-seed{args.seed}"
    try:
        result = train(path, config, args.resume, args.overwrite, progress=not args.quiet)
    except DivergenceError as error:
        checkpoint = RunFolder(path).checkpoint_path
        where = f"the last good checkpoint is {checkpoint}" if checkpoint.exists() else "there is no checkpoint yet"
        print(f"tinymeta: training stopped: {error}; {where}", file=sys.stderr)
        return cli.FAILED
    except Interrupted as stop:
        resume = [word for word in (sys.argv[1:] if argv is None else argv) if word not in ("--overwrite", "--resume")]
        print(
            f"tinymeta: {stop}: checkpoint written; to go on: python -m tinymeta.train {' '.join(resume)} --resume", file=sys.stderr
        )
        return stop.exit_code
    if not args.quiet:
        print(summary(result, path))
    return 0


def summary(result, path):
    """One line on a finished run."""
    test = result["evaluation"]
    reward, steps, best = test["reward_per_trial"], test["steps_per_trial"], test["bayes_optimal"]
    optimum = (
        ""
        if best["reward_per_trial"] is None
        else f" (Bayes-optimal {best['reward_per_trial']:.2f} and {best['steps_per_trial']:.2f})"
    )
    run = f"{result['env']} {result['agent']}: {result['trials']} trials, {result['env_steps']} steps in {result['train_seconds']:.1f} s"
    test = " and ".join(
        f"{value['mean']:.2f} ± {1.96 * value['sem']:.2f} {unit}" for value, unit in ((reward, "reward"), (steps, "steps"))
    )
    return f"{run}; test: {test} per trial{optimum}; {path}"


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
