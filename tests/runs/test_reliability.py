"""Nothing lost, nothing let through (contract): the promises of docs/reliability.md one by one.

This is the short form of benchmarks/torture.py.
"""

import io
import itertools
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import crashes
import hostile
import numpy as np
import pytest
from support import arrays_of

import tinymeta
from tinymeta import cli, evaluate, train
from tinymeta.base.errors import InputError, NotFiniteError
from tinymeta.base.locks import FolderLock
from tinymeta.learning import evaluation, gradient_check
from tinymeta.learning.belief_agents import BELIEF_AGENTS, BeliefAgent
from tinymeta.learning.learner import DivergenceError
from tinymeta.learning.settings import Settings
from tinymeta.learning.sizes import allocate, working_bytes
from tinymeta.learning.wirings import WIRINGS, make_layout
from tinymeta.optimum import belief
from tinymeta.optimum.exact_values import YARDSTICKS, exact_values
from tinymeta.runs import npz, sweep, training
from tinymeta.runs.config import make_config
from tinymeta.runs.folder import RunFolder

RUN = crashes.RUNS["bandit-rl2"]
WORDS = ["bandit", "rl2", "--log-interval", "10", "--hidden-size", "8"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("reliability") / "run"
    training.train(path, RUN)
    return path


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of a finished run that may be hurt; without its result it is one that was interrupted at the end."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in finished.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def command(capsys, main, *argv):
    """(exit code, lines on stderr) of a command."""
    code = cli.run(lambda: main([str(word) for word in argv]))
    return code, capsys.readouterr().err.splitlines()


# ---------------------------------------------------------------- crashes


def test_killed_runs_resume_bit_by_bit(tmp_path):
    """A dozen SIGKILLs, in the computing and inside writes; benchmarks/torture.py does 200."""
    script = [sys.executable, crashes.__file__, str(tmp_path), "12", "5"]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["kills"] >= 12
    assert result["differing"] == []


def test_two_renames_apart(copy, finished):
    """A crash between the two renames of a write leaves no newest checkpoint; the previous one serves."""
    (copy / "result.json").unlink()
    (copy / "checkpoint.npz").unlink()
    assert RunFolder(copy).last_checkpoint == copy / "checkpoint.previous.npz"
    training.train(copy, RUN, resume=True)
    assert crashes.difference(copy, finished) == []


def test_a_damaged_checkpoint_is_told_and_the_previous_one_used(copy, finished, capsys):
    (copy / "result.json").unlink()
    data = (copy / "checkpoint.npz").read_bytes()
    (copy / "checkpoint.npz").write_bytes(data[:2000] + b"x" + data[2001:])
    training.train(copy, RUN, resume=True)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"tinymeta: warning: {copy / 'checkpoint.npz'} is damaged")
    assert "going on from checkpoint.previous.npz, update 100" in line
    assert crashes.difference(copy, finished) == []


def test_two_damaged_checkpoints_are_an_error_and_stay(copy, capsys):
    (copy / "result.json").unlink()
    for name in ("checkpoint.npz", "checkpoint.previous.npz"):
        (copy / name).write_bytes((copy / name).read_bytes()[:1000])
    before = {p.name: p.read_bytes() for p in copy.iterdir()}
    with pytest.raises(
        InputError, match=r"checkpoint\.npz is damaged.*previous\.npz is damaged.*no sound checkpoint is left"
    ):
        training.train(copy, RUN, resume=True)
    assert {p.name: p.read_bytes() for p in copy.iterdir()} == before


def test_a_finished_run_without_checkpoints_is_not_begun_anew(copy):
    for path in copy.glob("checkpoint*"):
        path.unlink()
    with pytest.raises(InputError, match="is finished and has no checkpoint"):
        training.train(copy, make_config("bandit", "rl2", trials=500, log_interval=10, **crashes.SHORT), resume=True)
    assert (copy / "result.json").exists()


def test_cuts_and_flipped_bits_are_detected_or_harmless(finished, tmp_path):
    """The short form of torture's 50 000."""
    run = tmp_path / "run"
    training.train(run, RUN)
    cases = list(crashes.damages((run / "checkpoint.npz").read_bytes(), np.random.default_rng(1), 60))
    outcomes = [crashes.damage_checkpoint(run, data) for _, data in cases]
    assert outcomes.count("detected") > len(cases) // 2


def test_a_checkpoint_is_plain_numpy(finished):
    """Equal runs write equal bytes, and np.load reads all of it without unpickling."""
    with np.load(finished / "checkpoint.npz", allow_pickle=False) as stored:
        names = list(stored)
        assert names[:7] == [
            "lstm.weight_ih",
            "lstm.weight_hh",
            "lstm.bias",
            "policy.weight",
            "policy.bias",
            "value.weight",
            "value.bias",
        ]
        assert {n.removeprefix("first.").removeprefix("second.") for n in names[7:21]} == set(names[:7])
        assert names[21:] == ["updates", "env_steps", "metrics_bytes", "open_interval", "config", "format", "checksum"]
        assert (int(stored["updates"]), int(stored["format"]), stored["open_interval"].shape) == (106, 2, (6, 8))
        assert json.loads(stored["config"].item()) == json.loads((finished / "config.json").read_text())


@pytest.mark.parametrize("length", [400, 423, 430, 500])
def test_more_trials_later_are_the_same_as_at_once(length, copy, tmp_path):
    """A run of 423 trials ends with a short row of metrics.csv; asked for more it is as if asked for them at once."""
    config = make_config("bandit", "rl2", trials=length, log_interval=10, **crashes.SHORT)
    if length < 423:
        with pytest.raises(InputError, match=r"trials = 400, but the run in .* has done 424; expected at least 424"):
            training.train(copy, config, resume=True)
        return
    training.train(copy, config, resume=True)
    training.train(tmp_path / "once", config)
    assert crashes.difference(copy, tmp_path / "once") == []


@pytest.mark.parametrize(
    ("name", "version"), [("tinymeta", "0.0.9"), ("numpy", "1.0"), ("numba", "0.1"), ("cpu", "abacus")]
)
def test_other_versions_do_not_go_on(name, version, copy, capsys):
    config = json.loads((copy / "config.json").read_text())
    config["versions"][name] = version
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=f"made with {name} {version}, and here is"):
        training.train(copy, RUN, resume=True)
    assert tinymeta.load(copy).layout.hidden_size == 8  # to look at it is allowed


def test_anothers_checkpoint_is_refused(copy, tmp_path):
    training.train(
        tmp_path / "other", make_config("bandit", "rl2", trials=80, log_interval=10, seed=5, **crashes.SHORT)
    )
    (copy / "checkpoint.npz").write_bytes((tmp_path / "other" / "checkpoint.npz").read_bytes())
    with pytest.raises(InputError, match=r"checkpoint\.npz was made with seed = 5, expected the run's own 0"):
        tinymeta.load(copy)


# ---------------------------------------------------------------- one writer, a full disk


def test_a_second_process_is_refused(tmp_path, capsys):
    holder = (
        "import sys, time; from tinymeta.base.locks import FolderLock\n"
        "with FolderLock(sys.argv[1]): print(1, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", holder, str(tmp_path / "run")], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        code, (line,) = command(capsys, train.main, *WORDS, "--trials", 40, "--out", tmp_path / "run")
        assert code == 2
        assert f"is in use by process {process.pid} on {os.uname().nodename}" in line
        process.kill()
    assert (tmp_path / "run" / "lock").exists()  # stale, and nobody's
    assert command(capsys, train.main, *WORDS, "--trials", 40, "--out", tmp_path / "run", "--quiet") == (0, [])
    assert not (tmp_path / "run" / "lock").exists()


def test_a_second_sweep_is_refused(tmp_path):
    with FolderLock(tmp_path), pytest.raises(InputError, match="is in use by process"):
        sweep.sweep(tmp_path, RUN, 2)


def test_every_write_may_fail(tmp_path, finished, capsys):
    """ENOSPC at one call after the other: exit 1 and one line; then the run goes on. Torture does full disks."""
    words = ["bandit", "rl2", "--trials", 40, "--log-interval", 10, "--hidden-size", 8]
    assert command(capsys, train.main, *words, "--out", tmp_path / "whole", "--quiet") == (0, [])
    for number in itertools.count(1):
        path = tmp_path / f"run-{number}"
        with crashes.FullDisk(number) as disk:
            code, lines = command(capsys, train.main, *words, "--out", path, "--quiet")
        if disk.made < number:
            break
        assert (code, len(lines)) == (1, 1)
        assert lines[0].startswith("tinymeta: training stopped: cannot write")
        assert "No space left on device" in lines[0]
        begun = RunFolder(path).exists
        code, lines = command(capsys, train.main, *words, "--out", path, "--quiet", "--resume")
        assert code == 0
        assert lines == ([] if begun else [f"tinymeta: --resume: {path} holds no run yet, beginning one"])
        assert crashes.difference(path, tmp_path / "whole") == []
    assert number > 20


def test_a_place_that_cannot_be_written_is_told_before_compiling(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "Learner", lambda *_: pytest.fail("compiled before looking"))
    (tmp_path / "file").write_text("")
    code, (line,) = command(capsys, train.main, *WORDS, "--out", tmp_path / "file" / "run")
    assert (code, "cannot write" in line, "Not a directory" in line) == (1, True, True)


def test_a_sweep_with_casualties(tmp_path, monkeypatch):
    """Seeds 3 and 11 are killed again and again, 7 diverges: the others finish, a second call does the rest."""
    config = make_config("bandit", "rl2", trials=160, log_interval=10, **crashes.SHORT)
    monkeypatch.setattr(sweep, "train", crashes.mortal)
    with pytest.raises(sweep.SweepError) as caught:
        sweep.sweep(tmp_path, config, 12, workers=2)
    assert str(caught.value) == (
        "3 of 12 seeds did not finish: seed 3: its process died 2 times; "
        "seed 7: DivergenceError: a parameter is not finite at update 1; seed 11: its process died 2 times"
    )
    assert sorted(caught.value.results) == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    monkeypatch.setattr(sweep, "train", training.train)
    assert sorted(sweep.sweep(tmp_path, config, 12, workers=2, resume=True)) == list(range(12))


# ---------------------------------------------------------------- files from strangers


def archive(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def saved(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def header(text):
    return b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + text.ljust(117).encode() + b"\n"


class Evil:
    """Unpickling it would end the process."""

    def __reduce__(self):
        return os._exit, (66,)


def forged(copy, **changes):
    """The run's checkpoint with some arrays changed (None: left out) and a checksum that fits."""
    with np.load(copy / "checkpoint.npz") as stored:
        arrays = {name: stored[name] for name in stored if name != "checksum"} | changes
    arrays = {name: array for name, array in arrays.items() if array is not None}
    return saved(**arrays, checksum=npz.checksum(arrays))


FORGERIES = {
    "pickle": (
        lambda c: saved(**{"lstm.bias": np.array([Evil()], object)}),
        "array 'lstm.bias.npy' has no .npy header of a plain array",
    ),
    "terabytes": (
        lambda c: archive(
            {"lstm.bias.npy": header("{'descr': '<f4', 'fortran_order': False, 'shape': (300000000000,), }")}
        ),
        r"holds 0 bytes, expected \(300000000000,\) of <f4",
    ),
    "bomb": (
        lambda c: archive({"lstm.bias.npy": bytes(2**26)}, zipfile.ZIP_DEFLATED),
        "it is packed, expected plain arrays",
    ),
    "structured": (lambda c: saved(**{"lstm.bias": np.zeros(3, "i4,i4")}), "has no .npy header of a plain array"),
    "expression": (
        lambda c: archive({"x.npy": header("{'descr': '<f4', 'fortran_order': False, 'shape': (9**9**9,), }")}),
        "has no .npy",
    ),
    "no zip": (lambda c: b"\x93NUMPY" * 100, "no readable .npz file"),
    "empty": (lambda c: b"", "no readable .npz file"),
    "transposed": (
        lambda c: forged(c, **{"lstm.weight_hh": np.zeros((8, 32), np.float32)}),
        r"array lstm.weight_hh has shape \(8, 32\) and dtype <f4, expected \(32, 8\)",
    ),
    "dtype": (
        lambda c: forged(c, **{"value.bias": np.zeros(1)}),
        "array value.bias has shape .* dtype <f8, expected .* of <f4",
    ),
    "missing": (lambda c: forged(c, **{"policy.bias": None}), "array 'policy.bias' is missing"),
    "extra": (lambda c: forged(c, surplus=np.zeros(3)), "array 'surplus' is unknown"),
    "nan": (
        lambda c: forged(c, **{"lstm.bias": np.full(32, np.nan, np.float32)}),
        "array lstm.bias holds a value that is not finite",
    ),
    "moment": (
        lambda c: forged(c, **{"second.value.bias": np.full(1, -1, np.float32)}),
        "array second.value.bias holds",
    ),
    "counter": (lambda c: forged(c, env_steps=np.int64(-1)), "env_steps = -1"),
    "interval": (
        lambda c: forged(c, open_interval=np.zeros((5, 8))),
        r"open_interval has shape \(5, 8\), expected \(6, 8\)",
    ),
    "config": (lambda c: forged(c, config=np.array(b"{}")), "checkpoint.npz has format None, expected 2"),
    "format": (lambda c: forged(c, format=np.int64(3)), "has format 3, expected 2; it was made by another version"),
    "checksum": (lambda c: saved(**{"lstm.bias": np.zeros(3)}), "its checksum is not that of its arrays"),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_forged_checkpoints_are_refused_by_name(case, copy):
    make, message = FORGERIES[case]
    (copy / "checkpoint.npz").write_bytes(make(copy))
    with pytest.raises(InputError, match=f"checkpoint.npz.*{message}|{message}"):
        tinymeta.load(copy)


def test_sizes_are_looked_at_before_memory_is_taken(copy):
    """A file of a terabyte (sparse), and a pipe, which would never end."""
    for name in ("checkpoint.npz", "config.json", "result.json", "metrics.csv"):
        os.truncate(copy / name, 2**40)
    folder = RunFolder(copy)
    for read in (folder.read_config, folder.read_result, folder.read_metrics, lambda: tinymeta.load(copy)):
        with pytest.raises(InputError, match="has 1099511627776 bytes, expected at most"):
            read()
    (copy / "config.json").unlink()
    os.mkfifo(copy / "config.json")
    with pytest.raises(InputError, match=r"config\.json is no regular file"):
        folder.read_config()


JSONS = {
    "config.json": (
        ("hidden_size", 8.5, "hidden_size = 8.5"),
        ("hidden_size", 10**9, "hidden_size = 1000000000"),
        ("gamma", "x", "gamma = 'x'"),
        ("env", "bandti", "did you mean 'bandit'"),
        ("env", 3, "unknown environment 3"),
        ("seed", None, "seed = None"),
        ("env_kwargs", [], r"env_kwargs = \[\]"),
        ("env_kwargs", {"pull": 1}, "unknown keyword .* 'pull'"),
        ("env_kwargs", {"p": {}}, "p = {}"),
        ("versions", {"numpy": 2}, "versions.*= 2"),
        ("log_interval", 0, "log_interval = 0"),
        ("surplus", 1, "setting 'surplus' is unknown"),
        ("agent", ..., "setting 'agent' is missing"),
        ("trials", 1e3, "trials"),
    ),
    "result.json": (
        ("updates", -1, "updates = -1"),
        ("env", 4, "env = 4"),
        ("train_seconds", "1", "train_seconds = '1'"),
        ("evaluation", {}, "evaluation.reward_per_trial = None"),
        ("evaluation", ..., "evaluation = None"),
    ),
    "timing.json": (("train_seconds", -1, "train_seconds = -1"), ("compile_seconds", None, "compile_seconds = None")),
}
NO_JSON = (b"", b"{", b"[]", b"3", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"a": ' * 50_000, b"1" * 5000)


@pytest.mark.parametrize("name", JSONS)
def test_json_files_are_checked(name, copy):
    folder = RunFolder(copy)
    text = (copy / name).read_text()
    read = {
        "config.json": lambda: tinymeta.load(copy),
        "result.json": folder.read_result,
        "timing.json": folder.read_timing,
    }[name]
    for key, value, message in JSONS[name]:
        content = {k: v for k, v in (json.loads(text) | {key: value}).items() if v is not ...}
        (copy / name).write_text(json.dumps(content))
        with pytest.raises(InputError, match=message) as caught:
            read()
        assert "\n" not in str(caught.value)
    for content in NO_JSON:
        (copy / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            read()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3", "3 columns"),
        ("x" + ",1" * 9, "update = 'x'"),
        ("1" + ",nan" * 9, "trials = 'nan'"),
        ("\x00" * 500, "1 columns"),
    ],
)
def test_metrics_are_checked(line, message, copy):
    with open(copy / "metrics.csv", "a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=rf"metrics\.csv, line 13: {message}"):
        RunFolder(copy).read_metrics()


# ---------------------------------------------------------------- hostile input


def test_bad_task_sets_are_refused():
    rng = np.random.default_rng(0)
    cases = [hostile.bad_task_set(rng) for _ in range(1500)]
    assert [problem for case in cases if (problem := hostile.task_set_problem(*case))] == []


def test_bad_command_lines_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    cases = [hostile.bad_arguments(rng) for _ in range(1500)]
    assert [(case[1], problem) for case in cases if (problem := hostile.command_problem(*case))] == []


TASKS = tinymeta.make("bandit")
CALLS = {
    "learn tasks": (lambda: tinymeta.learn("bandit"), "tasks = 'bandit', expected a TaskSet"),
    "learn setting": (lambda: tinymeta.learn(TASKS, gama=1), "unknown setting 'gama'.*did you mean 'gamma'"),
    "learn agent": (lambda: tinymeta.learn(TASKS, "rl3"), "unknown agent 'rl3'"),
    "exact_values": (lambda: exact_values(3, 0.9), "tasks = 3"),
    "exact_values gamma": (lambda: exact_values(TASKS, float("nan")), "gamma = nan"),
    "exact_values which": (lambda: exact_values(TASKS, 0.9, which=("best",)), "unknown yardstick 'best'"),
    "make": (lambda: tinymeta.make(None), "unknown environment None"),
    "load": (lambda: tinymeta.load(3), "run folder = 3, expected a path"),
    "Settings": (lambda: Settings(trials=10**5000), "trials = a very large int, expected"),
    "Settings array": (lambda: Settings(gamma=np.array([0.5])), "gamma = array"),
    "Belief": (lambda: tinymeta.Belief(None), "tasks = None"),
    "belief_along": (
        lambda: belief.belief_along(TASKS, [[0]], [[5]], [[1.0]], [[True]], [True]),
        r"action\[0, 0\] = 5",
    ),
    "belief_along shape": (
        lambda: belief.belief_along(TASKS, [[0]], [[1, 1]], [[1.0]], [[True]], [True]),
        "observation has dtype",
    ),
    "Agent": (lambda: tinymeta.Agent(TASKS, "rl2", np.zeros(3), 4), "theta = .* expected an array of shape"),
    "play": (lambda: BeliefAgent(TASKS, "greedy", 0.9).play(5, step_limit=0), "step_limit = 0"),
    "env_kwargs": (lambda: make_config("bandit", "rl2", {"p": object()}), "p = <object"),
    "gradcheck": (lambda: gradient_check.check(TASKS, "rl2", hidden_size=10**6), "hidden_size = 1000000"),
    "gradcheck seed": (lambda: gradient_check.check(TASKS, "rl2", seed=-1), "seed = -1"),
}


@pytest.mark.parametrize("case", CALLS)
def test_python_calls_are_refused_by_name(case):
    call, message = CALLS[case]
    with pytest.raises(InputError, match=message):
        call()


def test_numpy_numbers_are_settings(tmp_path):
    """What NumPy computes may be a setting, and config.json can hold it."""
    config = make_config("bandit", "rl2", {"p": np.array([0.25, 1])}, trials=np.int64(8), gamma=np.float32(0.5))
    training.train(tmp_path / "run", config)
    assert RunFolder(tmp_path / "run").read_config() == config
    assert config.env_kwargs == {"p": [0.25, 1.0]}


@pytest.mark.parametrize(
    ("main", "argv"),
    [
        (train.main, ["bandit", "rl2", "--num-envs", 100_000, "--hidden-size", 4096]),
        (train.main, ["tiger", "rl2", "--num-envs", 100_000, "--env-kwargs", "horizon=100000"]),
        (train.main, ["gridworld", "rl2", "--env-kwargs", "steps=10000", "episodes=10000"]),
        (evaluate.main, ["greedy", "--env", "bandit", "--rollouts", 10**9, "--env-kwargs", "pulls=1000"]),
        (evaluate.main, ["greedy", "--env", "bandit", "--rollouts", 10**9, "--trace", "t.npz"]),
    ],
)
def test_what_does_not_fit_into_memory_is_refused(main, argv, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, (line,) = command(capsys, main, *argv)
    assert code == 2
    assert "bytes of memory, expected at most" in line
    assert os.listdir() == []


def test_the_memory_estimate_covers_what_is_allocated():
    layout = make_layout(TASKS, "rl2", 48)
    rows, act = allocate(layout, 16, 50, np.float32)
    real = sum(array.nbytes for array in arrays_of((rows, act)))
    assert real <= working_bytes(layout, 16, 50, 4) <= 1.5 * real


# ---------------------------------------------------------------- numerics


@pytest.mark.parametrize(
    "setting", [("learning_rate", "1e38"), ("env-kwargs", "goal_reward=1e38"), ("vf-coef", "1e300")]
)
def test_divergence_is_a_clean_stop(setting, tmp_path, capsys):
    name, value = setting
    argv = [
        "corridor",
        "rl2",
        "--trials",
        400,
        "--hidden-size",
        4,
        f"--{name.replace('_', '-')}",
        value,
        "--out",
        tmp_path / "run",
    ]
    code, (line,) = command(capsys, train.main, *argv, "--quiet")
    assert code == 1
    assert line.startswith("tinymeta: training stopped: ")
    assert "is not finite at update" in line
    assert "there is no checkpoint yet" in line


def test_divergence_names_the_last_good_checkpoint(copy, capsys, monkeypatch):
    def diverging(self, updates):
        raise DivergenceError(self.updates_done + 1, "the loss")

    monkeypatch.setattr(training.Learner, "advance", diverging)
    code, (line,) = command(capsys, train.main, *WORDS, "--trials", 800, "--out", copy, "--resume", "--quiet")
    assert code == 1
    assert f"at update 107; the last good checkpoint is {copy / 'checkpoint.npz'}" in line


def test_weights_that_overflow_do_not_act():
    agent = tinymeta.learn(TASKS, trials=4, hidden_size=2)
    huge = {name: np.full_like(array, 3e38) for name, array in agent.parameters.items()}
    agent = tinymeta.Agent.from_parameters(TASKS, "rl2", huge)
    with pytest.raises(NotFiniteError, match="a logit or value of agent 'rl2' is not finite"):
        agent.act(0)
    with pytest.raises(NotFiniteError, match="is not finite"):
        agent.play(3)


def test_saturated_policies_are_certain():
    """Probabilities of exactly 0 and 1: sampling, entropy and exact log 0 of the belief agents stay finite."""
    agent = tinymeta.learn(TASKS, trials=4, hidden_size=2)
    large = {name: np.sign(array + 1e-9) * np.float32(1e10) for name, array in agent.parameters.items()}
    agent = tinymeta.Agent.from_parameters(TASKS, "rl2", large)
    _, info = agent.act(0)
    assert sorted(info["probabilities"]) == [0, 1]
    assert np.isfinite(agent.play(20).reward).all()


def smallest(M, S, A, O, K, T):  # noqa: E741
    reward = np.zeros((M, S, A, S))
    reward[..., 0] = 1
    return tinymeta.TaskSet(
        np.full((M, S, A, S), 1 / S),
        reward,
        np.full((M, S, O), 1 / O),
        np.eye(S)[:1].repeat(M, 0),
        np.zeros((M, S), bool),
        episodes=K,
        episode_length=T,
        name="smallest",
    )


@pytest.mark.parametrize(
    "sizes", [(1, 1, 1, 1, 1, 1), (2, 1, 1, 1, 1, 1), (1, 2, 1, 1, 2, 1), (1, 1, 2, 1, 1, 2), (2, 2, 2, 2, 1, 1)]
)
def test_the_smallest_of_everything_works(sizes):
    """One task, state, action, observation, episode, step, unit, trial: training, tests, yardsticks, gradients."""
    tasks = smallest(*sizes)
    assert exact_values(tasks, 0.9, which=YARDSTICKS)["bayes_optimal"]["reward_per_trial"] > 0
    for name in BELIEF_AGENTS:
        evaluation.evaluate(BeliefAgent(tasks, name, 0.9), 0.9, rollouts=2)
    for agent in WIRINGS:
        trained = tinymeta.learn(tasks, agent, trials=3, num_envs=1, hidden_size=1)
        assert evaluation.evaluate(trained, 0.9, rollouts=1)["reward_per_trial"]["sem"] is None
        assert evaluation.trace(trained, 2)["valid"].any()
        assert (
            max(entry.relative_error for entry in gradient_check.check(tasks, agent, 1).values())
            <= gradient_check.TOLERANCE
        )


def test_there_are_no_trials_without_steps():
    with pytest.raises(InputError, match=r"initial\[0, 0\] = 1, expected 0: state 0 of task 0 is terminal"):
        tinymeta.TaskSet(np.ones((1, 1, 1, 1)), np.zeros((1, 1, 1, 1)), np.ones((1, 1, 1)), [[1]], [[True]])


def test_every_promise_names_a_test_that_exists():
    """docs/reliability.md puts a command beside each promise; those that are tests are here."""
    tests = Path(__file__).parent.parent
    text = (tests.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    sources = "".join(path.read_text(encoding="utf-8") for path in tests.rglob("test_*.py"))
    assert named
    assert {name for name in named if f"def {name}(" not in sources} == set()
