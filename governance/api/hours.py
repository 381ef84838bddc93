"""Hours and weekdays of a zone as ranges of instants."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from storage.errors import Invalid, Problem
from storage.records.clock import DAY, HOUR, instant, moment

MAX_DAYS = 400


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", problems=(Problem(field=field, message=message),))


def _hours(start: int, end: int) -> Iterator[int]:
    """Yield every quarter of an hour that a range touches; some zones are off by 30 or 45 minutes."""
    quarter = HOUR // 4
    at = start // quarter * quarter
    while at < end:
        yield at
        at += quarter


def zone_named(name: str) -> ZoneInfo:
    """Return a zone, or raise ``Invalid`` naming the field."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise _invalid("zone", "must be a time zone of the IANA data base") from None


def within(
    start: int, end: int, *, zone: str, hour: int | None = None, weekday: int | None = None
) -> tuple[tuple[int, int], ...]:
    """Return the parts of a range at an hour (0–23) and on a weekday (0 is Monday) of a zone's own clock.

    >>> day = within(0, 2 * DAY, zone="UTC", hour=6)
    >>> [(first // HOUR, last // HOUR) for first, last in day]
    [(6, 7), (30, 31)]
    """
    if end <= start or end - start > MAX_DAYS * DAY:
        raise _invalid("end", f"must be after start, at most {MAX_DAYS} days")
    if hour is None and weekday is None:
        return ((start, end),)
    clock = zone_named(zone)
    parts: list[tuple[int, int]] = []
    for at in _hours(start, end):
        local = moment(at).astimezone(clock)
        if hour not in {None, local.hour} or weekday not in {None, local.weekday()}:
            continue
        first, last = max(at, start), min(instant(_later(moment(at))), end)
        if parts and parts[-1][1] == first:
            parts[-1] = (parts[-1][0], last)
        else:
            parts.append((first, last))
    return tuple(parts)


def _later(at: datetime) -> datetime:
    return at + timedelta(minutes=15)
