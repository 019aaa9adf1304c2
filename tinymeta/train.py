"""python -m tinymeta.train ENV AGENT: train one run, or with --seeds many of them in parallel, into run folders."""

import argparse
import functools
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tinymeta import cli
from tinymeta.base.errors import InputError, NotFiniteError, PoolError
from tinymeta.base.files import WriteError
from tinymeta.base.intervals import NORMAL_95, interval
from tinymeta.learning.schedules import SCHEDULES
from tinymeta.learning.settings import ALGORITHMS, DTYPES
from tinymeta.runs.cluster import check_workers
from tinymeta.runs.config import Config, make_config
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.interrupts import Interrupted
from tinymeta.runs.sweep import SweepError, sweep
from tinymeta.runs.training import train

OPTIONS: dict[str, tuple[Any, str]] = {  # of `make_config`
    "trials": (int, "trials to train for"),
    "num_envs": (int, "trials per update"),
    "learning_rate": (float, "step size of the optimiser"),
    "final_learning_rate": (float, "learning rate at the last update; constant if left out"),
    "gamma": (float, "discount"),
    "gae_lambda": (float, "λ of the λ-return; 1 is Monte Carlo"),
    "ent_coef": (float, "entropy coefficient"),
    "final_ent_coef": (float, "entropy coefficient at the last update; constant if left out"),
    "schedule": (str, f"{' or '.join(SCHEDULES)}, of what has a final value"),
    "algorithm": (str, " or ".join(ALGORITHMS)),
    "n_epochs": (int, "of PPO: passes over a batch of trials"),
    "num_minibatches": (int, "of PPO: parts of a batch, each some trials"),
    "batch_size": (int, "of PPO: steps of each part at least, on average; then there are fewer parts"),
    "clip_range": (float, "of PPO: how far from 1 a probability ratio still counts"),
    "bptt_steps": (int, "of A2C: a gradient step for every so many steps of a trial; 0: one for each batch of trials"),
    "returns": (str, "discounted over the whole trial, or up to each episode's end"),
    "encoder": (cli.widths, "dense tanh layers before the LSTM, such as 64,64"),
    "vf_coef": (float, "value-loss coefficient"),
    "max_grad_norm": (float, "global gradient-norm clip"),
    "optimizer": (str, "adam or rmsprop"),
    "hidden_size": (int, "LSTM units"),
    "init": (str, "default or zero"),
    "dtype": (str, " or ".join(DTYPES)),
    "log_interval": (int, "updates per row of metrics.csv"),
    "snapshots": (int, "networks to keep along the way, in snapshots/"),
    "test_trials": (int, "trials of the test of the finished run's frozen weights; 100 if left out"),
}
SWITCHES = {  # of `make_config`, each with its --no- form
    "normalize_advantage": "advantages with mean 0 and deviation 1 in each batch",
    "separate_value": "a network of its own for the value",
    "norm_obs": "standardise an observation's numbers by what was met so far",
    "norm_reward": "divide rewards by the deviation of the discounted return so far",
}
LETTER = {int: "N", float: "X", str: "NAME", cli.widths: "N,N"}
RESUMING = (
    "go on from the newest sound checkpoint; --trials (not below what is done), --seeds, --first-seed, --workers, "
    "--snapshots, --test-trials, --out, --cluster, --tensorboard and --quiet may change"
)


def make_parser() -> cli.Parser:
    """The command's arguments."""
    parser = cli.parser("train", "Train an agent. Options left out have the environment's training defaults.")
    cli.add_task_arguments(parser)
    cli.add_agent_argument(parser)
    parser.add_argument("--seed", type=int, metavar="N", help="0 if left out")
    parser.add_argument("--seeds", type=int, metavar="N", help="train seeds S…S+N-1 in parallel, in DIR/seed-<k>")
    parser.add_argument("--first-seed", type=int, metavar="S", help="the first of --seeds; 0 if left out")
    workers = "processes for --seeds; as many as there are cores if left out"
    parser.add_argument("--workers", type=int, metavar="W", help=workers)
    cluster = "train --seeds on the Dask scheduler at ADDRESS, or on one started here (local); see docs/cluster.md"
    parser.add_argument("--cluster", metavar="ADDRESS", help=cluster)
    for name, (kind, text) in OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=LETTER[kind], help=text)
    for name, text in SWITCHES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", action=argparse.BooleanOptionalAction, help=text)
    parser.add_argument("--out", metavar="DIR", help="run folder; runs/<env>-<agent>-seed<N> if left out")
    parser.add_argument("--resume", action="store_true", help=RESUMING)
    parser.add_argument("--overwrite", action="store_true", help="drop a run that is already there")
    events = "write TensorBoard's event files too, into DIR/tensorboard"
    parser.add_argument("--tensorboard", action="store_true", help=events)
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    args = make_parser().parse_args(words)
    cli.make_tasks(args)
    config = _config(args)
    path = _folder(args)
    _check_combination(args)
    try:
        line = _train_many(path, config, args) if args.seeds is not None else _train_one(path, config, args)
    except SweepError as error:
        cli.complain(f"{error}; --resume tries them again")
        return cli.FAILED
    except (NotFiniteError, PoolError, WriteError) as error:
        checkpoint = RunFolder(path).last_checkpoint
        last = "there is no checkpoint yet" if checkpoint is None else f"the last good checkpoint is {checkpoint}"
        cli.complain(f"training stopped: {error}; {last}")
        return cli.FAILED
    except Interrupted as stop:
        again = shlex.join(word for word in words if word not in ("--overwrite", "--resume"))
        cli.complain(f"{stop}: checkpoint written; to go on: python -m tinymeta.train {again} --resume")
        return stop.exit_code
    if not args.quiet:
        print(line)
    return 0


def _config(args: argparse.Namespace) -> Config:
    given = {name: getattr(args, name) for name in (*OPTIONS, *SWITCHES) if getattr(args, name) is not None}
    seed = args.first_seed if args.seeds is not None else args.seed
    seed = 0 if seed is None else seed
    return make_config(args.env, args.agent, cli.parse_env_kwargs(args.env_kwargs), seed=seed, **given)


def _folder(args: argparse.Namespace) -> str:
    if args.out == "":
        raise InputError("--out '', expected the name of a folder")
    if args.out is not None:
        return args.out
    return f"runs/{args.env}-{args.agent}" + (f"-seed{args.seed or 0}" if args.seeds is None else "")


def _check_combination(args: argparse.Namespace) -> None:
    if args.resume and args.overwrite:
        raise InputError("--resume with --overwrite, expected one of them")
    if args.seed is not None and args.seeds is not None:
        raise InputError(f"--seed {args.seed} with --seeds {args.seeds}, expected one of them")
    for option in ("workers", "first_seed", "cluster"):
        value = getattr(args, option)
        if value is not None and args.seeds is None:
            raise InputError(f"--{option.replace('_', '-')} {value} without --seeds, expected both or neither")
    check_workers(args.workers, args.cluster)


def _train_one(path: str, config: Config, args: argparse.Namespace) -> str:
    say_new = functools.partial(_say_new, path)
    result = train(
        path,
        config,
        args.resume,
        args.overwrite,
        progress=not args.quiet,
        say_new=say_new,
        tensorboard=args.tensorboard,
    )
    return summary(result, path)


def _train_many(path: str, config: Config, args: argparse.Namespace) -> str:
    results = sweep(
        path,
        config,
        args.seeds,
        args.workers,
        resume=args.resume,
        overwrite=args.overwrite,
        progress=not args.quiet,
        say_new=functools.partial(_say_new, path),
        tensorboard=args.tensorboard,
        cluster=args.cluster,
    )
    return sweep_summary(results, path)


def _say_new(path: str) -> None:
    cli.complain(f"--resume: {path} holds no run yet, beginning one")


def summary(result: Mapping[str, Any], path: str) -> str:
    """One line on a finished run."""
    test = result["evaluation"]
    best = test["bayes_optimal"]
    optimum = ""
    if best["reward_per_trial"] is not None:
        optimum = f" (Bayes-optimal {best['reward_per_trial']:.2f} and {best['steps_per_trial']:.2f})"
    work = f"{result['trials']} trials, {result['env_steps']} steps in {result['train_seconds']:.1f} s"
    reward = f"{_with_interval(test['reward_per_trial'])} reward"
    steps = f"{_with_interval(test['steps_per_trial'])} steps"
    return f"{result['env']} {result['agent']}: {work}; test: {reward} and {steps} per trial{optimum}; {path}"


def _with_interval(value: Mapping[str, float]) -> str:
    return f"{value['mean']:.2f} ± {NORMAL_95 * value['sem']:.2f}"


def sweep_summary(results: Mapping[int, Mapping[str, Any]], path: str) -> str:
    """One line on a finished sweep: mean over seeds with a 95 % interval."""
    first = next(iter(results.values()))
    tests = [result["evaluation"] for result in results.values()]
    reward = interval([test["reward_per_trial"]["mean"] for test in tests])
    steps = interval([test["steps_per_trial"]["mean"] for test in tests])
    test = f"{reward} reward and {steps} steps per trial"
    return f"{first['env']} {first['agent']}, {len(results)} seeds; test: {test}; {path}"


if __name__ == "__main__":
    sys.exit(cli.run(main))
