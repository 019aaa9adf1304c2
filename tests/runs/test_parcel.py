"""Run folders sent as bytes (contract): only a run's files, in an order that survives a crash."""

import pytest

from tinymeta.base.errors import InputError
from tinymeta.base.files import WriteError
from tinymeta.runs import parcel
from tinymeta.runs.config import make_config
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.interrupts import Paused
from tinymeta.runs.parcel import pack, unpack, without_snapshots
from tinymeta.runs.training import train

CONFIG = make_config("bandit", "rl2", seed=1000, trials=400, hidden_size=4, num_envs=4, log_interval=10, snapshots=2)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("parcel") / "run"
    train(path, CONFIG)
    return RunFolder(path)


def test_a_parcel_is_the_run(finished, tmp_path):
    sent = pack(finished)
    assert sorted(sent) == ["checkpoint.npz", "config.json", "metrics.csv", "result.json",
                            "snapshots/update-100.npz", "snapshots/update-50.npz", "timing.json"]  # fmt: skip
    assert sorted(without_snapshots(sent)) == [
        "checkpoint.npz",
        "config.json",
        "metrics.csv",
        "result.json",
        "timing.json",
    ]
    unpack(sent, RunFolder(tmp_path / "copy"))
    assert pack(RunFolder(tmp_path / "copy")) == sent


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "lock", "snapshots/../x.npz", "snapshots/update-1.npz/..", ""])
def test_other_names_are_refused(name, finished, tmp_path):
    with pytest.raises(InputError, match="expected files of a run"):
        unpack({**pack(finished), name: b""}, RunFolder(tmp_path / "copy"))
    assert list(tmp_path.iterdir()) == []


def test_an_older_result_goes_when_the_run_goes_on(finished, tmp_path):
    folder = RunFolder(tmp_path)
    unpack(pack(finished), folder)
    unpack({name: data for name, data in pack(finished).items() if name != "result.json"}, folder)
    assert not folder.finished
    assert folder.previous_path.read_bytes() == folder.checkpoint_path.read_bytes()


@pytest.mark.parametrize("number", range(1, 8))
def test_a_crash_between_two_files_leaves_a_run_that_goes_on(number, finished, tmp_path, monkeypatch):
    """The run is half done here when the rest comes, and the disk is full at one file after the other."""
    pieces = iter([False, True])
    with pytest.raises(Paused):
        train(tmp_path, CONFIG, pause=lambda: next(pieces))
    real = parcel.write_whole
    made = []

    def failing(path, *arguments):
        made.append(path)
        if len(made) == number:
            raise WriteError(28, "No space left on device", str(path))
        real(path, *arguments)

    monkeypatch.setattr(parcel, "write_whole", failing)
    with pytest.raises(WriteError):
        unpack(pack(finished), RunFolder(tmp_path))
    assert not RunFolder(tmp_path).finished
    train(tmp_path, CONFIG, resume=True)
    for name in ("metrics.csv", "checkpoint.npz", "config.json"):
        assert (tmp_path / name).read_bytes() == (finished.path / name).read_bytes(), name
