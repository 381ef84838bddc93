"""How much less rows say when some belong to one person, or one item."""

import numpy as np
from numpy.typing import NDArray

from governance.checks.permutation import Floats

LEAST = 30
"""With fewer owners in a group the spread between them says too little: that of all groups together holds alone."""


def inflation(groups: NDArray[np.integer], owners: NDArray[np.integer], worth: Floats, height: int) -> Floats:
    """Return each group's design effect: how many of its rows count as one.

    Parameters
    ----------
    groups
        The group of each row, none unknown.
    owners
        Whom each row belongs to; −1: to nobody else's.
    worth
        What each row's outcome is worth.
    height
        How many groups there are.

    Notes
    -----
    The variance of a group's mean between owners over that of independent rows; that of all groups together where it
    is larger, since an estimate of few owners that comes out low would make false findings; at least 1.

    References
    ----------
    Rao and Scott, A Simple Method for the Analysis of Clustered Binary Data, Biometrics 48 (1992), 577-585.

    Examples
    --------
    >>> inflation(np.zeros(400, int), np.arange(400) // 4, np.repeat(np.arange(100) % 2, 4).astype(float), 1).round(1)
    array([4.])
    """
    alone = owners < 0
    every = np.where(alone, owners.max(initial=-1) + 1 + np.cumsum(alone), owners).astype(np.int64)
    key = groups.astype(np.int64) * (int(every.max(initial=0)) + 1) + every
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    group = groups[first]
    n = np.bincount(place).astype(np.float64)
    s = np.bincount(place, weights=worth)
    rows = np.bincount(groups, minlength=height).astype(np.float64)
    held = np.bincount(group, minlength=height)
    mean = np.divide(np.bincount(groups, weights=worth, minlength=height), rows, out=np.zeros(height), where=rows > 0)
    between = np.bincount(group, weights=(s - mean[group] * n) ** 2, minlength=height)
    within = np.bincount(groups, weights=(worth - mean[groups]) ** 2, minlength=height)
    known = (within > 0) & (held > 1)
    found = np.ones(height)
    found[known] = (between * held / np.maximum(held - 1, 1))[known] / within[known]
    pooled = float(between.sum() / within.sum()) if within.sum() > 0 else 1.0
    return np.maximum(max(pooled, 1.0), np.where(held < LEAST, 1.0, found))
