"""How far readers have come: a position moves only from where its reader saw it, and only for the one who leads."""

from sqlmodel import col, select, update

from storage import leases
from storage.database import Read, Write
from storage.errors import Conflict
from storage.records.tasks import SCHEDULE_LEASE
from storage.tables.observed import CursorRow
from storage.upserts import insert_new


def position(read: Read, name: str) -> str | None:
    """Return a cursor's value, None before it was first moved."""
    row = read.get(CursorRow, name)
    return None if row is None else row.value


def positions(read: Read, prefix: str) -> dict[str, str]:
    """Return all cursors whose names begin with ``prefix``, by the rest of their names."""
    statement = select(CursorRow.name, CursorRow.value).where(col(CursorRow.name).startswith(prefix, autoescape=True))
    found = read.all(statement)  # LIKE of SQLite does not see case
    return {name.removeprefix(prefix): value for name, value in found if name.startswith(prefix)}


def advance(write: Write, name: str, *, before: str | None, after: str, fence: int | None) -> None:
    """Move a cursor from ``before`` to ``after`` within the transaction that does the work.

    Parameters
    ----------
    write
        The transaction.
    name
        The cursor.
    before
        Where the reader saw it; None if it did not exist.
    after
        Where it shall be.
    fence
        The fencing token of the schedule's leader; None outside the schedule.

    Raises
    ------
    Conflict
        If another reader moved it, or another instance leads; nothing may be written then.
    """
    if fence is not None and not leases.holds(write, SCHEDULE_LEASE, fence):
        raise Conflict("another instance leads the schedule; this run's work is void")
    if before is None:
        moved = insert_new(write, CursorRow, {"name": name, "value": after, "fence": fence or 0})
    else:
        statement = update(CursorRow).where(col(CursorRow.name) == name, col(CursorRow.value) == before)
        moved = write.execute(statement.values(value=after, fence=fence or 0)).rowcount == 1
    if not moved:
        raise Conflict(f"another collector moved {name} meanwhile")
