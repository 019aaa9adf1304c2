"""python docs/blocks.py [--write] FILE.md…: run the Python blocks of a page and compare what they print with the page.

The ```python blocks of one page run in order, in one namespace of their own and in an empty folder. What a block prints
stands in the ```text block right below it. Words are compared as they are; a number may differ by one unit of its last
digit, for the last bit of a sum may be another one on another machine. --write puts in what was printed.
"""

import argparse
import contextlib
import io
import os
import re
import sys
import tempfile
import types
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n?^```text\n(?P<shown>.*?)^```\n)?", re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")


class Ran(NamedTuple):
    """A block that has run."""

    code: str
    shown: str  # what the page says that it prints
    printed: str


class BlockError(Exception):
    """A block failed, or printed something else than its page shows."""


def run(page):
    """[`Ran`] of all blocks of a page's text, in an empty folder; BlockError, with the line, if one raises."""
    return _run(page, types.ModuleType("chapter"))


def namespace(page):
    """{name: value} of what the blocks of a page define; under "__blocks__" stands their code."""
    module = types.ModuleType("chapter")
    codes = [ran.code for ran in _run(page, module)]
    return {**vars(module), "__blocks__": codes}


def _run(page, module):
    done = []
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, registered(module):
        os.chdir(folder)
        try:
            for block in BLOCK.finditer(page):
                line = page[: block.start()].count("\n") + 1
                printed = io.StringIO()
                try:
                    code = compile("\n" * line + block["code"], "block", "exec")  # so that tracebacks tell the line
                    with contextlib.redirect_stdout(printed):
                        exec(code, vars(module))
                except Exception as error:
                    raise BlockError(f"line {line}: {type(error).__name__}: {error}") from error
                done.append(Ran(block["code"], block["shown"] or "", printed.getvalue()))
        finally:
            os.chdir(here)
    return done


@contextlib.contextmanager
def registered(module):
    """The module is importable by its name meanwhile, as what defines classes may need."""
    sys.modules[module.__name__] = module
    try:
        yield
    finally:
        del sys.modules[module.__name__]


def agree(shown, printed):
    """Whether two texts are the same but for the last digit of their numbers, and for spaces.

    Examples
    --------
    >>> agree("0.97 of 10", "0.98 of 10"), agree("0.97 of 10", "0.99 of 10"), agree("0.97", "0.97 0.1")
    (True, False, False)
    """
    if NUMBER.sub("#", shown).split() != NUMBER.sub("#", printed).split():
        return False
    return all(map(near, NUMBER.findall(shown), NUMBER.findall(printed)))


def near(shown, printed):
    """Whether two numbers differ by at most one unit of the last digit shown; whole numbers not at all."""
    last = Decimal(shown).as_tuple().exponent
    unit = Decimal(1).scaleb(last) if "." in shown or "e" in shown else Decimal(0)
    return abs(Decimal(shown) - Decimal(printed)) <= unit


def written(page, done):
    """The page with what was printed below each block."""
    ran = iter(done)

    def replaced(block):
        printed = next(ran).printed
        text = f"```text\n{printed.rstrip()}\n```\n" if printed else ""
        return f"```python\n{block['code']}```\n{text}"

    return BLOCK.sub(replaced, page)


def check(page):
    """Run a page's text; BlockError at the first block whose output is not what the page shows."""
    for number, ran in enumerate(run(page), 1):
        if not agree(ran.shown, ran.printed):
            raise BlockError(f"block {number} prints\n{ran.printed}and the page shows\n{ran.shown}\n{ran.code}")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python docs/blocks.py", description="Run the Python blocks of pages.")
    parser.add_argument("pages", nargs="+", type=Path, metavar="FILE.md")
    parser.add_argument("--write", action="store_true", help="put in what the blocks print")
    args = parser.parse_args(argv)
    for path in args.pages:
        page = path.read_text(encoding="utf-8")
        try:
            if args.write:
                path.write_text(written(page, run(page)), encoding="utf-8")
            else:
                check(page)
        except BlockError as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
