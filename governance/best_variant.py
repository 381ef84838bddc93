"""The best-variant rung: which items did best on a surface and campaign, surely enough to fall back on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import field
from math import sqrt

from governance.actions import Action, Ground, Step, always, untagged
from storage import campaigns, cells, documents
from storage.cells import Cell
from storage.database import Read, Write
from storage.errors import Conflict
from storage.records.access import Scope
from storage.records.clock import DAY, MINUTE
from storage.records.document import document, dump

BEST_VARIANTS = "best_variants"
DAYS = 7
MIN_IMPRESSIONS = 200
MAX_ITEMS = 20
CLOSED_AFTER = DAY + 10 * MINUTE
"""The join window and the watermark's delay: a day is closed when the clicks on its impressions are in."""
ORIGINS = ("live", "imported")
"""Simulated outcomes never decide what people are shown."""

_Z = 1.959963984540054


@document
class BestVariants:
    """``surface/campaign`` → item ids, best first."""

    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def lower_bound(clicks: int, impressions: int) -> float:
    """Return the lower bound of Wilson's 95 % score interval of a rate (Wilson 1927, JASA 22).

    >>> round(lower_bound(20, 1000), 4)
    0.013
    """
    if impressions <= 0:
        return 0.0
    rate, square = min(clicks / impressions, 1.0), _Z * _Z
    centre = rate + square / (2 * impressions)
    margin = _Z * sqrt(rate * (1 - rate) / impressions + square / (4 * impressions * impressions))
    return max(0.0, (centre - margin) / (1 + square / impressions))


def rank(by_position_item: Iterable[Cell]) -> tuple[str, ...]:
    """Return the items with enough impressions, highest lower bound first."""
    counts: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for cell in by_position_item:
        impressions, clicks = counts[cell.b]
        counts[cell.b] = (impressions + cell.impressions, clicks + cell.clicks)
    bounds = [
        (-lower_bound(clicks, impressions), item)
        for item, (impressions, clicks) in counts.items()
        if impressions >= MIN_IMPRESSIONS
    ]
    return tuple(item for _bound, item in sorted(bounds)[:MAX_ITEMS])


def compute(read: Read, *, now: int) -> BestVariants:
    """Rank the items of every campaign over the last seven closed days."""
    end = (now - CLOSED_AFTER) // DAY * DAY
    items: dict[str, tuple[str, ...]] = {}
    for stored in campaigns.listed(read):
        campaign = stored.campaign
        found = cells.by_position_item(read, campaign=campaign.key, start=end - DAYS * DAY, end=end, origins=ORIGINS)
        best = rank(found)
        if best:
            items |= {f"{surface}/{campaign.key}": best for surface in campaign.surfaces}
    return BestVariants(items=items)


def best_variants(read: Read) -> Mapping[str, tuple[str, ...]]:
    """Return what was last ranked."""
    stored = documents.load(read, BEST_VARIANTS, BestVariants)
    return stored.items if stored else {}


def _update(write: Write, _key: str, payload: BestVariants, _ground: Ground) -> Step:
    before = dict(best_variants(write))
    if before == dict(payload.items):
        raise Conflict("the best variants are these already")
    documents.save(write, BEST_VARIANTS, payload)
    return Step(before=before, after=dump(payload)["items"])


ACTIONS = (
    Action(
        kind="best_variants.update",
        object_kind="best_variants",
        scope=Scope.ADMIN,
        propose=Scope.ADMIN,
        payload=BestVariants,
        level=always("D1"),
        perform=_update,
        etag=untagged,
    ),
)
