"""Settings that are annealed over a run: the learning rate and the entropy coefficient.

With a value x₀ at the first of U updates and x₁ at the last, update u = 0…U-1 is made with

    linear       x₀ + (x₁ - x₀) u / (U - 1)
    geometric    x₀ (x₁ / x₀)^(u / (U - 1)),

so the numbers of an update are a function of the settings and its number alone, and a resumed run goes on bit by bit.
They depend on U: a run that is annealed cannot be continued with more trials than it was asked for.
"""

import numpy as np

SCHEDULES = ("linear", "geometric")


def anneal(start: float, final: float | None, schedule: str, updates: int, first: int, count: int) -> np.ndarray:
    """The values of updates first…first+count-1 out of `updates`, array (count,); `start` throughout if final is None.

    Examples
    --------
    >>> anneal(1.0, 0.01, "geometric", updates=5, first=1, count=3).round(4)
    array([0.3162, 0.1   , 0.0316])
    """
    if final is None:
        return np.full(count, float(start))
    done = np.minimum(np.arange(first, first + count) / max(1, updates - 1), 1.0)
    if schedule == "geometric":
        return start * (final / start) ** done
    return start + (final - start) * done
