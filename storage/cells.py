"""Heatmap cells of 15 minutes UTC: replaced as a whole, merged on read, by the campaign's own clock."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, select
from sqlmodel import col, delete, func

from storage import cell_days
from storage.cell_cut import Cut
from storage.database import Read, Write
from storage.joins import CELL_US
from storage.records.clock import moment
from storage.sketches import distinct, merge
from storage.tables.observed import CellRow

__all__ = [
    "CELL_US",
    "Cell",
    "by_hour",
    "by_position_item",
    "by_segment",
    "campaign_span",
    "local_hour",
    "replace",
    "replace_many",
    "totals",
    "unjoined",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One merged cell. ``users`` counts distinct people, None where they are unknown; unknown is not zero.
    ``sketch`` merges with those of other cells, so that people in several count once."""

    a: str
    b: str
    impressions: int
    clicks: int
    conversions: int
    decisions: int
    hit_decisions: int
    shown_decisions: int
    model_decisions: int
    users: int | None
    last_at: int
    origins: tuple[str, ...]
    sketch: bytes = b""


_COUNTED = (
    "impressions",
    "clicks",
    "conversions",
    "decisions",
    "hit_decisions",
    "shown_decisions",
    "model_decisions",
)


def replace(write: Write, campaign: str, start: int, rows: Iterable[CellRow]) -> None:
    """Put ``rows`` in the place of everything that a (campaign, 15 minutes) holds."""
    replace_many(write, [(campaign, start)], [row.model_dump() for row in rows])


def replace_many(write: Write, places: Iterable[tuple[str, int]], rows: Sequence[Mapping[str, Any]]) -> None:
    """Put ``rows`` (columns by name) in the place of everything that these (campaign, 15 minutes) hold."""
    starts: dict[str, list[int]] = defaultdict(list)
    for campaign, start in sorted(places):
        starts[campaign].append(start)
    cell_days.reopen(write, (start for known in starts.values() for start in known))
    for campaign, known in starts.items():
        for first in range(0, len(known), 900):
            chunk = col(CellRow.start).in_(known[first : first + 900])
            write.execute(delete(CellRow).where(col(CellRow.campaign) == campaign, chunk))
    if rows:
        write.execute(CellRow.__table__.insert(), list(rows))  # type: ignore[attr-defined]  # set on every mapped class


@dataclass(slots=True)
class _Sum:
    counts: list[int]
    sketches: list[bytes]
    origins: set[str]
    last_at: int = 0
    strangers: bool = False

    def cell(self, a: str, b: str) -> Cell:
        known = self.sketches and not self.strangers
        sketch = merge(self.sketches) if known else b""
        return Cell(
            a=a,
            b=b,
            users=distinct(sketch) if known else None,
            sketch=sketch,
            last_at=self.last_at,
            origins=tuple(sorted(self.origins)),
            **dict(zip(_COUNTED, self.counts, strict=True)),
        )


def _merge(
    read: Read, cut: Cut, keys: Sequence[str], place: Callable[..., tuple[str, str]], *, people: bool = True
) -> list[Cell]:
    """Sum rows by ``keys`` in SQL, then by ``place`` of their values; whole days are read where they are summed.

    People are unknown where nobody is known, where imported rows hold nobody's name, and where nobody asks for them.
    """
    sums: dict[tuple[str, str], _Sum] = {}
    for cube, start, end in cell_days.split(read, cut.cube, cut.start, cut.end):
        part = replaced(cut, cube=cube, start=start, end=end)
        _add(read, part, keys, place, sums)
        if people:
            _meet(read, part, keys, place, sums)
    return [sums[where].cell(*where) for where in sorted(sums)]


def _add(
    read: Read, cut: Cut, keys: Sequence[str], place: Callable[..., tuple[str, str]], sums: dict[tuple[str, str], _Sum]
) -> None:
    columns = [getattr(CellRow, key) for key in keys]
    counted = [func.sum(getattr(CellRow, name)) for name in _COUNTED]
    unknown = func.sum(case((col(CellRow.users_known).is_(False), CellRow.impressions), else_=0))
    statement = select(*columns, CellRow.origin, func.max(CellRow.last_at), unknown, *counted)  # type: ignore[call-overload]  # as many as keys
    width = len(keys)
    for row in read.all(statement.where(*cut.conditions()).group_by(*columns, CellRow.origin)):
        where = place(*row[:width])
        if where not in sums:
            sums[where] = _Sum([0] * len(_COUNTED), [], set())
        one = sums[where]
        origin, last_at, strangers, *counts = row[width:]
        one.counts = [int(before + more) for before, more in zip(one.counts, counts, strict=True)]
        one.last_at = max(one.last_at, last_at)
        one.origins.add(origin)
        one.strangers |= origin == "imported" and strangers > 0


def _meet(
    read: Read, cut: Cut, keys: Sequence[str], place: Callable[..., tuple[str, str]], sums: dict[tuple[str, str], _Sum]
) -> None:
    columns = [getattr(CellRow, key) for key in keys]
    people = select(*columns, CellRow.users).where(*cut.conditions(), col(CellRow.users_known).is_(True))  # type: ignore[call-overload]  # as many as keys
    for row in read.all(people):
        sums[place(*row[:-1])].sketches.append(row[-1])


@lru_cache(maxsize=200_000)
def _local(start: int, zone: str) -> tuple[str, str]:
    local = moment(start).astimezone(ZoneInfo(zone))
    return str(local.weekday()), str(local.hour)


def by_hour(
    read: Read, *, campaign: str | None, start: int, end: int, zone: str, origins: Sequence[str] | None = None
) -> list[Cell]:
    """Return cells by local weekday (``a``: 0 Monday … 6 Sunday) and hour (``b``: 0 … 23) of an IANA zone.

    ``campaign`` None means all; ``origins`` None means all. A repeated or skipped hour of a clock change moves no
    count: totals over cells are the totals of the range.
    """
    cut = Cut("time", start, end, campaign, origins)
    cells = _merge(read, cut, ("start",), lambda at: _local(at, zone))
    return sorted(cells, key=lambda cell: (int(cell.a), int(cell.b)))


def by_position_item(
    read: Read, *, campaign: str | None, start: int, end: int, origins: Sequence[str] | None = None
) -> list[Cell]:
    """Return cells by position (``a``: 1 is the top) and item id (``b``); decisions are not counted per item."""
    cells = _merge(read, Cut("position_item", start, end, campaign, origins), ("a", "b"), lambda a, b: (a, b))
    return sorted(cells, key=lambda cell: (int(cell.a), cell.b))


def by_segment(
    read: Read, *, campaign: str | None = None, start: int, end: int, origins: Sequence[str] | None = None
) -> list[Cell]:
    """Return cells by segment (``a``: ``attribute=value`` of the context) and campaign (``b``)."""
    return _merge(read, Cut("segment", start, end, campaign, origins), ("a", "b"), lambda a, b: (a, b))


def totals(
    read: Read,
    *,
    start: int,
    end: int,
    campaign: str | None = None,
    origins: Sequence[str] | None = None,
    by: Sequence[str] = ("campaign",),
) -> list[Cell]:
    """Return sums by ``campaign``, ``origin`` or ``start`` (at most two of them: ``a`` and ``b``; none: one cell);
    people are not counted."""
    if len(by) > 2 or not {"campaign", "origin", "start"}.issuperset(by):
        raise ValueError("totals are by campaign, origin or start, at most two of them")

    def place(*values: object) -> tuple[str, str]:
        a, b, *_ = [*map(str, values), "", ""]
        return a, b

    return _merge(read, Cut("time", start, end, campaign, origins), tuple(by), place, people=False)


def local_hour(start: int, zone: str) -> tuple[str, str]:
    """Return weekday (0 is Monday) and hour of an instant by the clock of a zone, as the coordinates of ``by_hour``."""
    return _local(start, zone)


def unjoined(
    read: Read, *, campaign: str | None = None, start: int, end: int, origins: Sequence[str] | None = None
) -> list[Cell]:
    """Return events that no rate counts, by type (``a``) and why (``b``: late, unmatched, aggregate), in event time.

    ``impressions`` holds how many events there were, of whatever type.
    """
    return _merge(read, Cut("unjoined", start, end, campaign, origins), ("a", "b"), lambda a, b: (a, b), people=False)


def campaign_span(read: Read, campaign: str | None = None) -> tuple[int, int] | None:
    """Return start and end of what is known of a campaign (of all), or None when there is nothing."""
    statement = select(func.min(CellRow.start), func.max(CellRow.start)).where(col(CellRow.cube) == "time")
    if campaign is not None:
        statement = statement.where(col(CellRow.campaign) == campaign)
    first, last = read.first(statement)
    return None if first is None else (first, last + CELL_US)
