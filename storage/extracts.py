"""Extracts of the ledger that anyone can check: chosen entries in plain text, digests of those between."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
from sqlmodel import col, select

from storage.anchors import Anchors, Head
from storage.database import Read
from storage.errors import Conflict, Invalid, NotFound, Problem
from storage.records.document import canonical
from storage.tables.control import LedgerRow
from storage.verifier import ANCHORS, ENTRIES, GENESIS, climb, leaf

_PAGE = 1_000
MOST = 200_000
"""Entries of one extract, digests included: what a request can wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are shown in plain text; None admits every value. ``start`` and ``end`` bound ``at``, end excluded;
    ``first`` and ``last`` bound the number, both included."""

    actor: str | None = None
    action: str | None = None
    object_kind: str | None = None
    object_key: str | None = None
    result: str | None = None
    start: int | None = None
    end: int | None = None
    first: int | None = None
    last: int | None = None

    @property
    def filters(self) -> dict[str, Any]:
        """What is asked for, without what is not."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def admits(self, row: LedgerRow) -> bool:
        """Tell whether an entry is to be shown."""
        equal = all(
            getattr(self, name) in {None, getattr(row, name)}
            for name in ("actor", "action", "object_kind", "object_key", "result")
        )
        after = (self.start is None or row.at >= self.start) and (self.first is None or row.seq >= self.first)
        before = (self.end is None or row.at < self.end) and (self.last is None or row.seq <= self.last)
        return equal and after and before


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What a bundle holds of the ledger: what its manifest says of the chain, and the files."""

    chain: Mapping[str, Any]
    files: Mapping[str, tuple[bytes, ...]]
    shown: int


def extract(read: Read, anchors: Anchors, wanted: Wanted) -> Extract:
    """Return the entries asked for within the chain that holds them, from the anchor before the first of them.

    Raises
    ------
    Invalid
        If the chain between is too long for one extract.
    NotFound
        If no entry is asked for by these filters.
    """
    bounds = _bounds(read, wanted)
    heads = [head for head in anchors.heads() if head.digest]
    begin = max((head for head in heads if head.seq < bounds[0]), key=lambda head: head.seq, default=None)
    return _between(read, heads, wanted, begin, bounds[1])


def proof(read: Read, anchors: Anchors, seq: int) -> Extract:
    """Return one entry in plain text and the chain's segment between the two anchors around it.

    Raises
    ------
    NotFound, Conflict
        If there is no such entry, or no anchor confirms it yet.
    """
    if read.first(select(LedgerRow.seq).where(LedgerRow.seq == seq)) is None:
        raise NotFound("no such ledger entry")
    heads = [head for head in anchors.heads() if head.digest]
    end = min((head for head in heads if head.seq >= seq), key=lambda head: head.seq, default=None)
    if end is None:
        raise Conflict("no anchor confirms this entry yet; anchors are written every minute, ask again then")
    begin = max((head for head in heads if head.seq < seq), key=lambda head: head.seq, default=None)
    return _between(read, heads, replace(Wanted(), first=seq, last=seq), begin, end.seq)


def _bounds(read: Read, wanted: Wanted) -> tuple[int, int]:
    """Return the first and the last number that can be among those asked for."""
    within = select(LedgerRow.seq)
    at, seq = col(LedgerRow.at), col(LedgerRow.seq)
    bounds = (("start", at.__ge__), ("end", at.__lt__), ("first", seq.__ge__), ("last", seq.__le__))
    for name, condition in bounds:
        bound = getattr(wanted, name)
        within = within if bound is None else within.where(condition(bound))
    first = read.first(within.order_by(col(LedgerRow.seq)).limit(1))
    last = read.first(within.order_by(col(LedgerRow.seq).desc()).limit(1))
    if first is None or last is None:
        raise NotFound("no ledger entry fits")
    return first, last


def _between(read: Read, heads: list[Head], wanted: Wanted, begin: Head | None, last: int) -> Extract:
    start, digest = (begin.seq, begin.digest) if begin else (0, GENESIS)
    if last - start > MOST:
        message = f"the chain between has {last - start} entries, one extract may hold {MOST}; narrow the range"
        raise Invalid(f"start: {message}", problems=(Problem(field="start", message=message),))
    entries: list[bytes] = []
    seq, link, shown = start, "", 0
    for row in _rows(read, start, last):
        open_ = wanted.admits(row)
        shown += open_
        added = leaf(row.hash, row.body)
        plain = {"seq": row.seq, "body": row.body.decode(), "previous": row.previous, "hash": row.hash}
        entries.append(orjson.dumps(plain if open_ else {"seq": row.seq, "leaf": added}) + b"\n")
        seq, link, digest = row.seq, row.hash, climb(digest, added)
    between = [head for head in heads if start <= head.seq <= seq]
    chain = {
        "start": {"seq": start, "digest": begin.digest if begin else GENESIS},
        "end": {"seq": seq, "hash": link, "digest": digest},
        "shown": shown,
    }
    lines = tuple(canonical(head) + b"\n" for head in between)
    return Extract(chain=chain, files={ENTRIES: tuple(entries), ANCHORS: lines}, shown=shown)


def _rows(read: Read, after: int, last: int) -> Iterator[LedgerRow]:
    while after < last:
        statement = select(LedgerRow).where(col(LedgerRow.seq) > after, col(LedgerRow.seq) <= last)
        page = read.all(statement.order_by(col(LedgerRow.seq)).limit(_PAGE))
        if not page:
            return
        yield from page
        after = page[-1].seq
