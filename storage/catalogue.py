"""The catalogue as it is kept: items with ordinals that never change, and a version that grows with every change."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import col, func, select

from storage.database import Read, Write
from storage.records.document import canonical, parse
from storage.records.items import Catalogue, Item
from storage.tables.control import CounterRow, ItemRow

COUNTER = "catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an upsert did at ``at``, in items; ``version`` is the catalogue's version afterwards."""

    at: int
    added: int
    changed: int
    unchanged: int
    version: int


def upsert(write: Write, items: Iterable[Item], *, now: int) -> Report:
    """Add new items and replace changed ones; items not named stay as they are (hide an item to withdraw it).

    The version grows by one when anything changed, and only then. The last of several items with one id holds.
    """
    wanted = {item.item_id: canonical(item) for item in items}
    stored: dict[str, ItemRow] = {row.item_id: row for row in write.all(select(ItemRow))}
    differing = [key for key, document in wanted.items() if key not in stored or stored[key].document != document]
    if not differing:
        return Report(at=now, added=0, changed=0, unchanged=len(wanted), version=version(write))
    number = write.next_number(COUNTER)
    highest = write.first(select(func.max(ItemRow.ordinal)))
    ordinal = -1 if highest is None else int(highest)
    added = 0
    for key in differing:
        row = stored.get(key)
        if row is None:
            ordinal += 1
            added += 1
            row = ItemRow(item_id=key, ordinal=ordinal, document=wanted[key], version=number)
        row.document = wanted[key]
        row.version = number
        write.add(row)
    write.flush()
    changed = len(differing) - added
    return Report(at=now, added=added, changed=changed, unchanged=len(wanted) - len(differing), version=number)


def version(read: Read) -> int:
    """Return the catalogue's version; 0 before the first item."""
    row = read.get(CounterRow, COUNTER)
    return 0 if row is None else row.value


def load(read: Read) -> Catalogue:
    """Return the whole catalogue in the order of ordinals."""
    number = version(read)
    rows = read.all(select(ItemRow).order_by(col(ItemRow.ordinal)))
    return Catalogue(version=number, items=tuple(parse(Item, row.document) for row in rows))
