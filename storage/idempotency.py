"""Commands that are done once, however often they arrive: each is named by its caller with an idempotency key.

The key itself is not kept. Its hash names the attempt, and what was answered is sealed with a key that follows from it
(AES-GCM, NIST SP 800-38D), so that neither a new token's text nor what was told of a person lies open here.
"""

import hmac
import os
import secrets
from dataclasses import dataclass, field, replace
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, update
from sqlmodel import col

from storage.database import Write
from storage.errors import Conflict, Invalid, Problem
from storage.records.clock import DAY, MINUTE
from storage.tables.access import IdempotencyKeyRow
from storage.upserts import insert_new

SHORTEST, LONGEST = 16, 128
KEPT_FOR = DAY
"""A key may be used again after so long."""
ABANDONED = 2 * MINUTE
"""After so long an attempt without effect was given up: its process ended."""
_NONCE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a named command: its name, what it asks, whose turn it is, and the key of its answer."""

    name: str
    fingerprint: str
    turn: str
    seal: bytes = field(repr=False)


def attempt(key: str, *, caller: str, request: bytes) -> Attempt:
    """Return an attempt at what ``caller`` named ``key``; ``request`` is all that it asks.

    Raises
    ------
    Invalid
        If the key is too short to be anybody's own, or too long.

    >>> one, two = (attempt("0123456789abcdef", caller="anna", request=b"x") for _ in range(2))
    >>> (one.name, one.fingerprint) == (two.name, two.fingerprint), one.turn == two.turn
    (True, False)
    """
    if not SHORTEST <= len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        message = f"send {SHORTEST} to {LONGEST} printable characters that nobody guesses, such as a UUID"
        raise Invalid(f"Idempotency-Key: {message}", problems=(Problem(field="Idempotency-Key", message=message),))
    whole = f"{caller}\0{key}".encode()
    seal = sha256(b"seal\0" + whole).digest()
    return Attempt(
        name=sha256(b"name\0" + whole).hexdigest(),
        fingerprint=hmac.new(seal, request, sha256).hexdigest(),
        turn=secrets.token_hex(8),
        seal=seal,
    )


def begin(write: Write, one: Attempt, now: int) -> tuple[int, bytes] | None:
    """Begin an attempt; return the status and answer of the one that was carried out before, None if this is the one.

    Raises
    ------
    Invalid
        If the key was used for something else.
    Conflict
        If a twin is being carried out, or was, and its answer is lost.
    """
    write.execute(delete(IdempotencyKeyRow).where(col(IdempotencyKeyRow.at) < now - KEPT_FOR))
    fresh = {"name": one.name, "fingerprint": one.fingerprint, "turn": one.turn, "at": now, "done": False}
    if insert_new(write, IdempotencyKeyRow, fresh):
        return None
    row = write.get(IdempotencyKeyRow, one.name)
    if row is None:
        raise Conflict("a twin of this command has just ended; send it again")
    if not hmac.compare_digest(row.fingerprint, one.fingerprint):
        message = "was used for another command; take a new one"
        raise Invalid(f"Idempotency-Key: {message}", problems=(Problem(field="Idempotency-Key", message=message),))
    if row.answer is not None and row.status is not None:
        nonce, sealed = row.answer[:_NONCE], row.answer[_NONCE:]
        return row.status, AESGCM(one.seal).decrypt(nonce, sealed, one.name.encode())
    if row.done:
        raise Conflict("this command was carried out; its answer is not at hand, so look at what it changed")
    taken = _moved(write, replace(one, turn=row.turn), turn=one.turn, at=now) if row.at <= now - ABANDONED else False
    if not taken:
        raise Conflict("this very command is being carried out; ask again with the same key")
    return None


def claim(write: Write, one: Attempt) -> None:
    """Say within the transaction of its effect that an attempt is carried out.

    Raises
    ------
    Conflict
        If another attempt took its turn: nothing of this one may stay.
    """
    if not _moved(write, one, done=True):
        raise Conflict("another attempt at this command took its turn")


def finish(write: Write, one: Attempt, status: int, answer: bytes) -> None:
    """Keep what was answered, for whoever sends the same again."""
    nonce = os.urandom(_NONCE)
    sealed = nonce + AESGCM(one.seal).encrypt(nonce, answer, one.name.encode())
    _moved(write, one, done=True, status=status, answer=sealed)


def release(write: Write, one: Attempt) -> None:
    """Forget an attempt that was refused: nothing was done, so its key may be used again."""
    mine = col(IdempotencyKeyRow.name) == one.name, col(IdempotencyKeyRow.turn) == one.turn
    write.execute(delete(IdempotencyKeyRow).where(*mine, col(IdempotencyKeyRow.done).is_(False)))


def _moved(write: Write, one: Attempt, **values: object) -> bool:
    mine = col(IdempotencyKeyRow.name) == one.name, col(IdempotencyKeyRow.turn) == one.turn
    return bool(write.execute(update(IdempotencyKeyRow).where(*mine).values(**values)).rowcount)
