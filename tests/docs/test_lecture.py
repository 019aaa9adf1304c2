"""The lecture is true (contract): its blocks run and print what it shows, its solutions run, its figures are drawn."""

import re
from pathlib import Path

import pytest
from scripts import DOCS, module_of

CHAPTERS = sorted((DOCS / "lecture").glob("[0-9]-*.md"))
PAGES = [*CHAPTERS, DOCS / "index.md"]

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
every_chapter = pytest.mark.parametrize("page", CHAPTERS, ids=lambda path: path.stem)


blocks = module_of("blocks.py")
figures = module_of("lecture", "figures.py")


def test_there_are_chapters():
    assert [path.name[0] for path in CHAPTERS] == list("123456789")


@every_page
def test_blocks_print_what_is_shown(page):
    """Every block and every solution, in order, in one namespace and an empty folder."""
    blocks.check(page.read_text(encoding="utf-8"))


@every_chapter
def test_every_block_is_run(page):
    """No block hides from the runner by its form, and no output stands without its block."""
    text = page.read_text(encoding="utf-8")
    assert len(blocks.BLOCK.findall(text)) == text.count("```python")
    assert sum(bool(shown) for _, shown in blocks.BLOCK.findall(text)) == text.count("```text")
    assert text.count("```") == 2 * (text.count("```python") + text.count("```text"))


@every_chapter
def test_three_exercises_with_solutions(page):
    """Each solution runs something."""
    text = page.read_text(encoding="utf-8")
    exercises = text[text.index("## Exercises") :]
    assert re.findall(r"^\*\*(\d)\.\*\*", exercises, flags=re.MULTILINE) == ["1", "2", "3"]
    solutions = re.findall(r"<details>\n<summary>Solution</summary>\n(.*?)\n</details>", exercises, flags=re.DOTALL)
    assert len(solutions) == 3
    assert all("```python" in solution for solution in solutions)


@every_chapter
def test_one_figure_that_the_script_draws(page):
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"\]\((figures/.*?)\)", text) == [f"figures/{page.stem}.png"]
    assert page.stem in figures.FIGURES
    assert (page.parent / "figures" / f"{page.stem}.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_is_drawn(name, tmp_path):
    """Anew, from training on, with two seeds; of the committed size, give or take what fonts make of it."""
    assert figures.main(["--out", str(tmp_path), "--only", name, "--quick"]) == 0
    drawn = size_of(tmp_path / f"{name}.png")
    committed = size_of(DOCS / "lecture" / "figures" / f"{name}.png")
    assert drawn == pytest.approx(committed, rel=0.1)


def size_of(path):
    """(width, height) of a PNG file, from its header."""
    header = path.read_bytes()[16:24]
    return int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")


def page_of(*parts):
    """A page of blocks, each (code, shown)."""
    return "\n".join(
        f"```python\n{code}\n```\n" + (f"```text\n{shown}\n```\n" if shown else "") for code, shown in parts
    )


def test_blocks_of_a_page_share_their_names_and_no_others():
    blocks.check(page_of(("x = 1", ""), ("print(x)", "1")))
    with pytest.raises(blocks.BlockError, match="NameError"):
        blocks.check(page_of(("print(x)", "1")))


WRONG = {
    "another number": ("print(0.5)", "0.7"),
    "another whole number": ("print(5)", "6"),
    "another word": ("print('left')", "right"),
    "something more": ("print(1)\nprint(2)", "1"),
    "nothing": ("x = 1", "1"),
    "something that is not shown": ("print(1)", ""),
}


@pytest.mark.parametrize(("code", "shown"), WRONG.values(), ids=WRONG)
def test_what_is_printed_otherwise_is_seen(code, shown):
    with pytest.raises(blocks.BlockError, match="block 1 prints"):
        blocks.check(page_of((code, shown)))


def test_a_block_that_raises_is_named_by_its_line():
    with pytest.raises(blocks.BlockError, match="line 5: ZeroDivisionError"):
        blocks.check("words\n\nmore words\n\n" + page_of(("1 / 0", "")))


def test_the_last_digit_may_differ():
    blocks.check(page_of(("print(0.71, 'of', 10)", "0.70 of 10"), ("print(2.0e-9)", "1.9e-9")))


def test_write_puts_in_what_is_printed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n" + page_of(("x = 2", ""), ("print(x)", "3")), encoding="utf-8")
    assert blocks.main([str(page)]) == 1
    assert blocks.main([str(page), "--write"]) == 0
    assert page.read_text(encoding="utf-8") == "# A page\n\n" + page_of(("x = 2", ""), ("print(x)", "2"))
    assert blocks.main([str(page)]) == 0


def test_blocks_run_in_an_empty_folder():
    before = Path.cwd()
    blocks.check(page_of(("import os\nprint(os.listdir())", "[]")))
    assert Path.cwd() == before
