"""One tile of a heatmap over time: its days, which of them is unusual, and what was shown in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from typing import Literal
from zoneinfo import ZoneInfo

from dashboard.queries.grids import Tile
from dashboard.queries.heatmaps import Rows, origins
from dashboard.queries.rates import Rate, rate
from dashboard.span import Span
from storage import cell_sums, cells
from storage.cells import CELL_US
from storage.database import Read
from storage.records.clock import moment

Kind = Literal["hours", "items", "segments"]
CUBES: dict[Kind, Literal["time", "position_item", "segment"]] = {
    "hours": "time",
    "items": "position_item",
    "segments": "segment",
}
MOST_ITEMS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A tile on one day of the zone: the stretches in which it was shown, and its clicks."""

    name: str
    ranges: tuple[tuple[int, int], ...]
    clicks: Rate

    @property
    def start(self) -> int:
        """When it began."""
        return self.ranges[0][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopItem:
    """An item shown in a tile."""

    item: str
    clicks: Rate


def _stretches(starts: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Put cells that follow each other together.

    >>> _stretches([0, CELL_US, 3 * CELL_US]) == ((0, 2 * CELL_US), (3 * CELL_US, 4 * CELL_US))
    True
    """
    found: list[tuple[int, int]] = []
    for start in starts:
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], start + CELL_US)
        else:
            found.append((start, start + CELL_US))
    return tuple(found)


def days(read: Read, *, kind: Kind, tile: Tile, campaign: str | None, span: Span, rows: Rows) -> tuple[Day, ...]:
    """Return a tile day by day; days without impressions are left out."""
    members = set(tile.members)
    placed = kind != "hours"
    found = cell_sums.sums(
        read,
        cube=CUBES[kind],
        by="start",
        campaign=None if kind == "segments" else campaign,
        start=span.start,
        end=span.end,
        origins=origins(rows),
        a=sorted({a for a, _ in members}) if placed else None,
        b=sorted({b for _, b in members}) if placed else None,
    )
    zone = ZoneInfo(span.zone)
    inside = sorted(
        (int(one.key), one)
        for one in found
        if one.impressions and (placed or cells.local_hour(int(one.key), span.zone) in members)
    )
    told = []
    for date, held in groupby(inside, key=lambda pair: moment(pair[0]).astimezone(zone).date()):
        group = list(held)
        told.append(
            Day(
                name=f"{date:%a} {date.day} {date:%b %Y}",
                ranges=_stretches([at for at, _ in group]),
                clicks=rate(sum(one.clicks for _, one in group), sum(one.impressions for _, one in group)),
            )
        )
    return tuple(told)


def unusual(found: Sequence[Day]) -> int | None:
    """Return the place of the day that is farthest from the tile's own mean, in standard errors; None of no day."""
    shown, hits = sum(day.clicks.n for day in found), sum(day.clicks.hits for day in found)
    if not found:
        return None
    if not 0 < hits < shown:
        return len(found) - 1
    mean = hits / shown

    def far(place: int) -> float:
        clicks = found[place].clicks
        return abs(clicks.hits - clicks.n * mean) / sqrt(clicks.n * mean * (1 - mean))

    return max(range(len(found)), key=far)


def top_items(
    read: Read,
    *,
    kind: Kind,
    tile: Tile,
    campaign: str | None,
    span: Span,
    rows: Rows,
    within: Sequence[tuple[int, int]],
) -> tuple[TopItem, ...]:
    """Return the items shown most in a tile, within some stretches; of a segment nobody counted them."""
    if kind == "segments":
        return ()
    members = tile.members if kind == "items" else ()
    found = cell_sums.sums(
        read,
        cube="position_item",
        by="b",
        campaign=campaign,
        start=span.start,
        end=span.end,
        origins=origins(rows),
        a=sorted({a for a, _ in members}) or None,
        b=sorted({b for _, b in members}) or None,
        within=within,
    )
    ranked = sorted(found, key=lambda one: (-one.impressions, one.key))[:MOST_ITEMS]
    return tuple(TopItem(item=one.key, clicks=rate(one.clicks, one.impressions)) for one in ranked)
