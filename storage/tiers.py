"""Tiers of metric windows: 10 s, 1 min, 15 min, 1 day; sums roll up, late rows re-open their window."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlmodel import col, delete, func, select

from storage.database import Read, Write
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.tables.observed import CursorRow, SampleRow, SeriesRow, WindowRow
from storage.upserts import insert_new, upsert

Tier = Literal["t0", "t1", "t2", "t3"]


@dataclass(frozen=True, slots=True)
class TierRule:
    """A tier's step, how long it is kept, and the finer tier it is summed from."""

    step_us: int
    keep_us: int
    source: Tier | None


TIERS: Mapping[Tier, TierRule] = {
    "t0": TierRule(10 * SECOND, 48 * HOUR, None),
    "t1": TierRule(MINUTE, 14 * DAY, "t0"),
    "t2": TierRule(15 * MINUTE, 400 * DAY, "t1"),
    "t3": TierRule(DAY, 1_826 * DAY, "t2"),
}

LATEST_US = 47 * HOUR
"""Older windows are refused: the rows they would be summed with may be gone, and a part must not replace a whole."""

_BUCKETS_AT_ONCE = 240
_W, _S = WindowRow.__table__, SampleRow.__table__  # type: ignore[attr-defined]  # set on every mapped class
_WINDOWS = _W.select().order_by(_W.c.replica, _W.c.boot_id, _W.c.start, _W.c.seq)
_SAMPLES = _S.select().order_by(_S.c.start, _S.c.seq)
"""Plain rows: mapped objects take three times as long."""
_ADDED = frozenset({"counter", "histogram"})


def pick_tier(start: int, end: int) -> Tier:
    """Return the coarsest tier with at least 300 points in a range, the finest if none has.

    >>> [pick_tier(0, hours * HOUR) for hours in (1, 24, 24 * 7, 24 * 400)]
    ['t0', 't1', 't2', 't3']
    """
    fitting: list[Tier] = [tier for tier, rule in TIERS.items() if (end - start) // rule.step_us >= 300]
    return fitting[-1] if fitting else "t0"


def coarser(tier: Tier) -> Tier | None:
    """Return the tier that is summed from ``tier``."""
    return next((name for name, rule in TIERS.items() if rule.source == tier), None)


def _mark_name(tier: Tier) -> str:
    return f"rollup:{tier}"


def _retained_name(tier: Tier) -> str:
    return f"retained:{tier}"


def _late_name(tier: Tier, bucket: int) -> str:
    return f"late:{tier}:{bucket:020d}"


@dataclass(frozen=True, slots=True)
class Marks:
    """How far each tier is summed, and from when it is kept."""

    held: Mapping[str, int]

    def watermark(self, tier: Tier) -> int:
        """Return the instant below which a tier is complete; 0 before its first roll-up."""
        return self.held.get(_mark_name(tier), 0)

    def retained_from(self, tier: Tier) -> int:
        """Return the instant before which a tier's windows were deleted; 0 if none were."""
        return self.held.get(_retained_name(tier), 0)


def marks(read: Read) -> Marks:
    """Return the marks of all tiers."""
    names = [name(tier) for tier in TIERS for name in (_mark_name, _retained_name)]
    found = read.all(select(CursorRow.name, CursorRow.value).where(col(CursorRow.name).in_(names)))
    return Marks({name: int(value) for name, value in found})


def watermark(read: Read, tier: Tier) -> int:
    """Return the instant below which a tier is complete; 0 before its first roll-up."""
    return marks(read).watermark(tier)


def _locked_mark(write: Write, tier: Tier, *, shared: bool) -> int:
    """Read a watermark and keep it from moving (shared) or from being read (not shared) until commit."""
    insert_new(write, CursorRow, {"name": _mark_name(tier), "value": "0", "fence": 0})
    statement = select(CursorRow.value).where(CursorRow.name == _mark_name(tier)).with_for_update(read=shared)
    return int(write.first(statement))


def reopen(write: Write, tier: Tier, start: int) -> None:
    """Note that a window of ``tier`` came in: if the next tier has passed it, its interval is summed again."""
    above = coarser(tier)
    if above is not None and start < _locked_mark(write, above, shared=True):
        step = TIERS[above].step_us
        insert_new(write, CursorRow, {"name": _late_name(above, start // step * step), "value": "", "fence": 0})


def _late(read: Read, tier: Tier) -> list[int]:
    prefix = f"late:{tier}:"
    statement = select(CursorRow.name).where(col(CursorRow.name).between(prefix, prefix + "~"))
    return sorted(int(name.removeprefix(prefix)) for name in read.all(statement))


def roll_up(write: Write, tier: Tier, *, now: int) -> int:
    """Sum closed intervals of the finer tier into ``tier``, late ones again; return how many windows were written.

    The watermark follows at two intervals behind ``now`` and never passes that of the finer tier. Running it again
    changes nothing. A long backlog is worked off over several calls.
    """
    rule = TIERS[tier]
    if rule.source is None:
        raise ValueError("the finest tier is not summed from another")
    mark, late, step = _locked_mark(write, tier, shared=False), _late(write, tier), rule.step_us
    goal = (now // step - 2) * step
    if TIERS[rule.source].source is not None:
        goal = min(goal, watermark(write, rule.source) // step * step)
    starts = write.all(
        select(WindowRow.start)
        .where(WindowRow.tier == rule.source, WindowRow.start >= mark, WindowRow.start < goal)
        .distinct()
    )
    fresh = sorted({start // step * step for start in starts})
    if len(fresh) > _BUCKETS_AT_ONCE:
        fresh, goal = fresh[:_BUCKETS_AT_ONCE], fresh[_BUCKETS_AT_ONCE]
    buckets = sorted({*late, *fresh})
    kinds = dict(write.all(select(SeriesRow.series_id, SeriesRow.kind))) if buckets else {}
    written = sum(_sum_bucket(write, tier, bucket, kinds) for bucket in buckets)
    if late:
        write.execute(delete(CursorRow).where(col(CursorRow.name).in_([_late_name(tier, bucket) for bucket in late])))
    if goal > mark:
        upsert(write, CursorRow, [{"name": _mark_name(tier), "value": str(goal), "fence": 0}])
    return written


def _sum_bucket(write: Write, tier: Tier, bucket: int, kinds: Mapping[int, str]) -> int:
    rule = TIERS[tier]
    windows = write.all(
        _WINDOWS.where(_W.c.tier == rule.source, _W.c.start >= bucket, _W.c.start < bucket + rule.step_us)
    )
    boots: dict[tuple[str, str], list[Any]] = {}
    for window in windows:
        boots.setdefault((window.replica, window.boot_id), []).append(window)
    seq = bucket // rule.step_us
    summed, sums = [], []
    for (replica, boot_id), parts in boots.items():
        key = {"tier": tier, "replica": replica, "boot_id": boot_id, "seq": seq}
        summed.append(
            key
            | {
                "start": bucket,
                "end": bucket + rule.step_us,
                "covered_us": sum(part.covered_us for part in parts),
                "flags": join_flags(part.flags for part in parts),
                "fence": max(part.fence for part in parts),
            }
        )
        samples = write.all(
            _SAMPLES.where(
                _S.c.tier == rule.source,
                _S.c.replica == replica,
                _S.c.boot_id == boot_id,
                _S.c.seq.in_([part.seq for part in parts]),
            )
        )
        by_series: dict[int, list[Any]] = {}
        for sample in samples:
            by_series.setdefault(sample.series_id, []).append(sample)
        sums += [
            key | {"series_id": series, "start": bucket} | _sum_samples(rows, added=kinds[series] in _ADDED)
            for series, rows in by_series.items()
        ]
    upsert(write, WindowRow, summed)
    upsert(write, SampleRow, sums)
    if boots:
        reopen(write, tier, bucket)
    return len(boots)


def join_flags(flags: Iterable[str]) -> str:
    """Merge comma-separated flags, sorted, each once.

    >>> join_flags(["skew", "", "coarse,skew"])
    'coarse,skew'
    """
    return ",".join(sorted({part for text in flags for part in text.split(",") if part}))


def _sum_samples(rows: Sequence[Any], *, added: bool) -> dict[str, Any]:
    samples = sum(row.samples for row in rows)
    if not added:
        low = min(row.value if row.low is None else row.low for row in rows)
        high = max(row.value if row.high is None else row.high for row in rows)
        return {"value": rows[-1].value, "counts": "", "low": low, "high": high, "samples": samples}
    arrays = [orjson.loads(row.counts) for row in rows if row.counts]
    counts = orjson.dumps([sum(column) for column in zip(*arrays, strict=True)]).decode() if arrays else ""
    value = sum(row.value for row in rows)
    return {"value": value, "counts": counts, "low": None, "high": None, "samples": samples}


def retain(write: Write, *, now: int) -> dict[Tier, int]:
    """Delete windows past their time, never above the next tier's watermark; return how many went per tier."""
    gone: dict[Tier, int] = {}
    for tier, rule in TIERS.items():
        above = coarser(tier)
        horizon = now - rule.keep_us
        if above is not None:
            horizon = min([horizon, watermark(write, above), *_late(write, above)])
        condition = (WindowRow.tier == tier, WindowRow.start < horizon)
        gone[tier] = int(write.first(select(func.count()).select_from(WindowRow).where(*condition)) or 0)
        if gone[tier]:
            write.execute(delete(SampleRow).where(col(SampleRow.tier) == tier, col(SampleRow.start) < horizon))
            write.execute(delete(WindowRow).where(col(WindowRow.tier) == tier, col(WindowRow.start) < horizon))
            upsert(write, CursorRow, [{"name": _retained_name(tier), "value": str(horizon), "fence": 0}])
    return gone
