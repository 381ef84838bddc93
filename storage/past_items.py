"""Items as they were: what any catalogue version within the bound is rebuilt from."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text
from sqlmodel import col, func, select

from storage.database import Read, Write
from storage.records.clock import DAY
from storage.records.document import parse
from storage.records.items import Catalogue, Item
from storage.tables.items import CatalogueVersionRow, ItemVersionRow
from storage.upserts import upsert

KEEP_US = 180 * DAY
"""How long a catalogue version can be rebuilt after it was superseded: as long as decisions are kept."""
MOST_KEPT = 5_000_000
"""And at most so many item versions; the oldest catalogue versions go first."""

_SUPERSEDED = text(
    "DELETE FROM item_versions WHERE version < :floor AND EXISTS (SELECT 1 FROM item_versions later "
    "WHERE later.ordinal = item_versions.ordinal AND later.version > item_versions.version "
    "AND later.version <= :floor)"
)
_AT = text(
    "SELECT v.document FROM item_versions v JOIN (SELECT ordinal, max(version) AS version FROM item_versions "
    "WHERE version <= :number GROUP BY ordinal) latest ON latest.ordinal = v.ordinal AND latest.version = v.version "
    "ORDER BY v.ordinal"
)


def remember(write: Write, number: int, items: Iterable[tuple[int, bytes]], *, at: int) -> None:
    """Keep what catalogue version ``number`` changed: ordinals and documents."""
    rows: list[dict[str, Any]] = [
        {"ordinal": ordinal, "version": number, "document": document} for ordinal, document in items
    ]
    upsert(write, ItemVersionRow, rows)
    upsert(write, CatalogueVersionRow, [{"version": number, "at": at, "items": len(rows)}])


def past(read: Read, number: int) -> Catalogue | None:
    """Return the catalogue as it was at version ``number``; None where that is no longer kept."""
    if number == 0:
        return Catalogue(version=0, items=())
    if read.get(CatalogueVersionRow, number) is None:
        return None
    documents = read.all(_AT.bindparams(number=number))
    return Catalogue(version=number, items=tuple(parse(Item, bytes(row[0])) for row in documents))


def forget(write: Write, *, now: int, keep_us: int = KEEP_US, most: int = MOST_KEPT) -> int:
    """Drop what is beyond the bound; return how many catalogue versions can no longer be rebuilt.

    A version is kept while the one after it is younger than ``keep_us`` and it is among the latest that changed
    ``most`` items together; the newest always is.
    """
    rows = write.all(
        select(CatalogueVersionRow.version, CatalogueVersionRow.at, CatalogueVersionRow.items).order_by(
            col(CatalogueVersionRow.version).desc()
        )
    )
    floor, superseded_at, kept = 0, now, 0
    for number, at, changed in rows:
        if floor and (superseded_at <= now - keep_us or kept > most):
            break
        floor, superseded_at, kept = number, at, kept + changed
    dropped = sum(int(number) < floor for number, _, _ in rows)
    if dropped:
        write.execute(text("DELETE FROM catalogue_versions WHERE version < :floor"), {"floor": floor})
        write.execute(_SUPERSEDED, {"floor": floor})
    return dropped


def oldest(read: Read) -> int | None:
    """Return the oldest catalogue version that can be rebuilt; None where there is none."""
    found: int | None = read.first(select(func.min(CatalogueVersionRow.version)))
    return found
