"""How many trials an experiment needs before it is begun."""

from math import ceil
from statistics import NormalDist


def sample_size(rate: float, change: float, *, power: float = 0.8, level: float = 0.05) -> int:
    """Return how many trials each of two arms needs to find a relative ``change`` of a ``rate`` with a ``power``, at a
    two-sided ``level``: (z₁₋α⁄₂ + z_power)² · (p₁(1 − p₁) + p₂(1 − p₂)) / (p₁ − p₂)² (Fleiss, Levin and Paik, 2003,
    Statistical Methods for Rates and Proportions, without correction for continuity).

    Trials are taken as independent: with several impressions a person, more are needed.

    Raises
    ------
    ValueError
        Where one of the two rates is not between 0 and 1, or nothing changes.

    >>> sample_size(0.02, 0.2)
    21106
    """
    other = rate * (1.0 + change)
    if not 0.0 < rate < 1.0 or not 0.0 < other < 1.0 or change == 0.0:
        raise ValueError("both rates must lie between 0 and 1, and differ")
    normal = NormalDist()
    both = normal.inv_cdf(1.0 - level / 2.0) + normal.inv_cdf(power)
    return ceil(both * both * (rate * (1.0 - rate) + other * (1.0 - other)) / (rate - other) ** 2)


def days(trials: int, *, arms: int, per_day: float) -> float | None:
    """Return how long that takes at so many trials a day; None where there are none.

    >>> days(21_000, arms=2, per_day=3_000.0)
    14.0
    """
    return trials * arms / per_day if per_day > 0.0 else None
