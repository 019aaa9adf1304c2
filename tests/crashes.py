"""Ways to hurt a training run, for the tests and for benchmarks/torture.py.

As a script, `python crashes.py FOLDER COUNT SEED` kills runs.

A run is trained in a forked process, which SIGKILL ends: at a random moment, or inside a chosen call to the file
system, before or after it took effect, or (in fsync) with only part of the file on the disk. Then the run is resumed,
and its files are compared with those of a run that nobody disturbed. The hooks replace functions of `os` in the child
alone.
"""

import builtins
import contextlib
import dataclasses
import errno
import io
import json
import mmap
import os
import shutil
import signal
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy: a process with threads should not fork

import numpy as np

from tinymeta.base import files
from tinymeta.base.errors import InputError
from tinymeta.learning.wirings import make_layout
from tinymeta.runs import loading, metrics, slices, training
from tinymeta.runs.config import build, make_config
from tinymeta.runs.folder import RunFolder

CALLS = ("fsync", "replace", "truncate", "unlink")  # of `os`: what a run's writes consist of
SHORT = {"hidden_size": 8, "checkpoint_interval": 2}
RUNS = {  # lengths that are no multiple of the interval, and one that is
    "bandit-rl2": make_config("bandit", "rl2", trials=423, log_interval=10, **SHORT),
    "bandit-rl1": make_config("bandit", "rl1", trials=400, log_interval=10, optimizer="rmsprop", **SHORT),
    "corridor-rl2": make_config("corridor", "rl2", {"left": 2, "right": 3}, trials=75, log_interval=7, **SHORT),
    "corridor-rl1": make_config(
        "corridor", "rl1", {"left": 3, "right": 2}, trials=60, num_envs=3, log_interval=4, **SHORT
    ),
    "cartpole-rl2": make_config(
        "cartpole", "rl2", {"max_steps": 20, "episodes": 2}, trials=90, num_envs=6, log_interval=2, n_epochs=2,
        num_minibatches=2, norm_obs=True, norm_reward=True, **SHORT,
    ),
}  # fmt: skip


def promised(path):
    """What two equal runs must agree on: names and contents of their files, without seconds.

    Where a run was interrupted shows in the previous checkpoint, and a process that was killed after its last write
    leaves its lock.
    """
    apart = ("timing.json", "checkpoint.previous.npz", "lock")
    contents = {p.name: p.read_bytes() for p in Path(path).iterdir() if p.name not in apart}
    if "result.json" in contents:
        contents["result.json"] = {
            k: v for k, v in json.loads(contents["result.json"]).items() if not k.endswith("_seconds")
        }
    return contents


def difference(path, reference):
    """Names of the files in which two runs differ."""
    here = promised(path)
    there = promised(reference)
    return sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))


# ---------------------------------------------------------------- SIGKILL


def in_child(work):
    """Fork; in the child do `work()` and end at once, with exit code 0, or 1 and a message after an exception."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    return pid


def stop_inside(call_number, before, partial, marker):
    """Replace the calls of `os` so that the given one writes `marker` and waits there for its death."""
    made = [0]

    def hooked(name, real):
        def call(*arguments, **options):
            made[0] += 1
            here = made[0] == call_number
            if here and before:
                if partial is not None and name == "fsync":
                    cut(arguments[0], partial)
                wait_for_death(name)
            value = real(*arguments, **options)
            if here:
                wait_for_death(name)
            return value

        return call

    def wait_for_death(name):
        marker[0] = CALLS.index(name) + 1
        time.sleep(60)

    for name in CALLS:
        setattr(os, name, hooked(name, getattr(os, name)))


def cut(descriptor, share):
    """Leave only a share of a file that is being written, as if the rest were not on the disk yet."""
    if os.readlink(f"/proc/self/fd/{descriptor}").endswith(".tmp"):
        os.ftruncate(descriptor, int(share * os.fstat(descriptor).st_size))


def count_calls(config, path):
    """How many calls the hooks of `stop_inside` see in an undisturbed run, and how many seconds it takes."""
    made = mmap.mmap(-1, 8)
    started = time.perf_counter()

    def counting(real):
        def call(*arguments, **options):
            made[:8] = (int.from_bytes(made[:8], "little") + 1).to_bytes(8, "little")
            return real(*arguments, **options)

        return call

    def work():
        for name in CALLS:
            setattr(os, name, counting(getattr(os, name)))
        training.train(path, config)

    assert os.waitpid(in_child(work), 0)[1] == 0
    return int.from_bytes(made[:8], "little"), time.perf_counter() - started


def kill_once(path, config, rng, calls, seconds, marker):
    """Train (resuming what is there) and kill.

    Returns where: a call's name, "computing", or "too late" if the run had finished.
    """
    marker[0] = 0
    inside = rng.random() < 0.6
    number = int(rng.integers(1, calls + 1))
    before = rng.random() < 0.7
    partial = rng.random() if rng.random() < 0.5 else None

    def work():
        if inside:
            stop_inside(number, before, partial, marker)
        training.train(path, config, resume=True)

    pid = in_child(work)
    deadline = time.monotonic() + (60 if inside else rng.random() * seconds)
    while not marker[0] and time.monotonic() < deadline:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return "too late"
        time.sleep(0.0005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return CALLS[marker[0] - 1] if marker[0] else "computing"


def kill_runs(folder, count, seed=0, say=lambda line: None):
    """Kill and resume runs until there are `count` of both.

    Returns {"kills", "runs", "where": {call: kills}, "differing": [...]}.
    """
    folder = Path(folder)
    rng = np.random.default_rng(seed)
    marker = mmap.mmap(-1, 1)
    references = {}
    for name, config in RUNS.items():
        training.train(folder / "references" / name, config)  # also compiles, so that children need not
        references[name] = count_calls(config, folder / "counted" / name)
    kills = 0
    done = 0
    where = {}
    differing = []
    while min(kills, done) < count:
        name = list(RUNS)[done % len(RUNS)]
        path = folder / f"{name}-{done}"
        for _ in range(rng.choice([1, 1, 1, 3])):
            moment = kill_once(path, RUNS[name], rng, *references[name], marker)
            if moment == "too late":
                break
            where[moment] = where.get(moment, 0) + 1
            kills += 1
        status = os.waitpid(in_child(lambda path=path, name=name: training.train(path, RUNS[name], resume=True)), 0)[1]
        wrong = difference(path, folder / "references" / name)
        if status or wrong:
            differing.append({"run": str(path), "status": status, "files": wrong})
        else:
            shutil.rmtree(path)
        done += 1
        say(f"{kills} kills")
    return {"kills": kills, "runs": done, "where": where, "differing": differing}


# ---------------------------------------------------------------- damaged files


def damages(data, rng, flips):
    """(what was done, bytes) for a file cut at every 512th byte, and with that many bits flipped, one at a time."""
    for size in range(0, len(data), 512):
        yield f"cut to {size} bytes", data[:size]
    for bit in rng.integers(8 * len(data), size=flips):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit} flipped", bytes(flipped)


def damage_checkpoint(run, damaged, restore=True):
    """Put `damaged` in the place of a run's newest checkpoint, read it, and with `restore` make the run ready to go
    on.

    Returns "detected" or "harmless"; raises AssertionError if wrong weights got in.
    """
    folder = RunFolder(run)
    config = folder.read_config()
    kept = {path: path.read_bytes() for path in Path(run).iterdir()}
    layout = make_layout(build(config), config.settings.agent, config.settings.hidden_size)
    true, _ = folder.read_checkpoint(folder.checkpoint_path, config, layout)
    before, _ = folder.read_checkpoint(folder.previous_path, config, layout)
    try:
        folder.checkpoint_path.write_bytes(damaged)
        try:
            theta = loading.load(run).theta
            assert (theta == true.theta).all(), "other weights were loaded"
            outcome = "harmless"
        except InputError as error:
            assert str(folder.checkpoint_path) in str(error) and "\n" not in str(error), error
            outcome = "detected"
        if not restore:
            return outcome
        with contextlib.redirect_stderr(io.StringIO()) as warning:
            state = folder.restore(config, layout)
        expected = true if outcome == "harmless" else before
        assert all((mine == theirs).all() for mine, theirs in zip(state[:3], expected[:3], strict=True)), (
            "other weights were restored"
        )
        assert state[3:6] == expected[3:6]
        assert len(warning.getvalue().splitlines()) == (outcome == "detected")
        return outcome
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


# ---------------------------------------------------------------- a sweep with casualties

KILLED = (3, 11)
FAILING = 7


def mortal(path, config, resume=False, overwrite=False):
    """Like `training.train`, but seeds 3 and 11 are killed in the middle of every run, and seed 7 fails."""
    if config.settings.seed == FAILING:
        settings = dataclasses.replace(config.settings, learning_rate=1e38)
        return training.train(f"{path}-diverging", dataclasses.replace(config, settings=settings), overwrite=True)
    if config.settings.seed in KILLED:
        real = RunFolder.write_checkpoint

        def dying(*arguments):
            real(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

        RunFolder.write_checkpoint = dying
    return training.train(path, config, resume, overwrite)


def mortal_slice(config, parcel, seconds):
    """Like `slices.train_slice`, but seed 3 kills the worker whenever it goes on."""
    if config.settings.seed == KILLED[0] and parcel:
        os.kill(os.getpid(), signal.SIGKILL)
    return slices.train_slice(config, parcel, seconds)


# ---------------------------------------------------------------- a full disk


class FullDisk:
    """Within it the `number`th call that could need room (open to write, write, fsync, rename) fails with ENOSPC."""

    def __init__(self, number, code=errno.ENOSPC):
        self.number = number
        self.code = code
        self.made = 0

    def _count(self, path):
        self.made += 1
        if self.made == self.number:
            raise OSError(self.code, os.strerror(self.code), str(path))

    def __enter__(self):
        self._before = {name: getattr(os, name) for name in ("fsync", "replace")}
        for name, real in self._before.items():
            setattr(os, name, self._failing(real))
        files.open = metrics.open = self._open
        return self

    def _failing(self, real):
        def call(*arguments, **options):
            self._count(arguments[0])
            return real(*arguments, **options)

        return call

    def _open(self, path, mode="r", **options):
        if mode[0] in "wa":
            self._count(path)
        file = builtins.open(path, mode, **options)  # noqa: SIM115
        if mode[0] in "wa":
            real = file.write

            class Wrapped:
                """A file whose write may fail after half of the data."""

                def write(_, data):
                    try:
                        self._count(path)
                    except OSError:
                        real(data[: len(data) // 2])
                        raise
                    return real(data)

                def __getattr__(_, name):
                    return getattr(file, name)

                def __enter__(_):
                    return _

                def __exit__(_, *exception):
                    file.close()

            return Wrapped()
        return file

    def __exit__(self, *exception):
        for name, real in self._before.items():
            setattr(os, name, real)
        del files.open, metrics.open


if __name__ == "__main__":
    print(json.dumps(kill_runs(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
