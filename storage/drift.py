"""Drift in the database: distributions by window, references, looks, accepted drift."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson
from sqlmodel import col, delete, func, select

from storage.database import Read, Write
from storage.distributions import Distribution, merge, pack, unpack
from storage.records.clock import DAY
from storage.records.document import canonical, parse
from storage.records.drift import FAMILIES, Acceptance, Family, Look, Reference, ReferencePlan
from storage.tables.drift import DriftAcceptanceRow, DriftLookRow, DriftReferenceRow, DriftWindowRow
from storage.upserts import upsert

KEEP_WINDOWS_US, KEEP_LOOKS_US = 40 * DAY, 90 * DAY
Profile = Mapping[str, Distribution]


def save_window(
    write: Write, *, surface: str, origin: str, family: Family, start: int, end: int, at: int, rows: int, found: Profile
) -> None:
    """Put a window's distributions; those counted before give way."""
    kept = {"surface": surface, "origin": origin, "family": family, "start": start, "end": end}
    upsert(write, DriftWindowRow, [{**kept, "at": at, "rows": rows, "packed": pack(found)}])


def counted(read: Read, family: Family, *, since: int) -> dict[tuple[str, str, int], int]:
    """Return how many rows each window of a family holds: by surface, origin and start."""
    rows = read.all(
        select(DriftWindowRow.surface, DriftWindowRow.origin, DriftWindowRow.start, DriftWindowRow.rows).where(
            DriftWindowRow.family == family, col(DriftWindowRow.start) >= since
        )
    )
    return {(surface, origin, start): held for surface, origin, start, held in rows}


def last_window(read: Read, family: Family) -> int | None:
    """Return when the newest window of a family began, None before the first."""
    newest: int | None = read.first(select(func.max(DriftWindowRow.start)).where(DriftWindowRow.family == family))
    return newest


def window(read: Read, *, surface: str, origin: str, family: Family, start: int) -> dict[str, Distribution]:
    """Return the distributions of one window, by feature; nothing where it was not counted."""
    row = read.get(DriftWindowRow, (surface, origin, family, start))
    return unpack(row.packed) if row else {}


def forget(write: Write, *, now: int) -> None:
    """Delete windows older than forty days and looks older than ninety."""
    write.execute(delete(DriftWindowRow).where(col(DriftWindowRow.end) < now - KEEP_WINDOWS_US))
    write.execute(delete(DriftLookRow).where(col(DriftLookRow.end) < now - KEEP_LOOKS_US))


def combined(parts: list[Profile]) -> dict[str, Distribution]:
    """Return the distributions of several windows together; where a feature was of both kinds, of the later kind."""
    found: dict[str, Distribution] = {}
    for part in parts:
        for name, each in part.items():
            before = found.get(name)
            found[name] = each if before is None or before.kind != each.kind else merge((before, each))
    return found


def add_reference(write: Write, plan: ReferencePlan, *, author: str, reason: str, at: int) -> Reference:
    """Number a new reference of a surface; the older ones stay, what was accepted against them lapses."""
    newest = write.first(select(func.max(DriftReferenceRow.version)).where(DriftReferenceRow.surface == plan.surface))
    version = (newest or 0) + 1
    write.add(
        DriftReferenceRow(
            surface=plan.surface, version=version, at=at, author=author, reason=reason, document=canonical(plan)
        )
    )
    write.flush()
    return Reference(version=version, plan=plan, at=at, author=author, reason=reason)


def _reference(row: DriftReferenceRow) -> Reference:
    return Reference(
        version=row.version,
        plan=parse(ReferencePlan, row.document),
        at=row.at,
        author=row.author,
        reason=row.reason,
        counted_at=row.counted_at,
    )


def references(read: Read, surface: str | None = None, *, limit: int = 100) -> list[Reference]:
    """Return references, the newest of each surface first."""
    statement = select(DriftReferenceRow).order_by(DriftReferenceRow.surface, col(DriftReferenceRow.version).desc())
    if surface is not None:
        statement = statement.where(DriftReferenceRow.surface == surface)
    return [_reference(row) for row in read.all(statement.limit(limit))]


def reference(read: Read, surface: str) -> Reference | None:
    """Return the newest reference of a surface."""
    return next(iter(references(read, surface, limit=1)), None)


def profile(read: Read, surface: str, version: int) -> dict[Family, dict[str, Distribution]]:
    """Return what a reference looks like, by family; nothing before it is counted."""
    row = read.get(DriftReferenceRow, (surface, version))
    packed = {"decided": row.decided, "shown": row.shown} if row else {}
    return {family: unpack(held) for family in FAMILIES if (held := packed.get(family)) is not None}


def save_profile(write: Write, surface: str, version: int, family: Family, found: Profile, *, now: int) -> bool:
    """Keep what a family of a reference's features looks like, once; tell whether it was not known before."""
    row = write.get(DriftReferenceRow, (surface, version))
    if row is None or getattr(row, family) is not None:
        return False
    setattr(row, family, pack(found))
    if all(getattr(row, each) is not None for each in FAMILIES):
        row.counted_at = now
    write.merge(row)
    write.flush()
    return True


def save_look(write: Write, look: Look) -> None:
    """Put what a window showed."""
    upsert(write, DriftLookRow, [asdict(look) | {"features": canonical(list(look.features))}])


def looks(
    read: Read,
    surface: str,
    *,
    origin: str | None = None,
    family: Family | None = None,
    before: int | None = None,
    limit: int = 30,
) -> list[Look]:
    """Return what windows of a surface showed, the newest first."""
    statement = select(DriftLookRow).where(DriftLookRow.surface == surface)
    for column, value in ((DriftLookRow.origin, origin), (DriftLookRow.family, family)):
        if value is not None:
            statement = statement.where(column == value)
    if before is not None:
        statement = statement.where(col(DriftLookRow.start) < before)
    rows = read.all(statement.order_by(col(DriftLookRow.start).desc()).limit(limit))
    return [_look(row) for row in rows]


def reds(read: Read, start: int, end: int, *, limit: int = 100) -> list[Look]:
    """Return the looks made in a range that found something, the newest first."""
    statement = select(DriftLookRow).where(
        col(DriftLookRow.at) >= start, col(DriftLookRow.at) < end, col(DriftLookRow.verdict).in_(("warn", "fail"))
    )
    return [_look(row) for row in read.all(statement.order_by(col(DriftLookRow.at).desc()).limit(limit))]


def newest_looks(read: Read) -> list[Look]:
    """Return the newest look of each family and origin of every surface."""
    found: dict[tuple[str, str, str], Look] = {}
    for surface in read.all(select(DriftLookRow.surface).distinct()):
        for look in reversed(looks(read, surface, limit=20)):
            found[look.surface, look.origin, look.family] = look
    return list(found.values())


def _look(row: DriftLookRow) -> Look:
    plain: dict[str, Any] = row.model_dump() | {"features": tuple(orjson.loads(row.features))}
    return Look(**plain)


def accept(write: Write, acceptance: Acceptance) -> None:
    """Put an acceptance; an older one of the feature gives way."""
    upsert(write, DriftAcceptanceRow, [asdict(acceptance)])


def withdraw(write: Write, surface: str, feature: str) -> None:
    """Forget an acceptance, if there is one."""
    row = write.get(DriftAcceptanceRow, (surface, feature))
    if row is not None:
        write.delete(row)
        write.flush()


def accepted(read: Read, surface: str) -> dict[str, Acceptance]:
    """Return every acceptance of a surface by feature, lapsed ones too."""
    rows = read.all(select(DriftAcceptanceRow).where(DriftAcceptanceRow.surface == surface))
    return {row.feature: Acceptance(**row.model_dump()) for row in rows}


def in_force(acceptances: Mapping[str, Acceptance], *, reference: int | None, now: int) -> dict[str, Acceptance]:
    """Return those that hold: against this reference, and not run out.

    >>> old = Acceptance(surface="home", feature="x", reference=1, author="a", reason="b", at=0, until=9)
    >>> [sorted(in_force({"x": old}, reference=number, now=at)) for number, at in ((1, 8), (1, 9), (2, 8))]
    [['x'], [], []]
    """
    return {name: each for name, each in acceptances.items() if each.reference == reference and each.until > now}
