"""What every event log promises."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from storage.records.events import Entry, LogKind


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An entry on its way in. ``key`` makes it unique in the log: a second draft with the same key is a duplicate."""

    kind: LogKind
    at: int
    payload: bytes
    key: str | None = None


class EventLog(Protocol):
    """An append-only log of one replica. Sequence numbers start at 1, grow by 1 and are never reused."""

    log_id: str

    async def append(self, drafts: Sequence[Draft]) -> list[int | None]:
        """Write drafts; when this returns they survive ``kill -9`` and power loss. One number per draft, None for a
        duplicate. Raises ``Unavailable`` or ``Full`` when nothing was written."""

    def offer(self, draft: Draft) -> None:
        """Take a draft for the next group commit without waiting. Raises ``Unavailable`` when the backlog is full."""

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return up to ``limit`` entries with ``seq > after``, in order."""

    def find(self, key: str) -> Entry | None:
        """Return the entry with this key or None; an offered one that is not numbered yet has ``seq`` 0."""

    def head(self) -> int:
        """Return the highest sequence number ever written, 0 if none."""

    def backlog(self) -> int:
        """Return how many offered drafts wait to be written."""

    def trim(self, *, before: int) -> int:
        """Delete from the start until the first entry that is not older than ``before`` (microseconds UTC), never the
        highest; return how many went. What remains has no holes, and known keys stay known for 7 days."""

    def erase(self, containing: Sequence[bytes], chosen: Callable[[Entry], bool]) -> list[Entry]:
        """Leave nothing of the entries that are ``chosen`` among those whose payload contains one of some bytes: they
        become ``erased``, their keys are forgotten, their bytes leave the disk. What was offered or appended before is
        looked at, too. Return them as they were. Blocks. Raises ``Unavailable`` or ``Full``."""

    async def close(self) -> None:
        """Write everything that waits, then close."""
