"""What the commands share: arguments, exit codes, one-line errors.

A command's `main(argv)` parses, calls the library, prints, and returns its exit code. `run(main)` turns what may go
wrong into one line on stderr: exit code 2 for wrong input, 1 for what could not be done, 130 for an interrupt (128 +
SIGINT). With --json there is one JSON object on stdout and nothing else.
"""

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from tinymeta.base.compiler import telling_of_compilation
from tinymeta.base.errors import InputError, NotFiniteError, choice, shown, unknown
from tinymeta.environments.registry import ENVIRONMENTS, bring, make
from tinymeta.learning.wirings import WIRINGS

FAILED = 1
USAGE = 2
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaint is one line."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The arguments; what is not known is told with the nearest that is."""
        parsed, rest = self.parse_known_args(args, namespace)
        for where in getattr(parsed, "env_module", []):
            bring(where)
        if rest and rest[0].startswith("-"):
            known = [option for option in self._option_string_actions if option.startswith("--")]
            self.error(unknown("option", rest[0], known))
        if rest:
            self.error(f"{shown(rest[0])} is one argument too many")
        return parsed

    def error(self, message: str) -> NoReturn:
        """One line, exit code 2."""
        complain(message, self.prog)
        sys.exit(USAGE)


def complain(message: object, who: str = "tinymeta") -> None:
    """One line on stderr, whatever is in the message."""
    print(f"{who}: {' '.join(str(message).splitlines())}", file=sys.stderr)


def parser(command: str, description: str) -> Parser:
    """The `Parser` of ``python -m tinymeta.<command>``."""
    made = Parser(prog=f"python -m tinymeta.{command}", description=description, allow_abbrev=False)
    explanation = "one's own environment, a function that returns a TaskSet or a World; ENV is its name"
    made.add_argument("--env-module", action="append", default=[], metavar="FILE.py:FUNCTION", help=explanation)
    return made


def add_task_arguments(parser: Parser, option: bool = False) -> None:
    """ENV (or --env) and --env-kwargs."""
    names = ", ".join(ENVIRONMENTS)
    parser.add_argument("--env" if option else "env", metavar="ENV", help=f"one of {names}")
    explanation = "the environment's parameters, such as left=10 p=0.1,0.9"
    parser.add_argument("--env-kwargs", nargs="+", default=[], metavar="KEY=VALUE", help=explanation)


def add_agent_argument(parser: Parser) -> None:
    """AGENT."""
    parser.add_argument("agent", metavar="AGENT", help=f"one of {', '.join(WIRINGS)}")


def parse_env_kwargs(pairs: Sequence[str]) -> dict[str, Any]:
    """Keyword arguments of an environment's builder.

    Examples
    --------
    >>> parse_env_kwargs(["left=10", "p=0.1,0.9"])
    {'left': 10, 'p': (0.1, 0.9)}
    """
    kwargs: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not key or not equals or not text:
            raise InputError(f"--env-kwargs {shown(pair)}, expected KEY=VALUE")
        if key in kwargs:
            raise InputError(f"--env-kwargs gives {key!r} twice, expected once")
        kwargs[key] = tuple(_number(part) for part in text.split(",")) if "," in text else _number(text)
    return kwargs


def widths(text: str) -> tuple[int, ...]:
    """Layers' widths from "64,64"; "0" is no layer.

    Examples
    --------
    >>> widths("64,32"), widths("0")
    ((64, 32), ())
    """
    return () if text == "0" else tuple(int(part) for part in text.split(","))


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def make_tasks(args: argparse.Namespace) -> Any:
    """The task set that ENV and --env-kwargs name; also checks AGENT, so that both are refused before any work."""
    if hasattr(args, "agent"):
        choice("agent", args.agent, WIRINGS)
    return make(args.env, **parse_env_kwargs(args.env_kwargs))


def print_json(value: Any) -> None:
    """One JSON object on stdout."""
    print(json.dumps(value, allow_nan=False, default=_plain))


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def run(main: Callable[[], int]) -> int:
    """Call a command's main and turn what may go wrong into one line on stderr and an exit code.

    Wrong input is 2. What could not be done is 1: a full disk, too little memory, numbers that overflow.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console that cannot write ≥ or → shows its code instead
            stream.reconfigure(errors="backslashreplace")
    watched = sys.stderr.isatty() and "--quiet" not in sys.argv  # as with progress bars: for somebody who waits
    try:
        with telling_of_compilation(complain) if watched else contextlib.nullcontext():
            return main()
    except InputError as error:
        complain(error)
        return USAGE
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away; nothing is left to say
        return FAILED
    except (OSError, NotFiniteError) as error:
        complain(error)
        return FAILED
    except MemoryError as error:
        complain(f"out of memory: {error}")
        return FAILED
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
