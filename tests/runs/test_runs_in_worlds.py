"""Runs in worlds without a table (contract): they resume bit by bit, and what fails in them is told in one line."""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

import crashes
import numpy as np
import pytest

import tinymeta
from tinymeta import cli, evaluate, plot, train
from tinymeta.runs.config import make_config
from tinymeta.runs.training import train as train_run

LEARNING = {
    "num_envs": 8,
    "hidden_size": 6,
    "n_epochs": 2,
    "num_minibatches": 4,
    "norm_obs": True,
    "norm_reward": True,
    "log_interval": 2,
}
WORLDS = {
    "cartpole": {"gravity": 9.8, "max_steps": 40, "episodes": 2},
    "gym:CartPole-v1": {"max_steps": 40, "episodes": 2},
    "lunarlander": {"wind": (0, 15), "max_steps": 40},
}


def arrays(path):
    with np.load(path / "checkpoint.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files if name not in ("config", "checksum")}


@pytest.mark.parametrize("env", WORLDS)
def test_a_run_in_two_parts_has_the_bits_of_one(env, tmp_path):
    """Weights, moments, what numbers are scaled by and PPO's count of steps; the rows of metrics.csv, too."""
    learning = LEARNING | ({"encoder": (), "separate_value": False} if env == "lunarlander" else {})
    learning |= {"final_learning_rate": None, "final_ent_coef": None}  # annealed runs cannot be prolonged
    whole = make_config(env, "rl2", WORLDS[env], trials=64, **learning)
    part = make_config(env, "rl2", WORLDS[env], trials=24, **learning)
    train_run(tmp_path / "whole", whole)
    train_run(tmp_path / "parts", part)
    train_run(tmp_path / "parts", whole, resume=True)
    one, two = arrays(tmp_path / "whole"), arrays(tmp_path / "parts")
    assert one.keys() == two.keys() >= {"ppo.taken", "scaling.mean", "lstm.weight_hh"}
    for name in one:
        assert one[name].tobytes() == two[name].tobytes(), name
    assert (tmp_path / "whole" / "metrics.csv").read_bytes() == (tmp_path / "parts" / "metrics.csv").read_bytes()


def command(main, *words):
    return cli.run(lambda: main([str(word) for word in words]))


def test_every_command_takes_a_gymnasium_environment(tmp_path, capsys):
    run = tmp_path / "run"
    small = ["--trials", "32", "--num-envs", "8", "--hidden-size", "4", "--quiet", "--out", run]
    assert command(train.main, "gym:CartPole-v1", "plain", *small, "--env-kwargs", "max_steps=30") == 0
    trace = tmp_path / "t.npz"
    assert command(evaluate.main, run, "--rollouts", "5", "--json", "--trace", trace) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["bayes_optimal"]["reward_per_trial"] is None
    assert "no table" in result["bayes_optimal"]["reason"]
    with np.load(trace) as stored:
        assert stored["features"].shape == (*stored["action"].shape, 4)
        assert "belief" not in stored.files
        network = tinymeta.load(run)
        network.reset()
        _, first = network.act(stored["features"][0, 0])
        np.testing.assert_allclose(first["logits"], stored["logits"][0, 0], rtol=1e-5)
    assert command(plot.main, run, "--out", tmp_path / "curve.png") == 0


FAULTY = """
import gymnasium
import crashes
import numpy as np
from tinymeta.environments.gymnasium_world import gym

class Faulty(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)
    steps = 0

    def __init__(self, fault):
        self.fault = fault

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.steps += 1
        if self.steps > 200 and self.fault == "raises":
            raise RuntimeError("the motor\\nburned")
        number = np.nan if self.steps > 200 else 0.5
        return np.full(2, number, np.float32), 1.0, self.steps % 5 == 0, False, {}

gymnasium.register("Faulty-v0", Faulty, max_episode_steps=50)

def faulty(fault="raises"):
    return gym("Faulty-v0", fault=fault)

faulty.defaults = {"num_envs": 4, "hidden_size": 4}
"""


FAULTS = {"raises": "step raised RuntimeError: the motor burned", "numbers": "[nan, nan]"}


@pytest.mark.parametrize(("fault", "told"), FAULTS.items())
def test_an_environment_that_fails_leaves_the_checkpoint(fault, told, tmp_path, monkeypatch, capsys):
    from tinymeta.environments import own, registry

    monkeypatch.setenv(own.VARIABLE, "")
    file = tmp_path / "faulty.py"
    file.write_text(FAULTY)
    run = tmp_path / "run"
    given = ["faulty", "rl2", "--env-module", f"{file}:faulty", "--env-kwargs", f"fault={fault}"]
    words = [*given, "--log-interval", "1", "--quiet", "--out", run]
    try:
        assert command(train.main, *words, "--trials", "16") == 0
        assert command(train.main, *words, "--trials", "4000", "--resume") == cli.FAILED
        error = capsys.readouterr().err
        assert told in error
        assert error.count("\n") == 1
        assert "the last good checkpoint is" in error
        tinymeta.load(run)
    finally:
        registry.ENVIRONMENTS.pop("faulty", None)


def test_a_run_in_worker_processes_survives_sigkill(tmp_path):
    """Killed at some moment after its first checkpoint: its workers end by themselves, and resumed it has the bits of a
    run that nobody disturbed.
    """
    words = ["gym:CartPole-v1", "rl2", "--trials", "600", "--num-envs", "4", "--hidden-size", "6", "--n-epochs", "2",
             "--num-minibatches", "2", "--norm-obs", "--log-interval", "1", "--quiet",
             "--env-kwargs", "max_steps=40", "episodes=2", "--out"]  # fmt: skip
    assert command(train.main, *words, tmp_path / "whole") == 0
    killed = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-m", "tinymeta.train", *words, str(killed)])
    try:
        while not (killed / "checkpoint.npz").exists():
            assert process.poll() is None
            time.sleep(0.01)
        workers = children(process.pid)
        assert workers
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert command(train.main, *words, killed, "--resume") == 0
    assert crashes.difference(killed, tmp_path / "whole") == []


def children(process):
    """Numbers of the living processes that a process has begun."""
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if parent(path) == process]


def parent(stat):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return int(stat.read_text().rpartition(")")[2].split()[1])
    return None
