"""Which candidate sources answer a request, and what of their candidates may be shown."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates import caller, catalogue, popular
from scoring_core.candidates.lists import Lists
from scoring_core.candidates.personal import NONE_SEEN, fitting, seen
from scoring_core.candidates.trending import trending
from scoring_core.features.table import Ordinals
from scoring_core.live import ItemFeatures, Request, Shelf
from scoring_core.plan import Mask, Plan, PlannedPolicy
from storage.records.policies import Policy, Source, SourceName
from storage.records.subjects import MOST_RECENT, UserState

MOST_CANDIDATES = 65_535
"""A ranking is stored as 16-bit places."""

Flags = NDArray[np.bool_]
NOTHING: Ordinals = np.zeros(0, dtype=np.int64)
NOTHING.flags.writeable = False


class Brought(msgspec.Struct, frozen=True):
    """The candidates in order, each once, and how many of them each source brought first."""

    ordinals: Ordinals
    sources: Mapping[str, int]


@dataclass(slots=True)
class Asked:
    """What a source may know. ``allowed`` are the items that may be shown to anyone here, ``open`` those that may be
    shown to this person; each is worked out when it is first needed."""

    request: Request
    policy: Policy
    planned: PlannedPolicy
    plan: Plan
    brought: Mapping[str, tuple[str, ...]]
    shelf: Shelf
    items: ItemFeatures
    user: UserState | None
    masks: tuple[Mask, ...]
    now: int
    lists: Lists
    seen: Ordinals = field(init=False)
    fits: Flags | None = field(init=False)
    _open: Flags | None = None
    _generation: tuple[Hashable, ...] = ()

    def __post_init__(self) -> None:
        shown = seen(self.user, self.policy, self.now)
        self.seen = shown[shown < len(self.shelf.servable)]
        self.fits = fitting(self.user, self.policy, self.shelf)
        self._generation = generation(
            self.request, self.plan, self.shelf, self.items, now=self.now, planned=self.planned
        )

    @property
    def allowed(self) -> Flags:
        """What may be shown to anyone here."""
        return self.lists.of((*self._generation, "allowed"), lambda: showable(self.shelf, self.masks, self.now))

    @property
    def open(self) -> Flags:
        """What may be shown to this person."""
        if self._open is None:
            opened = self.allowed if self.fits is None else self.allowed & self.fits
            if self.seen.size:
                opened = opened.copy()
                opened[self.seen] = False
            self._open = opened
        return self._open

    def listed(self, source: Source, make: Callable[[Flags, int], Ordinals]) -> Ordinals:
        """Return what a source that knows nobody brings for this person: its own list, remembered, without what is
        withheld from the person. The list is longer by as much as can be withheld, so that the quota is met."""
        if self.fits is not None:
            return make(self.open, source.quota)
        more = MOST_RECENT if self.policy.seen else 0
        key = (*self._generation, source.name, source.model, source.quota + more)
        found = self.lists.of(key, lambda: make(self.allowed, source.quota + more))
        return (found[~np.isin(found, self.seen)] if self.seen.size else found)[: source.quota]


Bring = Callable[[Asked, Source], Ordinals]


def _cohort(asked: Asked, source: Source) -> Ordinals:
    """Return what trends among those who share the asking person's value of an attribute; else what trends."""
    if source.model:
        known = asked.user.attributes if asked.user is not None else {}
        value = asked.request.context.get(source.model, known.get(source.model))
        found = asked.plan.cohorts.get(f"{source.model}={value}", NOTHING) if value is not None else NOTHING
        found = found[asked.open[found]]
        if len(found):
            return found[: source.quota]
    return asked.listed(source, lambda allowed, quota: trending(asked.items, allowed, quota))


def _near(asked: Asked, source: Source) -> Ordinals:
    retriever = asked.planned.retrievers.get(source.model or source.name)
    if retriever is None or asked.user is None:
        return NOTHING
    return retriever.nearest(asked.user, asked.open, source.quota)


def _space(asked: Asked, source: Source) -> Ordinals:
    if asked.user is None:
        return NOTHING
    return asked.shelf.spaces.nearest(source.model, asked.user, asked.open, source.quota)


def _search(asked: Asked, source: Source) -> Ordinals:
    """Search the catalogue's own text, or take what an external index found."""
    if source.model:
        return _told(asked, source)
    query = asked.request.query
    if query is None:
        return NOTHING
    return asked.listed(source, lambda allowed, quota: asked.shelf.texts.find(query, allowed, quota))


def _told(asked: Asked, source: Source) -> Ordinals:
    found = caller.named(asked.brought.get(source.model, ()), asked.shelf)
    return found[asked.open[found]][: source.quota]


BRING: Mapping[SourceName, Bring] = {
    "catalogue": lambda asked, source: asked.listed(source, catalogue.first),
    "popular": lambda asked, source: asked.listed(
        source, lambda allowed, quota: popular.most_popular(asked.items, allowed, quota)
    ),
    "trending": _cohort,
    "factors": _near,
    "hybrid": _near,
    "content": _near,
    "sequences": _near,
    "vectors": _space,
    "search": _search,
    "plugin": _told,
}
"""Every source but the caller, whose list stands by itself."""


def candidates(
    request: Request,
    policy: Policy,
    brought: Mapping[str, tuple[str, ...]],
    *,
    shelf: Shelf,
    items: ItemFeatures,
    user: UserState | None,
    planned: PlannedPolicy,
    plan: Plan,
    masks: tuple[Mask, ...],
    now: int,
    lists: Lists,
) -> Brought:
    """Return the candidates in order, each once.

    A caller who names candidates gets an order of these and no others, up to the quota of the policy's ``caller``
    source; otherwise each other source brings its quota of what may be shown, in the policy's order.
    """
    names, sources = request.candidates, policy.sources
    if names is not None:
        quota = next((source.quota for source in sources if source.name == "caller"), None)
        found = caller.named(names, shelf)[: MOST_CANDIDATES if quota is None else quota]
        return Brought(found, {"caller": len(found)})
    asked = Asked(request, policy, planned, plan, brought, shelf, items, user, masks, now, lists)
    counts: dict[str, int] = {}
    merged = NOTHING
    for source in sources:
        if source.name == "caller":
            continue
        found = BRING[source.name](asked, source)
        new = found[~np.isin(found, merged)] if merged.size else found
        new = new[: MOST_CANDIDATES - len(merged)]
        counts[source_key(source)] = len(new)
        merged = np.concatenate([merged, new]) if merged.size else new
    return Brought(merged, counts)


def source_key(source: Source) -> str:
    """Return how a source is named in records and metrics: its name, and its model where it has one."""
    return f"{source.name}.{source.model}" if source.model else source.name


def generation(
    request: Request, plan: Plan, shelf: Shelf, items: ItemFeatures, *, now: int, planned: PlannedPolicy | None = None
) -> tuple[Hashable, ...]:
    """Return what tells one state of everything that a list is made from, but for its source, from another: snapshot,
    catalogue, item features, how many items have expired, the policy version, and what was asked for."""
    return (
        plan.digest,
        shelf.digest,
        items.epoch,
        int(np.searchsorted(shelf.ends, now, side="right")),
        (planned.key, planned.version) if planned is not None else None,
        request.surface,
        request.campaign,
        request.query,
        repr(request.filters) if request.filters else "",
    )


def asked_for(request: Request, plan: Plan, shelf: Shelf) -> tuple[Mask, ...]:
    """Return what a request's surface, campaign and filters let through."""
    campaign = plan.campaigns.get(request.campaign) if request.campaign is not None else None
    return (
        campaign.items if campaign is not None else None,
        plan.kinds.get(request.surface),
        shelf.columns.mask(request.filters) if request.filters else None,
    )


def showable(shelf: Shelf, masks: tuple[Mask, ...], now: int) -> Flags:
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
    """Return the places in ``ordinals`` of the candidates that may be shown now, to this person. Whatever brought a
    candidate, it passes here."""
    allowed = shelf.servable[ordinals]
    if shelf.expires_at is not None:
        allowed &= shelf.expires_at[ordinals] > now
    for mask in masks:
        if mask is not None:
            allowed &= mask[ordinals]
    if policy is not None and user is not None:
        fits = fitting(user, policy, shelf, ordinals) if policy.match else None
        if fits is not None:
            allowed &= fits
        withheld = seen(user, policy, now) if policy.seen else NONE_SEEN
        if withheld.size:
            allowed &= ~np.isin(ordinals, withheld)
    return allowed.nonzero()[0]
