"""README and docs are true (contract): their Python runs, commands print what is shown, tables are figures/'s."""

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = README + (ROOT / "docs" / "using.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", SHOWN, flags=re.DOTALL)
SESSIONS = re.findall(r"```console\n(.*?)```", SHOWN, flags=re.DOTALL)
NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?")


def test_there_are_examples():
    assert len(EXAMPLES) >= 2
    assert len(SESSIONS) >= 1


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_example_runs(code, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {"__name__": "example"})
    printed = capsys.readouterr().out.split()
    shown = re.findall(r"# prints (.*)", code)
    assert printed == " ".join(shown).split()


def words(text):
    """What does not depend on the machine: every number is one word, and so is the space between words."""
    return NUMBER.sub("#", text).split()


@pytest.mark.parametrize("session", SESSIONS, ids=range(len(SESSIONS)))
def test_commands_print_what_is_shown(session, capsys, tmp_path, monkeypatch):
    """Every command of a session is run, in one folder; its lines are compared but for their numbers."""
    monkeypatch.chdir(tmp_path)
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", session, flags=re.MULTILINE):
        python, module, name, *arguments = shlex.split(command)
        assert (python, module) == ("python", "-m")
        assert importlib.import_module(name).main(arguments) == 0
        assert words(capsys.readouterr().out) == words(shown), command


def test_its_tables_are_those_of_figures():
    """And a change in one number of figures/claims.json would be seen."""
    checked = subprocess.run([sys.executable, "docs/readme.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_stale_table_is_seen(tmp_path):
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        readme = importlib.import_module("readme")
    finally:
        sys.path.remove(str(ROOT / "docs"))
    for name in ("claims.json", "baselines-bandit.txt", "baselines-corridor.txt", "conti/claims.json",
                 "wang/claims.json", "worlds/claims.json"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / "figures" / name).read_text(encoding="utf-8"), encoding="utf-8")
    documents = {name: (ROOT / name).read_text(encoding="utf-8") for name in readme.DOCUMENTS}
    assert {name: readme.filled(name, text, tmp_path) for name, text in documents.items()} == documents
    for table in (path for path in tmp_path.rglob("*") if path.is_file()):
        table.write_text(table.read_text(encoding="utf-8").replace("0.", "7."), encoding="utf-8")
    for name, text in documents.items():
        assert readme.filled(name, text, tmp_path) != text


def test_it_is_short():
    assert len(README.splitlines()) <= 200


def test_the_files_that_it_names_exist():
    named = re.findall(r"\]\((?!https?:)([^)#]+)\)", README) + re.findall(r"`(tinymeta/[\w/]+(?:\.py|/))`", README)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_reading_table_is_the_order_of_the_folders():
    from test_house import CORE, FOLDERS

    rows = re.findall(r"^\| `(\w+)/` \|", README, flags=re.MULTILINE)
    assert tuple(rows) == FOLDERS[:-1]
    sitting = README[README.index("The core in one sitting") :]
    assert re.findall(r"`((?:learning|network)/\w+\.py)`", sitting) == list(CORE)
