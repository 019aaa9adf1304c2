"""What the commands share: arguments, exit codes, one-line errors."""

import argparse
import io
import json
import sys

import numpy as np

from tinymeta.base.errors import InputError, NotFiniteError, choice, shown, unknown
from tinymeta.base.files import checked_path, write_whole
from tinymeta.environments.registry import ENVIRONMENTS, make
from tinymeta.learning.wirings import WIRINGS

USAGE, FAILED, INTERRUPTED = 2, 1, 130


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaint is one line."""

    def parse_args(self, args=None, namespace=None):
        args, rest = self.parse_known_args(args, namespace)
        if rest:
            known = [option for option in self._option_string_actions if option.startswith("--")]
            self.error(
                unknown("option", rest[0], known)
                if rest[0].startswith("-")
                else f"{shown(rest[0])} is one argument too many"
            )
        return args

    def error(self, message):
        complain(message, self.prog)
        sys.exit(USAGE)


def complain(message, who="tinymeta"):
    """One line on stderr, whatever is in the message."""
    print(f"{who}: {' '.join(str(message).splitlines())}", file=sys.stderr)


def parser(command, description):
    return Parser(prog=f"python -m tinymeta.{command}", description=description, allow_abbrev=False)


def add_task_arguments(parser, option=False):
    """ENV (or --env) and --env-kwargs."""
    parser.add_argument("--env" if option else "env", metavar="ENV", help=f"one of {', '.join(ENVIRONMENTS)}")
    parser.add_argument(
        "--env-kwargs",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="the environment's parameters, such as left=10 p=0.1,0.9",
    )


def add_agent_argument(parser):
    parser.add_argument("agent", metavar="AGENT", help=f"one of {', '.join(WIRINGS)}")


def parse_env_kwargs(pairs):
    """["left=10", "p=0.1,0.9"] as {"left": 10, "p": (0.1, 0.9)}."""
    kwargs = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not key or not equals or not text:
            raise InputError(f"--env-kwargs {shown(pair)}, expected KEY=VALUE")
        if key in kwargs:
            raise InputError(f"--env-kwargs gives {key!r} twice, expected once")
        kwargs[key] = tuple(_number(part) for part in text.split(",")) if "," in text else _number(text)
    return kwargs


def _number(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def make_tasks(args):
    """The task set that ENV and --env-kwargs name; also checks AGENT, so that both are refused before any work."""
    if hasattr(args, "agent"):
        choice("agent", args.agent, WIRINGS)
    return make(args.env, **parse_env_kwargs(args.env_kwargs))


def print_json(value):
    print(json.dumps(value, allow_nan=False, default=_plain))


def _plain(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def run(main):
    """Call a command's main and turn what may go wrong into one line on stderr and an exit code.

    Wrong input is 2. What could not be done is 1: a full disk, too little memory, numbers that overflow.
    """
    try:
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


def save_arrays(path, arrays):
    """Write {name: array} to an .npz file, whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    check_file(path)
    write_whole(path, buffer.getvalue())


def check_file(path):
    """Refuse a place where no file can be written, before the work is done that it is for."""
    place = checked_path("file", path)
    if str(path) in ("", ".") or place.is_dir() or not place.parent.is_dir():
        raise InputError(f"cannot write {str(path)!r}: expected the name of a file in an existing folder")
