"""Refused events by what they were refused for, to be sent again."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import and_, col, delete, select

from storage.database import Read, Write
from storage.tables.observed import DeadLetterRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A refused event with its place in a replica's log; ``payload`` is what is kept of it, without its person."""

    replica: str
    log: str
    seq: int
    received_at: int
    code: str
    payload: str


def codes(read: Read) -> dict[str, int]:
    """Return how many refused events are kept, by code."""
    statement = select(col(DeadLetterRow.code), func.count()).group_by(col(DeadLetterRow.code))
    return {code: int(number) for code, number in read.all(statement)}


def of_code(read: Read, code: str, *, limit: int) -> list[Letter]:
    """Return the refused events of a code, the oldest first."""
    statement = select(DeadLetterRow).where(col(DeadLetterRow.code) == code)
    found = read.all(statement.order_by(col(DeadLetterRow.received_at), col(DeadLetterRow.seq)).limit(limit))
    return [
        Letter(
            replica=row.replica,
            log=row.log,
            seq=row.seq,
            received_at=row.received_at,
            code=row.code,
            payload=row.payload,
        )
        for row in found
    ]


def forget(write: Write, letters: Collection[Letter]) -> None:
    """Delete some refused events."""
    for letter in letters:
        write.execute(
            delete(DeadLetterRow).where(
                and_(
                    col(DeadLetterRow.replica) == letter.replica,
                    col(DeadLetterRow.log) == letter.log,
                    col(DeadLetterRow.seq) == letter.seq,
                )
            )
        )
