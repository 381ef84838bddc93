"""Candidates whose popularity grows: for everyone, or within a cohort."""

import numpy as np
from numpy.typing import NDArray

from scoring_core.features.table import Ordinals
from scoring_core.live import ItemFeatures
from storage.records.events import ITEM_STATS

POPULARITY, TREND = ITEM_STATS.index("popularity"), ITEM_STATS.index("trend")
STEADY = 10.0
"""How much faded weight of events an item is given as if it were steady, so that few events make no trend."""


def trending(items: ItemFeatures, allowed: NDArray[np.bool_], quota: int) -> Ordinals:
    """Return at most ``quota`` of the allowed items whose popularity grows fastest; equals by popularity, then by
    ordinal. An item of which nothing was seen does not trend.

    The order is that of (p · t + k) / (p + k), p an item's popularity, t its rate of the last hour over that of the
    last day, k = ``STEADY``: the ratio, shrunk towards 1 where p is small.
    """
    known = min(len(allowed), len(items.values))
    popularity = np.nan_to_num(items.values[:known, POPULARITY], nan=0.0)
    ordinals = np.flatnonzero(allowed[:known] & (popularity > 0.0))
    p, ratio = popularity[ordinals], np.nan_to_num(items.values[ordinals, TREND], nan=1.0)
    growth = (p * ratio + STEADY) / (p + STEADY)
    return ordinals[np.lexsort((ordinals, -p, -growth))[:quota]]
