"""What is held: files of the lake by kind and origin, how far back each kind goes, imports, refused events."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import col, select

from storage.database import Read
from storage.records.events import DeadLetter
from storage.tables.observed import CellRow, DeadLetterRow, ImportRow, LakeFileRow
from storage.tables.requests import SubjectRequestRow

IMPORTED = "imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The lake's files of one kind and origin."""

    kind: str
    origin: str
    files: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What one import brought."""

    name: str
    at: int
    rows: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of one kind, and since when: ``rows`` and ``bytes`` are None where they are not counted, ``oldest``
    where there is nothing."""

    kind: str
    rows: int | None
    bytes: int | None
    oldest: int | None


def files(read: Read) -> list[Files]:
    """Return the manifest's files, summed by kind and origin."""
    kind, origin = col(LakeFileRow.kind), col(LakeFileRow.origin)
    rows, size = func.sum(col(LakeFileRow.rows)), func.sum(col(LakeFileRow.bytes))
    statement = select(kind, origin, func.count(), rows).add_columns(size).group_by(kind, origin).order_by(kind, origin)
    return [
        Files(kind=row[0], origin=row[1], files=int(row[2]), rows=int(row[3]), bytes=int(row[4]))
        for row in read.all(statement)
    ]


def imports(read: Read) -> list[Import]:
    """Return every import, by name."""
    rows: Sequence[ImportRow] = read.all(select(ImportRow).order_by(col(ImportRow.name)))
    return [Import(name=row.name, at=row.at, rows=row.rows, refused=row.refused) for row in rows]


def dead_letters(read: Read, *, limit: int = 50) -> list[DeadLetter]:
    """Return refused events, the newest first."""
    rows: Sequence[DeadLetterRow] = read.all(
        select(DeadLetterRow).order_by(col(DeadLetterRow.received_at).desc()).limit(limit)
    )
    return [
        DeadLetter(
            event_id=row.event_id,
            received_at=row.received_at,
            code=row.code,
            field=row.field,
            reason=row.reason,
            payload=row.payload,
        )
        for row in rows
    ]


def dead_letter_count(read: Read) -> int:
    """Return how many events were refused and are kept."""
    return int(read.first(select(func.count()).select_from(DeadLetterRow)) or 0)


def kept(read: Read) -> list[Kept]:
    """Return what retention will delete in its time, by kind. Rows of imports count from their import; cells are not
    counted, for they are many."""
    rows, size = func.sum(col(LakeFileRow.rows)), func.sum(col(LakeFileRow.bytes))
    told = []
    for kind in ("decisions", "events", "epochs"):
        seen, imported = (
            read.first(select(rows, size, oldest).where(col(LakeFileRow.kind) == kind, of))
            for oldest, of in (
                (func.min(col(LakeFileRow.min_at)), col(LakeFileRow.origin) != IMPORTED),
                (func.min(col(LakeFileRow.created_at)), col(LakeFileRow.origin) == IMPORTED),
            )
        )
        told += [
            Kept(kind=name, rows=int(n or 0), bytes=int(held or 0), oldest=None if first is None else int(first))
            for name, (n, held, first) in ((kind, seen), (f"{kind} of imports", imported))
            if n
        ]
    cell = select(col(CellRow.start)).where(col(CellRow.cube) == "time", col(CellRow.origin) != IMPORTED)
    first = read.first(cell.order_by(col(CellRow.start)).limit(1))
    told.append(Kept(kind="cells", rows=None, bytes=None, oldest=None if first is None else int(first)))
    answered = col(SubjectRequestRow.state).in_(("done", "refused"))
    for name, statement in (
        ("dead_letters", select(func.count(), func.min(col(DeadLetterRow.received_at))).select_from(DeadLetterRow)),
        ("requests", select(func.count(), func.min(col(SubjectRequestRow.updated_at))).where(answered)),
    ):
        n, old = read.first(statement) or (0, None)
        told.append(Kept(kind=name, rows=int(n), bytes=None, oldest=None if old is None else int(old)))
    return told
