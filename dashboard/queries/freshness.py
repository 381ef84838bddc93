"""How old the newest data is."""

from dataclasses import dataclass

from dashboard.queries import live
from dashboard.span import Span
from storage import windows
from storage.database import Read
from storage.records.clock import HOUR, MINUTE, SECOND

POLL_US = 10 * SECOND
"""How often engines are scraped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the series of metrics end: ``at`` is the end of the 10 s in which the newest window began, None where none
    did for ten minutes; ``mark`` is another one as soon as any engine has closed another window."""

    at: int | None = None
    mark: str = ""


def head(read: Read, *, now: int) -> Head:
    """Return where the series end."""
    found = windows.newest(read, now - 10 * MINUTE)
    last = max(found.values(), default=None)
    at = None if last is None else last - last % POLL_US + POLL_US
    return Head(at=at, mark=" ".join(f"{replica} {start}" for replica, start in found.items()))


def newest(read: Read, *, now: int) -> int | None:
    """Return the end of the newest window scraped from any engine; None where none was in ten minutes."""
    return live.newest(read, span=Span(key="1h", start=now - HOUR, end=now, zone="UTC", live=True))
