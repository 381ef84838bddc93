"""Metric series: windows in, steps and totals out; increments are summed, percentiles are never stored."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select as plain
from sqlmodel import col, func, select

from storage import spans
from storage.database import Read
from storage.quantiles import Quantile, merge_layouts, minimum_count, quantile
from storage.spans import Spans
from storage.tables.observed import SampleRow, SeriesRow, WindowRow
from storage.tiers import TIERS, Tier, marks, pick_tier, retain, roll_up, watermark
from storage.windows import Gap, gaps, last_seq, store

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

ADDITIVE = frozenset(
    f"fairlead_{name}"
    for name in (
        "http_requests_in_flight",
        "cache_entries",
        "cache_bytes",
        "pool_connections",
        "dead_letters",
        "spool_bytes",
    )
)
"""Gauges whose sum over replicas means something; of the others only the least and the greatest do."""


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
        """The rate per second of all replicas seen: by covered, not by wall time; None where nothing was observed."""
        if self.value is None or self.covered_us <= 0:
            return None
        return self.value / (self.covered_us / 1_000_000) * self.replicas


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    kind: str
    labels: Mapping[str, str]
    edges: tuple[float, ...]


def _matching(read: Read, name: str, labels: Mapping[str, str] | None) -> dict[int, _Series]:
    found: dict[int, _Series] = {}
    for row in read.all(select(SeriesRow).where(SeriesRow.name == name).order_by(SeriesRow.key)):
        carried: dict[str, str] = orjson.loads(row.labels)
        if all(carried.get(key) == value for key, value in (labels or {}).items()):
            edges = tuple(orjson.loads(row.edges)) if row.edges else ()
            found[row.series_id] = _Series(row.name, row.kind, carried, edges)
    return found


def _group(series: _Series, replica: str, by: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, replica if name == "replica" else series.labels.get(name, "")) for name in by)


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

    ``labels`` selects series that carry them; ``by`` names the labels to group by, ``replica`` among them. A window
    belongs to the interval in which it starts. Where the fine windows are gone the step is that of the tier left.
    """
    held = marks(read)
    tier = spans.fitting(held, start, end, step_us)
    width = spans.width(tier, start, end, step_us)
    start = start // width * width
    parts = spans.even(held, tier, start, max(end, start + 1))
    return _read(read, name, parts, width=width, start=start, end=end, labels=labels, by=by)


def total(
    read: Read, name: str, *, start: int, end: int, labels: Mapping[str, str] | None = None, by: Sequence[str] = ()
) -> list[Step]:
    """Return a metric over a whole range: one step per group. The start is rounded down to the step of the tier that
    ``pick_tier`` names, as the steps returned say; what lies between is read as coarsely as it was summed."""
    held = marks(read)
    tier = spans.fitting(held, start, end, None)
    start = start // TIERS[tier].step_us * TIERS[tier].step_us
    width = max(end - start, 1)
    parts = spans.coarsest(held, tier, start, end)
    return _read(read, name, parts, width=width, start=start, end=end, labels=labels, by=by)


def _read(
    read: Read,
    name: str,
    parts: Spans,
    *,
    width: int,
    start: int,
    end: int,
    labels: Mapping[str, str] | None,
    by: Sequence[str],
) -> list[Step]:
    series = _matching(read, name, labels)
    if not series or not parts:
        return []
    windows: dict[int, list[Any]] = defaultdict(list)
    for window in read.all(_windows(parts, start=start, width=width)):
        windows[window.place].append(window)
    samples: dict[tuple[int, tuple[tuple[str, str], ...]], list[Any]] = defaultdict(list)
    added = next(iter(series.values())).kind == "counter"
    for row in read.all((_increments if added else _rows)(list(series), parts, start=start, width=width)):
        samples[row.place, _group(series[row.series_id], row.replica, by)].append(row)
    replicas = {window.replica for some in windows.values() for window in some} or {""}
    groups = sorted({_group(one, replica, by) for one in series.values() for replica in replicas})
    return [
        _step(
            series,
            samples.get((index, group), []),
            [one for one in windows.get(index, []) if dict(group).get("replica", one.replica) == one.replica],
            start=start + index * width,
            end=min(start + (index + 1) * width, max(end, start + 1)),
            labels=dict(group),
        )
        for index in range(-(-(end - start) // width))
        for group in groups
    ]


def _place(row: type[WindowRow] | type[SampleRow], start: int, width: int) -> Any:
    return ((col(row.start) - start) // width).label("place")


def _windows(parts: Spans, *, start: int, width: int) -> Any:
    """Ask for the time observed by interval, replica and flags."""
    keys = _place(WindowRow, start, width), col(WindowRow.replica), col(WindowRow.flags)
    observed = func.sum(WindowRow.covered_us).label("covered_us")
    return plain(*keys, observed).where(spans.within(WindowRow, parts)).group_by(*keys)


def _increments(ids: Sequence[int], parts: Spans, *, start: int, width: int) -> Any:
    """Ask for sums by interval, series and replica."""
    keys = _place(SampleRow, start, width), col(SampleRow.series_id), col(SampleRow.replica)
    wanted = col(SampleRow.series_id).in_(ids), spans.within(SampleRow, parts)
    return plain(*keys, func.sum(SampleRow.value).label("value")).where(*wanted).group_by(*keys)


def _rows(ids: Sequence[int], parts: Spans, *, start: int, width: int) -> Any:
    """Ask for the histogram or gauge of every window, in the order of time."""
    told = (getattr(SampleRow, name) for name in ("replica", "series_id", "value", "counts", "low", "high"))
    wanted = col(SampleRow.series_id).in_(ids), spans.within(SampleRow, parts)
    return (
        plain(_place(SampleRow, start, width), *told).where(*wanted).order_by(col(SampleRow.start), SampleRow.replica)
    )


def _step(
    series: Mapping[int, _Series],
    rows: Sequence[Any],
    windows: Sequence[Any],
    *,
    start: int,
    end: int,
    labels: Mapping[str, str],
) -> Step:
    flags = {flag for window in windows for flag in window.flags.split(",") if flag}
    kind = next(iter(series.values())).kind
    value: float | None = sum(row.value for row in rows) if windows else None
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    low = high = None
    if kind == "histogram" and windows:
        layouts = [(series[row.series_id].edges, orjson.loads(row.counts)) for row in rows]
        first = next(iter(series.values())).edges
        edges, counts, coarse = merge_layouts(layouts or [(first, [0] * (len(first) + 1))])
        flags |= {"coarse"} if coarse else set()
    if kind == "gauge":
        value, low, high = _gauge(rows, additive=next(iter(series.values())).name in ADDITIVE)
    return Step(
        start=start,
        end=end,
        labels=labels,
        value=value,
        counts=counts,
        edges=edges,
        covered_us=int(sum(window.covered_us for window in windows)),
        replicas=len({window.replica for window in windows}),
        low=low,
        high=high,
        flags=frozenset(flags),
    )


def _gauge(rows: Sequence[Any], *, additive: bool) -> tuple[float | None, float | None, float | None]:
    if not rows:
        return None, None, None
    last = {(row.replica, row.series_id): row.value for row in rows}
    low = [row.value if row.low is None else row.low for row in rows]
    high = [row.value if row.high is None else row.high for row in rows]
    if additive:
        return sum(last.values()), min(low), max(high)
    return (rows[-1].value if len(set(last.values())) == 1 else None), min(low), max(high)


def latest(read: Read, name: str, *, now: int, within_us: int = 60_000_000) -> list[Step]:
    """Return a gauge as last seen, one step per replica and label set (``labels`` holds ``replica`` too)."""
    series = _matching(read, name, None)
    span = (WindowRow.tier == "t0", WindowRow.start >= now - within_us)
    windows = {(row.replica, row.boot_id, row.seq): row for row in read.all(select(WindowRow).where(*span))}
    condition = (col(SampleRow.series_id).in_(list(series)), SampleRow.tier == "t0", SampleRow.start >= now - within_us)
    newest: dict[tuple[str, int], SampleRow] = {}
    for row in read.all(select(SampleRow).where(*condition).order_by(col(SampleRow.start), col(SampleRow.seq))):
        newest[row.replica, row.series_id] = row
    return [
        _step(
            series,
            [row],
            [windows[row.replica, row.boot_id, row.seq]],
            start=windows[row.replica, row.boot_id, row.seq].start,
            end=windows[row.replica, row.boot_id, row.seq].end,
            labels={**series[number].labels, "replica": replica},
        )
        for (replica, number), row in sorted(newest.items())
    ]
