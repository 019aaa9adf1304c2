"""Input that must be refused, made at random: each case is a call and the word that the message must name.

`bad_task_set` spoils one argument of a sound task set, `bad_arguments` one word of a sound command line. What a
generator calls bad is bad by construction, so an accepted case is a bug, and so is one whose message does not say
what is wrong.
"""

import contextlib
import inspect
import io
import os

import numpy as np
from support import COMPILED

from tinymeta import TaskSet, baselines, cli, evaluate, gradcheck, train
from tinymeta.base.errors import InputError
from tinymeta.environments.registry import ENVIRONMENTS
from tinymeta.learning.wirings import WIRINGS

# ---------------------------------------------------------------- task sets

NO_ARRAY = (None, "text", 3, {}, {"a": 1}, [[1, 2], [3]], object(), b"bytes", [], np.nan, [[["x"]]], {1, 2})
NO_COUNT = (0, -1, 2.0, "3", True, np.nan, np.inf, [1], 10**9, 10**5000, -(10**5000), 1j, b"1", np.float32(1))


def sound_task_set(rng):
    """Arguments of a random task set whose every probability is positive; its last state is terminal."""
    M, S, A, O = rng.integers(1, 4), rng.integers(2, 5), rng.integers(1, 4), rng.integers(1, 4)  # noqa: E741
    terminal = np.zeros((M, S), bool)
    terminal[:, -1] = True
    initial = np.zeros((M, S))
    initial[:, 0] = 1
    return {
        "transition": rng.dirichlet(np.ones(S), (M, S, A)), "reward": rng.integers(-3, 4, (M, S, A, S)).astype(float),
        "observation": rng.dirichlet(np.ones(O), (M, S)), "initial": initial, "terminal": terminal,
        "prior": rng.dirichlet(np.ones(M)), "episodes": int(rng.integers(1, 4)), "max_steps": int(rng.integers(1, 20)),
    }  # fmt: skip


def bad_task_set(rng):
    """(arguments of `TaskSet` of which one is bad, the bad one's name)."""
    good = sound_task_set(rng)
    kind = rng.integers(8)
    if kind == 0:  # a number
        name = str(rng.choice(["transition", "observation", "initial", "prior"]))
        array = good[name].copy()
        index = tuple(rng.integers(size) for size in array.shape)
        array[index] += rng.choice([1e-3, -1.5, 0.5, np.nan, np.inf, -np.inf, 1e300, -2e-9])
        return {**good, name: array}, name
    if kind == 1:
        array = good["reward"].copy()
        array.flat[rng.integers(array.size)] = rng.choice([np.nan, np.inf, -np.inf, 1e39, -1e300])
        return {**good, "reward": array}, "reward"
    name = str(rng.choice(["transition", "reward", "observation", "initial", "terminal", "prior"]))
    if kind == 2:  # no array at all
        value = NO_ARRAY[rng.integers(len(NO_ARRAY) - (name == "prior")) + (name == "prior")]  # prior=None is allowed
        return {**good, name: value}, name
    if kind == 3:  # another dtype
        wrong = [complex, str, object] + ([float, int] if name == "terminal" else [bool])
        return {**good, name: good[name].astype(wrong[rng.integers(len(wrong))])}, name
    if kind == 4:
        array = _misshapen(good[name], name, rng)
        culprit = "axes" if name == "observation" and array.ndim not in (3, 4) else "shape"  # which two clash
        return {**good, name: array}, culprit
    if kind == 5:  # a count
        name = str(rng.choice(["episodes", "episode_length", "max_steps"]))
        return {**good, name: NO_COUNT[rng.integers(len(NO_COUNT))]}, name
    if kind == 6:  # what only the whole can tell
        case = rng.integers(5)
        if case == 0:
            return {**good, "terminal": np.zeros_like(good["terminal"])}, "terminal"
        if case == 1:
            return {**good, "initial": good["initial"][:, ::-1]}, "initial"
        if case == 2:
            return {**good, "max_steps": None}, "max_steps"
        if case == 3:
            M, S, A, _ = good["transition"].shape
            by_action = np.zeros((M, A + 1, S, 2))
            by_action[:, 0, :, 0] = by_action[:, 1:, :, 1] = 1
            arrays = {name: np.concatenate([good[name], good[name][:, :, :1]], 2) for name in ("transition", "reward")}
            return {**good, **arrays, "observation": by_action}, "initial_observation"
        array = good["reward"].copy()
        array.flat[0] = 1
        array.flat[-1] = 1 + 1e-12
        return {**good, "reward": array}, "reward"
    return {**good, "name": [None, 3, b"x", ["a"]][rng.integers(4)]}, "name"


def _misshapen(array, name, rng):
    """An array twice as long or empty along one axis, with two more axes, or with one less (the observation two)."""
    axis = rng.integers(array.ndim - (name == "observation"))  # any number of observations is right
    how = rng.integers(4)
    if how == 0:
        return np.concatenate([array, array], axis)
    if how == 1:
        return array[(slice(None),) * axis + (slice(0, 0),)]
    if how == 2:
        return array[None][None]
    if name == "observation":
        return array[0, 0]
    return array[0] if array.ndim > 1 else array[:1].reshape(())


def task_set_problem(arguments, culprit):
    """What is wrong with how `TaskSet` answers bad arguments; None if it refuses them as it should."""
    try:
        TaskSet(**arguments)
    except InputError as error:
        message = str(error)
        if culprit in message and "\n" not in message and len(message) < 1000:
            return None
        return f"the message does not name {culprit!r} in one line: {message}"
    except Exception as error:
        return f"{type(error).__name__} instead of InputError: {error}"
    return f"accepted, though {culprit} is bad"


# ---------------------------------------------------------------- command lines

ENVS = COMPILED
AGENTS = list(WIRINGS)
BAD_COUNT = (
    "0",
    "-1",
    "-7",
    "1.5",
    "nan",
    "inf",
    "1e3",
    "many",
    "",
    "0x10",
    "1" + "0" * 30,
    "9" * 5000,
    "ten\nlines",
    "--",
)
BAD_SEED = ("-1", "1.5", "nan", "x", "", str(2**63), "-" + "9" * 50)
BAD_UNIT = ("-0.1", "1.1", "nan", "inf", "-inf", "x", "", "1e400", "0,5")
BAD_POSITIVE = ("0", "-1", "-1e-9", "nan", "inf", "-inf", "x", "", "1e400")
BAD_COEF = ("-1", "-1e-300", "nan", "inf", "x", "", "-1e400")
BAD_WORD = ("", "sgd", "ADAM", "float16", "zeros", "defalt", "adam ", "\x00")
TRAIN = {
    "--trials": BAD_COUNT,
    "--num-envs": BAD_COUNT,
    "--hidden-size": BAD_COUNT,
    "--log-interval": BAD_COUNT,
    "--seed": BAD_SEED,
    "--gamma": BAD_UNIT,
    "--gae-lambda": BAD_UNIT,
    "--learning-rate": BAD_POSITIVE,
    "--max-grad-norm": BAD_POSITIVE,
    "--ent-coef": BAD_COEF,
    "--vf-coef": BAD_COEF,
    "--optimizer": BAD_WORD,
    "--init": BAD_WORD,
    "--dtype": BAD_WORD,
    "--out": ("", "a\x00b", "n" * 300),
    "--seeds": BAD_COUNT,
}
GOOD = {
    "--trials": "100",
    "--num-envs": "2",
    "--hidden-size": "4",
    "--log-interval": "5",
    "--gamma": "0.9",
    "--gae-lambda": "1",
    "--learning-rate": "1e-3",
    "--max-grad-norm": "1",
    "--ent-coef": "0",
    "--vf-coef": "0.1",
    "--optimizer": "adam",
    "--init": "zero",
    "--dtype": "float64",
}
KWARGS = {  # bad values by parameter; where a row of the registry is not here, `bad_kwargs` derives some
    "bandit": {
        "p": ("2", "-1", "nan", "unifrom", "0.1,x", "1,2", ","),
        "pulls": ("0", "-3", "2.5", "x", "1,2", "10001", "nan"),
    },
    "corridor": {
        "left": ("0", "-1", "1001", "1.5", "x"),
        "right": ("0", "nan"),
        "episodes": ("0", "1e3", "1001"),
        "goal_reward": ("nan", "inf", "x", "1e39", "1,2"),
        "max_steps": ("0", "-1", "x", "1e9"),
    },
    "bandit-independent": {"arms": ("0", "1001", "x"), "pulls": ("0", "10001", "-1")},
    "bandit-informative": {"pulls": ("0", "x", "10001"), "targets": ("0", "1001", "2.0"), "tell": ("2", "-1", "x")},
    "tiger": {"accuracy": ("-0.1", "1.1", "nan", "x"), "horizon": ("0", "100001", "1.5")},
    "gridworld": {
        "size": ("2", "13", "x"),
        "steps": ("0", "10001"),
        "episodes": ("0", "x"),
        "step_reward": ("nan", "x"),
        "goal_reward": ("inf", "1e39"),
    },
}


KWARGS |= {
    "bandit-fixed": {"p": ("1.1", "nan", "x"), "arms": ("0", "x"), "pulls": ("0", "1,2"), "seed": ("-1", "0.5")},
    "random-mdp": {"states": ("1", "201", "x"), "actions": ("0", "1.5"), "horizon": ("0", "nan"), "episodes": ("0",)},
    "cartpole": {
        "gravity": ("0", "-1", "nan", "x", "5,5"),
        "length": ("0", "inf", "0.5,x"),
        "force": ("0", "x"),
        "masspole": ("-0.1", "1,1"),
        "max_steps": ("0", "1.5", "x"),
        "episodes": ("0", "1,2"),
    },
}

NO_NUMBER = {int: ("x", "1.5", "nan", "1,2"), float: ("x", "nan", "inf", "1,2")}  # bad whatever a builder's bounds are


def bad_kwargs(env):
    """{parameter: values that its builder must refuse}, by the type of its default where `KWARGS` knows nothing."""
    parameters = inspect.signature(ENVIRONMENTS[env].build).parameters
    derived = {name: NO_NUMBER.get(type(parameter.default), ()) for name, parameter in parameters.items()}
    return KWARGS.get(env, derived)


def misspelt(rng, word, known):
    """`word` with one letter doubled, dropped, changed or swapped, so that it is none of `known`."""
    while True:
        i = rng.integers(2, len(word))
        letter = "abcdefghijklmnopqrstuvwxyz"[rng.integers(26)]
        new = [word[:i] + word[i] + word[i:], word[:i] + word[i + 1 :], word[:i] + letter + word[i + 1 :]][
            rng.integers(3)
        ]
        if new not in known and not new.endswith("-"):
            return new


def bad_arguments(rng):
    """(main, argv with one bad word, what the message must contain: an option's, parameter's or name's own
    spelling)."""
    command = rng.integers(4)
    env = ENVS[rng.integers(len(ENVS))]
    agent = AGENTS[rng.integers(len(AGENTS))]
    if command == 0:
        return train.main, *_bad_train(rng, env, agent)
    if command == 1:
        return evaluate.main, *_bad_evaluate(rng, env)
    main, words = (baselines.main, [env]) if command == 2 else (gradcheck.main, [env, agent])
    options = (
        {"--gamma": BAD_UNIT} if command == 2 else {"--seed": BAD_SEED, "--hidden-size": (*BAD_COUNT, "257", "4096")}
    )
    if rng.random() < 0.4:
        option = list(options)[rng.integers(len(options))]
        return main, [*words, option, options[option][rng.integers(len(options[option]))]], option
    return main, *_bad_words(rng, env, agent if command == 3 else None)


def _bad_train(rng, env, agent):
    kind = rng.integers(6)
    if kind >= 4:
        return _bad_words(rng, env, agent)
    argv = [env, agent]
    if kind == 0:
        clash = [
            (["--resume", "--overwrite"], "--resume"),
            (["--seed", "1", "--seeds", "2"], "--seeds"),
            (["--workers", "2"], "--workers"),
            (["--seeds", "2", "--workers", "0"], "workers"),
            (["--seeds", "100001"], "seeds"),
            (["--hidden-size", "4096", "--num-envs", "100000"], "bytes of memory"),
        ]
        words, culprit = clash[rng.integers(len(clash))]
        return argv + words, culprit
    option = list(TRAIN)[rng.integers(len(TRAIN))]
    for other in rng.permutation([name for name in GOOD if name != option])[: rng.integers(4)]:
        argv += [str(other), GOOD[other]]
    if kind == 1 and option != "--seeds":
        return [*argv, option], option  # its value is missing
    return [*argv, option, TRAIN[option][rng.integers(len(TRAIN[option]))]], {"--out": "expected"}.get(option, option)


def _bad_words(rng, env, agent=None):
    """A bad environment, agent, option or environment parameter."""
    words = [env] + ([agent] if agent else [])
    kind = rng.integers(6)
    if kind == 0:
        env = misspelt(rng, env, ENVS)
        return [env, *words[1:]], env
    if kind == 1 and agent:
        agent = misspelt(rng, agent, AGENTS)
        return [env, agent], agent
    if kind == 2:
        option = misspelt(rng, "--env-kwargs", ["--env-kwargs"])
        return [*words, option], option
    if kind == 3:
        return ([*words, "surplus"], "surplus") if rng.random() < 0.5 else ([], "required: ENV")
    bad = bad_kwargs(env)
    if not bad:
        return [*words, "--env-kwargs", "nothing=1"], "nothing"
    key = list(bad)[rng.integers(len(bad))]
    if kind == 4 or not bad[key]:
        case = rng.integers(3)
        wrong = misspelt(rng, key + "__", bad)
        return [*words, "--env-kwargs", [f"{key}", f"{wrong}=1", f"={key}"][case]], [key, wrong, key][case]
    value = bad[key][rng.integers(len(bad[key]))]
    return [*words, "--env-kwargs", f"{key}={value}"], {"goal_reward": "reward"}.get(key, key)


def _bad_evaluate(rng, env):
    kind = rng.integers(6)
    if kind == 0:
        return [["nowhere", "", "/", "a\x00b", "n" * 300][rng.integers(5)]], "run folder"
    if kind == 1:
        return [["bayes", "greedy", "thompson"][rng.integers(3)]], "--env"
    if kind == 2:
        return ["somewhere", "--env", env], "--env"
    if kind == 3:
        env = misspelt(rng, env, ENVS)
        return ["greedy", "--env", env], env
    if kind == 4:
        return [
            "greedy",
            "--env",
            "bandit",
            "--trace",
            ["", ".", "/", "no/folder/t.npz", "a\x00b"][rng.integers(5)],
        ], "file"
    option, values = [("--rollouts", (*BAD_COUNT, str(10**10))), ("--seed", BAD_SEED)][rng.integers(2)]
    return ["greedy", "--env", "bandit", option, values[rng.integers(len(values))]], option


def command_problem(main, argv, culprit):
    """What is wrong with how a command answers bad arguments; None if it ends with 2 and one line that names the
    culprit."""
    out = io.StringIO()
    err = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.run(lambda: main(argv))
        except SystemExit as stop:
            code = stop.code
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    message = err.getvalue()
    if code != 2:
        return f"exit code {code}: {message}"
    if len(message.splitlines()) != 1 or out.getvalue():
        return f"not one line: {message!r} {out.getvalue()!r}"
    if culprit.lstrip("-").replace("-", "_") not in message.replace("-", "_"):
        return f"the message does not name {culprit}: {message}"
    if os.listdir():
        return f"something was created: {os.listdir()}"
    return None
