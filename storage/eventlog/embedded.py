"""The embedded event log: one SQLite file of one process, written by one thread in group commits."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from storage.eventlog.logfile import LogFile, check
from storage.eventlog.protocol import Draft
from storage.eventlog.writer import Writer
from storage.files import claim
from storage.records import clock
from storage.records.events import Entry

LINGER_S = 0.05
"""A commit costs as much for one record as for thirty; what ``kill -9`` may take of offered records grows with it."""
_TRIM = 10_000
_SEARCHED = 20_000


class EmbeddedLog:
    """An event log in one SQLite file (WAL, ``synchronous=FULL``).

    One thread writes. It takes everything that waits, writes it in one transaction and one flush to disk, and only
    then answers; so a thousand senders share one flush. Offered drafts linger for company, unless a sender waits.

    Parameters
    ----------
    path
        The file; its folder is made if it is missing. Only one process may have it open.
    log_id
        The name of this log for its readers' cursors. A file keeps the name that it was made with, so give a fresh
        one at each start: a log that was lost and made anew is then never taken for the old one.
    max_backlog
        How many offered drafts may wait.
    linger_s
        How long an offered draft waits for others.
    max_bytes
        Beyond this size the log is ``Full``; None leaves it to the disk.
    dedupe_us
        How long a key is remembered at least, even if its entry was trimmed.
    now
        The clock that dates keys.

    Raises
    ------
    Conflict
        If another process has the file open.
    Unavailable, Full
        If the file cannot be read or written.
    """

    def __init__(
        self,
        path: Path,
        *,
        log_id: str,
        max_backlog: int = 50_000,
        linger_s: float = LINGER_S,
        max_bytes: int | None = None,
        dedupe_us: int = 7 * clock.DAY,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._lock_handle = claim(path)
        try:
            self._file = LogFile(path, log_id=log_id, max_bytes=max_bytes, now=now)
        except BaseException:
            os.close(self._lock_handle)
            raise
        self.log_id = self._file.log_id
        self._dedupe_us = dedupe_us
        self._now = now
        self._writer = Writer(self._file, name=f"log {path.name}", max_backlog=max_backlog, linger_s=linger_s)

    async def append(self, drafts: Sequence[Draft]) -> list[int | None]:
        """Write drafts; when this returns they survive ``kill -9`` and power loss. One number per draft, None for a
        duplicate.

        Raises
        ------
        Unavailable, Full
            Then nothing was written.
        """
        if not drafts:
            return []
        check(drafts)
        return await asyncio.wrap_future(self._writer.append(drafts))

    def offer(self, draft: Draft) -> None:
        """Take a draft for the next group commit without waiting; safe from any thread.

        Raises
        ------
        Unavailable
            If the backlog is full, or the log is closed.
        """
        check((draft,))
        self._writer.offer(draft)

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return up to ``limit`` entries with ``seq > after``, in order.

        Raises
        ------
        Unavailable
            If the file cannot be read.
        """
        return self._file.read(after, limit)

    def find(self, key: str) -> Entry | None:
        """Return the entry with this key or None; one that still waits to be written has ``seq`` 0.

        Raises
        ------
        Unavailable
            If the file cannot be read.
        """
        waiting = self._writer.offered(key)
        if waiting is not None:
            return Entry(seq=0, kind=waiting.kind, at=waiting.at, payload=waiting.payload)
        return self._file.find(key)

    def head(self) -> int:
        """Return the highest sequence number ever written, 0 if none."""
        return self._file.head

    def backlog(self) -> int:
        """Return how many offered drafts wait to be written."""
        return self._writer.backlog

    def trim(self, *, before: int) -> int:
        """Delete from the start until the first entry that is not older than ``before``, never the highest; return
        how many went. What remains has no holes. Blocks, but lets writes through in between.

        Raises
        ------
        Unavailable, Full
            As the disk answers.
        """
        boundary = self._file.first_since(before)
        trimmed = 0
        while part := self._writer.call(lambda file: file.delete_entries(boundary, _TRIM)).result():
            trimmed += part
        forgotten = self._now() - self._dedupe_us
        while self._writer.call(lambda file: file.delete_keys(forgotten, _TRIM)).result():
            pass
        return trimmed

    def erase(self, containing: Sequence[bytes], chosen: Callable[[Entry], bool]) -> list[Entry]:
        """Leave nothing of the chosen entries among those whose payload contains one of some bytes. Blocks.

        Raises
        ------
        Unavailable, Full
            As the disk answers; what was found is then still there, in whole or in part.
        """
        self._writer.call(lambda _file: 0).result()  # what waited before is in the file now
        found: list[Entry] = []
        for start in range(0, self._file.head, _SEARCHED):
            part = self._file.containing(containing, after=start, until=start + _SEARCHED)
            found += [entry for entry in part if chosen(entry)]
        if found:
            self._writer.call(lambda file: file.erase([entry.seq for entry in found])).result()
        return found

    async def close(self) -> None:
        """Write everything that waits, then close.

        Raises
        ------
        Unavailable, Full
            If offered drafts could not be written; the message says how many were lost.
        """
        await asyncio.to_thread(self._writer.stop)
        if self._lock_handle >= 0:
            self._file.close()
            os.close(self._lock_handle)
            self._lock_handle = -1
        failure, lost = self._writer.failure, self._writer.backlog
        if failure is not None and lost:
            raise type(failure)(f"{lost} entries of the event log were lost: {failure}")
