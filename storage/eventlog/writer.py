"""The one thread that writes an embedded log: it takes what waits, commits it as a group, then answers."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from typing import Any

from storage.errors import FairleadError, Unavailable
from storage.eventlog.logfile import LogFile
from storage.eventlog.protocol import Draft

_log = logging.getLogger(__name__)

_GROUP = 4_096
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


class Writer:
    """A thread and the queue before it. Everything but ``stop`` is safe from any thread and waits for nothing.

    A group that cannot be written is refused as a whole: senders hear why, offered drafts go back to the front of the
    queue and are tried again.
    """

    def __init__(self, file: LogFile, *, name: str, max_backlog: int, linger_s: float) -> None:
        self._file = file
        self._max_backlog = max_backlog
        self._linger_s = linger_s
        self._lock = threading.Lock()
        self._queue: deque[_Work] = deque()
        self._group: list[_Work] = []
        self._offered: dict[str, Draft] = {}
        self._closing = False
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self.backlog = 0
        self.failure: FairleadError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def append(self, drafts: Sequence[Draft]) -> "Future[list[int | None]]":
        """Take drafts; the answer comes when they are durable."""
        answer: Future[list[int | None]] = Future()
        self._put(_Append(drafts, answer))
        return answer

    def call(self, run: Callable[[LogFile], int]) -> "Future[int]":
        """Take other work on the file."""
        answer: Future[int] = Future()
        self._put(_Call(run, answer))
        return answer

    def offer(self, draft: Draft) -> None:
        """Take a draft that nobody waits for.

        Raises
        ------
        Unavailable
            If the backlog is full, or the log is closed.
        """
        with self._lock:
            if self._closing:
                raise Unavailable("the event log is closed")
            if self.backlog >= self._max_backlog:
                raise Unavailable("the event log's backlog is full; try again later")
            self.backlog += 1
            if draft.key is not None:
                self._offered.setdefault(draft.key, draft)
            self._queue.append(draft)
        if not self._wake.is_set():
            self._wake.set()

    def offered(self, key: str) -> Draft | None:
        """Return the draft with this key that still waits, or None."""
        return self._offered.get(key)

    def stop(self) -> None:
        """Take nothing more, write what waits, end the thread."""
        with self._lock:
            self._closing = True
        self._urgent.set()
        self._wake.set()
        self._thread.join()

    def _put(self, work: _Append | _Call) -> None:
        with self._lock:
            if self._closing:
                raise Unavailable("the event log is closed")
            self._queue.append(work)
        self._urgent.set()
        self._wake.set()

    def _run(self) -> None:
        """Go round until closed; should a bug end it, nobody waits in vain."""
        try:
            while self._round():
                pass
        except Exception:
            _log.critical("the writer of the event log stopped", exc_info=True)
            self.failure = Unavailable("the event log has stopped; restart this replica")
        with self._lock:
            self._closing = True
            waiting = [*self._group, *self._queue]
        for work in waiting:
            if not isinstance(work, Draft):
                _settle(work.answer, self.failure or Unavailable("the event log is closed"))

    def _round(self) -> bool:
        """Wait for work and write all of it; return whether there is another round."""
        self._wake.wait(_RETRY_S if self._queue else None)
        if not self._urgent.is_set():
            self._urgent.wait(self._linger_s)
        self._wake.clear()
        self._urgent.clear()
        closing = self._closing  # once it is set nothing new comes in, so this round is the last
        whole = True
        while whole and self._take():
            whole = self._write()
        return not closing

    def _take(self) -> bool:
        """Take what waits, up to the size of a group; return whether there was anything."""
        self._group = []
        size = 0
        while self._queue and size < _GROUP:
            work = self._queue.popleft()
            self._group.append(work)
            size += len(work.drafts) if isinstance(work, _Append) else 1
        return bool(self._group)

    def _write(self) -> bool:
        """Write the group in one transaction and answer; return whether it could be written."""
        drafts = [draft for work in self._group for draft in _drafts(work)]
        try:
            numbers = iter(self._file.write(drafts) if drafts else [])
        except FairleadError as error:
            self._refuse(error)
            return False
        self.failure = None
        mine = [(work, list(islice(numbers, len(_drafts(work))))) for work in self._group]
        offered = [work for work in self._group if isinstance(work, Draft)]
        for draft in offered:
            if draft.key is not None:
                self._offered.pop(draft.key, None)
        with self._lock:
            self.backlog -= len(offered)
        for work, outcome in mine:  # last, so that who is answered finds everything in its place
            if isinstance(work, _Append):
                _settle(work.answer, outcome)
            elif isinstance(work, _Call):
                self._do(work)
        return True

    def _refuse(self, error: FairleadError) -> None:
        """Tell those who wait; put offered drafts back, in order; do the other work, since trimming makes room."""
        self.failure = error
        for work in self._group:
            if isinstance(work, _Append):
                _settle(work.answer, error)
            elif isinstance(work, _Call):
                self._do(work)
        with self._lock:
            self._queue.extendleft(reversed([work for work in self._group if isinstance(work, Draft)]))

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


def _settle(answer: "Future[Any]", outcome: object) -> None:
    if answer.done() or not answer.set_running_or_notify_cancel():
        return
    if isinstance(outcome, FairleadError):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
