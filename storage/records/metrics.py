"""Closed windows of an engine's metrics: increments, never percentiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """By how much a counter grew within the window."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """What a histogram gained within the window. ``edges`` are upper bounds without +Inf; ``counts`` has one more
    entry than ``edges``, not cumulative."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A gauge's value when the window closed."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One closed window of one boot of one replica; (replica, boot_id, seq) is its key. Wall clocks in microseconds
    UTC, ``monotonic_us`` its length by the monotonic clock."""

    replica: str
    boot_id: str
    seq: int
    start: int
    end: int
    monotonic_us: int
    counters: tuple[Counter, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    gauges: tuple[Gauge, ...] = ()
