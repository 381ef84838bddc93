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
