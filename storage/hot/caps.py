"""What every store of impression counts promises: counted once, reserved in one step, never above a limit."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from storage.hot.caps_kernel import HELD, tally
from storage.records.tallies import Counter, Tally

ROW = struct.Struct("<IIII")
"""One counted impression or reservation: cap, value, at (seconds UTC), mark (31 bits, and ``RESERVED``)."""
RESERVED = int(HELD)
"""Set in a row's mark while it is a reservation; its ``at`` is then when it runs out."""
KNOWN_S = 3_600
"""For so long at least an impression is known again, so that its duplicate is not counted."""
MOST_ROWS = 4_095
"""Rows kept per holder; beyond that the oldest give way."""
EVER_S = 0xFFFF_FFFF
"""The window of a lifetime."""
LEAST_CAP = 16
"""Caps are numbered from here on; the numbers below are counters of what tires."""
SESSION_S = 86_400
"""How long a session is remembered after it was last counted."""

Rows = NDArray[np.uint32]
Spans = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """What a cap allows, and since when impressions count: those of the last ``rolling_s`` seconds, or, by the
    calendar, from the second instant of the last pair of ``periods`` whose first has come. Of one cap at most ``most``
    rows are kept per holder, the latest."""

    cap: int
    limit: int
    rolling_s: int
    periods: tuple[tuple[int, int], ...] = ()
    most: int = MOST_ROWS

    def since(self, now_s: int) -> int:
        """Return the first second that counts at ``now_s``."""
        if not self.periods:
            return max(now_s - self.rolling_s, 0)
        return next((since for begins, since in reversed(self.periods) if begins <= now_s), self.periods[0][1])


class Windows(dict[int, Window]):
    """Windows by cap, never changed once made; their spans are worked out once a second."""

    _latest: tuple[int, Spans] = (-1, np.zeros((0, 4), np.int64))

    def spans(self, now_s: int) -> Spans:
        """Return, per cap, its number, since when its rows count at ``now_s``, since when they matter (they are known
        again for a while), and its limit."""
        at, spans = self._latest
        if at != now_s:
            since = [(window, window.since(now_s)) for window in self.values()]
            rows = [(window.cap, first, min(first, now_s - KNOWN_S), window.limit) for window, first in since]
            spans = np.array(rows, dtype=np.int64).reshape(-1, 4)
            self._latest = now_s, spans
        return spans

    @property
    def most(self) -> int:
        """How many rows of a holder every cap can keep."""
        return min([MOST_ROWS, *[window.most for window in self.values()]])


class Holder(msgspec.Struct, frozen=True):
    """For whom is counted: a consented subject by pseudonym, or a session by its keyed name."""

    name: str
    session: bool = False

    def keeps_s(self, windows: Windows) -> int:
        """Return how long after a write the rows may still matter; 0: for good."""
        longest = max((window.rolling_s for window in windows.values()), default=0)
        if self.session:
            return min(longest, SESSION_S) + KNOWN_S
        return 0 if longest == EVER_S else longest + KNOWN_S


class Claim(msgspec.Struct, frozen=True):
    """One slot's item: the mark of (decision, item), and the counters that showing it would raise."""

    mark: int
    counters: tuple[Counter, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One reported impression. Where it was reserved, the reservation becomes the count; else ``counters`` are counted,
    none where ``reserved_only``. ``decided`` says that a decision of ours chose it."""

    holder: Holder
    mark: int
    at_s: int
    counters: tuple[Counter, ...]
    reserved_only: bool = False
    decided: bool = True


class Counted(msgspec.Struct, frozen=True):
    """A holder's rows as of ``now_s`` by the store's clock."""

    rows: bytes
    now_s: int

    @property
    def matrix(self) -> Rows:
        """The rows as an array; a cut one at the end is left out."""
        return np.frombuffer(self.rows, "<u4", len(self.rows) // ROW.size * 4).reshape(-1, 4)

    def tally(self, windows: Windows) -> Tally:
        """Return how often each counter of ``windows`` was raised within its window, reservations included."""
        return tallied(self.matrix, self.now_s, windows)


class Reserved(msgspec.Struct, frozen=True):
    """What became of claims: the places of those refused, and the rows that were found before anything was reserved."""

    refused: tuple[int, ...]
    counted: Counted


class CapStore(Protocol):
    """Impressions by holder. The memory and the Redis twin give the same results for the same calls.

    An impression counts from its second on until the second after its window: at most one second longer than asked,
    never shorter.
    """

    async def counted(self, holder: Holder) -> Counted:
        """Return what was counted for a holder. Raises ``Unavailable``."""

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
        """Reserve all claims or none, in one step; with ``partly`` those that still fit, in their order. A reservation
        counts as an impression for ``for_s`` seconds; with ``shown`` it is one at once. Raises ``Unavailable``."""

    async def impressed(self, shown: Sequence[Shown], windows: Windows) -> Mapping[int, int]:
        """Count impressions, each (mark) once; return by cap how many of decisions went above its limit. Raises
        ``Unavailable``."""

    async def answered(self, holder: Holder, counter: Counter) -> None:
        """Forget the impressions that ``counter`` counted, under every number below ``LEAST_CAP``; caps go on counting
        them. Raises ``Unavailable``."""

    async def merge(self, source: Holder, target: Holder) -> None:
        """Give a holder the rows of another, which is forgotten. Raises ``Unavailable``."""

    async def forget(self, holder: Holder) -> None:
        """Delete everything of a holder. Raises ``Unavailable``."""

    async def close(self) -> None:
        """Release connections."""


def unpacked(rows: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Return the rows one by one; a cut one at the end is left out."""
    return ROW.iter_unpack(rows[: len(rows) // ROW.size * ROW.size])


def tallied(rows: Rows, now_s: int, windows: Windows) -> Tally:
    """Return how often ``rows`` raised each counter of ``windows`` within its window, reservations included."""
    return Tally(*tally(rows, now_s, windows.spans(now_s)))
