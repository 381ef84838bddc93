"""What equal groups give by chance: tables with the same margins, and how far apart their groups lie."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


def null_tables(counts: Whole, draws: int, rng: np.random.Generator) -> Whole:
    """Draw tables with the margins of ``counts`` in which rows and columns are independent: (draws, rows, columns)."""
    rows, columns = counts.shape
    left = np.broadcast_to(counts.sum(axis=0), (draws, columns)).copy()
    tables = np.zeros((draws, rows, columns), dtype=np.int64)
    for row, size in enumerate(counts.sum(axis=1)):
        open_places = np.full(draws, size)
        behind = left.sum(axis=1)
        for column in range(columns - 1):
            behind = behind - left[:, column]
            taken = rng.hypergeometric(left[:, column], behind, open_places)
            tables[:, row, column] = taken
            open_places = open_places - taken
        tables[:, row, columns - 1] = open_places
        left -= tables[:, row]
    return tables


def mean(counts: Whole | Floats, values: Floats) -> Floats:
    """Return the mean of ``values`` over the last axis of ``counts``; NaN of nothing."""
    total = counts.sum(axis=-1)
    found: Floats = np.divide(counts @ values, total, out=np.full(total.shape, np.nan), where=total > 0)
    return found


def spread(counts: Whole, values: Floats) -> Floats:
    """Return the variance of ``values`` in each stratum of ``counts`` (strata, groups, outcomes); 0 of nothing."""
    pooled = counts.sum(axis=1)
    found: Floats = np.maximum(0.0, np.nan_to_num(mean(pooled, values**2) - mean(pooled, values) ** 2))
    return found


def permutation(
    counts: Whole, values: Floats, rng: np.random.Generator, *, family: int, draws: int
) -> tuple[float | None, Floats]:
    """Return the p-value of the largest distance of a group from what it would have if the group said nothing, and
    each group's own, corrected over the groups (Holm); both over the family (Bonferroni).

    Parameters
    ----------
    counts
        Shape (strata, groups, outcomes); rows change their group within their stratum only.

    Notes
    -----
    A group's distance is ``|Σ(O − E)| / sqrt(Σ n(N − n)/N · v)`` over the strata: the statistic of Cochran, Mantel and
    Haenszel; with one stratum |mean of the group − mean of all others| in units of its spread. Where no draw reaches
    a group's distance, its own p-value is that of the normal limit: draws cannot tell less than one in their number.

    References
    ----------
    Mantel and Haenszel, Statistical Aspects of the Analysis of Data from Retrospective Studies, JNCI 22 (1959).
    """
    sizes = counts.sum(axis=2).astype(np.float64)
    every = sizes.sum(axis=1, keepdims=True)
    variance = spread(counts, values)
    information = np.divide(sizes * (every - sizes), every, out=np.zeros_like(sizes), where=every > 0)
    scale = np.sqrt((information * variance[:, None]).sum(axis=0))
    nothing = np.full(counts.shape[1], np.nan)
    if counts.shape[1] < 2 or not (variance > 1e-15 * np.abs(values).max() ** 2).any() or not scale.any():
        return None, nothing
    stratum_means = np.nan_to_num(mean(counts.sum(axis=1), values))
    expected = (sizes * stratum_means[:, None]).sum(axis=0)
    per = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    drawn = np.zeros((draws, counts.shape[1]))
    for stratum in counts:
        drawn += null_tables(stratum, draws, rng) @ values
    null = np.abs(drawn - expected) * per
    seen = np.abs((counts @ values).sum(axis=0) - expected) * per - 1e-9
    whole = (1.0 + np.count_nonzero(null.max(axis=1) >= seen.max())) / (draws + 1.0)
    reached = (null >= seen).sum(axis=0)
    each = (1.0 + reached) / (draws + 1.0)
    each = np.where(reached == 0, np.minimum(each, 2.0 * norm.sf(seen)), each)
    return min(1.0, float(whole) * family), np.minimum(1.0, holm(each) * family)


def holm(p: Floats) -> Floats:
    """Correct p-values so that the chance of any false finding is kept (Holm, 1979).

    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return corrected
