"""TensorBoard's event files (oracle and contract): read by TensorBoard's own rules, they hold metrics.csv's rows."""

import itertools
import struct
import sys

import numpy as np
import pytest
from tensorboardX.crc32c import crc32c
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import RecordWriter

from tinymeta import cli
from tinymeta import train as train_command
from tinymeta.runs import event_log
from tinymeta.runs.config import make_config
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.interrupts import Paused
from tinymeta.runs.metrics import METRICS
from tinymeta.runs.sweep import sweep
from tinymeta.runs.training import train

CONFIG = make_config("bandit", "rl2", seed=1000, trials=430, num_envs=4, log_interval=10, hidden_size=4)


def masked(data):
    """The checksum of a TFRecord: CRC-32C, rotated right by 15 bits, plus a constant."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def events(run):
    """The events of a run's only event file: records of length, its checksum, data, its checksum."""
    (path,) = (run / "tensorboard").iterdir()
    data = path.read_bytes()
    found = []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        assert struct.unpack("<I", data[8:12])[0] == masked(data[:8])
        record = data[12 : 12 + length]
        assert struct.unpack("<I", data[12 + length : 16 + length])[0] == masked(record)
        found.append(Event.FromString(record))
        data = data[16 + length :]
    return found


def assert_rows(run):
    """The file is metrics.csv: every row, in order, float32, at its environment step; times do not go back."""
    version, start, *rows = events(run)
    assert version.file_version == "brain.Event:2"
    assert start.session_log.status == SessionLog.START
    columns = RunFolder(run).read_metrics()
    assert [row.step for row in rows] == columns["env_steps"].tolist()
    for i, row in enumerate(rows):
        values = {value.tag: value.simple_value for value in row.summary.value}
        assert values == {f"train/{n}": np.float32(columns[n][i]) for n in METRICS if n != "env_steps"}
    times = [row.wall_time for row in rows]
    assert times == sorted(times)


def test_events_are_the_rows_of_metrics(tmp_path):
    """The short last row included; and nothing else of the run depends on it."""
    train(tmp_path / "run", CONFIG, tensorboard=True)
    train(tmp_path / "without", CONFIG)
    assert_rows(tmp_path / "run")
    assert len(events(tmp_path / "run")) == 2 + 11
    for name in ("metrics.csv", "checkpoint.npz", "config.json"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()
    assert not (tmp_path / "without" / "tensorboard").exists()


def pause_after(pieces):
    count = itertools.count(1)
    return lambda: next(count) >= pieces


@pytest.mark.parametrize("before", [True, False])
def test_a_run_that_goes_on_has_all_its_rows(before, tmp_path):
    """Whether there were events before or not: rows that were dropped are not in the file, and none is there twice."""
    with pytest.raises(Paused):
        train(tmp_path, CONFIG, tensorboard=before, pause=pause_after(5))
    with open(tmp_path / "metrics.csv", "a") as file:
        file.write(",".join(["400"] * len(METRICS)) + "\n")  # a row after the checkpoint
    train(tmp_path, CONFIG, resume=True, tensorboard=True)
    assert_rows(tmp_path)


def test_a_finished_run_gets_its_events_and_an_overwritten_one_loses_them(tmp_path):
    result = train(tmp_path, CONFIG)
    assert train(tmp_path, CONFIG, resume=True, tensorboard=True) == result
    assert_rows(tmp_path)
    first, *_, last = events(tmp_path)[2:]
    steps = RunFolder(tmp_path).read_metrics()["env_steps"]
    span = result["train_seconds"] * (1 - steps[0] / steps[-1])
    assert last.wall_time - first.wall_time == pytest.approx(span, rel=1e-3)
    train(tmp_path, CONFIG, overwrite=True)
    assert list((tmp_path / "tensorboard").iterdir()) == []


def test_the_command_and_sweeps_write_them(tmp_path):
    words = ["bandit", "rl2", "--trials", "60", "--hidden-size", "3", "--quiet", "--tensorboard"]
    assert train_command.main([*words, "--out", str(tmp_path / "one")]) == 0
    assert_rows(tmp_path / "one")
    assert train_command.main([*words, "--seeds", "2", "--workers", "1", "--out", str(tmp_path / "two")]) == 0
    assert_rows(tmp_path / "two" / "seed-0")
    assert_rows(tmp_path / "two" / "seed-1")


def test_a_cluster_brings_them(tmp_path, monkeypatch):
    monkeypatch.setattr("tinymeta.runs.cluster.FIRST_SLICE", 0.0)
    train(tmp_path / "seed-1001", make_config("bandit", "rl2", seed=1001, trials=430, num_envs=4, log_interval=10,
                                              hidden_size=4))  # fmt: skip
    sweep(tmp_path, CONFIG, 2, 1, resume=True, tensorboard=True, cluster="local")
    assert_rows(tmp_path / "seed-1000")
    assert_rows(tmp_path / "seed-1001")  # which was finished before


def test_without_tensorboardx_one_line_says_how_to_get_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX.proto.event_pb2", None)
    for extra in ([], ["--seeds", "2"], ["--seeds", "2", "--cluster", "local"]):
        words = ["bandit", "rl2", "--tensorboard", "--out", str(tmp_path / "run"), *extra]
        assert cli.run(lambda words=words: train_command.main(words)) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "--tensorboard needs tensorboardX" in line
        assert line.endswith("python -m pip install 'tinymeta[tensorboard]'")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_stops_the_run_and_it_goes_on(tmp_path, capsys, monkeypatch):
    """No thread that fails unheard: the write's own error is one line, and the run can go on."""

    class Full:
        def __init__(self, path, mode):
            self.path = path

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

        def write(self, data):
            if rows.pop():
                raise OSError(28, "No space left on device", str(self.path))

    rows = [True, False, False, False, False]
    words = ["bandit", "rl2", "--trials", "1000", "--hidden-size", "3", "--quiet", "--out", str(tmp_path / "run")]
    with monkeypatch.context() as patch:
        patch.setattr(event_log, "open", Full, raising=False)
        assert cli.run(lambda: train_command.main([*words, "--tensorboard"])) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "training stopped: cannot write" in line
    assert "No space left on device" in line
    assert rows == []
    assert cli.run(lambda: train_command.main([*words, "--resume", "--tensorboard"])) == 0
    assert_rows(tmp_path / "run")


def test_records_are_those_of_tensorboardx(tmp_path):
    train(tmp_path / "run", CONFIG, tensorboard=True)
    writer = RecordWriter(str(tmp_path / "theirs"))
    for event in events(tmp_path / "run"):
        writer.write(event.SerializeToString())
    writer.close()
    (ours,) = (tmp_path / "run" / "tensorboard").iterdir()
    assert ours.read_bytes() == (tmp_path / "theirs").read_bytes()
