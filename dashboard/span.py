"""The one time range of a page, and the zone it is read in."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.text import lasting
from storage.records.clock import DAY, HOUR, MINUTE, instant, moment

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


def resolve(
    key: str,
    *,
    now: int,
    zone: str,
    default: str = "24h",
    dates: tuple[date, date] | None = None,
    data: tuple[int, int] | None = None,
) -> Span:
    """Return the span that a choice means at ``now``.

    ``auto`` is the page's default. ``all`` spans ``data`` (first and last instant known), or 30 days where nothing is.
    ``custom`` takes whole days of ``dates`` in ``zone``. ``now`` is cut to 10 s, so that panels share one range and
    caches meet it again.
    """
    now -= now % (10 * 1_000_000)
    chosen = default if key not in LABELS or key == "auto" else key
    if chosen == "custom" and dates:
        where = ZoneInfo(zone)
        first, last = min(dates), max(dates) + timedelta(days=1)
        start = instant(datetime(first.year, first.month, first.day, tzinfo=where))
        end = instant(datetime(last.year, last.month, last.day, tzinfo=where))
        return Span(key="custom", start=start, end=end, zone=zone, live=start <= now < end)
    if chosen in {"all", "custom"}:
        start, end = data or (now - SPANS["30d"], now)
        return Span(key="all", start=start, end=max(end + 1, start + HOUR), zone=zone, live=True)
    return Span(key=chosen, start=now - SPANS[chosen], end=now, zone=zone, live=True)


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
    return f"{first.day} {first:%b %Y %H:%M} to {last.day} {last:%b %Y %H:%M}, {span.zone}"
