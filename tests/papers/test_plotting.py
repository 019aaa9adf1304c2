"""Drawing (contract): nothing global changes, files are whole and reproducible, tables hold what is drawn."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

from tinymeta.base.files import WriteError, write_whole
from tinymeta.papers.plotting import Table, csv_text, draw_each, drawing, mean_and_band, new_figure, save, smoothed

NOTHING_GLOBAL = """
import matplotlib, pathlib, pkgutil, sys
matplotlib.use("svg")
before = dict(matplotlib.rcParams)
import tinymeta.papers
for module in pkgutil.walk_packages(tinymeta.papers.__path__, "tinymeta.papers."):
    __import__(module.name)
from tinymeta.papers.plotting import draw_each, new_figure, save

def draw(path):
    figure, axes = new_figure(3, 2, 1, 2)
    axes[0].plot([1, 2])
    save(figure, path, {"x": [1, 2]})

draw_each({"one": (draw, (pathlib.Path(sys.argv[1], "one"),))}, say=lambda name: None)
assert matplotlib.get_backend() == "svg", matplotlib.get_backend()
assert dict(matplotlib.rcParams) == before
from matplotlib import pyplot
assert pyplot.get_fignums() == []
assert matplotlib.get_backend() == "svg"
"""


def test_drawing_changes_nothing_global(tmp_path):
    done = subprocess.run([sys.executable, "-c", NOTHING_GLOBAL, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".svg", ".csv"}


def test_settings_hold_while_a_picture_is_drawn():
    before = mpl.rcParams["savefig.bbox"], mpl.rcParams["font.size"]
    with drawing(**{"savefig.bbox": None}):
        assert (mpl.rcParams["savefig.bbox"], mpl.rcParams["font.size"]) == (None, 9)
    assert (mpl.rcParams["savefig.bbox"], mpl.rcParams["font.size"]) == before


def test_pictures_are_drawn_by_several_processes(tmp_path):
    said = []
    draw_each({name: (write_whole, (tmp_path / name, name.encode())) for name in "abc"}, workers=2, say=said.append)
    assert sorted(said) == ["a", "b", "c"]
    assert [(tmp_path / name).read_text() for name in "abc"] == ["a", "b", "c"]
    with pytest.raises(WriteError, match="nowhere"):
        draw_each({"bad": (write_whole, (tmp_path / "nowhere" / "file", b""))}, workers=2)


def test_files_of_a_picture_are_reproducible(tmp_path):
    for name in ("a", "b"):
        with drawing():
            figure, axis = new_figure(3, 2)
            axis.plot([1, 3, 2], label="line")
            axis.legend()
            save(figure, tmp_path / name, {"y": [1, 3, 2]})
    for kind in ("png", "svg", "csv"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_tables_repeat_what_is_the_same_in_all_rows():
    table = Table("agent", "step", "value")
    table.add("rl2", np.arange(2), np.array([0.5, 1.0]))
    table.add("optimum", "", 2.0)
    assert csv_text(table.columns) == "agent,step,value\nrl2,0,0.5\nrl2,1,1.0\noptimum,,2.0\n"
    with pytest.raises(ValueError):
        table.add("rl2", 1)


def test_bands_and_smoothing_by_hand():
    """Student's t(0.975, 1) is 12.7062; the smoothed curve is a mean over the last three points."""
    mean, low, high = mean_and_band(np.array([[1.0, 5.0], [3.0, 5.0]]))
    np.testing.assert_allclose(mean, [2, 5])
    np.testing.assert_allclose(high - mean, [12.7062 * np.sqrt(2) / np.sqrt(2), 0], atol=1e-3)
    np.testing.assert_allclose(mean - low, high - mean)
    np.testing.assert_allclose(smoothed(np.array([[3.0, 6, 9, 0]]), 3), [[3, 4.5, 6, 5]])
