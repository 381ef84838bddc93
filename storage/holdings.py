"""What is held: files of the lake by kind and origin, imports, refused events."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import col, select

from storage.database import Read
from storage.records.events import DeadLetter
from storage.tables.observed import DeadLetterRow, ImportRow, LakeFileRow


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
