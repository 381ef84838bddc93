"""A person's request about their own data: what was asked, until when it must be answered, how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from storage.records.clock import instant, moment
from storage.records.document import document

RequestKind = Literal["access", "portability", "rectification", "objection", "restriction", "erasure", "review"]
"""``review`` asks that a person looks at what was decided automatically (GDPR 22(3))."""
RequestState = Literal["open", "running", "done", "refused"]

MONTHS = 1
"""Within so many months a request is answered (GDPR 12(3)) …"""
LONGER = 2
"""… and within so many more where it is extended, with the reason told to the person within the first."""


@document
class Traces:
    """What finds one person in the stores: pseudonyms (their own first, then those of visitors that turned out to be
    them), the names of their salts, keyed sessions, and the (campaign, 15 minutes) whose counts they are part of."""

    subjects: tuple[str, ...] = ()
    lookups: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    touched: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRequest:
    """One request. ``subject`` is a keyed commitment; ``traces`` is empty once the request was answered. ``extension``
    is why it takes longer, ``progress`` what was done so far, ``receipt`` the signed answer."""

    request_id: str
    kind: RequestKind
    state: RequestState
    subject: str
    actor: str
    reason: str
    received_at: int
    due_at: int
    updated_at: int
    extension: str = ""
    done_at: int | None = None
    traces: Traces = field(default_factory=Traces)
    progress: Mapping[str, Any] = field(default_factory=dict)
    receipt: Mapping[str, Any] | None = None


def due(received_at: int, *, months: int = MONTHS) -> int:
    """Return the end of the day so many calendar months later, the last day of a shorter month.

    References
    ----------
    Regulation (EU) 2016/679, article 12(3); Regulation (EEC, Euratom) No 1182/71, article 3(2)(c).

    >>> from storage.records.clock import iso, instant
    >>> from datetime import datetime, UTC
    >>> iso(due(instant(datetime(2026, 1, 31, 9, tzinfo=UTC))))[:10]
    '2026-02-28'
    """
    day = moment(received_at)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = day.replace(year=year, month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return instant(min(first + timedelta(days=day.day - 1), last) + timedelta(days=1)) - 1
