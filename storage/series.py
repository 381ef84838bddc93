"""Metric series: windows in, steps and totals out; increments are summed, percentiles are never stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from storage.database import Read, Write
from storage.quantiles import Quantile, minimum_count, quantile
from storage.records.metrics import Window
from storage.tiers import Tier, pick_tier, retain, roll_up, watermark

__all__ = [
    "Gap",
    "Quantile",
    "Step",
    "Tier",
    "gaps",
    "last_seq",
    "latest",
    "minimum_count",
    "pick_tier",
    "quantile",
    "retain",
    "roll_up",
    "steps",
    "store",
    "total",
    "watermark",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one group of series did between ``start`` and ``end`` (microseconds UTC).

    ``value`` is the sum of a counter's increments, a histogram's sum, or an additive gauge summed over replicas (other
    gauges: None unless all agree, with ``low`` and ``high``). It is None where nothing was observed
    (``covered_us == 0``): a gap is unknown, never zero. ``counts`` has one entry more than ``edges``, not cumulative.
    ``covered_us`` is the time observed, summed over ``replicas``; ``flags`` names what is wrong (skew, coarse).
    """

    start: int
    end: int
    labels: Mapping[str, str]
    value: float | None
    counts: tuple[int, ...] = ()
    edges: tuple[float, ...] = ()
    covered_us: int = 0
    replicas: int = 0
    low: float | None = None
    high: float | None = None
    flags: frozenset[str] = frozenset()

    @property
    def per_second(self) -> float | None:
        """The rate per covered second of one replica, times the replicas seen; None where nothing was observed."""
        if self.value is None or self.covered_us <= 0:
            return None
        return self.value / (self.covered_us / 1_000_000) * self.replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of a replica's life that nobody observed: ``missing`` windows of one boot, or a ``restart``."""

    replica: str
    start: int
    end: int
    kind: Literal["missing", "restart"]


def store(write: Write, tier: Tier, window: Window, *, flags: str = "", fence: int = 0) -> bool:
    """Store a window under its key (replica, boot, seq); the same window again changes nothing.

    Zero increments are not stored; the window's row says that they were observed. Returns whether it was new.
    """
    raise NotImplementedError


def last_seq(read: Read, replica: str) -> tuple[str, int] | None:
    """Return boot id and sequence number of the newest window of a replica, or None."""
    raise NotImplementedError


def steps(
    read: Read,
    name: str,
    *,
    start: int,
    end: int,
    step_us: int | None = None,
    labels: Mapping[str, str] | None = None,
    by: Sequence[str] = (),
) -> list[Step]:
    """Return a metric over time: one step per interval and group, gaps included, in order of start then labels.

    ``labels`` selects series that carry them; ``by`` names the labels to group by, ``replica`` among them.
    """
    raise NotImplementedError


def total(
    read: Read, name: str, *, start: int, end: int, labels: Mapping[str, str] | None = None, by: Sequence[str] = ()
) -> list[Step]:
    """Return a metric over a whole range: one step per group."""
    raise NotImplementedError


def latest(read: Read, name: str, *, now: int, within_us: int = 60_000_000) -> list[Step]:
    """Return a gauge as last seen per replica and label set (``labels`` holds ``replica`` too)."""
    raise NotImplementedError


def gaps(read: Read, start: int, end: int) -> list[Gap]:
    """Return the gaps between observed windows in a range."""
    raise NotImplementedError
