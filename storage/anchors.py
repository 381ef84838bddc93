"""Anchors: signed heads of the ledger, kept outside the database, against truncation and re-chaining."""

import os
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The ledger's end at one moment: entry ``seq`` had ``hash``. ``previous`` is the SHA-256 of the anchor before."""

    at: int
    seq: int
    hash: str
    previous: str
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
            If the file cannot be written, or is damaged: a damaged file is not continued.
        """
        end = read.first(select(LedgerRow.seq, LedgerRow.hash).order_by(col(LedgerRow.seq).desc()).limit(1))
        if end is None:
            return None
        lines = self._lines()
        last = self._check(lines)[-1] if lines else None
        if last is not None and (last.seq, last.hash) == tuple(end) and now - last.at < DAY:
            return last
        head = Head(at=now, seq=end[0], hash=end[1], previous=sha256(lines[-1]).hexdigest() if lines else "")
        head = replace(head, signature=self._signing.sign(_signed(head)).hex())
        self._write(canonical(head))
        return head

    def heads(self) -> list[Head]:
        """Return every anchor, oldest first; a last line that power loss cut short is no anchor.

        Raises
        ------
        Unavailable
            If the file cannot be read, or a line of it was edited, removed or not signed by this installation.
        """
        return self._check(self._lines())

    def _lines(self) -> list[bytes]:
        with wire(self.path.name):
            data = self.path.read_bytes() if self.path.exists() else b""
        return data.split(b"\n")[:-1]

    def _check(self, lines: list[bytes]) -> list[Head]:
        public = self._signing.public_key()
        heads: list[Head] = []
        previous = ""
        for number, line in enumerate(lines, start=1):
            try:
                head = Head(**orjson.loads(line))
                public.verify(bytes.fromhex(head.signature), _signed(head))
            except (ValueError, TypeError, InvalidSignature) as error:
                raise Unavailable(f"anchor {number} in {self.path.name} is damaged or not signed by us") from error
            if head.previous != previous:
                raise Unavailable(f"an anchor before number {number} in {self.path.name} was removed or edited")
            previous = sha256(line).hexdigest()
            heads.append(head)
        return heads

    def _write(self, line: bytes) -> None:
        """Append a line; what power loss left of an unfinished one is cut off first."""
        with wire(self.path.name):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = not self.path.exists()
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(handle, "r+b") as file:
                whole = file.read().rfind(b"\n") + 1
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


def _signed(head: Head) -> bytes:
    plain = asdict(head)
    del plain["signature"]
    return canonical(plain)
