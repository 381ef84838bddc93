"""Which candidate sources answer a request, and what of their candidates may be shown."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates import caller, catalogue, popular
from scoring_core.features.table import Ordinals
from scoring_core.live import ItemFeatures, Shelf
from scoring_core.plan import Mask
from storage.records.policies import Source

MOST_CANDIDATES = 65_535
"""A ranking is stored as 16-bit places."""

Bring = Callable[[ItemFeatures, NDArray[np.bool_], int], Ordinals]

BRING: Mapping[str, Bring] = {
    "catalogue": lambda _items, allowed, quota: catalogue.first(allowed, quota),
    "popular": popular.most_popular,
}


def candidates(
    names: tuple[str, ...] | None,
    sources: tuple[Source, ...],
    *,
    shelf: Shelf,
    items: ItemFeatures,
    masks: tuple[Mask, ...],
    now: int,
) -> Ordinals:
    """Return the candidates in order, each once.

    A caller who names candidates gets an order of these and no others, up to the quota of the policy's ``caller``
    source; otherwise each other source brings its quota of what may be shown.
    """
    if names is not None:
        quota = next((source.quota for source in sources if source.name == "caller"), None)
        return caller.named(names, shelf)[: MOST_CANDIDATES if quota is None else quota]
    allowed = showable(shelf, masks, now)
    brought = [BRING[source.name](items, allowed, source.quota) for source in sources if source.name != "caller"]
    if len(brought) == 1:
        return brought[0]
    merged = dict.fromkeys(ordinal for each in brought for ordinal in each.tolist())
    return np.fromiter(merged, dtype=np.int64, count=len(merged))[:MOST_CANDIDATES]


def showable(shelf: Shelf, masks: tuple[Mask, ...], now: int) -> NDArray[np.bool_]:
    """Return which items of the catalogue may be shown now."""
    allowed = shelf.servable.copy() if shelf.expires_at is None else shelf.servable & (shelf.expires_at > now)
    for mask in masks:
        if mask is not None:
            allowed &= mask
    return allowed


def eligible(ordinals: Ordinals, *, shelf: Shelf, masks: tuple[Mask, ...], now: int) -> Ordinals:
    """Return the places in ``ordinals`` of the candidates that may be shown now."""
    allowed = shelf.servable[ordinals]
    if shelf.expires_at is not None:
        allowed &= shelf.expires_at[ordinals] > now
    for mask in masks:
        if mask is not None:
            allowed &= mask[ordinals]
    return allowed.nonzero()[0]
