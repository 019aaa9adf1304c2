"""What every way of running a sweep shares: its jobs, and how their results and failures are gathered."""

from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Future
from typing import Any, NamedTuple

from tinymeta.runs.config import Config
from tinymeta.runs.interrupts import Interrupted
from tinymeta.runs.progress import Report

Result = dict[str, Any]  # what a result.json holds
Key = tuple[str, int]  # a sweep's name and a seed


class Job(NamedTuple):
    """One seed of a sweep: the arguments of `tinymeta.runs.training.train`."""

    path: str
    config: Config
    resume: bool
    overwrite: bool
    tensorboard: bool = False

    @property
    def arguments(self) -> tuple[str, Config, bool, bool]:
        """By position."""
        return self.path, self.config, self.resume, self.overwrite

    @property
    def options(self) -> dict[str, Any]:
        """By name: what is asked for seldom."""
        return {"tensorboard": True} if self.tensorboard else {}


class SweepError(RuntimeError):
    """Some seeds did not finish.

    Attributes
    ----------
    failures : {seed: what happened}
    results : {seed: result of one that finished}
        Of several sweeps the keys are (name, seed).
    """

    def __init__(self, failures: Mapping[Any, str], results: Mapping[Any, Result]) -> None:
        lines = [f"{_named(key)}: {reason}" for key, reason in sorted(failures.items())]
        count = len(failures) + len(results)
        super().__init__(f"{len(failures)} of {count} seeds did not finish: {'; '.join(lines)}")
        self.failures = failures
        self.results = results


def _named(key: Key | int) -> str:
    return f"{key[0]}, seed {key[1]}" if isinstance(key, tuple) else f"seed {key}"


class Harvest:
    """Results and failures as they come in.

    Attributes
    ----------
    results : {(name, seed): what its result.json holds}
    failures : {(name, seed): what happened}
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._notes: dict[str, str] = {}
        self.results: dict[Key, Result] = {}
        self.failures: dict[Key, str] = {}

    def collect(self, key: Key, future: "Future[Result]") -> bool:
        """Take a finished future's result or failure; False if it has neither, being lost with its process."""
        try:
            result = future.result()
        except (BrokenExecutor, CancelledError):
            return False
        except Interrupted:
            raise
        except Exception as error:  # whatever ended one seed must not end the others; it is reported with its name
            self.fail(key, f"{type(error).__name__}: {error}")
        else:
            self.finish(key, result)
        return True

    def finish(self, key: Key, result: Result) -> None:
        """Take a finished seed's result."""
        self.results[key] = result
        reward = result["evaluation"]["reward_per_trial"]["mean"]
        self.tell({"reward/trial": f"{reward:.2f}"})

    def fail(self, key: Key, reason: str) -> None:
        """Note why a seed did not finish."""
        self.failures[key] = reason
        self.tell({})

    def tell(self, notes: Mapping[str, str]) -> None:
        """Show how many seeds are done, and {name: value} beside it; what was shown before stays."""
        self._notes |= notes
        self._report(len(self.results) + len(self.failures), self._notes)
