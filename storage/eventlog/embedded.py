"""The embedded event log: one SQLite file of one process, written by one thread in group commits."""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from storage.errors import FairleadError, Unavailable
from storage.eventlog.logfile import LogFile, check
from storage.eventlog.protocol import Draft
from storage.files import claim
from storage.records import clock
from storage.records.events import Entry

_GROUP = 4_096
_TRIM = 10_000
_RETRY_S = 0.5


@dataclass(frozen=True, slots=True)
class _Append:
    """Drafts whose sender waits."""

    drafts: Sequence[Draft]
    answer: "Future[list[int | None]]"


@dataclass(frozen=True, slots=True)
class _Call:
    """Other work that only the writer may do."""

    run: Callable[[LogFile], int]
    answer: "Future[int]"


_Work = Draft | _Append | _Call
T = TypeVar("T")


class EmbeddedLog:
    """An event log in one SQLite file (WAL, ``synchronous=FULL``).

    One thread writes. It takes everything that waits, writes it in one transaction and one flush to disk, and only
    then answers; so a thousand senders share one flush. Offered drafts linger a few milliseconds for company.

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
        linger_s: float = 0.01,
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
        self._max_backlog = max_backlog
        self._linger_s = linger_s
        self._dedupe_us = dedupe_us
        self._now = now
        self._lock = threading.Lock()
        self._queue: deque[_Work] = deque()
        self._offered: dict[str, Draft] = {}
        self._backlog = 0
        self._closing = False
        self._failure: FairleadError | None = None
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self._writer = threading.Thread(target=self._run, name=f"log {path.name}", daemon=True)
        self._writer.start()

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
        answer: Future[list[int | None]] = Future()
        self._put(_Append(drafts, answer))
        return await asyncio.wrap_future(answer)

    def offer(self, draft: Draft) -> None:
        """Take a draft for the next group commit without waiting; safe from any thread.

        Raises
        ------
        Unavailable
            If the backlog is full, or the log is closed.
        """
        check((draft,))
        with self._lock:
            if self._closing:
                raise Unavailable("the event log is closed")
            if self._backlog >= self._max_backlog:
                raise Unavailable("the event log's backlog is full; try again later")
            self._backlog += 1
            if draft.key is not None:
                self._offered.setdefault(draft.key, draft)
            self._queue.append(draft)
        if not self._wake.is_set():
            self._wake.set()

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
        waiting = self._offered.get(key)
        if waiting is not None:
            return Entry(seq=0, kind=waiting.kind, at=waiting.at, payload=waiting.payload)
        return self._file.find(key)

    def head(self) -> int:
        """Return the highest sequence number ever written, 0 if none."""
        return self._file.head

    def backlog(self) -> int:
        """Return how many offered drafts wait to be written."""
        return self._backlog

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
        while part := self._call(lambda file: file.delete_entries(boundary, _TRIM)):
            trimmed += part
        forgotten = self._now() - self._dedupe_us
        while self._call(lambda file: file.delete_keys(forgotten, _TRIM)):
            pass
        return trimmed

    async def close(self) -> None:
        """Write everything that waits, then close.

        Raises
        ------
        Unavailable, Full
            If offered drafts could not be written; the message says how many were lost.
        """
        with self._lock:
            self._closing = True
        self._urgent.set()
        self._wake.set()
        await asyncio.to_thread(self._writer.join)
        if self._lock_handle >= 0:
            self._file.close()
            os.close(self._lock_handle)
            self._lock_handle = -1
        if self._failure is not None and self._backlog:
            raise type(self._failure)(f"{self._backlog} entries of the event log were lost: {self._failure}")

    def _put(self, work: _Append | _Call) -> None:
        with self._lock:
            if self._closing:
                raise Unavailable("the event log is closed")
            self._queue.append(work)
        self._urgent.set()
        self._wake.set()

    def _call(self, run: Callable[[LogFile], int]) -> int:
        answer: Future[int] = Future()
        self._put(_Call(run, answer))
        return answer.result()

    def _run(self) -> None:
        """Be the writer: wait for work, write it, until closed."""
        while True:
            self._wake.wait(_RETRY_S if self._queue else None)
            if not self._urgent.is_set():
                self._urgent.wait(self._linger_s)
            self._wake.clear()
            self._urgent.clear()
            closing = self._closing  # once it is set nothing new comes in, so this round is the last
            whole = all(self._write(group) for group in iter(self._take, []))
            if closing and (not whole or not self._queue):
                return

    def _take(self) -> list[_Work]:
        """Take what waits, up to the size of a group."""
        group: list[_Work] = []
        size = 0
        while self._queue and size < _GROUP:
            work = self._queue.popleft()
            group.append(work)
            size += len(work.drafts) if isinstance(work, _Append) else 1
        return group

    def _write(self, group: list[_Work]) -> bool:
        """Write a group in one transaction and answer; on failure offered drafts go back to wait."""
        drafts = [draft for work in group for draft in _drafts(work)]
        try:
            numbers = iter(self._file.write(drafts) if drafts else [])
        except FairleadError as error:
            self._failure = error
            self._refuse(group, error)
            return False
        self._failure = None
        offered = 0
        for work in group:
            if isinstance(work, _Append):
                _settle(work.answer, list(islice(numbers, len(work.drafts))))
            elif isinstance(work, _Call):
                self._do(work)
            else:
                next(numbers)
                offered += 1
                if work.key is not None:
                    self._offered.pop(work.key, None)
        with self._lock:
            self._backlog -= offered
        return True

    def _refuse(self, group: list[_Work], error: FairleadError) -> None:
        """Tell those who wait; put offered drafts back, in order; do the other work, since trimming makes room."""
        for work in group:
            if isinstance(work, _Append):
                _settle(work.answer, error)
            elif isinstance(work, _Call):
                self._do(work)
        with self._lock:
            self._queue.extendleft(reversed([work for work in group if isinstance(work, Draft)]))

    def _do(self, work: _Call) -> None:
        try:
            outcome: int | FairleadError = work.run(self._file)
        except FairleadError as error:
            outcome = error
        _settle(work.answer, outcome)


def _drafts(work: _Work) -> Sequence[Draft]:
    if isinstance(work, _Append):
        return work.drafts
    return (work,) if isinstance(work, Draft) else ()


def _settle(answer: "Future[T]", outcome: "T | FairleadError") -> None:
    if not answer.set_running_or_notify_cancel():
        return
    if isinstance(outcome, FairleadError):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
