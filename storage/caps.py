"""The installation's own frequency caps in the database."""

from dataclasses import dataclass

from storage.edited import Edited
from storage.records.caps import Cap
from storage.tables.caps import CapRow


@dataclass(frozen=True, slots=True)
class StoredCap:
    """A cap with the tag of its present state, and what it was before its last edit."""

    cap: Cap
    etag: str
    updated_at: int
    previous: Cap | None = None


_kept = Edited(CapRow, Cap, StoredCap)
listed, find, save, remove = _kept.listed, _kept.find, _kept.save, _kept.remove
