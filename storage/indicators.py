"""What indicators counted, minute by minute: written once from the series, summed by whoever asks."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func
from sqlmodel import col, delete, select

from storage.database import Read, Write
from storage.tables.alerts import SliRow
from storage.tables.observed import WindowRow
from storage.upserts import upsert

Minutes = Sequence[tuple[int, int, int]]
"""Start, good, valid."""


def put(write: Write, indicator: str, minutes: Minutes) -> None:
    """Write minutes; one that is there is replaced, so that what came late counts."""
    upsert(
        write,
        SliRow,
        [{"indicator": indicator, "start": start, "good": good, "valid": valid} for start, good, valid in minutes],
    )


def newest(read: Read) -> dict[str, int]:
    """Return the start of the last minute of each indicator."""
    statement = select(SliRow.indicator, func.max(SliRow.start)).group_by(SliRow.indicator)
    return {name: int(start) for name, start in read.all(statement)}


def counted(read: Read, indicator: str, *, start: int, end: int) -> tuple[int, int]:
    """Return good and valid of the minutes that begin within a range."""
    statement = select(func.sum(SliRow.good), func.sum(SliRow.valid)).where(
        SliRow.indicator == indicator, col(SliRow.start) >= start, col(SliRow.start) < end
    )
    good, valid = read.first(statement)
    return int(good or 0), int(valid or 0)


def by_step(read: Read, indicator: str, *, start: int, end: int, step_us: int) -> Mapping[int, tuple[int, int]]:
    """Return good and valid by the start of each step; a step that nobody observed is absent."""
    bucket = col(SliRow.start) - col(SliRow.start) % step_us
    statement = (
        select(bucket, func.sum(SliRow.good), func.sum(SliRow.valid))
        .where(SliRow.indicator == indicator, col(SliRow.start) >= start, col(SliRow.start) < end)
        .group_by(bucket)
        .order_by(bucket)
    )
    return {int(at): (int(good), int(valid)) for at, good, valid in read.all(statement)}


def forget(write: Write, *, before: int) -> int:
    """Delete minutes before an instant; return how many."""
    return int(write.execute(delete(SliRow).where(col(SliRow.start) < before)).rowcount)


def first_window(read: Read) -> int | None:
    """Return when the first window began that is kept, None before any was."""
    found = read.first(select(func.min(WindowRow.start)))
    return None if found is None else int(found)


def last_window(read: Read) -> int | None:
    """Return when the newest window ended, None before any was collected."""
    found = read.first(
        select(WindowRow.end).where(WindowRow.tier == "t0").order_by(col(WindowRow.start).desc()).limit(1)
    )
    return None if found is None else int(found)
