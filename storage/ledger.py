"""The ledger: every control action in one hash chain, in the same transaction as the action."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, Literal

import orjson
from sqlmodel import col, select

from storage.anchors import Anchors, Head
from storage.database import Read, Write
from storage.errors import Unavailable
from storage.keys import Keys
from storage.records.changes import LedgerEntry
from storage.records.document import canonical
from storage.tables.control import CounterRow, LedgerRow
from storage.verifier import GENESIS, climb, leaf

__all__ = ["GENESIS", "Anchors", "Head", "Verification", "append", "commitment", "entries", "verify"]

_COUNTER = "ledger"
_CHAINED = ("previous", "hash")
_COPIES = ("seq", "at", "actor", "action", "object_kind", "object_key", "result")
_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether the ledger is whole.

    ``entries`` counts those found good from the start, ``first_bad`` is the first number that is missing or wrong,
    ``anchored_to`` the highest entry that an anchor confirms (0: none; later ones could be cut off unseen).
    """

    ok: bool
    entries: int
    first_bad: int | None
    anchored_to: int
    reason: str


def append(
    write: Write,
    keys: Keys,
    *,
    at: int,
    actor: str,
    action: str,
    object_kind: str,
    object_key: str,
    before: Any,
    after: Any,
    reason: str,
    result: Literal["applied", "denied", "failed"] = "applied",
    four_eyes: bool = True,
    revision: int | None = None,
    request_id: str = "",
) -> LedgerEntry:
    """Add an entry. Append last in a transaction: the end of the chain stays locked until commit.

    ``before`` and ``after`` are JSON or records; personal data goes in as ``commitment(keys, value)`` only.

    Raises
    ------
    Unavailable
        If the entry before is missing: a broken chain is not continued.
    """
    seq = write.next_number(_COUNTER)
    previous = GENESIS if seq == 1 else write.first(select(LedgerRow.hash).where(LedgerRow.seq == seq - 1))
    if previous is None:
        raise Unavailable(f"the ledger lacks entry {seq - 1}; nothing is changed until it is whole again")
    plain = {
        "seq": seq,
        "at": at,
        "actor": actor,
        "action": action,
        "object_kind": object_kind,
        "object_key": object_key,
        "before": before,
        "after": after,
        "reason": reason,
        "result": result,
        "four_eyes": four_eyes,
        "revision": revision,
        "request_id": request_id,
    }
    body = canonical(plain)
    row = LedgerRow(
        seq=seq,
        at=at,
        actor=actor,
        action=action,
        object_kind=object_kind,
        object_key=object_key,
        result=result,
        body=body,
        previous=previous,
        hash=_link(keys.chain, previous, body),
    )
    write.add(row)
    write.flush()
    return _entry(row)


def _link(key: bytes, previous: str, body: bytes) -> str:
    """Return an entry's hash: HMAC-SHA256 (RFC 2104) over the hash before it and its canonical JSON.

    >>> _link(b"key", GENESIS, b"{}") == _link(b"other", GENESIS, b"{}")
    False
    """
    return hmac.digest(key, previous.encode() + b"\n" + body, sha256).hex()


def commitment(keys: Keys, value: Any) -> str:
    """Return a keyed commitment: it shows later that ``value`` was meant, and gives nothing away before."""
    return "hmac:" + hmac.digest(keys.commitment, canonical(value), sha256).hex()


def entries(
    read: Read,
    *,
    actor: str | None = None,
    action: str | None = None,
    object_kind: str | None = None,
    object_key: str | None = None,
    result: str | None = None,
    start: int | None = None,
    end: int | None = None,
    before_seq: int | None = None,
    limit: int = 100,
) -> list[LedgerEntry]:
    """Return entries, newest first; ``start`` and ``end`` bound ``at`` (end excluded), ``before_seq`` pages on."""
    equal: Mapping[str, str | None] = {
        "actor": actor,
        "action": action,
        "object_kind": object_kind,
        "object_key": object_key,
        "result": result,
    }
    statement = select(LedgerRow).order_by(col(LedgerRow.seq).desc()).limit(limit)
    for name, value in equal.items():
        if value is not None:
            statement = statement.where(getattr(LedgerRow, name) == value)
    if start is not None:
        statement = statement.where(col(LedgerRow.at) >= start)
    if end is not None:
        statement = statement.where(col(LedgerRow.at) < end)
    if before_seq is not None:
        statement = statement.where(col(LedgerRow.seq) < before_seq)
    return [_entry(row) for row in read.all(statement)]


def verify(read: Read, *, keys: Keys, anchors: Anchors) -> Verification:
    """Check every entry, every link and every anchor.

    An edited, deleted or swapped entry breaks a link; a shortened or recomputed chain contradicts an anchor. What a
    holder of ``keys.chain`` did since the last anchor cannot be seen: anchor every minute.
    """
    try:
        heads = {head.seq: head for head in anchors.heads()}
    except Unavailable as error:
        return Verification(ok=False, entries=0, first_bad=None, anchored_to=0, reason=str(error))
    counted = read.first(select(CounterRow.value).where(CounterRow.name == _COUNTER)) or 0
    previous, digest, seq, anchored = GENESIS, GENESIS, 0, 0

    def broken(first_bad: int, reason: str) -> Verification:
        return Verification(ok=False, entries=first_bad - 1, first_bad=first_bad, anchored_to=anchored, reason=reason)

    while page := _page(read, seq):
        for row in page:
            if row.seq != seq + 1:
                return broken(seq + 1, f"entry {seq + 1} is missing")
            fault = _fault(row, previous, keys)
            if fault:
                return broken(row.seq, f"entry {row.seq} {fault}")
            seq, previous, digest = row.seq, row.hash, climb(digest, leaf(row.hash, row.body))
            if seq in heads:
                if heads[seq].hash != row.hash or heads[seq].digest not in {"", digest}:
                    return broken(
                        anchored + 1, f"the chain was recomputed: entries {anchored + 1} to {seq} contradict the anchor"
                    )
                anchored = seq
    expected = max([counted, *heads])
    if expected > seq:
        return broken(seq + 1, f"entries {seq + 1} to {expected} are missing at the end")
    return Verification(ok=True, entries=seq, first_bad=None, anchored_to=anchored, reason="whole")


def _page(read: Read, after: int) -> list[LedgerRow]:
    statement = select(LedgerRow).where(col(LedgerRow.seq) > after).order_by(col(LedgerRow.seq)).limit(_PAGE)
    return list(read.all(statement))


def _fault(row: LedgerRow, previous: str, keys: Keys) -> str | None:
    """Return what is wrong with one row, or None."""
    if row.previous != previous:
        return "does not name the one before"
    if not hmac.compare_digest(row.hash.encode(), _link(keys.chain, previous, row.body).encode()):
        return "was edited: its content does not match its hash"
    plain = orjson.loads(row.body)
    copies = [name for name in _COPIES if getattr(row, name) != plain[name]]
    return f"was edited: its columns differ from what was hashed ({', '.join(copies)})" if copies else None


def _entry(row: LedgerRow) -> LedgerEntry:
    """Return a row as a record; what it says is what the hash covers."""
    plain = orjson.loads(row.body)
    names = {item.name for item in fields(LedgerEntry)} - set(_CHAINED)
    return LedgerEntry(**{name: plain[name] for name in names}, previous=row.previous, hash=row.hash)
