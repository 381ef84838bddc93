"""The file of the embedded event log: SQLite in WAL mode, every commit flushed to the disk."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import get_args

from storage.errors import FairleadError, Full, Unavailable
from storage.eventlog.protocol import Draft
from storage.files import sync_folder, wire
from storage.records.events import Entry, LogKind

_KINDS: tuple[LogKind, ...] = get_args(LogKind)
_CODES = {kind: code for code, kind in enumerate(_KINDS)}
_STEPS = tuple(1 << power for power in range(9, -1, -1))
_LOOKUP = 512
_LONG_KEY = 48
_FORMAT = 1
_MAX_PAYLOAD = 64 * 1024 * 1024
_INT64 = 2**63
_PRAGMAS = (
    "page_size=8192",
    "journal_mode=WAL",
    "synchronous=FULL",
    "fullfsync=ON",
    "checkpoint_fullfsync=ON",
    "busy_timeout=5000",
    "wal_autocheckpoint=4000",
    "journal_size_limit=67108864",
    "cache_size=-32768",
)
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, at INTEGER NOT NULL, payload BLOB NOT NULL
);
CREATE TABLE keys (seq INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, at INTEGER NOT NULL);
"""


class LogFile:
    """Entries and their keys. Writing calls belong to one thread; reading calls may come from any."""

    def __init__(self, path: Path, *, log_id: str, max_bytes: int | None, now: Callable[[], int]) -> None:
        self._name = path.name
        self._now = now
        self._reading = threading.Lock()
        with wire(path.name):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            sync_folder(path.parent)
        with self._wire():
            self._writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            with self._wire():
                self.log_id = self._open(log_id, max_bytes)
                self.head: int = self._writer.execute("SELECT COALESCE(MAX(seq), 0) FROM entries").fetchone()[0]
                self._reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                self._reader.execute("PRAGMA query_only=ON")
        except BaseException:
            self._writer.close()
            raise

    def _open(self, log_id: str, max_bytes: int | None) -> str:
        for pragma in _PRAGMAS:
            self._writer.execute(f"PRAGMA {pragma}")
        if max_bytes is not None:
            page: int = self._writer.execute("PRAGMA page_size").fetchone()[0]
            self._writer.execute(f"PRAGMA max_page_count={max(1, max_bytes // page)}")
        modes = [self._writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
        if modes != ["wal", 2]:
            raise Unavailable(f"the disk of {self._name} gives no durable writes; keep it on a local disk")
        with self._transaction():
            version: int = self._writer.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _FORMAT):
                raise Unavailable(f"{self._name} was written by another version of the program")
            if version == 0:
                for statement in filter(str.strip, _TABLES.split(";")):
                    self._writer.execute(statement)
                self._writer.execute("INSERT INTO meta (name, value) VALUES ('log_id', ?)", (log_id,))
                self._writer.execute(f"PRAGMA user_version={_FORMAT}")
            kept: str = self._writer.execute("SELECT value FROM meta WHERE name = 'log_id'").fetchone()[0]
        return kept

    def write(self, drafts: Sequence[Draft]) -> list[int | None]:
        """Write drafts in one transaction; return a number for each, None for one whose key is known.

        Raises
        ------
        Unavailable, Full
            Then nothing was written.
        """
        with self._wire():
            keys = [None if draft.key is None else _key(draft.key) for draft in drafts]
            with self._transaction():
                known = self._known([key for key in keys if key is not None])
                numbers: list[int | None] = []
                entries: list[object] = []
                named: list[object] = []
                seq, at = self.head, self._now()
                for draft, key in zip(drafts, keys, strict=True):
                    if key is not None and key in known:
                        numbers.append(None)
                        continue
                    seq += 1
                    numbers.append(seq)
                    entries += (seq, _CODES[draft.kind], draft.at, draft.payload)
                    if key is not None:
                        known.add(key)
                        named += (seq, key, at)
                self._insert("entries (seq, kind, at, payload)", entries, 4)
                self._insert("keys (seq, key, at)", named, 3)
            self.head = seq
        return numbers

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return up to ``limit`` entries with ``seq > after``, in order."""
        with self._wire(), self._reading:
            rows = self._reader.execute(
                "SELECT seq, kind, at, payload FROM entries WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
            ).fetchall()
        return [Entry(seq=seq, kind=_KINDS[kind], at=at, payload=payload) for seq, kind, at, payload in rows]

    def find(self, key: str) -> Entry | None:
        """Return the entry with this key or None."""
        with self._wire(), self._reading:
            row = self._reader.execute(
                "SELECT e.seq, e.kind, e.at, e.payload FROM keys k JOIN entries e ON e.seq = k.seq WHERE k.key = ?",
                (_key(key),),
            ).fetchone()
        return None if row is None else Entry(seq=row[0], kind=_KINDS[row[1]], at=row[2], payload=row[3])

    def first_since(self, before: int) -> int:
        """Return the number of the first entry with ``at >= before``, or of the last entry."""
        with self._wire(), self._reading:
            row = self._reader.execute(
                "SELECT seq FROM entries WHERE at >= ? ORDER BY seq LIMIT 1", (before,)
            ).fetchone()
        return self.head if row is None else int(row[0])

    def containing(self, parts: Sequence[bytes], *, after: int, until: int) -> list[Entry]:
        """Return the entries with ``after < seq <= until`` whose payload contains one of some bytes, in order."""
        found: dict[int, Entry] = {}
        for part in parts:
            with self._wire(), self._reading:
                rows = self._reader.execute(
                    "SELECT seq, kind, at, payload FROM entries WHERE seq > ? AND seq <= ? AND instr(payload, ?) > 0",
                    (after, until, part),
                ).fetchall()
            found |= {row[0]: Entry(seq=row[0], kind=_KINDS[row[1]], at=row[2], payload=row[3]) for row in rows}
        return [found[seq] for seq in sorted(found)]

    def erase(self, seqs: Sequence[int]) -> int:
        """Empty entries and forget their keys; zeros take the place of their bytes, in the log that SQLite writes ahead
        too. Return how many."""
        with self._wire(), self._reading:
            self._writer.execute("PRAGMA secure_delete=ON")
            try:
                with self._transaction():
                    for seq in seqs:
                        self._writer.execute(
                            "UPDATE entries SET kind = ?, payload = x'' WHERE seq = ?", (_CODES["erased"], seq)
                        )
                        self._writer.execute("DELETE FROM keys WHERE seq = ?", (seq,))
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._writer.execute("PRAGMA secure_delete=OFF")
        return len(seqs)

    def delete_entries(self, below: int, limit: int) -> int:
        """Delete up to ``limit`` entries from the start, all numbered below ``below``; return how many went."""
        with self._wire(), self._transaction():
            return self._writer.execute(
                "DELETE FROM entries WHERE seq < MIN(?, (SELECT MIN(seq) FROM entries) + ?)", (below, limit)
            ).rowcount

    def delete_keys(self, before: int, limit: int) -> int:
        """Forget up to ``limit`` keys dated before ``before`` whose entries are gone; return how many went."""
        with self._wire(), self._transaction():
            return self._writer.execute(
                "DELETE FROM keys WHERE seq IN (SELECT seq FROM keys "
                "WHERE seq < (SELECT MIN(seq) FROM entries) AND at < ? ORDER BY seq LIMIT ?)",
                (before, limit),
            ).rowcount

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._writer.close()

    def _known(self, keys: list[bytes]) -> set[bytes]:
        known: set[bytes] = set()
        for start in range(0, len(keys), _LOOKUP):
            part = keys[start : start + _LOOKUP]
            part += part[-1:] * (_step(len(part)) - len(part))
            known.update(key for (key,) in self._writer.execute(_select(len(part)), part))
        return known

    def _insert(self, table: str, values: list[object], width: int) -> None:
        """Insert rows by few large statements: each statement gives up and takes back the interpreter's lock once."""
        start, rows = 0, len(values) // width
        for step in _STEPS:
            while rows - start >= step:
                self._writer.execute(_insertion(table, width, step), values[start * width : (start + step) * width])
                start += step

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._writer.execute("COMMIT")
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

    @contextmanager
    def _wire(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _translated(error, self._name) from error


def check(drafts: Sequence[Draft]) -> None:
    """Refuse at the door what the file could never hold, so that one bad draft cannot hold up the others.

    Raises
    ------
    ValueError
        If a payload or an instant is too large.
    """
    for draft in drafts:
        if len(draft.payload) > _MAX_PAYLOAD or not -_INT64 <= draft.at < _INT64:
            raise ValueError(f"a draft holds at most {_MAX_PAYLOAD} bytes and an instant of 64 bits")


def _translated(error: sqlite3.Error, name: str) -> FairleadError:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return Full(f"no room left for the event log {name}; free some space and try again")
    return Unavailable(f"the event log {name} cannot be read or written: {error}")


def _key(text: str) -> bytes:
    """Return what is kept of a key: itself, so that ordered keys stay neighbours on disk, or a hash of a long one."""
    data = text.encode("utf-8", "surrogatepass")
    return data if len(data) <= _LONG_KEY else b"\xff" + blake2b(data, digest_size=32).digest()


def _step(size: int) -> int:
    """Return the power of two from ``size`` up, so that few different statements are prepared."""
    return 1 << (size - 1).bit_length()


@cache
def _select(count: int) -> str:
    return f"SELECT key FROM keys WHERE key IN ({', '.join('?' * count)})"  # noqa: S608  # placeholders only


@cache
def _insertion(table: str, width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"INSERT INTO {table} VALUES {', '.join([row] * rows)}"  # noqa: S608  # our own names and placeholders
