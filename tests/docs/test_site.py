"""What the site's build relies on: its check of links, its docstrings (property). The build itself is runs.sh docs."""

import pytest
from scripts import DOCS, module_of

check_site = module_of("check_site.py")
docstrings = module_of("_ext", "docstrings.py")


@pytest.fixture
def site(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text(
        '<h1 id="top">x</h1><a href="sub/page.html#here">y</a><a href="#top">z</a><a href="https://a.b/#c">w</a>'
        '<img src="a%20picture.png">',
        encoding="utf-8",
    )
    (tmp_path / "a picture.png").write_bytes(b"")
    (tmp_path / "sub" / "page.html").write_text('<p id="here"><a href="../index.html#top">x</a></p>', encoding="utf-8")
    return tmp_path


def test_a_site_whose_links_lead_somewhere_passes(site):
    assert check_site.broken(site) == []


BROKEN = {
    "page": '<a href="gone.html">x</a>',
    "anchor": '<a href="sub/page.html#gone">x</a>',
    "own anchor": '<a href="#gone">x</a>',
    "image": '<img src="gone.png">',
    "frame": '<iframe src="lab.html"></iframe>',
}


@pytest.mark.parametrize("html", BROKEN.values(), ids=BROKEN)
def test_a_link_that_leads_nowhere_is_seen(html, site, capsys):
    with open(site / "index.html", "a", encoding="utf-8") as file:
        file.write(html)
    assert check_site.main([str(site)]) == 1
    assert capsys.readouterr().err.startswith("index.html: ")


def test_a_module_without_a_page_is_seen(site, tmp_path):
    package = tmp_path / "package"
    (package / "folder").mkdir(parents=True)
    for name in ("__init__.py", "__main__.py", "folder/__init__.py", "folder/module.py", "folder/_hidden.py"):
        (package / name).touch()
    (site / "api" / "generated").mkdir(parents=True)
    for name in ("package", "package.folder"):
        (site / "api" / "generated" / f"{name}.html").touch()
    assert check_site.undocumented(site, package) == ["module: package.folder.module"]


def test_a_folder_that_is_no_site_is_refused(tmp_path, capsys):
    assert check_site.main([str(tmp_path)]) == 2
    assert "index.html" in capsys.readouterr().err


def test_columns_stay_as_they_are_laid_out():
    lines = ["Words.", "", "greedy      acts", "thompson    draws", "            a task", "", "More."]
    laid_out = docstrings.laid_out(lines)
    assert laid_out[2:7] == ["::", "", "    greedy      acts", "    thompson    draws", "                a task"]
    assert laid_out[-2] == "More."


def test_bars_and_plurals_are_escaped_but_for_examples():
    assert docstrings.inline("|x| of `Estimate`s") == r"\|x\| of `Estimate`\ s"
    lines = ["a | b", "", ">>> 1 | 2", "3", "", "c | d"]
    docstrings.process(None, "function", "f", None, None, lines)
    assert lines == [r"a \| b", "", ">>> 1 | 2", "3", "", r"c \| d"]


def test_a_field_is_documented_by_its_comment():
    lines = ["Alias for field number 1", ""]
    docstrings.process(None, "attribute", "tinymeta.learning.wirings.Wiring.identity_from", None, None, lines)
    assert lines == ["the episode, counted from 0, from which the task's identity is an input"]
    assert docstrings.comment_beside("tinymeta.learning.wirings.Wiring.role") == []


def test_the_nine_names_are_in_the_reference():
    import tinymeta

    reference = (DOCS / "api" / "index.md").read_text(encoding="utf-8")
    homes = {f"   ~tinymeta.{home}.{name}\n" for name, home in tinymeta._HOME.items()}
    assert {home for home in homes if home not in reference} == set()
