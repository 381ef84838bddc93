"""Where every numbered sequence stands: the one cheap read by which a replica sees that something changed."""

from sqlmodel import select

from storage.database import Database, Read
from storage.tables.control import CounterRow


def numbers(read: Read) -> dict[str, int]:
    """Return the newest number of each sequence (``revision``, ``consent_epoch``, ``catalogue``, …). Numbers appear in
    commit order, so everything up to the number returned is visible to the same session."""
    return dict(read.all(select(CounterRow.name, CounterRow.value)))


def glance(database: Database) -> dict[str, int]:
    """Return the same without a session, for who looks many times a second; read again in one what is new.

    Raises
    ------
    Unavailable
        If the database does not answer.
    """
    return dict(database.glance("SELECT name, value FROM counters"))
