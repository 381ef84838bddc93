"""Since when impressions count: a cap's window, rolling or by the calendar of a time zone."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from storage.hot.caps import EVER_S, Window
from storage.records.caps import Cap, CapUnit
from storage.records.clock import SECOND

UNIT_S: Mapping[CapUnit, int] = {
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 7 * 86_400,
    "month": 30 * 86_400,
    "lifetime": EVER_S,
}
LONGEST_S = 400 * 31 * 86_400
"""More than any calendar window."""


def window(cap: Cap, number: int, now: int) -> Window:
    """Return the window of ``cap``, counted under ``number``, for stores whose clock is near ``now`` (µs UTC).

    A calendar window is the period of now and the ``count`` − 1 before it; the periods around now are all given, so
    that the store's clock decides on which side of a midnight it is.
    """
    minute = 60 * SECOND
    return _window(cap, number, now // minute * 60 if _by_calendar(cap) else 0)


def _by_calendar(cap: Cap) -> bool:
    return cap.window == "calendar" and cap.unit != "lifetime"


@lru_cache(maxsize=4_096)
def _window(cap: Cap, number: int, minute_s: int) -> Window:
    if not _by_calendar(cap):
        return Window(number, cap.limit, min(UNIT_S[cap.unit] * cap.count, EVER_S))
    zone = ZoneInfo(cap.zone)
    this = period(minute_s, cap.unit, zone)
    following = [this := after(this, cap.unit, zone) for _ in range(2)]
    this = period(minute_s, cap.unit, zone)
    begins = (period(this - 1, cap.unit, zone), this, *following)
    longest = min(UNIT_S[cap.unit] * cap.count * 31 // 30 + 2 * 86_400, LONGEST_S)
    return Window(
        number, cap.limit, longest, tuple((each, back(each, cap.count - 1, cap.unit, zone)) for each in begins)
    )


def period(at_s: int, unit: CapUnit, zone: ZoneInfo) -> int:
    """Return when the calendar period of an instant began, seconds UTC.

    Where clocks are put back, the hour that comes twice is two periods; a day whose midnight is skipped begins with
    its first instant, one whose midnight comes twice with the first.
    """
    local = datetime.fromtimestamp(at_s, zone)
    if unit in ("minute", "hour"):
        offset = _offset_s(local)
        return (at_s + offset) // UNIT_S[unit] * UNIT_S[unit] - offset
    return _midnight(_FIRST_DAY[unit](local.date()), zone)


def after(begins: int, unit: CapUnit, zone: ZoneInfo) -> int:
    """Return when the period after the one that begins at ``begins`` begins."""
    if unit in ("minute", "hour"):
        return begins + UNIT_S[unit]
    first = datetime.fromtimestamp(begins, zone).date()
    return _midnight(_shifted(first, 1, unit), zone)


def back(begins: int, count: int, unit: CapUnit, zone: ZoneInfo) -> int:
    """Return when the period began that lies ``count`` periods before the one that begins at ``begins``."""
    if unit in ("minute", "hour"):
        return begins - count * UNIT_S[unit]
    first = datetime.fromtimestamp(begins, zone).date()
    return _midnight(_shifted(first, -count, unit), zone)


_FIRST_DAY: Mapping[CapUnit, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}


def _shifted(first: date, periods: int, unit: CapUnit) -> date:
    if unit != "month":
        return first + timedelta(days=periods * (7 if unit == "week" else 1))
    months = first.year * 12 + first.month - 1 + periods
    return date(months // 12, months % 12 + 1, 1)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _offset_s(local: datetime) -> int:
    offset = local.utcoffset()
    return 0 if offset is None else int(offset / timedelta(seconds=1))
