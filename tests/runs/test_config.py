"""config.json (contract): read back as written, also without settings that are newer than it."""

import json

import numpy as np
import pytest

import tinymeta
from tinymeta import cli, evaluate
from tinymeta.base.errors import InputError
from tinymeta.environments.registry import ENVIRONMENTS
from tinymeta.runs import checkpoint, training
from tinymeta.runs.config import REQUIRED, Config, make_config, parse_config
from tinymeta.runs.folder import RunFolder

CONFIG = make_config("corridor", "rl2", {"left": 2, "right": 3}, trials=40, num_envs=2, log_interval=5)
NEWER = ("gae_lambda", "optimizer", "hidden_size", "init", "dtype", "checkpoint_interval", "snapshots", "test_trials")


def without(text, *names):
    """The text of a config.json without some of its settings."""
    return json.dumps({name: value for name, value in json.loads(text).items() if name not in names}).encode()


@pytest.fixture
def run(tmp_path):
    training.train(tmp_path / "run", CONFIG)
    return tmp_path / "run"


def drop_from_both(run, *names):
    """Make a run as an older version would have left it: without settings in config.json and in checkpoint.npz."""
    folder = RunFolder(run)
    layout = tinymeta.load(run).layout
    for path in (folder.checkpoint_path, folder.previous_path):
        if path.exists():
            state, _ = folder.read_checkpoint(path, CONFIG, layout)
            path.write_bytes(checkpoint.write(state._replace(config=without(state.config, *names)), layout))
    folder.config_path.write_bytes(without(folder.config_path.read_bytes(), *names))


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_round_trip(env, tmp_path):
    folder = RunFolder(tmp_path / "run")
    config = make_config(env, "rl2", seed=5, gamma=0.5, snapshots=3)
    folder.create(config)
    assert folder.read_config() == config


def test_kwargs_round_trip(tmp_path):
    folder = RunFolder(tmp_path / "run")
    config = make_config("bandit", "rl1", {"p": np.array([0.1, 0.9])})
    folder.create(config)
    assert folder.read_config() == config
    assert config.env_kwargs == {"p": [0.1, 0.9]}


@pytest.mark.parametrize("name", NEWER)
def test_a_missing_newer_setting_has_its_default(name):
    config = make_config("corridor", "rl2", trials=40)
    assert parse_config(json.loads(without(config.to_json(), name)), "config.json") == config


def test_runs_without_newer_settings_are_loaded_evaluated_and_resumed(run, tmp_path, capsys):
    before = tinymeta.load(run).theta
    drop_from_both(run, *NEWER)
    np.testing.assert_array_equal(tinymeta.load(run).theta, before)
    assert cli.run(lambda: evaluate.main([str(run), "--json", "--rollouts", "5"])) == 0
    assert json.loads(capsys.readouterr().out)["env"] == "corridor"
    longer = make_config("corridor", "rl2", {"left": 2, "right": 3}, trials=80, num_envs=2, log_interval=5)
    training.train(run, longer, resume=True)
    training.train(tmp_path / "once", longer)
    for name in ("config.json", "metrics.csv", "checkpoint.npz"):
        assert (run / name).read_bytes() == (tmp_path / "once" / name).read_bytes()


def test_a_missing_setting_is_not_the_one_asked_for(run):
    """What was the default then is what the run was made with; another value now is refused."""
    drop_from_both(run, "gae_lambda")
    longer = make_config("corridor", "rl2", CONFIG.env_kwargs, trials=80, num_envs=2, log_interval=5, gae_lambda=0.5)
    with pytest.raises(InputError, match=r"made with gae_lambda = 1\.0, and --resume was asked to go on with 0\.5"):
        training.train(run, longer, resume=True)


@pytest.mark.parametrize("name", REQUIRED)
def test_without_required_settings_a_run_is_not_known(name):
    with pytest.raises(InputError, match=f"^config.json: setting '{name}' is missing$"):
        parse_config(json.loads(without(CONFIG.to_json(), name)), "config.json")


def test_unknown_settings_are_refused(run):
    (run / "config.json").write_text(json.dumps(json.loads(CONFIG.to_json()) | {"final_gamma": 1}))
    with pytest.raises(InputError, match="setting 'final_gamma' is unknown"):
        tinymeta.load(run)


def test_every_setting_has_a_default_or_is_required():
    """A setting added without thought of older runs fails here."""
    least = {name: value for name, value in json.loads(CONFIG.to_json()).items() if name in (*REQUIRED, "format")}
    assert isinstance(parse_config(least, "config.json"), Config)


def test_a_finished_run_is_tested_as_often_as_asked(tmp_path):
    config = make_config("corridor", "rl2", {"left": 2, "right": 3}, trials=4, num_envs=2, test_trials=7)
    assert training.train(tmp_path / "run", config)["evaluation"]["rollouts"] == 7


def test_snapshots_are_evenly_spaced():
    config = make_config("bandit", "rl2", trials=40, num_envs=1, snapshots=4)
    assert config.snapshot_updates == [10, 20, 30, 40]
    assert make_config("bandit", "rl2", trials=3, num_envs=1, snapshots=4).snapshot_updates == [1, 2, 3]
    assert make_config("bandit", "rl2").snapshot_updates == []
