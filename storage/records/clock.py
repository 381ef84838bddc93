"""Instants are integers: microseconds since the epoch, UTC."""

import time
from datetime import UTC, datetime

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def now() -> int:
    """Return the wall clock in microseconds, UTC."""
    return time.time_ns() // 1_000


def instant(value: datetime) -> int:
    """Return an aware datetime as microseconds, UTC.

    >>> instant(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return int(value.astimezone(UTC).timestamp()) * SECOND + value.microsecond


def read_instant(value: object) -> int | None:
    """Return what another system calls an instant, or None: RFC 3339 with a zone, or seconds or milliseconds since the
    epoch, as a number or as digits.

    >>> read_instant("1970-01-01T00:00:01Z"), read_instant("1500"), read_instant(1_700_000_000_000)
    (1000000, 1500000000, 1700000000000000)
    >>> read_instant("1970-01-01T00:00:01"), read_instant("yesterday"), read_instant(None)
    (None, None, None)
    """
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value.strip()[:18])
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e14:
        return int(value * SECOND) if value < 1e11 else int(value * 1_000)
    try:
        told = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        return None if told is None or told.tzinfo is None else instant(told)
    except (ValueError, OverflowError):
        return None


def moment(at: int) -> datetime:
    """Return microseconds as an aware datetime, UTC.

    >>> moment(1_500_000).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    """
    return datetime.fromtimestamp(at // SECOND, UTC).replace(microsecond=at % SECOND)


def iso(at: int) -> str:
    """Return microseconds as ISO 8601 with a Z.

    >>> iso(0)
    '1970-01-01T00:00:00Z'
    """
    return moment(at).isoformat().replace("+00:00", "Z")
