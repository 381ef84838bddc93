"""Impression counts in the process: one event loop, so that every call is one step."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from storage.hot.caps import (
    KNOWN_S,
    LEAST_CAP,
    MOST_ROWS,
    RESERVED,
    ROW,
    Claim,
    Counted,
    Holder,
    Reserved,
    Shown,
    Windows,
    tallied,
    unpacked,
)
from storage.hot.caps_kernel import claim as claimed
from storage.hot.table import PackedTable, key_of
from storage.records.clock import SECOND
from storage.records.tallies import Counter

Row = tuple[int, int, int, int]

PER_BUCKET = 8


class MemoryCaps:
    """Impressions by holder in memory.

    Parameters
    ----------
    now
        The clock, microseconds UTC.
    max_holders
        How many are kept; beyond that, of a few holders the one counted longest ago gives way.
    """

    def __init__(self, now: Callable[[], int], *, max_holders: int = 1_000_000) -> None:
        self._now = now
        self._max_holders = max_holders
        self._rows = PackedTable(per_bucket=PER_BUCKET)

    async def counted(self, holder: Holder) -> Counted:
        """Return what was counted for a holder."""
        return Counted(self._rows.get(_key(holder)) or b"", self._now() // SECOND)

    async def reserve(
        self,
        holder: Holder,
        claims: Sequence[Claim],
        windows: Windows,
        *,
        for_s: int,
        partly: bool = False,
        shown: bool = False,
    ) -> Reserved:
        """Reserve all claims or none; with ``partly`` those that still fit."""
        found = await self.counted(holder)
        now = found.now_s
        before = found.matrix
        counters = [(place, cap, value) for place, claim in enumerate(claims) for cap, value in claim.counters]
        kept, all_kept, refused, whole, added = claimed(
            before,
            now,
            windows.spans(now),
            np.array([claim.mark for claim in claims], dtype=np.int64),
            np.array(counters, dtype=np.int64).reshape(-1, 3),
            now if shown else now + for_s + 1,
            0 if shown else RESERVED,
            partly,
        )
        if partly or whole:
            rows = found.rows[: len(before) * ROW.size] if all_kept else before[kept].tobytes()
            self._keep(holder, rows + added.tobytes(), windows)
        return Reserved(() if whole else tuple(np.flatnonzero(refused).tolist()), found)

    async def impressed(self, shown: Sequence[Shown], windows: Windows) -> Mapping[int, int]:
        """Count impressions, each once; return by cap how many of decisions went above its limit."""
        over: dict[int, int] = {}
        by_holder: dict[Holder, list[Shown]] = {}
        for each in shown:
            by_holder.setdefault(each.holder, []).append(each)
        for holder, reports in by_holder.items():
            found = await self.counted(holder)
            rows = _kept(found, windows)
            for cap in _count(reports, rows, found.now_s, windows):
                over[cap] = over.get(cap, 0) + 1
            self._put(holder, rows, windows)
        return over

    async def answered(self, holder: Holder, counter: Counter) -> None:
        """Forget the impressions that ``counter`` counted; caps go on counting them."""
        rows = list(unpacked(self._rows.get(_key(holder)) or b""))
        marks = {mark for cap, value, _, mark in rows if (cap, value) == counter and not mark & RESERVED}
        if marks:
            self._put(holder, [row for row in rows if row[0] >= LEAST_CAP or row[3] not in marks], Windows())

    async def merge(self, source: Holder, target: Holder) -> None:
        """Give a holder the rows of another, which is forgotten."""
        moved = self._rows.get(_key(source))
        self._rows.pop(_key(source))
        if moved:
            rows = [*unpacked(self._rows.get(_key(target)) or b""), *unpacked(moved)]
            self._put(target, list(dict.fromkeys(rows)), Windows())

    async def forget(self, holder: Holder) -> None:
        """Delete everything of a holder."""
        self._rows.pop(_key(holder))

    async def close(self) -> None:
        """Release nothing: there are no connections."""

    def _put(self, holder: Holder, rows: list[Row], windows: Windows) -> None:
        self._keep(holder, _packed(rows), windows)

    def _keep(self, holder: Holder, rows: bytes, windows: Windows) -> None:
        key = _key(holder)
        if not rows:
            self._rows.pop(key)
            return
        if len(rows) > windows.most * ROW.size:
            rows = _packed(_latest(list(unpacked(rows)), windows))
        self._rows.put(key, rows)
        if len(self._rows) > self._max_holders:
            self._rows.shrink(self._max_holders, _last_at)


def _kept(found: Counted, windows: Windows) -> list[Row]:
    """Return the rows that may still matter; those of caps that are not in ``windows`` stay."""
    now = found.now_s
    since = {cap: min(window.since(now), now - KNOWN_S) for cap, window in windows.items()}
    return [
        (cap, value, at, mark)
        for cap, value, at, mark in unpacked(found.rows)
        if (at > now if mark & RESERVED else at >= since.get(cap, 0))
    ]


def _count(reports: Sequence[Shown], rows: list[Row], now: int, windows: Windows) -> list[int]:
    """Count one holder's impressions among ``rows``; return the caps that decisions of ours took above their limit."""
    over = []
    since = {cap: window.since(now) for cap, window in windows.items()}
    counts = tallied(np.array(rows, dtype=np.uint32).reshape(-1, 4), now, windows).by_counter()
    known = {mark for _, _, _, mark in rows}
    for shown in reports:
        at, reserved = min(shown.at_s, now), shown.mark | RESERVED
        if shown.mark in known:
            continue
        if reserved in known:
            for place in [place for place, row in enumerate(rows) if row[3] == reserved]:
                cap, value = rows[place][:2]
                rows[place] = (cap, value, at, shown.mark)
                if at < since.get(cap, 0):
                    counts[cap, value] -= 1
            known ^= {reserved, shown.mark}
            continue
        for cap, value in () if shown.reserved_only else shown.counters:
            if at < min(since[cap], now - KNOWN_S):
                continue
            rows.append((cap, value, at, shown.mark))
            known.add(shown.mark)
            if at >= since[cap]:
                counts[cap, value] = counts.get((cap, value), 0) + 1
                if shown.decided and counts[cap, value] > windows[cap].limit:
                    over.append(cap)
    return over


def _latest(rows: list[Row], windows: Windows) -> list[Row]:
    """Return the latest rows of each cap, and of all, as many as are kept."""
    for cap, window in windows.items():
        surplus = sum(row[0] == cap for row in rows) - window.most if len(rows) > window.most else 0
        for _ in range(surplus):
            rows.remove(next(row for row in rows if row[0] == cap))
    return rows[-MOST_ROWS:]


def _packed(rows: Sequence[Row]) -> bytes:
    return b"".join([ROW.pack(*row) for row in rows])


def _last_at(rows: bytes) -> int:
    """Return the instant of the last row."""
    return int.from_bytes(rows[8 - ROW.size :][:4], "little")


def _key(holder: Holder) -> bytes:
    """Return a key of 16 bytes that no person and session share."""
    return key_of(f"session:{holder.name}" if holder.session else holder.name)
