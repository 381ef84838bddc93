"""The catalogue as it is kept: items with ordinals that never change, and a version that grows with every change."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from sqlalchemy import update
from sqlmodel import col, func, select

from storage.database import Read, Write
from storage.past_items import remember
from storage.records.document import parse
from storage.records.items import Catalogue, Item, item_document
from storage.tables.control import CounterRow
from storage.tables.items import ItemRow
from storage.upserts import upsert as put

COUNTER = "catalogue"
CHUNK = 500
"""Ids per statement: SQLite bears a limited number of parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an upsert did at ``at``, in items; ``version`` is the catalogue's version afterwards."""

    at: int
    added: int
    changed: int
    unchanged: int
    version: int
    hidden: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What the catalogue holds."""

    version: int
    items: int
    hidden: int
    sources: dict[str, int]


def item_ids(read: Read) -> list[str]:
    """Return the id of every item, hidden ones too."""
    return list(read.all(select(ItemRow.item_id).order_by(ItemRow.item_id)))


def upsert(write: Write, items: Iterable[Item], *, now: int, source: str = "", withdraw: Iterable[str] = ()) -> Report:
    """Add new items and replace changed ones; hide those in ``withdraw``; items not named stay as they are.

    The version grows by one when anything changed, and only then. The last of several items with one id holds.
    ``source`` is the sync that brings them.
    """
    named = {item.item_id: item for item in items}
    wanted = {key: item_document(item) for key, item in named.items()}
    withdraw = list(withdraw)
    known = _digests(write, {*wanted, *withdraw})
    gone = _hidden(write, [each for each in withdraw if each in known and each not in wanted])
    digests = {key: digest_of(document) for key, document in wanted.items()}
    differing = {key: wanted[key] for key in wanted if key not in known or known[key].digest != digests[key]}
    moved = [key for key in wanted if key in known and known[key].source != source and key not in differing]
    if moved:
        _move(write, moved, source)
    if not differing and not gone:
        return Report(at=now, added=0, changed=0, unchanged=len(wanted), version=version(write))
    number = write.next_number(COUNTER)
    highest = write.first(select(func.max(ItemRow.ordinal)))
    following = iter(range(0 if highest is None else int(highest) + 1, 2**32))
    rows: list[dict[str, Any]] = [
        {
            "item_id": key,
            "ordinal": known[key].ordinal if key in known else next(following),
            "document": document,
            "version": number,
            "source": source if key in wanted else known[key].source,
            "digest": digest_of(document),
            "hidden": key in gone or named[key].hidden,
        }
        for key, document in {**differing, **gone}.items()
    ]
    put(write, ItemRow, rows)
    remember(write, number, [(row["ordinal"], row["document"]) for row in rows], at=now)
    added = sum(key not in known for key in differing)
    return Report(
        at=now,
        added=added,
        changed=len(differing) - added,
        unchanged=len(wanted) - len(differing),
        version=number,
        hidden=len(gone),
    )


def pending(read: Read, items: Mapping[str, Item], *, source: str) -> list[Item]:
    """Return the items that ``upsert`` would write: new, changed, or brought by another source so far."""
    known = _digests(read, items)
    return [
        item
        for key, item in items.items()
        if key not in known or known[key].source != source or known[key].digest != digest_of(item_document(item))
    ]


def version(read: Read) -> int:
    """Return the catalogue's version; 0 before the first item."""
    row = read.get(CounterRow, COUNTER)
    return 0 if row is None else row.value


def load(read: Read) -> Catalogue:
    """Return the whole catalogue in the order of ordinals."""
    number = version(read)
    documents = read.all(select(ItemRow.document).order_by(col(ItemRow.ordinal)))
    return Catalogue(version=number, items=tuple(parse(Item, document) for document in documents))


def changed_since(read: Read, number: int) -> tuple[int, list[tuple[int, Item]]]:
    """Return the catalogue's version, and the items that changed after version ``number`` with their ordinals."""
    rows = read.all(
        select(ItemRow.ordinal, ItemRow.document).where(col(ItemRow.version) > number).order_by(col(ItemRow.ordinal))
    )
    return version(read), [(int(ordinal), parse(Item, document)) for ordinal, document in rows]


def item(read: Read, item_id: str) -> Item | None:
    """Return one item or None."""
    row = read.get(ItemRow, item_id)
    return None if row is None else parse(Item, row.document)


def visible_ids(read: Read, source: str) -> set[str]:
    """Return the ids of the items that a sync brought and that are not hidden."""
    here = (col(ItemRow.source) == source, col(ItemRow.hidden).is_(False))
    return set(read.all(select(ItemRow.item_id).where(*here)))


def holding(read: Read) -> Holding:
    """Return what the catalogue holds."""
    counted = read.all(select(ItemRow.source, func.count()).group_by(col(ItemRow.source)))
    hidden = read.first(select(func.count()).select_from(ItemRow).where(col(ItemRow.hidden)))
    return Holding(
        version=version(read),
        items=sum(int(count) for _, count in counted),
        hidden=int(hidden or 0),
        sources={source: int(count) for source, count in counted},
    )


def digest_of(document: bytes) -> str:
    """Return what tells one item document from another."""
    return blake2b(document, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class _Known:
    ordinal: int
    digest: str
    source: str


def _digests(read: Read, keys: Collection[str]) -> dict[str, _Known]:
    """Return ordinal and digest of those of the items that are there; where no digest was kept, of what is."""
    known: dict[str, _Known] = {}
    listed = sorted(keys)
    for first in range(0, len(listed), CHUNK):
        here = col(ItemRow.item_id).in_(listed[first : first + CHUNK])
        rows: Sequence[Any] = read.all(
            select(ItemRow.item_id, ItemRow.ordinal, ItemRow.digest, ItemRow.source).where(here)
        )
        known |= {key: _Known(int(ordinal), digest, source) for key, ordinal, digest, source in rows}
        old = read.all(select(ItemRow.item_id, ItemRow.document).where(here, col(ItemRow.digest) == ""))
        for key, document in old:
            known[key] = replace(known[key], digest=digest_of(document))
    return known


def _hidden(read: Read, keys: list[str]) -> dict[str, bytes]:
    """Return the documents of items with the mark that they are hidden; those that are already are left out."""
    found: dict[str, bytes] = {}
    for first in range(0, len(keys), CHUNK):
        rows = read.all(
            select(ItemRow.item_id, ItemRow.document).where(col(ItemRow.item_id).in_(keys[first : first + CHUNK]))
        )
        for key, document in rows:
            before = parse(Item, document)
            if not before.hidden:
                found[key] = item_document(replace(before, hidden=True))
    return found


def _move(write: Write, keys: list[str], source: str) -> None:
    for first in range(0, len(keys), CHUNK):
        chunk = col(ItemRow.item_id).in_(keys[first : first + CHUNK])
        write.execute(update(ItemRow).where(chunk).values(source=source))
