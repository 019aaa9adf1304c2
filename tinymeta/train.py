"""python -m tinymeta.train ENV AGENT: train one run, or with --seeds many of them in parallel, into run folders."""

import shlex
import sys

from tinymeta.base.errors import InputError, NotFiniteError
from tinymeta.base.files import WriteError
from tinymeta.base.intervals import interval
from tinymeta.learning.settings import DTYPES
from tinymeta.runs.config import make_config
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.sweep import SweepError, sweep
from tinymeta.runs.training import Interrupted, train

OPTIONS = {
    "trials": (int, "trials to train for"), "num_envs": (int, "trials per update"), "learning_rate": (float, ""),
    "gamma": (float, "discount"),
    "gae_lambda": (float, "λ of the λ-return; 1 is Monte Carlo"), "ent_coef": (float, "entropy coefficient"),
    "vf_coef": (float, "value-loss coefficient"), "max_grad_norm": (float, "global gradient-norm clip"),
    "optimizer": (str, "adam or rmsprop"), "hidden_size": (int, "LSTM units"), "init": (str, "default or zero"),
    "dtype": (str, f"{' or '.join(DTYPES)}"), "log_interval": (int, "updates per row of metrics.csv"),
    "snapshots": (int, "networks to keep along the way, in snapshots/"),
}  # fmt: skip

MAY_CHANGE = "--trials (not below what is done), --seeds, --workers, --out and --quiet"  # of a run that is resumed


def make_parser():
    from tinymeta import cli

    parser = cli.parser(
        "train", "Train an agent. Options left out take the environment's column of the paper's Table 1."
    )
    cli.add_task_arguments(parser)
    cli.add_agent_argument(parser)
    parser.add_argument("--seed", type=int, metavar="N", help="0 if left out")
    parser.add_argument("--seeds", type=int, metavar="N", help="train seeds 0…N-1 in parallel, in DIR/seed-<k>")
    parser.add_argument(
        "--workers", type=int, metavar="W", help="processes for --seeds; as many as there are cores if left out"
    )
    for name, (kind, text) in OPTIONS.items():
        parser.add_argument(
            "--" + name.replace("_", "-"), type=kind, metavar={int: "N", float: "X", str: "NAME"}[kind], help=text
        )
    parser.add_argument("--out", metavar="DIR", help="run folder; runs/<env>-<agent>-seed<N> if left out")
    parser.add_argument(
        "--resume", action="store_true", help=f"go on from the newest sound checkpoint; {MAY_CHANGE} may change"
    )
    parser.add_argument("--overwrite", action="store_true", help="drop a run that is already there")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    return parser


def main(argv=None):
    from tinymeta import cli

    parser = make_parser()
    args = parser.parse_args(argv)
    cli.make_tasks(args)
    given = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    config = make_config(args.env, args.agent, cli.parse_env_kwargs(args.env_kwargs), seed=args.seed or 0, **given)
    path = args.out
    if path is None:
        path = f"runs/{args.env}-{args.agent}" + (f"-seed{args.seed or 0}" if args.seeds is None else "")
    if not path:
        raise InputError("--out '', expected the name of a folder")
    if args.resume and args.overwrite:
        raise InputError("--resume with --overwrite, expected one of them")
    if args.seed is not None and args.seeds is not None:
        raise InputError(f"--seed {args.seed} with --seeds {args.seeds}, expected one of them")
    if args.workers is not None and args.seeds is None:
        raise InputError(f"--workers {args.workers} without --seeds, expected both or neither")
    try:
        if args.seeds is not None:
            results = sweep(path, config, args.seeds, args.workers, None, args.resume, args.overwrite, not args.quiet)
            if not args.quiet:
                print(sweep_summary(results, path))
            return 0
        result = train(path, config, args.resume, args.overwrite, progress=not args.quiet)
    except SweepError as error:
        cli.complain(f"{error}; --resume tries them again")
        return cli.FAILED
    except (NotFiniteError, WriteError) as error:
        checkpoint = RunFolder(path).last_checkpoint
        where = "there is no checkpoint yet" if checkpoint is None else f"the last good checkpoint is {checkpoint}"
        cli.complain(f"training stopped: {error}; {where}")
        return cli.FAILED
    except Interrupted as stop:
        resume = [word for word in (sys.argv[1:] if argv is None else argv) if word not in ("--overwrite", "--resume")]
        cli.complain(f"{stop}: checkpoint written; to go on: python -m tinymeta.train {shlex.join(resume)} --resume")
        return stop.exit_code
    if not args.quiet:
        print(summary(result, path))
    return 0


def summary(result, path):
    """One line on a finished run."""
    test = result["evaluation"]
    reward, steps, best = test["reward_per_trial"], test["steps_per_trial"], test["bayes_optimal"]
    exact = best["reward_per_trial"], best["steps_per_trial"]
    optimum = "" if None in exact else f" (Bayes-optimal {exact[0]:.2f} and {exact[1]:.2f})"
    run = f"{result['env']} {result['agent']}: {result['trials']} trials, {result['env_steps']} steps in {result['train_seconds']:.1f} s"
    test = " and ".join(
        f"{value['mean']:.2f} ± {1.96 * value['sem']:.2f} {unit}"
        for value, unit in ((reward, "reward"), (steps, "steps"))
    )
    return f"{run}; test: {test} per trial{optimum}; {path}"


def sweep_summary(results, path):
    """One line on a finished sweep: mean over seeds with a 95 % interval."""
    rewards, steps = (
        [r["evaluation"][name]["mean"] for r in results.values()] for name in ("reward_per_trial", "steps_per_trial")
    )
    first = next(iter(results.values()))
    test = " and ".join(f"{interval(values)} {unit}" for values, unit in ((rewards, "reward"), (steps, "steps")))
    return f"{first['env']} {first['agent']}, {len(results)} seeds; test: {test} per trial; {path}"


if __name__ == "__main__":
    from tinymeta import cli

    sys.exit(cli.run(main))
