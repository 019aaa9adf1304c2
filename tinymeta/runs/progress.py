"""Progress on stderr, where somebody looks at it; elsewhere nothing is made at all.

tqdm keeps a lock and a thread that watches over the bars, and has both as soon as there is a bar, also one that is
not shown. A process that is forked while the thread holds the lock waits for it for ever once it makes a bar of its
own. So where nothing is to be shown no bar is made, and those that are shown do without the thread.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping

from tqdm import tqdm

WITHOUT_REMAINING = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"

Report = Callable[[int, Mapping[str, str]], None]


class _Bar(tqdm):
    monitor_interval = 0  # no thread; with miniters = 1 there is nothing for it to do


@contextlib.contextmanager
def progress_bar(
    total: int,
    unit: str,
    description: str,
    done: int = 0,
    unit_scale: bool = False,
    show: bool = True,
    remaining: bool = True,
) -> Iterator[Report]:
    """A bar, as a function to report to: report(how much is done, {name: value to stand beside}).

    Parameters
    ----------
    total, done : int
        Of the whole work, and of what was done before.
    unit, description : str
    unit_scale : bool
        Write large counts as 12.3k.
    show : bool
        False, or stderr not a terminal: the function does nothing.
    remaining : bool
        Show the remaining time that follows from how much is done; False where the reporter knows it better.
    """
    if not show or not _at_a_terminal():
        yield _unheard
        return
    shown = {} if remaining else {"bar_format": WITHOUT_REMAINING}
    with _Bar(
        total=total, initial=done, unit=unit, unit_scale=unit_scale, desc=description, miniters=1, **shown
    ) as bar:

        def report(done: int, notes: Mapping[str, str]) -> None:
            if notes:
                bar.set_postfix(notes, refresh=done == bar.n)
            bar.update(done - bar.n)

        yield report


def _at_a_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _unheard(done: int, notes: Mapping[str, str]) -> None:
    """Report to nobody."""
