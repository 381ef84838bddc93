"""How old the newest data is."""

from dashboard.queries import live
from dashboard.span import Span
from storage.database import Read
from storage.records.clock import HOUR


def newest(read: Read, *, now: int) -> int | None:
    """Return the end of the newest window scraped from any engine; None where none was in ten minutes."""
    return live.newest(read, span=Span(key="1h", start=now - HOUR, end=now, zone="UTC", live=True))
