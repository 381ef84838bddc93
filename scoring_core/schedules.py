"""When a rule is in force: from one instant to another, on weekdays and at hours of a zone."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from storage.records.clock import SECOND
from storage.records.rules import Rule

Clocks = dict[str, datetime]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rule's schedule; what is empty restricts nothing."""

    starts_at: int | None = None
    ends_at: int | None = None
    zone: str = "UTC"
    weekdays: frozenset[int] = field(default_factory=frozenset)
    hours: frozenset[int] = field(default_factory=frozenset)

    def open(self, now: int, clocks: Clocks) -> bool:
        """Tell whether it is in force at ``now``; ``clocks`` keeps what time it is in each zone."""
        if self.starts_at is not None and now < self.starts_at:
            return False
        if self.ends_at is not None and now >= self.ends_at:
            return False
        if not self.weekdays and not self.hours:
            return True
        there = clocks.get(self.zone)
        if there is None:
            there = clocks[self.zone] = local(now, self.zone)
        return (not self.weekdays or there.weekday() in self.weekdays) and (not self.hours or there.hour in self.hours)


def local(now: int, zone: str) -> datetime:
    """Return an instant in a zone; in UTC where the zone is unknown.

    >>> local(0, "Asia/Kolkata").hour, local(0, "Nowhere/At_all").hour
    (5, 0)
    """
    try:
        return datetime.fromtimestamp(now // SECOND, ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        return datetime.fromtimestamp(now // SECOND, UTC)


def schedule_of(rule: Rule) -> Schedule | None:
    """Return a rule's schedule, None where it is always in force.

    >>> schedule_of(Rule(key="r", action="boost"))
    """
    if rule.starts_at is None and rule.ends_at is None and not rule.weekdays and not rule.hours:
        return None
    return Schedule(rule.starts_at, rule.ends_at, rule.zone, frozenset(rule.weekdays), frozenset(rule.hours))
