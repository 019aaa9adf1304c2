"""Docstrings as reStructuredText reads them: they are written for those who read the code.

In a module's docstring a paragraph that is laid out by hand (indented, or with columns) is shown as it stands. In all
docstrings | is a bar and no substitution, and a plural may follow a name: `Estimate`s. A field of a NamedTuple is
documented by the comment beside it.
"""

import importlib
import inspect
import re

PLURAL = re.compile(r"(?<!`)(`[^`\n]+`)(?=\w)")
ALIAS = re.compile(r"Alias for field number \d+")  # what a NamedTuple says of its fields
COLUMNS = re.compile(r"\S   +\S")


def paragraphs(lines):
    """Runs of lines that are not empty, in order."""
    run = []
    for line in [*lines, ""]:
        if line.strip():
            run.append(line)
        elif run:
            yield run
            run = []


def by_hand(paragraph):
    """Whether a paragraph is laid out by hand."""
    return all(line.startswith(" ") for line in paragraph) or any(COLUMNS.search(line) for line in paragraph)


def laid_out(lines):
    """The lines of a module's docstring, with what is laid out by hand as literal blocks."""
    result = []
    literal = False
    for paragraph in paragraphs(lines):
        if by_hand(paragraph):
            margin = min(len(line) - len(line.lstrip()) for line in paragraph)
            block = ["    " + line[margin:] for line in paragraph]
            result += [*([] if literal else ["::", ""]), *block, ""]
        else:
            result += [*map(inline, paragraph), ""]
        literal = by_hand(paragraph)
    return result


def inline(line):
    """One line with its bars and plurals escaped."""
    return PLURAL.sub(r"\1\\ ", line.replace("|", r"\|"))


def outside_examples(lines):
    """The lines with `inline` applied to all but doctests and what they print."""
    result = []
    example = False
    for line in lines:
        example = (example or line.lstrip().startswith(">>>")) and bool(line.strip())
        result.append(line if example else inline(line))
    return result


def comment_beside(name):
    """The comment beside a field, which is named with its module and class; [] if there is none."""
    module, _, path = name.rpartition(".")[0].rpartition(".")
    source = inspect.getsource(getattr(importlib.import_module(module), path))
    field = name.rpartition(".")[2]
    found = re.search(rf"^    {field}: [^#\n]*(?:=[^#\n]*)?  # (.*)$", source, flags=re.MULTILINE)
    return [inline(found[1])] if found else []


def process(app, what, name, obj, options, lines):
    """Sphinx's event: change `lines` in place."""
    if lines and ALIAS.fullmatch(lines[0]):
        lines[:] = comment_beside(name)
        return
    lines[:] = laid_out(lines) if what == "module" else outside_examples(lines)


def setup(app):
    app.connect("autodoc-process-docstring", process, priority=400)  # before numpydoc's
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
