"""docs/metrics.md as data: {section: {key: form}}, and the comparison of a written value with it.

A table's first column names keys, as paths in which . is a level; <…> stands for any name. The second column says the
form: a number, an integer, a text, a list of them, an array's dtype and shape, or a link to a structure, which is
another table. `compare` walks a value along the tables, notes which rows it met, and yields what does not fit.
"""

import re
from pathlib import Path

PAGE = Path(__file__).parent.parent.parent / "docs" / "metrics.md"
ROW = re.compile(r"^\| (?P<keys>.+?) \| (?P<form>.+?) \| (?P<unit>.+?) \| (?P<meaning>.+?) \|$")
LINK = re.compile(r"\[([\w ]+)\]\(#[\w-]+\)")
SPAN = re.compile(r"`([^`]+)`")
ANY = "<…>"  # a key by any name
ALL_OF = "all of"
KINDS = {"number": (int, float), "integer": (int,), "text": (str,), "true or false": (bool,)}


class Row:
    """One definition: a key's form, and whether something that was written had it."""

    def __init__(self, form, unit, meaning):
        self.form = form
        self.unit = unit
        self.meaning = meaning
        self.met = False


def tables(text):
    """{title: [(key, Row)]} of a page; a key is a path, ANY or ALL_OF, and each of a line's keys has its own row."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            found[line.strip("# ")] = rows = []
        elif (match := ROW.match(line)) and match["keys"] != "key" and not match["keys"].startswith("--"):
            keys = SPAN.findall(match["keys"]) or [ALL_OF if match["keys"] == ALL_OF else ANY]
            rows += [(key, Row(match["form"], match["unit"], match["meaning"])) for key in keys]
    return {title: rows for title, rows in found.items() if rows}


class Definitions:
    """The page's tables, with `all of` rows unfolded."""

    def __init__(self, text):
        self.rows = tables(text)
        self.sections = {title: self._unfolded(rows) for title, rows in self.rows.items()}

    def _unfolded(self, rows):
        keys = {}
        for key, row in rows:
            if key == ALL_OF:
                row.met = True  # its own table's rows are what is met
                keys |= self._unfolded(self.rows[LINK.search(row.form)[1]])
            else:
                keys[key] = row
        return keys

    def unmet(self):
        """["section: key"] of rows that nothing had."""
        return [f"{title}: {key}" for title, rows in self.rows.items() for key, row in rows if not row.met]

    def compare(self, value, section, where=""):
        """What does not fit in a JSON value, as lines; rows that are met are noted."""
        yield from self._walk(value, self.sections[section], "", where or section)

    def _walk(self, value, keys, path, where):
        for name, part in value.items():
            here = f"{path}.{name}" if path else name
            row = keys.get(here) or (keys.get(ANY) if not path else None)
            if row is None and isinstance(part, dict) and any(key.startswith(f"{here}.") for key in keys):
                yield from self._walk(part, keys, here, where)
            elif row is None:
                yield f"{where}: {here} is not defined in docs/metrics.md"
            else:
                row.met = True
                yield from self._of_form(part, row.form, f"{where}: {here}")

    def _of_form(self, part, form, where):
        link = LINK.search(form)
        if part is None:
            if "or null" not in form:
                yield f"{where} is null, expected {form}"
        elif form.startswith("by "):
            yield from self._by_name(part, link, where)
        elif link is None:
            if not plain(part, form):
                yield f"{where} is {part!r}, expected {form}"
        elif form.startswith("list of "):
            for i, entry in enumerate(part):
                yield from self.compare(entry, link[1], f"{where}[{i}]")
        elif isinstance(part, dict):
            yield from self.compare(part, link[1], where)
        else:
            yield f"{where} is {part!r}, expected {form}"

    def _by_name(self, part, link, where):
        for name, entry in part.items():
            if link is not None:
                yield from self.compare(entry, link[1], f"{where}.{name}")


def plain(value, form):
    """Whether a JSON value without keys has the form; lists may be nested."""
    if isinstance(value, list):
        listed = form.startswith(("list of ", "["))
        return listed and all(
            plain(entry, form if isinstance(entry, list) else element(form)) or (entry is None and "or null" in form)
            for entry in value
        )
    kinds = KINDS.get(form.removesuffix(" or null"), ())
    return isinstance(value, kinds) and (isinstance(value, bool) == (bool in kinds))


def element(form):
    """The form of a list's entries.

    Examples
    --------
    >>> element("list of number or null"), element("[K] number")
    ('number or null', 'number')
    """
    return re.sub(r"^(list of |\[\w*\] )", "", form)


def compare_arrays(arrays, keys, where):
    """What does not fit in {name: array}; a form is a dtype's kind or name and, in parentheses, the axes."""
    kinds = {"float": "f", "int": "i", "bool": "b", "bytes": "S"}
    for name, array in arrays.items():
        row = next((row for key, row in keys.items() if matches(key, name)), None)
        if row is None:
            yield f"{where}: array {name} is not defined in docs/metrics.md"
            continue
        row.met = True
        dtype, _, shape = row.form.partition(" (")
        axes = [axis for axis in shape.rstrip(")").split(",") if axis]
        if (kinds.get(dtype) or dtype) not in (array.dtype.kind, array.dtype.name):
            yield f"{where}: array {name} has dtype {array.dtype}, expected {dtype}"
        if "(" in row.form and array.ndim != len(axes):
            yield f"{where}: array {name} has shape {array.shape}, expected {row.form}"


def matches(key, name):
    """Whether a name is that of a key, in which <…> stands for anything."""
    return re.fullmatch(re.sub(r"<\w+>", "\x00", key).replace(".", r"\.").replace("\x00", ".+"), name) is not None
