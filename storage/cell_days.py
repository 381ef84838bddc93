"""Whole days of heatmap cells, summed once: a long range costs what it shows, not what happened in it.

A day (UTC) is a second copy of its quarters of an hour, in the same table under a cube of its own, and counts only
while its mark stands. Whoever replaces one of its quarters takes mark and copy away in the same transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from sqlmodel import col, delete, select

from storage.database import Database, Read, Write
from storage.records.clock import DAY
from storage.sketches import merge
from storage.tables.observed import CellRow, CursorRow

DAILY = {"position_item": "position_item/day", "segment": "segment/day"}
"""The cubes that are summed by day, and what the sums are called; the hours of ``time`` belong to a reader's zone."""
MARK = "day"
SETTLED = 2 * DAY
"""So long after its end late outcomes are rare: a day is summed then."""
AT_ONCE = 3
_GENERATION = "cells"
_OURS = col(CellRow.cube).in_([MARK, *DAILY.values()])
_COUNTED = ("decisions", "impressions", "clicks", "conversions", "hit_decisions", "shown_decisions", "model_decisions")


def split(read: Read, cube: str, start: int, end: int) -> list[tuple[str, int, int]]:
    """Return where the cells of a range are read: (cube, start, end), whole days where they are summed."""
    days = DAILY.get(cube)
    if days is None:
        return [(cube, start, end)]
    first, last = -(-start // DAY) * DAY, end // DAY * DAY
    marked = select(CellRow.start).where(CellRow.cube == MARK, CellRow.start >= first, CellRow.start < last)
    parts: list[tuple[str, int, int]] = []
    for _, run in groupby(enumerate(sorted(read.all(marked))), lambda place: place[1] // DAY - place[0]):
        held = [at for _, at in run]
        if held[0] > start:
            parts.append((cube, start, held[0]))
        start = held[-1] + DAY
        parts.append((days, held[0], start))
    return [*parts, (cube, start, end)] if start < end else parts


def reopen(write: Write, starts: Iterable[int]) -> None:
    """Forget the sums of the days that hold these quarters of an hour."""
    days = sorted({start // DAY * DAY for start in starts})
    for first in range(0, len(days), 900):
        chunk = col(CellRow.start).in_(days[first : first + 900])
        write.execute(delete(CellRow).where(_OURS, chunk))


def _waiting(read: Read, now: int) -> list[int]:
    """Return the newest settled days that have cells and no mark."""
    held = select(CellRow.start).where(CellRow.cube == "time", CellRow.start < (now - SETTLED) // DAY * DAY).distinct()
    marked = set(read.all(select(CellRow.start).where(CellRow.cube == MARK)))
    return sorted({start // DAY * DAY for start in read.all(held)} - marked)[-AT_ONCE:]


def _generation(read: Read) -> str:
    row = read.get(CursorRow, _GENERATION)
    return "" if row is None else row.value


def _summed(read: Read, cube: str, day: int) -> list[dict[str, Any]]:
    held: dict[tuple[str, str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    table = CellRow.__table__  # type: ignore[attr-defined]  # set on every mapped class
    rows = table.select().where(table.c.cube == cube, table.c.start >= day, table.c.start < day + DAY)
    for row in read.all(rows):
        held[row.campaign, row.a, row.b, row.origin].append(row._mapping)
    made = []
    for (campaign, a, b, origin), parts in held.items():
        known = [part["users"] for part in parts if part["users_known"]]
        strangers = origin == "imported" and any(not part["users_known"] and part["impressions"] for part in parts)
        made.append(
            {"campaign": campaign, "start": day, "cube": DAILY[cube], "a": a, "b": b, "origin": origin}
            | {name: sum(part[name] for part in parts) for name in _COUNTED}
            | {"users": b"" if strangers else merge(known), "users_known": bool(known) and not strangers}
            | {"last_at": max(part["last_at"] for part in parts)}
        )
    return made


def sum_days(database: Database, *, now: int) -> int:
    """Sum up to ``AT_ONCE`` settled days; return how many. Whoever landed cells meanwhile is waited for: the next call
    sums that day."""
    with database.read() as read:
        waiting = _waiting(read, now)
    done = 0
    for day in waiting:
        with database.read() as read:
            generation = _generation(read)
            rows = [row for cube in DAILY for row in _summed(read, cube, day)]
        mark = CellRow(campaign="", start=day, cube=MARK, origin="live", users_known=False)
        with database.write() as write:
            if _generation(write) != generation:
                continue
            write.execute(delete(CellRow).where(_OURS, col(CellRow.start) == day))
            if rows:
                write.execute(CellRow.__table__.insert(), rows)  # type: ignore[attr-defined]  # set on every mapped class
            write.add(mark)
        done += 1
    return done
