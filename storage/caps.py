"""The installation's own frequency caps in the database."""

from dataclasses import dataclass

from sqlmodel import col, select

from storage.database import Read, Write
from storage.records.caps import Cap
from storage.records.document import canonical, digest, parse
from storage.tables.caps import CapRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCap:
    """A cap with the tag of its present state, and what it was before its last edit."""

    cap: Cap
    etag: str
    updated_at: int
    previous: Cap | None = None


def _stored(row: CapRow) -> StoredCap:
    return StoredCap(
        cap=parse(Cap, row.document),
        etag=row.etag,
        updated_at=row.updated_at,
        previous=parse(Cap, row.previous) if row.previous is not None else None,
    )


def listed(read: Read) -> list[StoredCap]:
    """Return every cap, by key."""
    return [_stored(row) for row in read.all(select(CapRow).order_by(col(CapRow.key)))]


def find(read: Read, key: str) -> StoredCap | None:
    """Return one cap or None."""
    row = read.get(CapRow, key)
    return _stored(row) if row else None


def save(write: Write, cap: Cap, *, previous: Cap | None, at: int) -> StoredCap:
    """Insert or replace a cap; ``previous`` is what a rollback goes back to."""
    row = CapRow(
        key=cap.key,
        document=canonical(cap),
        previous=canonical(previous) if previous is not None else None,
        etag=digest(cap),
        updated_at=at,
    )
    write.merge(row)
    write.flush()
    return StoredCap(cap=cap, etag=row.etag, updated_at=at, previous=previous)


def remove(write: Write, key: str) -> None:
    """Delete a cap."""
    row = write.get(CapRow, key)
    if row is not None:
        write.delete(row)
        write.flush()
