"""The remaining time (oracle): by hand, and against a sweep that is played through."""

import heapq

import numpy as np
import pytest

from tinymeta.runs.remaining import Pace, Remaining, remaining, remaining_text


def pace(sweep, trials, reached=0, done=0, seconds=0.0):
    made = Pace(sweep, trials, reached)
    if done:
        made.advance(reached + done, seconds)
    return made


def test_by_hand():
    """Bandits take 0.01 s a trial and have 500 + 1000 to do, the corridor 0.1 s and 900: 105 s of work."""
    paces = [pace("bandit", 1000, 0, 500, 4.0), pace("bandit", 1500, 500), pace("corridor", 1000, 0, 100, 10.0)]
    paces[1].advance(600, 2.0)  # resumed at 500: 100 more trials
    assert [p.left for p in paces] == [500, 900, 900]
    rate = 6 / 600
    assert remaining(paces, 1) == Remaining(pytest.approx(1400 * rate + 90), False)
    assert remaining(paces, 2) == Remaining(pytest.approx(90), False)  # the corridor is one worker's
    assert remaining(paces, 0) == remaining(paces, 1)  # no worker yet: as if there were one


def test_what_nothing_is_known_of_makes_a_bound():
    paces = [pace("bandit", 1000, 0, 500, 5.0), pace("tiger", 10)]
    assert remaining(paces, 2) == Remaining(pytest.approx(5), True)
    paces[1].end()
    assert remaining(paces, 2) == Remaining(pytest.approx(5), False)
    assert remaining([pace("tiger", 10)], 1) == Remaining(0.0, True)


@pytest.mark.parametrize("workers", [1, 3, 40])
def test_a_sweep_takes_as_long_as_is_told(workers):
    """Played through with 20 runs on simulated workers: from a tenth of the time on, the end is told to 15 %."""
    rng = np.random.default_rng(0)
    cost = {"bandit": 0.01, "corridor": 0.04}
    paces = [pace(name, 2000) for name in ("corridor", "bandit") for _ in range(10)]
    waiting = list(range(20))
    running = [(0.0, waiting.pop(0)) for _ in range(min(workers, 20))]
    told = []
    now = 0.0
    while running:
        now, run = heapq.heappop(running)
        own = paces[run]
        if own.left:
            told.append((now, remaining(paces, workers)))
            seconds = 200 * cost[own.sweep] * rng.uniform(0.9, 1.1)
            heapq.heappush(running, (now + seconds, run))
            own.advance(2000 - own.left + 200, seconds)
        elif waiting:
            heapq.heappush(running, (now, waiting.pop(0)))
    late = [(at, left) for at, left in told if at > 0.1 * now and not left.bound]
    assert len(late) > 20 and all(abs(at + left.seconds - now) < 0.15 * now for at, left in late)


def test_as_text():
    texts = [remaining_text(Remaining(s, False)) for s in (0, 0.4, 99, 100, 5999, 6000, 90_000)]
    assert texts == ["0 s", "0 s", "99 s", "2 min", "1 h 40 min", "1 h 40 min", "25 h 0 min"]
    assert remaining_text(Remaining(30, True)) == "≥ 30 s"
