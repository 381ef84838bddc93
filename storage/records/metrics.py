"""Closed windows of an engine's metrics: increments, never percentiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Labels = tuple[tuple[str, str], ...]
MetricKind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A metric as a process declares it: its name, what it tells, the labels that it carries. ``edges`` are a
    histogram's upper bounds without +Inf."""

    name: str
    kind: MetricKind
    text: str
    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()


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
