"""Metric windows as they come in: under one key, once, with no zero stored; and where none came."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

import orjson
from sqlmodel import col, desc, func, select

from storage.database import Read, Write
from storage.records.clock import DAY
from storage.records.document import canonical
from storage.records.metrics import Counter, Gauge, Histogram, Window
from storage.tables.observed import SampleRow, SeriesRow, WindowRow
from storage.tiers import Tier, reopen
from storage.upserts import insert_new


def _rows(window: Window) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return series and sample columns by series key; increments of zero are left out, a gauge's zero is not."""
    rows: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}

    def put(kind: str, sample: Counter | Histogram | Gauge, edges: tuple[float, ...], counts: str) -> None:
        labels = canonical(sample.labels).decode()
        layout = orjson.dumps(edges).decode() if kind == "histogram" else ""
        key = blake2b(orjson.dumps([sample.name, labels, kind, layout]), digest_size=16).hexdigest()
        series = {"name": sample.name, "labels": labels, "kind": kind, "edges": layout, "key": key}
        value = sample.sum if isinstance(sample, Histogram) else sample.value
        rows[key] = (series, {"value": value, "counts": counts, "low": None, "high": None, "samples": 1})

    for counter in window.counters:
        if counter.value:
            put("counter", counter, (), "")
    for histogram in window.histograms:
        if any(histogram.counts):
            put("histogram", histogram, histogram.edges, orjson.dumps(histogram.counts).decode())
    for gauge in window.gauges:
        put("gauge", gauge, (), "")
    return rows


def _number(write: Write, wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return series numbers by key, numbering those that are new; in one order, so that no two writers block."""

    def known() -> dict[str, int]:
        keys = list(wanted)
        found: dict[str, int] = {}
        for first in range(0, len(keys), 900):
            chunk = col(SeriesRow.key).in_(keys[first : first + 900])
            found.update(write.all(select(SeriesRow.key, SeriesRow.series_id).where(chunk)))
        return found

    numbers = known()
    fresh = [wanted[key] for key in sorted(wanted) if key not in numbers]
    for series in fresh:
        insert_new(write, SeriesRow, series)
    return known() if fresh else numbers


def store(write: Write, tier: Tier, window: Window, *, flags: str = "", fence: int = 0) -> bool:
    """Store a window under its key (replica, boot, seq); the same window again changes nothing.

    Zero increments are not stored; the window's row says that they were observed. Returns whether it was new.
    """
    key = {"tier": tier, "replica": window.replica, "boot_id": window.boot_id, "seq": window.seq}
    about = {"start": window.start, "end": window.end, "covered_us": window.monotonic_us}
    if not insert_new(write, WindowRow, key | about | {"flags": flags, "fence": fence}):
        return False
    rows = _rows(window)
    numbers = _number(write, {name: series for name, (series, _) in rows.items()})
    samples = [key | {"series_id": numbers[name], "start": window.start} | sample for name, (_, sample) in rows.items()]
    if samples:
        write.execute(SampleRow.__table__.insert(), samples)  # type: ignore[attr-defined]  # set on every mapped class
    reopen(write, tier, window.start)
    return True


def newest(read: Read, since: int) -> dict[str, int]:
    """Return the start of the newest fine window of each replica that closed one since."""
    statement = (
        select(WindowRow.replica, func.max(WindowRow.start))
        .where(WindowRow.tier == "t0", col(WindowRow.start) >= since)
        .group_by(col(WindowRow.replica))
        .order_by(col(WindowRow.replica))
    )
    return dict(read.all(statement))


def last_seq(read: Read, replica: str) -> tuple[str, int] | None:
    """Return boot id and sequence number of the newest window of a replica, or None."""
    statement = (
        select(WindowRow.boot_id, WindowRow.seq)
        .where(WindowRow.tier == "t0", WindowRow.replica == replica)
        .order_by(desc(WindowRow.start), desc(WindowRow.seq))
        .limit(1)
    )
    found = read.first(statement)
    return None if found is None else (found[0], found[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of a replica's life that nobody observed: ``missing`` windows of one boot, or a ``restart``."""

    replica: str
    start: int
    end: int
    kind: Literal["missing", "restart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """One run of a replica, as far as its windows tell: when it was first observed."""

    replica: str
    boot_id: str
    start: int


def boots(read: Read, start: int, end: int) -> list[Boot]:
    """Return the runs that were first observed in a range, in order."""
    first = func.min(WindowRow.start)
    statement = (
        select(WindowRow.replica, WindowRow.boot_id, first)
        .where(col(WindowRow.end) >= start - 2 * DAY)
        .group_by(WindowRow.replica, WindowRow.boot_id)
        .having(first >= start, first < end)
        .order_by(first)
    )
    return [Boot(replica=replica, boot_id=boot, start=at) for replica, boot, at in read.all(statement)]


def gaps(read: Read, start: int, end: int) -> list[Gap]:
    """Return what nobody observed between the windows that start in a range, from the finest tier (the last 48 h)."""
    statement = (
        select(WindowRow)
        .where(WindowRow.tier == "t0", WindowRow.start >= start, WindowRow.start < end)
        .order_by(WindowRow.replica, col(WindowRow.start), col(WindowRow.seq))
    )
    found: list[Gap] = []
    before: WindowRow | None = None
    for window in read.all(statement):
        if before is not None and before.replica == window.replica:
            same = before.boot_id == window.boot_id
            if window.seq != (before.seq + 1 if same else 0):
                found.append(Gap(replica=window.replica, start=before.end, end=window.start, kind="missing"))
            elif not same and window.start > before.end:
                found.append(Gap(replica=window.replica, start=before.end, end=window.start, kind="restart"))
        before = window
    return found
