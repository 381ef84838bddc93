"""Candidates that many like."""

import numpy as np
from numpy.typing import NDArray

from scoring_core.features.table import Ordinals
from scoring_core.live import ItemFeatures
from storage.records.events import ITEM_STATS

POPULARITY = ITEM_STATS.index("popularity")


def most_popular(items: ItemFeatures, allowed: NDArray[np.bool_], quota: int) -> Ordinals:
    """Return the ``quota`` most popular of the allowed items; equals, and what nothing is known of, in the catalogue's
    order."""
    ordinals = np.flatnonzero(allowed)
    popularity = np.zeros(len(allowed))
    known = min(len(allowed), len(items.values))
    popularity[:known] = np.nan_to_num(items.values[:known, POPULARITY], nan=0.0)
    score = popularity[ordinals]
    if len(ordinals) > quota:
        bar = np.partition(score, len(score) - quota)[len(score) - quota]
        kept = score >= bar
        ordinals, score = ordinals[kept], score[kept]
    return ordinals[np.argsort(-score, kind="stable")[:quota]]
