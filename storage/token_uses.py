"""When tokens last came in: to the minute, so that nothing is written on the way of a request."""

from collections.abc import Mapping

from sqlmodel import select

from storage.database import Read, Write
from storage.records.clock import MINUTE
from storage.tables.access import TokenUseRow
from storage.upserts import upsert

EVERY = MINUTE
"""How often a process writes down who came in."""


def note(write: Write, used: Mapping[str, int]) -> None:
    """Keep when tokens came in, by id; an earlier moment than the one that is known changes nothing."""
    known = last_used(write)
    newer = [{"token_id": one, "used_at": at} for one, at in sorted(used.items()) if one and at > known.get(one, 0)]
    upsert(write, TokenUseRow, newer)


def last_used(read: Read) -> dict[str, int]:
    """Return when each token last came in, by its id; one that never did is absent."""
    return {row.token_id: row.used_at for row in read.all(select(TokenUseRow))}
