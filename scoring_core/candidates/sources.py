"""Which candidate sources answer a request, and what of their candidates may be shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates import caller, catalogue, popular
from scoring_core.features.table import Ordinals
from scoring_core.live import ItemFeatures, Request, Shelf
from scoring_core.plan import Mask, PlannedPolicy
from storage.records.policies import Policy
from storage.records.subjects import UserState

MOST_CANDIDATES = 65_535
"""A ranking is stored as 16-bit places."""

Bring = Callable[[ItemFeatures, NDArray[np.bool_], int], Ordinals]

BRING: Mapping[str, Bring] = {
    "catalogue": lambda _items, allowed, quota: catalogue.first(allowed, quota),
    "popular": popular.most_popular,
}


@dataclass(frozen=True, slots=True)
class Brought:
    """The candidates in order, each once, and how many of them each source brought first."""

    ordinals: Ordinals
    sources: Mapping[str, int]


def candidates(
    request: Request,
    policy: Policy,
    brought: Mapping[str, tuple[str, ...]],
    *,
    shelf: Shelf,
    items: ItemFeatures,
    user: UserState | None,
    planned: PlannedPolicy,
    masks: tuple[Mask, ...],
    now: int,
) -> Brought:
    """Return the candidates in order, each once.

    A caller who names candidates gets an order of these and no others, up to the quota of the policy's ``caller``
    source; otherwise each other source brings its quota of what may be shown.
    """
    names, sources = request.candidates, policy.sources
    if names is not None:
        quota = next((source.quota for source in sources if source.name == "caller"), None)
        found = caller.named(names, shelf)[: MOST_CANDIDATES if quota is None else quota]
        return Brought(found, {"caller": len(found)})
    allowed = showable(shelf, masks, now)
    each = {source.name: BRING[source.name](items, allowed, source.quota) for source in sources if source.name in BRING}
    merged = dict.fromkeys(ordinal for found in each.values() for ordinal in found.tolist())
    return Brought(
        np.fromiter(merged, dtype=np.int64, count=len(merged))[:MOST_CANDIDATES],
        {name: len(found) for name, found in each.items()},
    )


def showable(shelf: Shelf, masks: tuple[Mask, ...], now: int) -> NDArray[np.bool_]:
    """Return which items of the catalogue may be shown now."""
    allowed = shelf.servable.copy() if shelf.expires_at is None else shelf.servable & (shelf.expires_at > now)
    for mask in masks:
        if mask is not None:
            allowed &= mask
    return allowed


def eligible(
    ordinals: Ordinals,
    *,
    shelf: Shelf,
    masks: tuple[Mask, ...],
    now: int,
    user: UserState | None = None,
    policy: Policy | None = None,
) -> Ordinals:
    """Return the places in ``ordinals`` of the candidates that may be shown now."""
    allowed = shelf.servable[ordinals]
    if shelf.expires_at is not None:
        allowed &= shelf.expires_at[ordinals] > now
    for mask in masks:
        if mask is not None:
            allowed &= mask[ordinals]
    return allowed.nonzero()[0]
