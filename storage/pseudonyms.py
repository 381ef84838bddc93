"""Pseudonyms: keyed hashes with a salt per subject, so that deleting the salt breaks the link for good."""

import hmac
import secrets
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from sqlalchemy import text
from sqlmodel import col, select

from storage.database import Database, Read
from storage.records import clock
from storage.tables.control import SaltRow

_SALT_BYTES = 16
_CHUNK = 500
_INSERT = text(
    "INSERT INTO subject_salts (lookup, salt, created_at, pseudonym) VALUES (:lookup, :salt, :created_at, :pseudonym) "
    "ON CONFLICT (lookup) DO NOTHING"
)


def lookup(raw: str, key: bytes) -> str:
    """Return the name under which a raw id's salt is kept.

    >>> len(lookup("u-1", b"key"))
    64
    """
    return hmac.digest(key, raw.encode("utf-8", "surrogatepass"), sha256).hex()


def pseudonym(raw: str, salt: bytes) -> str:
    """Return the pseudonym of a raw id: 32 hex digits that nobody can compute without the salt.

    >>> pseudonym("u-1", b"salt") == pseudonym("u-1", b"salt") != pseudonym("u-1", b"other")
    True
    """
    return hmac.digest(salt, raw.encode("utf-8", "surrogatepass"), sha256).hex()[:32]


class Salts:
    """The pseudonyms of raw ids. Every call blocks on the database.

    Parameters
    ----------
    database
        Where the salts are kept, under a keyed hash of the raw id.
    key
        ``Keys.lookup``.
    now
        The clock that dates new salts.
    """

    def __init__(self, database: Database, key: bytes, *, now: Callable[[], int] = clock.now) -> None:
        self._database = database
        self._key = key
        self._now = now

    def resolve(self, raws: Sequence[str]) -> dict[str, str]:
        """Return the pseudonym of each raw id, making the missing salts in one transaction.

        Raises
        ------
        Unavailable
            If the database does not answer.
        """
        names = {raw: lookup(raw, self._key) for raw in raws}
        with self._database.read() as read:
            salts = _load(read, names.values())
        missing = {name: raw for raw, name in names.items() if name not in salts}
        if missing:
            at = self._now()
            rows = [_fresh(missing[name], name, at) for name in sorted(missing)]
            with self._database.write() as write:
                write.execute(_INSERT, rows)
                salts |= _load(write, missing)
        return {raw: pseudonym(raw, salts[name]) for raw, name in names.items()}

    def find(self, raw: str) -> str | None:
        """Return the pseudonym of a raw id that has one, or None; nothing is made.

        Raises
        ------
        Unavailable
            If the database does not answer.
        """
        return self.found([raw]).get(raw)

    def found(self, raws: Sequence[str]) -> dict[str, str]:
        """Return the pseudonyms of those of the raw ids that have one; nothing is made.

        Raises
        ------
        Unavailable
            If the database does not answer.
        """
        names = {raw: lookup(raw, self._key) for raw in raws}
        with self._database.read() as read:
            salts = _load(read, names.values())
        return {raw: pseudonym(raw, salts[name]) for raw, name in names.items() if name in salts}


def _fresh(raw: str, name: str, at: int) -> dict[str, object]:
    salt = secrets.token_bytes(_SALT_BYTES)
    return {"lookup": name, "salt": salt, "created_at": at, "pseudonym": pseudonym(raw, salt)}


def _load(read: Read, names: Iterable[str]) -> dict[str, bytes]:
    wanted = sorted(set(names))
    salts: dict[str, bytes] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        salts.update(read.all(select(SaltRow.lookup, SaltRow.salt).where(col(SaltRow.lookup).in_(chunk))))
    return salts
