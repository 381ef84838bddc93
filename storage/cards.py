"""Cards in the database, one per version of a policy or a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlmodel import col, select

from storage.database import Read, Write
from storage.records.cards import Card
from storage.records.document import canonical, digest, parse
from storage.tables.toggles import CardRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCard:
    """A card with the facts as they were when it was last kept (``updated_at``, microseconds UTC)."""

    object_kind: str
    object_key: str
    version: str
    card: Card
    facts: Mapping[str, Any]
    etag: str
    written_by: str
    updated_at: int


def _stored(row: CardRow) -> StoredCard:
    return StoredCard(
        object_kind=row.object_kind,
        object_key=row.object_key,
        version=row.version,
        card=parse(Card, row.card),
        facts=orjson.loads(row.facts),
        etag=row.etag,
        written_by=row.written_by,
        updated_at=row.updated_at,
    )


def find(read: Read, object_kind: str, object_key: str, version: str) -> StoredCard | None:
    """Return one card or None."""
    row = read.get(CardRow, (object_kind, object_key, version))
    return _stored(row) if row else None


def latest(read: Read, object_kind: str, object_key: str) -> StoredCard | None:
    """Return the card of the version that was last written about."""
    statement = (
        select(CardRow)
        .where(CardRow.object_kind == object_kind, CardRow.object_key == object_key)
        .order_by(col(CardRow.updated_at).desc(), col(CardRow.version).desc())
        .limit(1)
    )
    row = read.first(statement)
    return _stored(row) if row else None


def save(
    write: Write,
    object_kind: str,
    object_key: str,
    version: str,
    *,
    card: Card,
    facts: Mapping[str, Any],
    by: str,
    at: int,
) -> StoredCard:
    """Insert or replace a card."""
    row = CardRow(
        object_kind=object_kind,
        object_key=object_key,
        version=version,
        card=canonical(card),
        facts=canonical(dict(facts)),
        etag=digest(card),
        written_by=by,
        updated_at=at,
    )
    write.merge(row)
    write.flush()
    return _stored(row)
