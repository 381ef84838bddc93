"""Counts of heatmap cells without their people: sketches are not read."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from sqlalchemy import select
from sqlmodel import col, func

from storage import cell_days
from storage.cell_cut import Cut
from storage.database import Read
from storage.tables.observed import CellRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Counts of many cells that share a ``key``."""

    key: str
    impressions: int
    clicks: int


def sums(
    read: Read,
    *,
    cube: Literal["time", "position_item", "segment", "unjoined"],
    by: Literal["start", "a", "b"],
    start: int,
    end: int,
    campaign: str | None = None,
    origins: Sequence[str] | None = None,
    a: Sequence[str] | None = None,
    b: Sequence[str] | None = None,
    within: Sequence[tuple[int, int]] | None = None,
) -> list[Sum]:
    """Return counts by one coordinate, of cells whose coordinates are among ``a`` and ``b`` (None: all) and whose start
    lies within any of some ranges; people are not counted."""
    found: dict[str, list[int]] = {}
    key = getattr(CellRow, by)
    columns = (key, func.sum(CellRow.impressions), func.sum(CellRow.clicks))
    fine = by == "start" or within is not None
    places = [(cube, start, end)] if fine else cell_days.split(read, cube, start, end)
    for (where, first, last), names, ranges in product(places, _parts(b), _parts(within)):
        cut = Cut(where, first, last, campaign, origins, a, names, ranges)
        for name, shown, clicks in read.all(select(*columns).where(*cut.conditions()).group_by(key)):
            held = found.setdefault(str(name), [0, 0])
            held[0] += int(shown)
            held[1] += int(clicks)
    return [Sum(key=name, impressions=shown, clicks=clicks) for name, (shown, clicks) in sorted(found.items())]


def placed(
    read: Read, *, campaign: str, start: int, end: int, origins: Sequence[str] | None = None
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return a campaign's impressions and clicks by position and item; people are not counted."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    keys = col(CellRow.a), col(CellRow.b)
    statement = select(*keys, func.sum(CellRow.impressions), func.sum(CellRow.clicks)).group_by(*keys)
    for cube, first, last in cell_days.split(read, "position_item", start, end):
        cut = Cut(cube, first, last, campaign, origins)
        for a, b, shown, clicks in read.all(statement.where(*cut.conditions())):
            n, hits = found.get((a, b), (0, 0))
            found[a, b] = n + int(shown), hits + int(clicks)
    return found


def _parts(values: Sequence[Any] | None, most: int = 400) -> Sequence[Sequence[Any] | None]:
    """Cut a long list, so that no statement binds too many values."""
    if values is None:
        return (None,)
    return [values[first : first + most] for first in range(0, len(values), most)]
