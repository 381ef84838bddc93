"""One-sided bounds of a mean of weighted rewards that hold for any weights, however large."""

from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HELD_OUT = 20
"""One unit in so many chooses where weights are cut, and takes no part in the bound."""


def lower_bound(values: Floats, *, level: float, rng: np.random.Generator) -> float:
    """Return what the mean of independent values ≥ 0 is above with probability ``level``.

    Values are cut at a threshold that a twentieth of them chooses: what is cut off can only make the bound lower, so
    that no largest value has to be known. The rest gets the empirical Bernstein bound.

    References
    ----------
    Maurer, Pontil, Empirical Bernstein Bounds and Sample Variance Penalization, COLT 2009, theorem 4; Thomas,
    Theocharous, Ghavamzadeh, High Confidence Off-Policy Evaluation, AAAI 2015 (the cut).
    """
    order = rng.permutation(len(values))
    aside = max(2, len(values) // HELD_OUT)
    chooses, counts = values[order[:aside]], values[order[aside:]]
    if len(counts) < 2:
        return 0.0
    grid = np.unique(np.quantile(chooses[chooses > 0], np.linspace(0.05, 1.0, 20))) if (chooses > 0).any() else [1.0]
    wide = [*(float(each) for each in grid), *(float(grid[-1]) * factor for factor in (1.5, 2.0, 4.0, 8.0))]
    cut = max(wide, key=lambda each: _bound(np.minimum(chooses, each), each, len(counts), level))
    return max(0.0, _bound(np.minimum(counts, cut), cut, len(counts), level))


def _bound(values: Floats, most: float, n: int, level: float) -> float:
    """Return the bound that ``n`` values in [0, most] like these would give."""
    reach = log(2.0 / (1.0 - level))
    variance = float(values.var(ddof=1))
    return float(values.mean()) - sqrt(2.0 * variance * reach / n) - 7.0 * most * reach / (3.0 * (n - 1))
