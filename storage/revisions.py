"""Revisions: numbered, immutable snapshots of control state, checked by their digest."""

from dataclasses import replace
from hashlib import sha256

from sqlmodel import col, select

from storage.database import Read, Write
from storage.errors import Invalid, Unavailable
from storage.records.document import canonical, parse
from storage.records.policies import Snapshot
from storage.tables.control import CounterRow, RevisionRow

_COUNTER = "revision"


def publish(write: Write, snapshot: Snapshot) -> Snapshot:
    """Store a snapshot under the next number and return it with that number."""
    numbered = replace(snapshot, revision=write.next_number(_COUNTER))
    body = canonical(numbered)
    write.add(RevisionRow(revision=numbered.revision, at=numbered.at, digest=sha256(body).hexdigest(), snapshot=body))
    write.flush()
    return numbered


def number(read: Read) -> int:
    """Return the newest revision's number, 0 if there is none."""
    return read.first(select(CounterRow.value).where(CounterRow.name == _COUNTER)) or 0


def between(read: Read, start: int, end: int, *, most: int = 200) -> list[Snapshot]:
    """Return the revisions of a range in order, the one before it first; of more than ``most`` the newest.

    Raises
    ------
    Unavailable
        As ``load``.
    """
    numbers = list(
        read.all(
            select(RevisionRow.revision)
            .where(col(RevisionRow.at) >= start, col(RevisionRow.at) < end)
            .order_by(col(RevisionRow.revision).desc())
            .limit(most)
        )
    )
    before = read.first(
        select(RevisionRow.revision)
        .where(col(RevisionRow.at) < start)
        .order_by(col(RevisionRow.revision).desc())
        .limit(1)
    )
    if before is not None and len(numbers) < most:
        numbers.append(before)
    found = (load(read, number) for number in reversed(numbers))
    return [one for one in found if one is not None]


def load(read: Read, revision: int | None = None) -> Snapshot | None:
    """Return a revision, by default the newest, or None.

    Raises
    ------
    Unavailable
        If what is stored is not what was published, or this version of the program cannot read it.
    """
    statement = select(RevisionRow).order_by(col(RevisionRow.revision).desc()).limit(1)
    row = read.first(statement if revision is None else statement.where(RevisionRow.revision == revision))
    if row is None:
        return None
    if sha256(row.snapshot).hexdigest() != row.digest:
        raise Unavailable(f"revision {row.revision} is damaged: its content does not match its digest")
    try:
        snapshot = parse(Snapshot, row.snapshot)
    except Invalid as error:
        raise Unavailable(f"revision {row.revision} was written by another version of the program: {error}") from error
    if snapshot.revision != row.revision:
        raise Unavailable(f"revision {row.revision} is damaged: it holds revision {snapshot.revision}")
    return snapshot
