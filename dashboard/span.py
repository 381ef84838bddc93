"""The one time range of a page, and the zone it is read in."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.text import lasting
from storage.records.clock import DAY, HOUR, MINUTE, SECOND, instant, moment

SPANS = {"15m": 15 * MINUTE, "1h": HOUR, "6h": 6 * HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
LABELS = {
    "auto": "Page default",
    "15m": "Last 15 min",
    "1h": "Last hour",
    "6h": "Last 6 h",
    "24h": "Last 24 h",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "all": "All data",
    "custom": "From … to …",
    "fixed": "Fixed window",
}
REFRESH_S = {"auto": None, "off": 0, "10s": 10, "30s": 30, "1m": 60, "5m": 300}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time range in microseconds UTC, end excluded; ``key`` is the choice it came from, ``live`` whether it holds
    the present."""

    key: str
    start: int
    end: int
    zone: str
    live: bool

    @property
    def width(self) -> int:
        """Its length in microseconds."""
        return self.end - self.start

    def before(self) -> "Span":
        """Return the span of the same length just before."""
        return Span(key=self.key, start=self.start - self.width, end=self.start, zone=self.zone, live=False)


def ending(width: int, now: int) -> int:
    """Return where a range of such a width ends at ``now``: with the ten seconds that are over, of a week and more with
    the minute that is going on, so that panels share one range, caches meet it again, and nothing new is left out.

    >>> [ending(days * DAY, 61 * SECOND) // SECOND for days in (1, 7)]
    [60, 120]
    """
    return -(-now // MINUTE) * MINUTE if width >= SPANS["7d"] else now - now % (10 * SECOND)


def resolve(
    key: str,
    *,
    now: int,
    zone: str,
    default: str = "24h",
    dates: tuple[date, date] | None = None,
    window: tuple[int, int] | None = None,
    data: tuple[int, int] | None = None,
) -> Span:
    """Return the span that a choice means at ``now``.

    ``auto`` is the page's default. ``all`` spans ``data`` (first and last instant known), or 30 days where nothing is.
    ``custom`` takes ``dates`` on the clock of ``zone``: whole days, or from one instant to another. ``fixed`` is
    ``window`` to the microsecond, as a frozen link has it. What moves with the clock ends as ``ending`` says.
    """
    chosen = default if key not in LABELS or key == "auto" else key
    now = ending(SPANS.get(chosen, 0), now)
    if chosen == "fixed" and window:
        return Span(key="fixed", start=window[0], end=window[1], zone=zone, live=False)
    if chosen == "custom" and dates:
        start, end = _between(dates, zone)
        return Span(key="custom", start=start, end=end, zone=zone, live=start <= now < end)
    if chosen in {"all", "custom", "fixed"}:
        start, end = data or (now - SPANS["30d"], now)
        return Span(key="all", start=start, end=max(end + 1, start + HOUR), zone=zone, live=True)
    return Span(key=chosen, start=now - SPANS[chosen], end=now, zone=zone, live=True)


def _between(dates: tuple[date, date], zone: str) -> tuple[int, int]:
    where = ZoneInfo(zone)
    first, last = sorted(dates)
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        first, last = (datetime(one.year, one.month, one.day) for one in (first, last + timedelta(days=1)))  # noqa: DTZ001  # the zone follows
    start = instant(first.replace(tzinfo=where))
    return start, max(instant(last.replace(tzinfo=where)), start + MINUTE)


def window(first: str, last: str) -> tuple[int, int] | None:
    """Return the window that a frozen link names, or None: two instants in ISO 8601 with their offset.

    >>> window("1970-01-01T00:00:00Z", "1970-01-01T00:00:01.5Z"), window("1970-01-01", "1970-01-02")
    ((0, 1500000), None)
    """
    try:
        start, end = (datetime.fromisoformat(one) for one in (first, last))
        if start.tzinfo is None or end.tzinfo is None:
            return None
        found = instant(start), instant(end)
    except (ValueError, OverflowError):
        return None
    return found if found[0] < found[1] else None


def refresh_s(choice: str, span: Span, *, default: int) -> int | None:
    """Return after how many seconds a page refreshes itself; None for never, always so for a closed range."""
    chosen = REFRESH_S.get(choice)
    seconds = default if chosen is None else chosen
    return max(5, seconds) if seconds and span.live else None


def told(span: Span) -> str:
    """Return the range in words, with its zone.

    >>> told(Span(key="custom", start=0, end=3 * DAY, zone="UTC", live=False))
    '1 Jan 1970 00:00 to 4 Jan 1970 00:00, UTC'
    """
    if span.key in SPANS:
        return f"last {lasting(span.width)}, {span.zone}"
    where = ZoneInfo(span.zone)
    first, last = (moment(at).astimezone(where) for at in (span.start, span.end))
    clock = "%b %Y %H:%M:%S" if span.key == "fixed" else "%b %Y %H:%M"
    return f"{first.day} {first:{clock}} to {last.day} {last:{clock}}, {span.zone}"
