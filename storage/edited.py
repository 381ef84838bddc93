"""Documents with a key that are edited in place, and what each was before its last edit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlmodel import col, select

from storage.database import Read, Write
from storage.records.document import canonical, digest, parse

Document = TypeVar("Document")
Stored = TypeVar("Stored")


@dataclass(frozen=True, slots=True)
class Edited(Generic[Document, Stored]):
    """Documents of one kind in one table.

    Parameters
    ----------
    row
        The table: key, document, previous, etag, updated_at.
    kind
        The documents' type; each has a ``key``.
    stored
        Makes what is returned, of the document, the tag of its state, when that was written (microseconds UTC), and
        the document before (None: there was none).
    """

    row: type[Any]
    kind: type[Document]
    stored: Callable[[Document, str, int, Document | None], Stored]

    def _of(self, row: Any) -> Stored:
        previous = parse(self.kind, row.previous) if row.previous is not None else None
        return self.stored(parse(self.kind, row.document), row.etag, row.updated_at, previous)

    def listed(self, read: Read) -> list[Stored]:
        """Return every document, by key."""
        return [self._of(row) for row in read.all(select(self.row).order_by(col(self.row.key)))]

    def find(self, read: Read, key: str) -> Stored | None:
        """Return one document or None."""
        row = read.get(self.row, key)
        return self._of(row) if row else None

    def save(self, write: Write, document: Any, *, previous: Document | None, at: int) -> Stored:
        """Insert or replace a document; ``previous`` is what a rollback goes back to."""
        row = self.row(
            key=document.key,
            document=canonical(document),
            previous=canonical(previous) if previous is not None else None,
            etag=digest(document),
            updated_at=at,
        )
        write.merge(row)
        write.flush()
        return self.stored(document, row.etag, at, previous)

    def remove(self, write: Write, key: str) -> None:
        """Delete a document, if there is one."""
        row = write.get(self.row, key)
        if row is not None:
            write.delete(row)
            write.flush()
