"""How large segments are: the last count of each hour, kept for ninety days."""

from collections.abc import Mapping
from dataclasses import fields

from sqlmodel import col, delete, func, select

from storage.database import Read, Write
from storage.records.clock import DAY, HOUR
from storage.records.segments import Census, SegmentCount
from storage.tables.segments import SegmentCountRow
from storage.upserts import upsert

KEEP_US = 90 * DAY
_COLUMNS = tuple(each.name for each in fields(SegmentCount))


def save(write: Write, census: Census) -> None:
    """Let a census be the last one of its hour; what is older than ninety days goes."""
    hour = census.at // HOUR * HOUR
    everyone = SegmentCount(segment="", people=census.people)
    write.execute(delete(SegmentCountRow).where(col(SegmentCountRow.hour) == hour))
    rows = [
        {name: getattr(each, name) for name in _COLUMNS}
        | {"hour": hour, "at": census.at, "origins": ",".join(census.origins)}
        for each in (everyone, *census.segments)
    ]
    upsert(write, SegmentCountRow, rows)
    write.execute(delete(SegmentCountRow).where(col(SegmentCountRow.hour) < census.at - KEEP_US))


def latest(read: Read) -> Census | None:
    """Return the newest census, None before the first."""
    hour = read.first(select(func.max(SegmentCountRow.hour)))
    if hour is None:
        return None
    rows = {row.segment: row for row in read.all(select(SegmentCountRow).where(SegmentCountRow.hour == hour))}
    everyone = rows.pop("")
    return Census(
        at=everyone.at,
        people=everyone.people,
        segments=tuple(
            SegmentCount(**{name: getattr(row, name) for name in _COLUMNS}) for _, row in sorted(rows.items())
        ),
        origins=tuple(name for name in everyone.origins.split(",") if name),
    )


def history(read: Read, *, start: int, end: int) -> Mapping[str, list[tuple[int, int]]]:
    """Return per segment its size at each hour of a range, oldest first; everyone under the empty name."""
    rows = read.all(
        select(SegmentCountRow.segment, SegmentCountRow.at, SegmentCountRow.people)
        .where(col(SegmentCountRow.at) >= start, col(SegmentCountRow.at) < end)
        .order_by(col(SegmentCountRow.hour))
    )
    found: dict[str, list[tuple[int, int]]] = {}
    for segment, at, people in rows:
        found.setdefault(segment, []).append((at, people))
    return found
