"""Training speed of tinymeta beside JAX and PyTorch: the same network, batch, losses, optimiser and tasks, whole
training loops.

    python benchmarks/throughput.py            all cases, three alternating repetitions (twelve minutes on 2 cores)
    python benchmarks/throughput.py --quick    one repetition of the single runs at 1 and 16 trials per update

JAX comes twice: as its users write it (jit, lax.scan, autodiff, vmap over seeds), and by hand (a derived backward
pass, compiler flags without documentation). Every entry is a process of its own (`own.py`, `peer_*.py`), so that
memory, compilation and start-up are its own, too. Entries first have to show that they learn the bandit. Then each
case runs them in turn, again and again, and the table gives medians over the turns, the ratio to tinymeta with its
range over the turns, compile seconds (from the second turn on a cache is filled, so the median of three is a warm
start) and peak memory. All entries may use all cores; PyTorch and tinymeta's single runs are faster on one, so that is
what they use. PyTorch trains fewer trials; its time per step is the same at any stage, and early corridor trials,
where the batch stays full for long, rather favour it. In a sweep the clock is the wall's, from the start of the
process to its end.

The machine's limit is the rate of NumPy's float32 matrix product on one core, measured between the turns. What an
entry needs of it are the multiply-adds that the mathematics asks for (`useful_operations`): no activation, no
environment, no optimiser is counted.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
HIDDEN = 48
INPUTS = {
    "bandit": 2,
    "corridor": 3,
}  # numbers that are not zero in a step's input: reward and action, and the observation
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
LEARNED = 9.4  # reward per trial of the bandit, Bayes-optimal 9.5


class Entry(NamedTuple):
    command: tuple
    threads: dict  # environment variables of a single run
    slowness: int  # divides the number of trials of the single runs, so that no turn takes minutes


ENTRIES = {
    "tinymeta": Entry(("own.py",), ONE_THREAD, 1),
    "JAX": Entry(("peer_jax.py",), {}, 1),
    "JAX by hand": Entry(("peer_jax_by_hand.py",), {}, 1),
    "PyTorch tuned": Entry(("peer_torch.py", "--variant", "tuned"), ONE_THREAD, 10),
    "PyTorch eager": Entry(("peer_torch.py", "--variant", "eager"), ONE_THREAD, 40),
}


class Case(NamedTuple):
    env: str
    num_envs: int
    trials: int
    seeds: int
    entries: tuple

    def __str__(self):
        return f"{self.env}, {self.num_envs} per update" + (f", {self.seeds} seeds" if self.seeds > 1 else "")


ALL = tuple(ENTRIES)
CASES = [
    Case("bandit", 1, 40_000, 1, ALL),
    Case("bandit", 16, 160_000, 1, ALL),
    Case("bandit", 64, 256_000, 1, ALL),
    Case("corridor", 1, 20_000, 1, ALL),
    Case("corridor", 16, 32_000, 1, ALL),
    Case("bandit", 16, 40_000, 20, ("tinymeta", "JAX", "JAX by hand")),
]


def run(name, case, cache, trials=None):
    """One process of entry `name`; returns its JSON with the wall seconds of the whole process."""
    entry = ENTRIES[name]
    trials = trials or (max(case.num_envs, case.trials // entry.slowness) if case.seeds == 1 else case.trials)
    command = [sys.executable, str(HERE / entry.command[0]), *entry.command[1:], "--env", case.env]
    command += ["--num-envs", str(case.num_envs), "--trials", str(trials), "--seeds", str(case.seeds), "--json"]
    command += ["--cache", cache] if name.startswith("JAX") else []
    environment = {**os.environ, **(entry.threads if case.seeds == 1 else {}), "TINYMETA_CACHE_DIR": cache}
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {done.returncode}")
    result = json.loads(done.stdout)
    clock = result["train_seconds"] if case.seeds == 1 else seconds
    return {**result, "name": name, "wall_seconds": seconds, "steps_per_second": result["env_steps"] / clock}


RATE = """
import time, numpy as np
a, b, c = (np.ones((1024, 1024), np.float32) for _ in range(3))
best = 9.0
for _ in range(30):
    began = time.perf_counter()
    np.matmul(a, b, out=c)
    best = min(best, time.perf_counter() - began)
print(2 * 1024**3 / best)
"""


def matrix_rate():
    """Floating-point operations per second of NumPy's float32 matrix product, one thread, best of 30."""
    done = subprocess.run(
        [sys.executable, "-c", RATE], env={**os.environ, **ONE_THREAD}, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def useful_operations(env, steps_per_trial):
    """Floating-point operations per step in products, forward and backward, a multiply-add being two.

    The recurrent product is needed at all but a trial's first step, three times (forward, dh, dW_h): 3·2·H·4H; the
    input's rows are read once and written once: 2·2·I·4H; the heads, A + 1 outputs, three times: 3·2·H·(A + 1).
    """
    carried = 1 - 1 / steps_per_trial
    return carried * 3 * 2 * HIDDEN * 4 * HIDDEN + 2 * 2 * INPUTS[env] * 4 * HIDDEN + 3 * 2 * HIDDEN * 3


def check_learning(cache):
    """Every entry must have learned the bandit after 40 000 trials, 4 per update, compiled with an empty cache.

    Returns {name: {"reward_per_trial", "cold_compile_seconds"}}.
    """
    case, learned = Case("bandit", 4, 40_000, 1, ALL), {}
    for name in ENTRIES:
        result = run(name, case, cache, trials=case.trials)
        reward, seconds = result["reward_per_trial"][0], result["compile_seconds"]
        print(
            f"{name:16}{reward:7.3f} reward per trial over the last tenth of {case.trials} trials of the bandit; "
            f"compiled in "
            f"{seconds:.1f} s with an empty cache",
            flush=True,
        )
        if reward < LEARNED:
            raise SystemExit(
                f"{name} reached {reward:.3f} reward per trial, expected at least {LEARNED}: its speed means nothing"
            )
        learned[name] = {"reward_per_trial": reward, "cold_compile_seconds": seconds}
    return learned


def measure(cases, turns, cache):
    """[{case, entries: {name: summary}}] and the matrix rates met on the way."""
    rates, table = [matrix_rate()], []
    for case in cases:
        runs = {name: [] for name in case.entries}
        for name in case.entries:
            if case.seeds > 1:
                run(name, case, cache)  # fill the cache of compiled code: here the clock runs from the process's start
        for _ in range(turns):
            for name in case.entries:
                runs[name].append(run(name, case, cache))
            rates.append(matrix_rate())
        summary = {}
        for name, results in runs.items():
            speeds = [result["steps_per_second"] for result in results]
            ratios = [own["steps_per_second"] / other for own, other in zip(runs["tinymeta"], speeds, strict=True)]
            median = {
                key: statistics.median(r[key] for r in results)
                for key in ("compile_seconds", "peak_memory_mb", "wall_seconds")
            }
            summary[name] = {
                "steps_per_second": statistics.median(speeds),
                "slowest": min(speeds),
                "fastest": max(speeds),
                "tinymeta_is_faster_by": statistics.median(ratios),
                "at_least": min(ratios),
                "at_most": max(ratios),
                **median,
                "steps_per_trial": results[0]["env_steps"] / results[0]["trials"] / case.seeds,
                "trials": results[0]["trials"],
            }
        table.append({**case._asdict(), "case": str(case), "entries": summary})
        print_case(table[-1])
    return table, rates


def print_case(row):
    print(
        f"\n{row['case']}\n{'':16}{'env steps/s':>14}{'range':>22}{'tinymeta is faster by':>26}"
        f"{'compile s':>11}{'peak MB':>9}"
    )
    for name, s in row["entries"].items():
        spread = f"{s['slowest']:,.0f}–{s['fastest']:,.0f}"
        ratio = (
            "" if name == "tinymeta" else f"{s['tinymeta_is_faster_by']:.1f} ({s['at_least']:.1f}–{s['at_most']:.1f})"
        )
        print(
            f"{name:16}{s['steps_per_second']:14,.0f}{spread:>22}{ratio:>26}{s['compile_seconds']:11.1f}{s['peak_memory_mb']:9.0f}",
            flush=True,
        )


def machine_share(table, rates):
    """Useful operations per second of tinymeta's single runs over the median matrix rate."""
    limit, shares = statistics.median(rates), []
    print(
        f"\nNumPy's float32 matrix product, one thread: {limit / 1e9:.0f} GFLOP/s "
        f"({min(rates) / 1e9:.0f}–{max(rates) / 1e9:.0f})"
    )
    for row in table:
        if row["seeds"] == 1:
            own = row["entries"]["tinymeta"]
            operations = useful_operations(row["env"], own["steps_per_trial"])
            share = own["steps_per_second"] * operations / limit
            shares.append({"case": row["case"], "operations_per_step": operations, "share": share})
            print(f"{row['case']:28} {operations:8,.0f} useful operations per step, {100 * share:.0f} % of that rate")
    return shares


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--turns", type=int, default=3, metavar="N")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured")
    args = parser.parse_args()
    cases = [case for case in CASES if case.seeds == 1 and case.num_envs < 64] if args.quick else CASES
    with tempfile.TemporaryDirectory() as cache:
        learned = {} if args.quick else check_learning(cache)
        table, rates = measure(cases, 1 if args.quick else args.turns, cache)
    shares = machine_share(table, rates)
    if args.json:
        machine = {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        }
        result = {"machine": machine, "learned": learned, "cases": table, "matrix_rates": rates, "shares": shares}
        Path(args.json).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
