"""What the pictures of papers share: colours and labels of the agents, and drawing from a paper's runs.

How a picture is made and written stands in `tinymeta.base.pictures`; its names can be had here as well.
"""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from tinymeta.base.pictures import (
    SETTINGS,
    DrawingJob,
    Table,
    csv_text,
    draw_each,
    drawing,
    mean_and_band,
    new_figure,
    save,
    smoothed,
)
from tinymeta.papers.results import LeftOutError, Results

__all__ = [
    "COLOUR", "INFORMED_GREEN", "LABEL", "SETTINGS", "SHUFFLED_ORANGE", "STYLE", "UNTRAINED_GREY", "Draw",
    "DrawingJob", "Table", "csv_text", "draw_each", "draw_figures", "drawing", "mean_and_band", "new_figure", "save",
    "smoothed",
]  # fmt: skip

# Okabe & Ito's colours, told apart also without colour vision; line styles tell them apart in grey.
COLOUR = {"rl2": "#0072B2", "rl1": "#D55E00", "memoryless": "#7F7F7F", "informed": "#CC79A7"}
STYLE = {"rl2": "-", "rl1": (0, (5, 1)), "memoryless": (0, (1, 1)), "informed": (0, (3, 1, 1, 1))}
LABEL = {"rl2": "RL²", "rl1": "RL¹", "memoryless": "memoryless", "informed": "informed"}
INFORMED_GREEN = "#009E73"
UNTRAINED_GREY = "#7F7F7F"
SHUFFLED_ORANGE = "#E69F00"

Draw = Callable[[Results, Path], None]  # writes a picture of the runs into a folder


def draw_figures(
    figures: Mapping[str, Draw], results: Results, out: Path, workers: int = 1, say: Callable[[str], object] = print
) -> None:
    """Draw {file name: what draws it} of the runs into the folder `out`; see `draw_each`.

    What needs experiments that are left out is not drawn.
    """

    def say_if_drawn(path: str) -> None:
        drawn = any(out.glob(f"{Path(path).name}.*"))
        say(path if drawn else f"{path}: left out")

    jobs = {str(out / name): (_draw, (draw, results, out)) for name, draw in figures.items()}
    draw_each(jobs, workers, say_if_drawn)


def _draw(draw: Draw, results: Results, out: Path) -> None:
    with contextlib.suppress(LeftOutError):
        draw(results, out)
