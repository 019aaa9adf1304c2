"""Sweeps on a Dask cluster (contract): the bits of local runs, whatever dies, with no folder shared.

Slices are cut short here, so that every run is many of them.
"""

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import crashes
import dask
import distributed
import pytest

from tinymeta import cli
from tinymeta import train as train_command
from tinymeta.base.errors import InputError
from tinymeta.runs import cluster
from tinymeta.runs.config import make_config
from tinymeta.runs.folder import RunFolder
from tinymeta.runs.parcel import pack, unpack
from tinymeta.runs.sweep import SweepError, sweep
from tinymeta.runs.training import train

FIRST = 1000
LONG = make_config("corridor", "rl2", {"left": 2, "right": 3}, seed=FIRST, trials=3000, hidden_size=16, snapshots=3)
SHORT = make_config("bandit", "rl2", seed=FIRST, trials=200, hidden_size=4)


@pytest.fixture(scope="module")
def workers():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as local:
        yield local


@pytest.fixture(autouse=True)
def short_slices(monkeypatch):
    """A slice is one look at the clock long, 200 trials."""
    monkeypatch.setattr(cluster, "FIRST_SLICE", 0.0)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The same seeds, each trained alone and here."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for seed in range(FIRST, FIRST + 3):
        train(folder / f"seed-{seed}", with_seed(LONG, seed))
    return folder


@pytest.fixture
def slices(monkeypatch):
    """The names of the runs whose slices came in, as they come."""
    came = []
    real = cluster._Run.keep

    def keep(run, *arguments):
        real(run, *arguments)
        came.append(run.folder.path.name)

    monkeypatch.setattr(cluster._Run, "keep", keep)
    return came


def with_seed(config, seed):
    return dataclasses.replace(config, settings=dataclasses.replace(config.settings, seed=seed))


def contents(run):
    """What two equal runs must agree on, snapshots included."""
    files = pack(RunFolder(run))
    del files["timing.json"]
    result = json.loads(files.pop("result.json"))
    return files | {"result.json": {name: value for name, value in result.items() if not name.endswith("_seconds")}}


def assert_same(folder, undisturbed):
    for run in undisturbed.iterdir():
        here, there = contents(folder / run.name), contents(run)
        assert here.keys() == there.keys()
        assert [name for name in here if here[name] != there[name]] == []
        assert sum(name.startswith("snapshots/") for name in here) == 3


def test_a_run_on_the_cluster_has_the_bits_of_a_local_one(workers, slices, undisturbed, tmp_path):
    """Metrics, checkpoint, config, snapshots and result, though each was trained in several slices."""
    results = sweep(tmp_path, LONG, 3, cluster=workers.scheduler_address)
    assert list(results) == [FIRST, FIRST + 1, FIRST + 2]
    assert_same(tmp_path, undisturbed)
    assert [slices.count(f"seed-{seed}") for seed in results] == [15, 15, 15]
    assert not list(tmp_path.glob("**/lock"))


@pytest.mark.timeout(600)
def test_a_worker_that_is_killed_is_replaced(workers, tmp_path, monkeypatch):
    """SIGKILL to a worker in the middle of a slice: the sweep has the same bits, and as many workers as before.

    Slices are much longer than it takes to keep what came of one, so that at its end the other worker is busy.
    """
    monkeypatch.setattr(cluster, "FIRST_SLICE", 0.5)
    longer = dataclasses.replace(LONG, settings=dataclasses.replace(LONG.settings, trials=60_000))
    killed = []
    real = cluster._Run.keep

    with distributed.Client(workers) as client:
        before = client.run(os.getpid)

        def keep(run, *arguments):
            busy = [] if killed else [address for address, tasks in client.processing().items() if tasks]
            if busy:
                killed.append(before[busy[0]])
                os.kill(killed[0], signal.SIGKILL)
            real(run, *arguments)

        monkeypatch.setattr(cluster._Run, "keep", keep)
        assert len(sweep(tmp_path / "disturbed", longer, 3, cluster=workers.scheduler_address)) == 3
        client.wait_for_workers(2, timeout=300)  # at once where cores are idle
        after = client.run(os.getpid)
    assert len(killed) == 1
    sweep(tmp_path / "undisturbed", longer, 3, workers=1)
    assert_same(tmp_path / "disturbed", tmp_path / "undisturbed")
    assert len(after) == 2
    assert killed[0] not in after.values()


def test_no_folder_is_shared(workers, tmp_path, monkeypatch):
    """Workers stand elsewhere, where our relative path would lead to another place: nothing is left there."""
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with distributed.Client(workers) as client:
        stood = next(iter(client.run(os.getcwd).values()))
        client.run(os.chdir, str(tmp_path / "there"))
        try:
            sweep("runs", SHORT, 2, cluster=workers.scheduler_address)
            left = client.run(lambda dask_worker: list(pathlib.Path(dask_worker.local_directory).glob("tinymeta-*")))
        finally:
            client.run(os.chdir, stood)
    assert sorted(path.name for path in (tmp_path / "here" / "runs").iterdir()) == [
        f"seed-{FIRST}",
        f"seed-{FIRST + 1}",
    ]
    assert list((tmp_path / "there").iterdir()) == []
    assert list(left.values()) == [[], []]


def test_a_seed_that_kills_its_workers_is_named_and_takes_no_others_along(tmp_path, monkeypatch):
    """Also where all of them have but one worker to go to."""
    monkeypatch.setattr(cluster, "train_slice", crashes.mortal_slice)
    config = with_seed(LONG, 2)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as local,
        pytest.raises(SweepError) as caught,
    ):
        sweep(tmp_path, config, 3, cluster=local.scheduler_address)
    assert caught.value.failures == {3: "its worker died 1 times"}
    assert sorted(caught.value.results) == [2, 4]
    assert sorted(sweep(tmp_path, config, 3, workers=1, resume=True)) == [2, 3, 4]  # without a cluster it goes on
    train(tmp_path / "alone", with_seed(LONG, 3))
    assert contents(tmp_path / "seed-3") == contents(tmp_path / "alone")


def test_failing_seeds_are_named(workers, tmp_path):
    (tmp_path / f"seed-{FIRST + 1}").write_text("in the way")
    with pytest.raises(SweepError, match="1 of 3 seeds did not finish: seed 1001: WriteError: cannot write"):
        sweep(tmp_path, SHORT, 3, cluster=workers.scheduler_address)
    diverging = dataclasses.replace(SHORT, settings=dataclasses.replace(SHORT.settings, learning_rate=1e38))
    with pytest.raises(SweepError, match="seed 1000: DivergenceError: a parameter is not finite at update 1"):
        sweep(tmp_path / "d", diverging, 1, cluster=workers.scheduler_address)


def test_more_trials_later_and_elsewhere_are_the_same_as_at_once(workers, undisturbed, tmp_path):
    """Half of the trials here, the rest on the cluster; finished seeds are left as they are."""
    half = dataclasses.replace(LONG, snapshots=0, settings=dataclasses.replace(LONG.settings, trials=1500))
    train(tmp_path / f"seed-{FIRST}", half)
    train(tmp_path / f"seed-{FIRST + 1}", with_seed(LONG, FIRST + 1))
    stamp = (tmp_path / f"seed-{FIRST + 1}" / "result.json").stat().st_mtime_ns
    sweep(tmp_path, LONG, 3, resume=True, cluster=workers.scheduler_address)
    assert (tmp_path / f"seed-{FIRST + 1}" / "result.json").stat().st_mtime_ns == stamp
    here, there = contents(tmp_path / f"seed-{FIRST}"), contents(undisturbed / f"seed-{FIRST}")
    for name in ("metrics.csv", "checkpoint.npz", "config.json", "result.json"):
        assert here[name] == there[name], name
    with pytest.raises(InputError, match="holds a finished run"):
        sweep(tmp_path, LONG, 3, cluster=workers.scheduler_address)


def test_overwriting_drops_a_run_only_when_there_is_another(workers, tmp_path):
    train(tmp_path / f"seed-{FIRST}", dataclasses.replace(SHORT, snapshots=2))
    bad = dataclasses.replace(SHORT, settings=dataclasses.replace(SHORT.settings, learning_rate=1e38))
    with pytest.raises(SweepError):
        sweep(tmp_path, bad, 1, overwrite=True, cluster=workers.scheduler_address)
    assert RunFolder(tmp_path / f"seed-{FIRST}").finished_as(SHORT)
    other = dataclasses.replace(SHORT, settings=dataclasses.replace(SHORT.settings, gamma=0.5))
    sweep(tmp_path, other, 1, overwrite=True, cluster=workers.scheduler_address)
    assert RunFolder(tmp_path / f"seed-{FIRST}").read_config().settings.gamma == 0.5
    assert list(tmp_path.glob("*/snapshots/*")) == []


def test_a_scheduler_that_is_lost_is_told_and_the_runs_go_on(tmp_path, monkeypatch):
    """A scheduler and a worker as one starts them by hand; the scheduler is killed when slices have come in."""
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 2)
    endless = dataclasses.replace(SHORT, settings=dataclasses.replace(SHORT.settings, trials=10**8))
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    dask_command = [sys.executable, "-m", "dask"]
    options = {"stderr": subprocess.DEVNULL, "cwd": tmp_path}
    scheduler = [*dask_command, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--dashboard-address", ":0"]
    worker = [*dask_command, "worker", address, "--nthreads", "1", "--no-nanny"]
    with processes(options, scheduler, worker) as (killed, _):
        real = cluster._Run.keep

        def keep(run, *arguments):
            real(run, *arguments)
            if run.slices == 3:
                killed.kill()

        monkeypatch.setattr(cluster._Run, "keep", keep)
        with distributed.Client(address, timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
        with pytest.raises(SweepError, match="2 of 2 seeds did not finish: seed 1000: the cluster was lost") as caught:
            sweep(tmp_path / "s", endless, 2, cluster=address)
    assert sorted(caught.value.failures) == [FIRST, FIRST + 1]
    asked = dataclasses.replace(SHORT, settings=dataclasses.replace(SHORT.settings, trials=1000))
    train(tmp_path / "s" / f"seed-{FIRST}", asked, resume=True)
    train(tmp_path / "once", asked)
    assert contents(tmp_path / "s" / f"seed-{FIRST}") == contents(tmp_path / "once")


LOGGING = """
import logging, distributed
from tinymeta.runs.cluster import _quiet_logs
with _quiet_logs():
    logging.getLogger("distributed.client").error("told in a line of ours")
logging.getLogger("distributed.client").error("somebody else's")
"""


def test_dask_does_not_log_what_is_told_in_a_line_of_ours():
    done = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, check=True)
    assert "a line of ours" not in done.stderr
    assert "somebody else's" in done.stderr


@contextlib.contextmanager
def processes(options, *commands):
    """Processes that do not outlive the test, however it ends."""
    started = [subprocess.Popen(command, **options) for command in commands]
    try:
        yield started
    finally:
        for process in reversed(started):
            process.kill()
        for process in started:
            process.wait(timeout=60)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


# ---------------------------------------------------------------- other kinds of workers


def begun_elsewhere(path):
    """A run that was begun on another kind of CPU and is half done."""
    half = dataclasses.replace(SHORT, settings=dataclasses.replace(SHORT.settings, trials=100))
    train(path, half)
    (path / "result.json").unlink()
    folder = RunFolder(path)
    made = folder.read_config()
    folder.write_config(dataclasses.replace(made, versions={**made.versions, "cpu": "abacus"}))


def test_a_run_goes_on_only_on_its_own_kind_of_cpu(workers, tmp_path):
    begun_elsewhere(tmp_path / f"seed-{FIRST}")
    with pytest.raises(SweepError, match="seed 1000: it was begun with .*cpu abacus, and no such worker is left"):
        sweep(tmp_path, SHORT, 1, resume=True, cluster=workers.scheduler_address)
    assert RunFolder(tmp_path / f"seed-{FIRST}").read_config().versions["cpu"] == "abacus"


def test_a_slice_elsewhere_is_refused_and_a_new_run_says_where_it_is_trained(tmp_path):
    begun_elsewhere(tmp_path / "run")
    asked = RunFolder(tmp_path / "run").read_config()
    assert cluster.train_slice(asked, pack(RunFolder(tmp_path / "run")), 1.0).parcel == {}
    outcome = cluster.train_slice(asked, {}, 60.0)
    unpack(outcome.parcel, RunFolder(tmp_path / "new"))
    assert RunFolder(tmp_path / "new").read_config().versions == SHORT.versions
    old = dataclasses.replace(SHORT, versions={**SHORT.versions, "tinymeta": "0.0.1"})
    with pytest.raises(InputError, match=r"a worker has tinymeta .*, expected 0\.0\.1"):
        cluster.train_slice(old, {}, 1.0)


def test_workers_of_another_version_are_refused(workers, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_own_version", lambda: "9.9")
    with pytest.raises(InputError, match=r"worker tcp://.* has tinymeta .*, expected 9\.9 as here"):
        sweep(tmp_path / "s", SHORT, 1, cluster=workers.scheduler_address)
    assert not (tmp_path / "s").exists()


# ---------------------------------------------------------------- the commands


def command(*argv):
    return cli.run(lambda: train_command.main([str(word) for word in argv]))


def test_a_cluster_of_ones_own(tmp_path, capsys):
    words = ["bandit", "rl2", "--trials", 200, "--hidden-size", 4, "--first-seed", FIRST, "--out", tmp_path]
    assert command(*words, "--seeds", 2, "--cluster", "local", "--workers", 1) == 0
    assert "bandit rl2, 2 seeds; test:" in capsys.readouterr().out
    train(tmp_path / "alone", SHORT)
    assert contents(tmp_path / f"seed-{FIRST}") == contents(tmp_path / "alone")


WRONG = {
    "no port": (["--seeds", "2", "--cluster", "nowhere"], "--cluster 'nowhere': no scheduler answers (missing port"),
    "nobody there": (["--seeds", "2", "--cluster", "tcp://127.0.0.1:1"], "no scheduler answers (Timed out"),
    "empty": (["--seeds", "2", "--cluster", ""], "--cluster '': no scheduler answers"),
    "one run": (["--cluster", "local"], "--cluster local without --seeds, expected both or neither"),
    "workers": (["--seeds", "2", "--cluster", "tcp://a:1", "--workers", "2"], "--workers 2 with --cluster tcp://a:1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_clusters_are_told_before_anything_is_made(case, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    words, message = WRONG[case]
    assert command("bandit", "rl2", "--out", tmp_path / "s", *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "s").exists()


def test_without_dask_one_line_says_how_to_get_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert command("bandit", "rl2", "--seeds", 2, "--cluster", "local", "--out", tmp_path / "s") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--cluster needs distributed" in line
    assert line.endswith("python -m pip install 'tinymeta[cluster]'")
    assert not (tmp_path / "s").exists()


def test_interrupting_leaves_runs_that_go_on(tmp_path):
    """Ctrl-C reaches workers too: nothing of what came in is lost, and the run goes on without a cluster."""
    words = ["corridor", "rl2", "--seeds", "2", "--first-seed", str(FIRST), "--cluster", "local", "--hidden-size", "8"]
    words = [sys.executable, "-m", "tinymeta.train", *words, "--out", str(tmp_path)]
    runs = [RunFolder(tmp_path / f"seed-{seed}") for seed in (FIRST, FIRST + 1)]
    with subprocess.Popen(
        [*words, "--trials", "100000000"], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not all(run.timing_path.exists() for run in runs):
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)  # until nobody has its stderr open: no worker is left
    assert process.returncode == 130, errors
    (line,) = errors.splitlines()
    assert line.endswith("--resume")
    done = runs[0].read_metrics()["trials"][-1]
    asked = with_seed(runs[0].read_config(), FIRST)
    asked = dataclasses.replace(asked, settings=dataclasses.replace(asked.settings, trials=int(done) + 400))
    train(runs[0].path, asked, resume=True)
    train(tmp_path / "once", asked)
    assert contents(runs[0].path) == contents(tmp_path / "once")


def test_the_remaining_time_is_told_beside_the_seeds_done(workers, tmp_path, monkeypatch):
    told = []
    report = functools.partial(lambda done, notes: told.append((done, dict(notes))))
    harvest = cluster.Harvest(report)
    jobs = {("", FIRST): cluster.Job(str(tmp_path / "a"), LONG, False, False)}
    with distributed.Client(workers) as client:
        cluster.run_on_cluster(client, jobs, harvest)
    left = [notes["left"] for _, notes in told if "left" in notes]
    assert len(left) >= 15
    assert (told[-1][0], left[-1]) == (1, "0 s")
    assert not any(text.startswith("≥") for text in left)  # after its first slice the only run is measured
