"""Anchors: signed heads of the ledger, kept outside the database, against truncation and re-chaining."""

import os
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import col, select

from storage.database import Read
from storage.errors import Unavailable
from storage.files import sync_folder, wire
from storage.records.clock import DAY
from storage.records.document import canonical
from storage.tables.control import LedgerRow
from storage.verifier import GENESIS, climb, leaf

_PAGE = 1_000
_TAIL = 65_536
"""More than two lines, so that the end of the file holds a whole one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The ledger's end at one moment: entry ``seq`` had ``hash``. ``previous`` is the SHA-256 of the anchor before.

    ``digest`` is the public chain's (``storage.verifier``): with it anyone can check entries without the chain's key.
    Anchors of older versions have none.
    """

    at: int
    seq: int
    hash: str
    previous: str
    digest: str = ""
    signature: str = ""


class Anchors:
    """A file of signed heads, one JSON object a line.

    Parameters
    ----------
    path
        Where they are kept; best on another disk than the database.
    signing
        ``Keys.signing``. Whoever has only the public half can check the file with any Ed25519 (RFC 8032) library.
    """

    def __init__(self, path: Path, signing: Ed25519PrivateKey) -> None:
        self.path = path
        self._signing = signing

    def anchor(self, read: Read, now: int) -> Head | None:
        """Sign the ledger's end and write it durably; return it, or None for an empty ledger.

        While the ledger does not grow, one anchor a day is enough: the last one is returned and nothing is written.

        Raises
        ------
        Unavailable, Full
            If the file cannot be written, its last anchor is damaged, or the ledger does not go on from there: what is
            broken is not signed.
        """
        end = read.first(select(LedgerRow.seq, LedgerRow.hash).order_by(col(LedgerRow.seq).desc()).limit(1))
        if end is None:
            return None
        line = self._last()
        last = None if line is None else self._parse(line, "the last anchor")
        if last is not None and (last.seq, last.hash) == tuple(end) and now - last.at < DAY:
            return last
        head = Head(
            at=now,
            seq=end[0],
            hash=end[1],
            previous="" if line is None else sha256(line).hexdigest(),
            digest=_reached(read, last, end[0]),
        )
        head = replace(head, signature=self._signing.sign(_signed(head)).hex())
        self._write(canonical(head))
        return head

    def heads(self) -> list[Head]:
        """Return every anchor, oldest first; a last line that power loss cut short is no anchor.

        Each anchor names the one before by its hash, so the last signature vouches for all of them.

        Raises
        ------
        Unavailable
            If the file cannot be read, or a line of it was edited, removed or not signed by this installation.
        """
        with wire(self.path.name):
            lines = self.path.read_bytes().split(b"\n")[:-1] if self.path.exists() else []
        heads: list[Head] = []
        previous = ""
        for number, line in enumerate(lines, start=1):
            head = self._parse(line, f"anchor {number}", signed=number == len(lines))
            if head.previous != previous:
                raise Unavailable(f"anchor {number - 1} in {self.path.name} was edited, or one after it removed")
            previous = sha256(line).hexdigest()
            heads.append(head)
        return heads

    def last(self) -> Head | None:
        """Return the newest anchor, or None; its signature is checked.

        Raises
        ------
        Unavailable
            If it is damaged.
        """
        line = self._last()
        return None if line is None else self._parse(line, "the last anchor")

    def _parse(self, line: bytes, name: str, *, signed: bool = True) -> Head:
        try:
            head = Head(**orjson.loads(line))
            if signed:
                self._signing.public_key().verify(bytes.fromhex(head.signature), _signed(head))
        except (ValueError, TypeError, InvalidSignature) as error:
            raise Unavailable(f"{name} in {self.path.name} is damaged or not signed by us") from error
        return head

    def _last(self) -> bytes | None:
        with wire(self.path.name):
            if not self.path.exists():
                return None
            with self.path.open("rb") as file:
                return _tail(file)[1]

    def _write(self, line: bytes) -> None:
        """Append a line; what power loss left of an unfinished one is cut off first."""
        with wire(self.path.name):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = not self.path.exists()
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(handle, "r+b") as file:
                whole, _ = _tail(file)
                try:
                    file.truncate(whole)
                    file.seek(whole)
                    file.write(line + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    os.ftruncate(handle, whole)
                    raise
            if fresh:
                sync_folder(self.path.parent)


def _tail(file: BinaryIO) -> tuple[int, bytes | None]:
    """Return where the last whole line ends, and that line."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _TAIL)
    file.seek(start)
    data = file.read()
    end = data.rfind(b"\n")
    if end < 0 and start > 0:
        raise Unavailable("the anchors' file is damaged: its end is no line")
    if end < 0:
        return 0, None
    return start + end + 1, data[data.rfind(b"\n", 0, end) + 1 : end]


def _reached(read: Read, last: Head | None, end: int) -> str:
    """Return the public chain's digest at ``end``, from the last anchor's on."""
    if last is not None and end < last.seq:
        raise Unavailable(
            f"the ledger ends before its last anchor, at entry {end}; nothing is signed until it is whole"
        )
    seq, digest, link = (last.seq, last.digest, last.hash) if last and last.digest else (0, GENESIS, GENESIS)
    columns = select(LedgerRow.seq, LedgerRow.previous, LedgerRow.hash, LedgerRow.body)
    while seq < end:
        page = columns.where(col(LedgerRow.seq) > seq, col(LedgerRow.seq) <= end).order_by(col(LedgerRow.seq))
        rows = read.all(page.limit(_PAGE))
        if not rows:
            raise Unavailable(f"the ledger lacks entry {seq + 1}; nothing is signed until it is whole")
        for number, previous, own, body in rows:
            if (number, previous) != (seq + 1, link):
                raise Unavailable(f"the ledger is broken at entry {seq + 1}; nothing is signed until it is whole")
            seq, digest, link = number, climb(digest, leaf(own, body)), own
    return digest


def _signed(head: Head) -> bytes:
    plain = asdict(head)
    del plain["signature"]
    if not head.digest:
        del plain["digest"]
    return canonical(plain)
